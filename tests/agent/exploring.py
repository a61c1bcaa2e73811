"""A small project, and explorers that try tests of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent.projects import Project
from testlens.domain.problems import Problem
from testlens.domain.trials import FunctionDescription, Trial
from testlens.runners.explorer import Explorer, ExplorerRequest, MutantCode

NEW = "tests/test_new.py"


class Exploration:
    """An explorer of a project whose tests would stand in `tests/test_new.py`."""

    def __init__(self, project: Project, explorer: Explorer) -> None:
        self.project = project
        self._explorer = explorer

    @property
    def scratch(self) -> Path:
        """The folder that everything tried is shut in."""
        return self._explorer.scratch

    async def trial(self, text: str, test: str = "test_it", watch: str = "shop.py", path: str = NEW) -> Trial:
        """What comes of one test of a file with this text that would stand at `path`."""
        (trial,) = await self.trials(text, [test], watch, path)
        return trial

    async def trials(self, text: str, tests: list[str], watch: str = "shop.py", path: str = NEW) -> tuple[Trial, ...]:
        """What comes of the tests, in their order."""
        return await self._explorer.try_tests(self.project.root / path, text, tests, self.project.root / watch)

    async def trial_on(self, function: str, change: tuple[str, str], text: str, path: str = "shop.py") -> Trial:
        """What comes of the test `test_it` of that text while a function is a mutant: `change` is before and after."""
        source = (self.project.root / path).read_text()
        name = function.rpartition(".")[2]
        line = next(number for number, one in enumerate(source.splitlines(), 1) if f"def {name}(" in one)
        mutant = MutantCode(self.project.root / path, source.replace(*change), function, line)
        new, watch = self.project.root / NEW, self.project.root / path
        (trial,) = await self._explorer.try_tests(new, text, ["test_it"], watch, mutant)
        return trial

    async def close(self) -> None:
        """End the explorer before its time."""
        await self._explorer.close()

    async def description(self, function: str, line: int, path: str = "shop.py") -> FunctionDescription:
        """What is known of the function."""
        found = await self._explorer.describe(self.project.root / path, function, line)
        assert not isinstance(found, Problem), found
        return found


@asynccontextmanager
async def exploring(project: Project, **options: Any) -> AsyncIterator[Exploration]:
    """An explorer of the project, closed in the end."""
    near = project.root / "tests"
    near.mkdir(exist_ok=True)
    request = replace(ExplorerRequest(project.root, str(project.python), near), **options)
    explorer = await Explorer.start(request)
    assert not isinstance(explorer, Problem), explorer
    try:
        yield Exploration(project, explorer)
    finally:
        await explorer.close()


def line_of(project: Project, text: str, path: str = "shop.py") -> int:
    """The 1-based line of the file that holds the text."""
    lines = Path(project.root / path).read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)
