"""Packs the extension as a release does."""

from __future__ import annotations

import subprocess
from pathlib import Path

from filelock import FileLock

ROOT = Path(__file__).resolve().parents[2]


def pack_for_this_machine(out: Path) -> Path:
    """The extension with the server's libraries, packed into a folder for this machine."""
    command = ["node", str(ROOT / "scripts" / "package.mjs"), "--target", "own", "--out", str(out)]
    # Each time the extension is built anew, where it is built for everybody.
    with FileLock(ROOT / ".cache" / "packing.lock"):
        subprocess.run(command, check=True, timeout=600)
    (file,) = out.glob("*.vsix")
    return file
