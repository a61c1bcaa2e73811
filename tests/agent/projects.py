"""Small projects, and runs of their tests through the real agent."""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from coverage import CoverageData

from testlens.runners.events import Event, TestFinished
from testlens.runners.pytest_runner import run_tests
from testlens.runners.run_log import RunRequest, RunResult


@dataclass(frozen=True, slots=True)
class Run:
    """What a run returned and what it streamed."""

    result: RunResult
    events: tuple[Event, ...]

    @property
    def outcomes(self) -> dict[str, str]:
        """Outcome by test name, without the file's."""
        return {test.nodeid.partition("::")[2]: test.outcome for test in self.result.results}

    @property
    def messages(self) -> str:
        """All problems, as the user sees them."""
        return "\n".join(str(problem) for problem in self.result.problems)

    def test(self, name: str) -> TestFinished:
        """The result of the test whose node id ends with `name`."""
        return next(test for test in self.result.results if test.nodeid.endswith(f"::{name}"))

    def lines(self, path: Path) -> set[int]:
        """The lines of the file that ran."""
        return set(self._data().lines(str(path)) or ())

    def measured(self, root: Path) -> set[str]:
        """The measured files, relative to `root`."""
        return {Path(name).relative_to(root).as_posix() for name in self._data().measured_files()}

    def contexts(self, path: Path, line: int) -> set[str]:
        """The contexts that ran the line."""
        return set(self._data().contexts_by_lineno(str(path)).get(line, ()))

    def arcs(self, path: Path) -> set[tuple[int, int]]:
        """The arcs that ran."""
        return set(self._data().arcs(str(path)) or ())

    def _data(self) -> CoverageData:
        assert self.result.data_file is not None, self.messages + self.result.output
        data = CoverageData(str(self.result.data_file), read_only=True)
        data.read()
        return data


@dataclass(frozen=True, slots=True)
class Project:
    """A folder with a project, an interpreter to run it, and a place beside it for the data."""

    root: Path
    python: Path
    data_file: Path = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "data_file", self.root.with_name(f"{self.root.name}-data") / "coverage.db")
        self.data_file.parent.mkdir(exist_ok=True)

    def write(self, files: Mapping[str, str]) -> None:
        """Write the files, given by relative path, without their common indentation."""
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text).lstrip("\n"))

    def request(self, *pytest_args: str, tests: tuple[str, ...] = (), test_timeout: float = 30.0) -> RunRequest:
        """A request to run the tests."""
        return RunRequest(self.root, str(self.python), self.data_file, tests, pytest_args, test_timeout)

    async def run(self, *pytest_args: str, tests: tuple[str, ...] = (), test_timeout: float = 30.0) -> Run:
        """Run the tests to the end."""
        events: list[Event] = []
        request = self.request(*pytest_args, tests=tests, test_timeout=test_timeout)
        async with asyncio.timeout(60):
            result = await run_tests(request, events.append)
        return Run(result, tuple(events))

    def snapshot(self) -> dict[str, bytes]:
        """The content of every file, without the caches that pytest and Python themselves keep."""
        caches = {"__pycache__", ".pytest_cache"}
        return {
            path.relative_to(self.root).as_posix(): path.read_bytes()
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and not caches.intersection(path.parts)
        }
