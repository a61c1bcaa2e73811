"""Published projects whose suites were run by Testlens itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from real.published import PYTEST_ARGS, environment, unpacked
from testlens.runners.pytest_runner import run_tests
from testlens.runners.run_log import RunRequest, RunResult


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
    python = environment()
    done: dict[str, Published] = {}

    def get(name: str) -> Published:
        if name not in done:
            done[name] = _run(unpacked(name, tmp_path_factory.mktemp("published")), python)
        return done[name]

    return get


def _run(root: Path, python: Path) -> Published:
    data = root / ".testlens" / "run.coverage"
    data.parent.mkdir()
    request = RunRequest(root, str(python), data, pytest_args=PYTEST_ARGS)
    result = asyncio.run(run_tests(request, lambda event: None))
    return Published(root, python, result, data)
