"""Fixtures: an empty project, to be filled and run by the current version of Python."""

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
    root = tmp_path / "project"
    root.mkdir()
    return Project(root, current_python)
