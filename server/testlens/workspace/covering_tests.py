"""Which tests ran the lines of many files, asked of the data while it is open once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from testlens.sources import coverage_data
from testlens.workspace.measurement import Measurement

TestsByLine = Mapping[int, tuple[str, ...]]
"""The node ids of the tests that ran each line (1-based), sorted."""


@contextmanager
def open_tests(measurement: Measurement | None) -> Iterator[Callable[[str], TestsByLine]]:
    """Gives a function from a path (relative, POSIX) to the tests of the lines that were measured of it."""
    if measurement is None or not measurement.data.has_contexts:
        yield lambda _path: {}
        return
    names_of = measurement.names
    with coverage_data.open_data(measurement.data.paths) as data:

        def tests_of(path: str) -> TestsByLine:
            found = [data.contexts_by_line(name) for name in names_of.get(path, ())]
            return found[0] if len(found) == 1 else _together(found)

        yield tests_of


def _together(found: list[TestsByLine]) -> TestsByLine:
    tests: dict[int, set[str]] = {}
    for by_line in found:
        for line, names in by_line.items():
            tests.setdefault(line, set()).update(names)
    return {line: tuple(sorted(names)) for line, names in sorted(tests.items())}
