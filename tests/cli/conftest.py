"""Fixtures: a shop with coverage data that tests only read, and a fresh one for tests that change it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cli.gating import Checkout
from cli.projects import HOSTILE, Project, make_shop


@pytest.fixture(scope="session")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A measured shop, in a folder with a space and letters beyond ASCII. Do not change it."""
    project = make_shop(tmp_path_factory.mktemp("cli") / "mein Lädchen")
    project.measure()
    return project


@pytest.fixture(scope="session")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A measured shop with names and texts that mean something to HTML, Markdown or a terminal. Do not change it."""
    project = make_shop(tmp_path_factory.mktemp("cli") / "odd")
    for name in ("größe.py", "a|b.py", "<b>bold.py"):
        project.write(f"shop/{name}", HOSTILE)
    project.measure()
    return project


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    """A shop that was never measured, to do with as the test likes."""
    return make_shop(tmp_path / "shop")


@pytest.fixture
def moved_shop(tmp_path: Path, measured: Project) -> Project:
    """The measured shop copied to another folder: its data still speaks of the first one, as that of CI does."""
    shutil.copytree(measured.root, tmp_path / "shop", ignore=shutil.ignore_patterns(".testlens"))
    return Project(tmp_path / "shop")


@pytest.fixture(scope="session")
def _tracked(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    checkout = Checkout(make_shop(tmp_path_factory.mktemp("cli") / "tracked").root)
    checkout.write(".gitignore", ".coverage\n__pycache__/\nout/\n")
    checkout.git("init", "--quiet", "--initial-branch", "main")
    checkout.commit("the shop")
    checkout.measure()
    return checkout


@pytest.fixture
def checkout(tmp_path: Path, _tracked: Checkout) -> Checkout:
    """A measured shop, committed on `main`, to do with as the test likes."""
    shutil.copytree(_tracked.root, tmp_path / "shop", ignore=shutil.ignore_patterns(".testlens"))
    return Checkout(tmp_path / "shop")
