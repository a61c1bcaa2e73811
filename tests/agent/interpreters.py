"""The Python versions on this machine, each with a virtual environment that has pytest and coverage."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from filelock import FileLock

CURRENT = f"{sys.version_info.major}.{sys.version_info.minor}"
SUPPORTED = ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14")

_CACHE = Path(__file__).resolve().parents[2] / ".cache" / "agent-venvs"
_PACKAGES = ("pytest", "coverage", "pytest-cov")
# Plugins whose work does not depend on the version of Python.
_MORE_FOR_CURRENT = ("pytest-xdist", "pytest-randomly")


def found() -> dict[str, Path]:
    """The interpreters of supported versions, by version; the current one is always there."""
    interpreters = {version: path for version in SUPPORTED for path in _candidates(version)}
    return {**interpreters, CURRENT: Path(sys.executable)}


def in_order(versions: Iterable[str]) -> list[str]:
    """The versions, oldest first."""
    return sorted(versions, key=lambda version: int(version.partition(".")[2]))


def environment(version: str, interpreter: Path) -> Path:
    """The interpreter of a virtual environment for `version` with the packages above, made once and kept."""
    return environment_with(version, interpreter, (*_PACKAGES, *(_MORE_FOR_CURRENT if version == CURRENT else ())))


def environment_with(name: str, interpreter: Path, packages: Sequence[str]) -> Path:
    """The interpreter of a virtual environment with these packages, made once and kept under this name."""
    _CACHE.mkdir(parents=True, exist_ok=True)
    with FileLock(_CACHE / f"{name}.lock"):  # tests that run side by side want the same one
        return _environment_with(_CACHE / name, interpreter, packages)


def _environment_with(folder: Path, interpreter: Path, packages: Sequence[str]) -> Path:
    python = folder / "bin" / "python"
    ready = folder / "ready.txt"
    if ready.is_file() and ready.read_text() == "\n".join(packages) and python.exists():
        return python
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([str(interpreter), "-m", "venv", str(folder)], check=True)
    install = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", *packages]
    subprocess.run(install, check=True)
    ready.write_text("\n".join(packages))
    return python


def bare_environment(folder: Path) -> Path:
    """The interpreter of a new virtual environment without any package, pip included."""
    venv.create(folder, with_pip=False)
    return folder / "bin" / "python"


def _candidates(version: str) -> Iterator[Path]:
    on_path = shutil.which(f"python{version}")
    if on_path and _works(Path(on_path)):
        yield Path(on_path)
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    yield from pyenv.glob(f"{version}.*/bin/python")


def _works(interpreter: Path) -> bool:
    """pyenv puts a command on PATH for versions that are not switched on, too; those only print an error."""
    return subprocess.run([str(interpreter), "-c", ""], check=False, capture_output=True).returncode == 0
