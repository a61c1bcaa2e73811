"""Published projects with their own suites: fetched once from the package index by hash."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from filelock import FileLock

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache" / "published"
ENVIRONMENT = ROOT / "requirements" / "published.lock"
SOURCES = ROOT / "requirements" / "published-sources.txt"
# The environment knows the copy in the cache; a suite must run the one that it stands beside.
PYTEST_ARGS = ("-p", "no:randomly", "-o", "pythonpath=src")


def unpacked(name: str, folder: Path) -> Path:
    """A copy of a project's source archive in `folder`."""
    return Path(shutil.copytree(next(CACHE.glob(f"{name}-*/")), folder / name))


def environment() -> Path:
    """The interpreter of an environment with all projects installed from their source archives."""
    CACHE.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(CACHE.with_suffix(".lock")):  # tests that run side by side want the same one
        return _environment()


def _environment() -> Path:
    wanted = hashlib.sha256(ENVIRONMENT.read_bytes() + SOURCES.read_bytes() + sys.version.encode()).hexdigest()
    stamp, venv = CACHE / "stamp", CACHE / "venv"
    python = venv / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    shutil.rmtree(CACHE, ignore_errors=True)
    CACHE.mkdir(parents=True)
    command(sys.executable, "-m", "venv", str(venv))
    pip = (str(python), "-m", "pip", "--disable-pip-version-check")
    command(*pip, "install", "--require-hashes", "-r", str(ENVIRONMENT))
    # Metadata of a source archive comes from its build backend, which the lock has just installed.
    archives = ("--no-deps", "--no-binary=:all:", "--no-build-isolation", "--require-hashes")
    command(*pip, "download", *archives, "--dest", str(CACHE), "-r", str(SOURCES))
    for archive in CACHE.glob("*.tar.gz"):
        with tarfile.open(archive) as file:
            file.extractall(CACHE, filter="data")
        folder = archive.with_name(archive.name.removesuffix(".tar.gz"))
        command(*pip, "install", "--no-deps", "--no-build-isolation", "--editable", str(folder))
    stamp.write_text(wanted)
    return python


def command(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(argv)}\n{done.stdout}{done.stderr}"
