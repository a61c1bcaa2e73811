"""Fixtures: a project to fill, run by the current version of Python or by each that is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.interpreters import CURRENT, environment, found
from agent.projects import Project


@pytest.fixture(scope="session")
def current_python() -> Path:
    """An interpreter of the current version that has pytest, coverage, pytest-cov, pytest-xdist and pytest-randomly."""
    return environment(CURRENT, found()[CURRENT])


@pytest.fixture
def project(tmp_path: Path, current_python: Path) -> Project:
    """An empty project run by the current version of Python."""
    return _project(tmp_path, current_python)


@pytest.fixture(params=sorted(found(), key=lambda version: tuple(map(int, version.split(".")))))
def any_project(request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    """An empty project, once for each version of Python on this machine."""
    return _project(tmp_path, environment(request.param, found()[request.param]))


def _project(tmp_path: Path, python: Path) -> Project:
    root = tmp_path / "project"
    root.mkdir()
    return Project(root, python)
