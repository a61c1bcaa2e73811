"""Packs the extension as a release does."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).resolve().parents[2]


def pack_for_this_machine(factory: pytest.TempPathFactory) -> Path:
    """The extension with the server's libraries, packed for this machine: once for all tests of one pytest run."""
    own = factory.getbasetemp()
    # Workers that run side by side have folders of their own, popen-gw0 and so on, in that of the run.
    out = (own.parent if own.name.startswith("popen-") else own) / "packed"
    command = ["node", str(ROOT / "scripts" / "package.mjs"), "--target", "own", "--out", str(out)]
    # Each time the extension is built anew, where it is built for everybody.
    with FileLock(ROOT / ".cache" / "packing.lock"):
        if not (out / "done").exists():
            subprocess.run(command, check=True, timeout=600)
            (out / "done").touch()
    (file,) = out.glob("*.vsix")
    return file
