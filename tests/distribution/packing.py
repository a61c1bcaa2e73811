"""Packs the extension as a release does."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def pack_for_this_machine(out: Path) -> Path:
    """The extension with the server's libraries, packed into a folder for this machine."""
    command = ["node", str(ROOT / "scripts" / "package.mjs"), "--target", "own", "--out", str(out)]
    subprocess.run(command, check=True, timeout=600)
    (file,) = out.glob("*.vsix")
    return file
