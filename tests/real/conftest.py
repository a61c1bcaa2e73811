"""Published projects with their own suites: fetched once from the package index by hash, run by Testlens itself."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from testlens.runners.pytest_runner import RunRequest, RunResult, run_tests

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache" / "published"
ENVIRONMENT = ROOT / "requirements" / "published.lock"
SOURCES = ROOT / "requirements" / "published-sources.txt"


@dataclass(frozen=True, slots=True)
class Published:
    """An unpacked source archive after a run of its own suite by Testlens; `data` is the coverage that came of it."""

    root: Path
    python: Path
    run: RunResult
    data: Path


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Published]:
    """A function that gives a published project by name, its suite run once a session."""
    python = _environment()
    done: dict[str, Published] = {}

    def get(name: str) -> Published:
        if name not in done:
            root = tmp_path_factory.mktemp("published") / name
            shutil.copytree(next(CACHE.glob(f"{name}-*/")), root)
            done[name] = _run(root, python)
        return done[name]

    return get


def _run(root: Path, python: Path) -> Published:
    data = root / ".testlens" / "run.coverage"
    data.parent.mkdir()
    # The environment knows the copy in the cache; the suite must run the one in `root`.
    request = RunRequest(root, str(python), data, pytest_args=("-p", "no:randomly", "-o", "pythonpath=src"))
    result = asyncio.run(run_tests(request, lambda event: None))
    return Published(root, python, result, data)


def _environment() -> Path:
    """The interpreter of an environment with all projects installed from their source archives."""
    wanted = hashlib.sha256(ENVIRONMENT.read_bytes() + SOURCES.read_bytes() + sys.version.encode()).hexdigest()
    stamp, venv = CACHE / "stamp", CACHE / "venv"
    python = venv / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    shutil.rmtree(CACHE, ignore_errors=True)
    CACHE.mkdir(parents=True)
    _command(sys.executable, "-m", "venv", str(venv))
    pip = (str(python), "-m", "pip", "--disable-pip-version-check")
    _command(*pip, "install", "--require-hashes", "-r", str(ENVIRONMENT))
    # Metadata of a source archive comes from its build backend, which the lock has just installed.
    archives = ("--no-deps", "--no-binary=:all:", "--no-build-isolation", "--require-hashes")
    _command(*pip, "download", *archives, "--dest", str(CACHE), "-r", str(SOURCES))
    for archive in CACHE.glob("*.tar.gz"):
        with tarfile.open(archive) as file:
            file.extractall(CACHE, filter="data")
        folder = archive.with_name(archive.name.removesuffix(".tar.gz"))
        _command(*pip, "install", "--no-deps", "--no-build-isolation", "--editable", str(folder))
    stamp.write_text(wanted)
    return python


def _command(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(argv)}\n{done.stdout}{done.stderr}"
