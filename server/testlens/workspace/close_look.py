"""One file statement by statement: what ran, which branches were taken, which functions were called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from testlens.domain.coverage import Arc, FileCoverage, Trace, combine
from testlens.domain.problems import Problem
from testlens.domain.snapshot import FileReport
from testlens.domain.staleness import Anchors
from testlens.sources import coverage_data
from testlens.sources.coverage_parse import Parsed, parse
from testlens.workspace.views import renumbered
from testlens.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Branch:
    """One way out of a line, by the name that gaps have for it where it was never taken."""

    name: str
    taken: bool


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement from line `first` to `last` (1-based), the head of a compound one; `branches` if it has several."""

    first: int
    last: int
    ran: bool
    branches: tuple[Branch, ...]


@dataclass(frozen=True, slots=True)
class Declaration:
    """A function from its `def` to its `last` line (1-based), and whether any of its own statements ran."""

    name: str
    first: int
    last: int
    ran: bool


@dataclass(frozen=True, slots=True)
class CloseLook:
    """A file in lines of the text that is looked at; what was edited since it was measured is left out."""

    statements: tuple[Statement, ...] = ()
    functions: tuple[Declaration, ...] = ()


NOTHING_KNOWN = CloseLook()


def look_closely(workspace: Workspace, report: FileReport, text: str, test: str | None = None) -> CloseLook:
    """See `report` in `text`; with `test` (a node id) only what that ran, all cases of a parametrised one together.

    Parses the text that was measured: some milliseconds. Empty where that text is not known.
    """
    measured, anchors = workspace.measured_text(report, text), workspace.anchors(report, text)
    if measured is None or anchors is None:
        return NOTHING_KNOWN
    rules = workspace.rules
    parsed = parse(measured, report.path, rules.exclude, rules.no_branch)
    if isinstance(parsed, Problem):
        return NOTHING_KNOWN
    coverage = report.coverage
    if test is not None:
        trace = _trace_of_test(workspace, report.path, test)
        if trace is None:
            return NOTHING_KNOWN
        coverage = combine(parsed.source, trace)
    ran = coverage.statements - coverage.missing
    statements = ran if test is not None else coverage.statements
    functions = tuple(_functions(report, ran, test is not None, anchors))
    return CloseLook(tuple(_statements(sorted(statements), coverage, parsed, anchors)), functions)


def _statements(lines: list[int], coverage: FileCoverage, parsed: Parsed, anchors: Anchors) -> Iterator[Statement]:
    last_lines: dict[int, int] = {}
    for line, first in parsed.source.multiline.items():
        last_lines[first] = max(line, last_lines.get(first, first))
    exits: dict[int, list[Arc]] = {}
    for arc in sorted(parsed.source.arcs):
        if arc[1] not in parsed.source.excluded:
            exits.setdefault(arc[0], []).append(arc)
    for line in lines:
        now = _moved(line, last_lines.get(line, line), anchors)
        if now is not None:
            branches = _branches(line, exits.get(line, []), coverage, parsed, anchors)
            yield Statement(*now, line not in coverage.missing, branches)


def _branches(
    line: int, exits: list[Arc], coverage: FileCoverage, parsed: Parsed, anchors: Anchors
) -> tuple[Branch, ...]:
    count = coverage.exit_counts.get(line, 0)
    missing = {arc for arc in coverage.missing_arcs if arc[0] == line}
    taken = [arc for arc in exits if arc not in missing]
    # A report of another tool may count ways out that coverage.py's parser does not know.
    names = [_where(arc) for arc in taken] if len(taken) + len(missing) == count else [""] * (count - len(missing))
    # Of a line that never ran, all that is known of a branch is where it leads.
    describe = _where if line in coverage.missing else parsed.describe
    found = [(name, True) for name in names] + [(describe(arc), False) for arc in sorted(missing)]
    return tuple(Branch(_now(name, anchors), is_taken) for name, is_taken in found)


def _where(arc: Arc) -> str:
    return f"to line {arc[1]}" if arc[1] > 0 else "to the end"


def _now(name: str, anchors: Anchors) -> str:
    """A name with its lines where they are now; "" where one of them is gone."""
    return name if anchors.moved is None else renumbered(name, anchors) or ""


def _functions(report: FileReport, ran: frozenset[int], only_run: bool, anchors: Anchors) -> Iterator[Declaration]:
    for each in report.functions:
        function, numbers = each.function, each.numbers
        # The line of `def` runs when the function is made; a body on the same line cannot be told apart from it.
        body = range(min(function.line + 1, function.last), function.last + 1)
        has_run = any(line in ran for line in body) if only_run else numbers.missing < numbers.statements
        now = _moved(function.line, function.last, anchors)
        if now is not None and numbers.statements and (has_run or not only_run):
            yield Declaration(function.name, *now, has_run)


def _moved(first: int, last: int, anchors: Anchors) -> tuple[int, int] | None:
    now, end = anchors.current(first), anchors.current(last)
    return None if now is None or end is None else (now, end)


def tests_by_file(workspace: Workspace) -> Mapping[str, frozenset[str]]:
    """The tests (node ids) that ran any line of each file. Takes about a millisecond a file."""
    measurement = workspace.measurement
    if measurement is None or not measurement.data.has_contexts:
        return {}
    with coverage_data.open_data(measurement.data.paths) as data:
        return {
            path: frozenset(test for name in names for tests in data.contexts_by_line(name).values() for test in tests)
            for path, names in measurement.names.items()
        }


def _trace_of_test(workspace: Workspace, path: str, test: str) -> Trace | None:
    """What a test ran of a file, as it was measured; all cases of a parametrised one."""
    measurement = workspace.measurement
    if measurement is None or not measurement.data.has_contexts:
        return None
    with coverage_data.open_data(measurement.data.paths) as data:
        traces = [data.trace(name, test) for name in measurement.names.get(path, ())]
    found = [trace for trace in traces if trace is not None]
    return coverage_data.merge(found) if found else None
