"""Interpreters with mutmut beside what a project has anyway."""

from __future__ import annotations

import subprocess
import venv
from pathlib import Path

MUTMUT = "mutmut==3.8.1"


def with_mutmut(base: Path, folder: Path) -> Path:
    """An interpreter that has all packages of another one, and mutmut."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    told = subprocess.run(
        [str(base), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    packages = next(folder.glob("lib/python*/site-packages"))
    (packages / "base.pth").write_text(f"import site; site.addsitedir({told.stdout.strip()!r})\n")
    subprocess.run([str(python), "-m", "pip", "install", "-q", MUTMUT], check=True)
    return python
