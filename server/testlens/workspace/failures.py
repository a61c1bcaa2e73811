"""Where tests failed, as seen in one text of a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from testlens.domain.snapshot import TestResult
from testlens.sources.coverage_parse import normalise


@dataclass(frozen=True, slots=True)
class Failure:
    """What failing tests said at `line` (1-based): `message` is that of the first of the `tests` (node ids)."""

    line: int
    message: str
    tests: tuple[str, ...]

    @property
    def summary(self) -> str:
        """In one line, what went wrong first: where there is little room, the end is not seen."""
        name = self.tests[0].rpartition("::")[2]
        more = f" and {len(self.tests) - 1} more" if len(self.tests) > 1 else ""
        first = next(iter(self.message.strip().splitlines()), "failed")
        return f"{first} ({name}{more})"


def place_failures(outcomes: Mapping[str, TestResult], path: str, text: str) -> tuple[Failure, ...]:
    """The failures at lines of `path` (relative, POSIX) that read in `text` as they did then, by line.

    A line that is no longer where it was is found again by its text, where no other line has the same.
    """
    here = {test: result for test, result in outcomes.items() if result.failed and result.file == path}
    if not here:
        return ()
    lines = [line.strip() for line in normalise(text).split("\n")]
    found: dict[int, list[str]] = {}
    for test, line in _placed(here, lines):
        found.setdefault(line, []).append(test)
    return tuple(Failure(line, here[tests[0]].message, tuple(tests)) for line, tests in sorted(found.items()))


def files_with_failures(outcomes: Mapping[str, TestResult]) -> tuple[str, ...]:
    """The files of the project (relative, POSIX) in which tests have failed, in the order of the tests."""
    found = (result.file for result in outcomes.values() if result.failed and result.source)
    return tuple(dict.fromkeys(file for file in found if file is not None))


def _placed(results: Mapping[str, TestResult], lines: list[str]) -> Iterator[tuple[str, int]]:
    for test, result in sorted(results.items()):
        if not result.source or result.line is None:
            continue
        if result.line <= len(lines) and lines[result.line - 1] == result.source:
            yield test, result.line
        elif lines.count(result.source) == 1:
            yield test, lines.index(result.source) + 1
