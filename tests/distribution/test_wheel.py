"""The wheel of `testlens` has all that it needs, and works where nothing else was ever installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from cli.projects import make_shop
from installable import write_wheels
from testlens import __version__

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy: setuptools leaves its own files beside the sources."""
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT / "server", folder / "source" / "server")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy2(ROOT / name, folder / "source" / name)
    options = ("-q", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder))
    _run(sys.executable, "-m", "pip", "wheel", *options, str(folder / "source"))
    (file,) = folder.glob("*.whl")
    return file


def test_the_wheel_has_every_file_of_the_server(wheel: Path) -> None:
    """Templates, assets and the agent, which no module of `testlens` imports, included."""
    listed = _run("git", "ls-files", "--cached", "--others", "--exclude-standard", "server", cwd=ROOT).splitlines()
    wanted = {name.removeprefix("server/") for name in listed}
    assert {"testlens_agent/__main__.py", "testlens/scaffold/templates/github.yml.j2"} <= wanted
    assert wanted - set(zipfile.ZipFile(wheel).namelist()) == set()


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    """Name, version, licence, the page for the package index, and one command."""
    assert wheel.name == f"testlens-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        text = archive.read(metadata).decode()
        scripts = archive.read(metadata.replace("METADATA", "entry_points.txt")).decode()
    assert "License-File: LICENSE" in text
    assert "Description-Content-Type: text/markdown" in text
    assert "testlens = testlens.__main__:main" in scripts


def test_it_runs_where_nothing_else_was_installed(wheel: Path, tmp_path: Path) -> None:
    """pip takes it and what it requires into a fresh environment, and the command works with its templates."""
    names = [Requirement(text).name for text in PROJECT["project"]["dependencies"]]
    write_wheels(tmp_path / "wheels", *names)
    _run(sys.executable, "-m", "venv", str(tmp_path / "fresh"))
    scripts = tmp_path / "fresh" / ("Scripts" if os.name == "nt" else "bin")
    options = ("-q", "--no-index", "--find-links", str(tmp_path / "wheels"))
    _run(str(scripts / "python"), "-m", "pip", "install", *options, str(wheel))
    testlens = str(scripts / "testlens")
    assert _run(testlens, "--version").strip() == f"testlens {__version__}"
    shop = make_shop(tmp_path / "shop")
    shop.measure()
    assert "shop/orders.py" in _run(testlens, "plan", cwd=shop.root)
    _run(testlens, "init-ci", "github", cwd=shop.root)
    _run(testlens, "report", "--html", "report.html", cwd=shop.root)
    assert (shop.root / ".github/workflows/testlens.yml").is_file()


def test_the_extension_brings_what_the_server_requires() -> None:
    """All dependencies but those of the command line alone, locked: a new one must be bundled, too."""
    required = {Requirement(text).name for text in PROJECT["project"]["dependencies"]}
    lines = (ROOT / "requirements" / "bundled.in").read_text(encoding="utf-8").splitlines()
    bundled = {Requirement(line).name for line in lines if line and not line.startswith("#")}
    assert bundled == required - {"typer", "rich", "anybadge"}


def _run(*command: str, cwd: Path | None = None) -> str:
    # What is installed is to be used, not this checkout.
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "COVERAGE_FILE")}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout
