"""Fixtures: an empty project to be filled, the current Python to run it, and what keeps a process for that."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.interpreters import CURRENT, environment, found
from agent.projects import Project
from testlens.runners.warm_runner import WarmRunner


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


@pytest.fixture
async def runner() -> AsyncIterator[WarmRunner]:
    """One that waits a second for an answer."""
    runner = WarmRunner(answer_seconds=1.0)
    yield runner
    await runner.close()
