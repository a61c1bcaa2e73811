"""Gaps: regions of code that the tests do not prove.

Every missing statement lies in exactly one `uncovered` region, and every missing arc of a line that ran in exactly one
`partial` region. A region is never a lone line of something larger: it is the longest run of unproven statements in
one block of one function. Regions of kind `survivor` come from mutants (domain/survivors.py): their lines ran, and no
test noticed a change to them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from testlens.domain.coverage import Arc, FileCoverage, Numbers
from testlens.domain.outline import MODULE, Node, Outline, Scope, Suite

GapKind = Literal["uncovered", "partial", "survivor"]


@dataclass(frozen=True, slots=True)
class Region:
    """One unproven region of one file.

    `function` is the dotted name of the innermost function or class, or `<module>`, and `scope_line` the line of its
    `def` or `class` (0 for the module). `statements` are the missing
    ones (only `uncovered` has any), `arcs` the missing exits of the region's lines; `reason` says in words which branch
    would lead here (`uncovered`) or was never taken (`partial`), empty where nothing is known
    and for a `survivor`.
    """

    kind: GapKind
    function: str
    scope_line: int
    first: int
    last: int
    statements: tuple[int, ...]
    arcs: tuple[Arc, ...]
    reason: str

    @property
    def size(self) -> int:
        """How many statements and branches would be proven by closing it."""
        return len(self.statements) + len(self.arcs)


def find_regions(
    coverage: FileCoverage, outline: Outline, owners: Owners, describe: Callable[[Arc], str]
) -> tuple[Region, ...]:
    """All regions of one file, by line. `describe` names an arc that leaves a branch line in words."""
    arcs_from: dict[int, list[Arc]] = {}
    for arc in sorted(coverage.missing_arcs):
        arcs_from.setdefault(arc[0], []).append(arc)
    entries = {end: (start, end) for start in coverage.partial for _, end in reversed(arcs_from[start])}
    regions = [
        _uncovered(scope, lines, arcs_from, entries, describe)
        for scope, lines in _missing_runs(coverage, outline, owners)
    ]
    for line in coverage.partial:
        arcs = tuple(arcs_from[line])
        reason = "; ".join(describe(arc) for arc in arcs)
        scope = owners.scope_at(line)
        regions.append(Region("partial", scope.name, scope.line, line, line, (), arcs, reason))
    regions.sort(key=lambda region: (region.first, region.kind))
    return tuple(regions)


def scope_numbers(coverage: FileCoverage, owners: Owners) -> Mapping[int, Numbers]:
    """The counts of each scope's own body, by the scope's line; inner functions count for themselves."""
    missing_from = Counter(start for start, _ in coverage.missing_arcs)
    statements: Counter[int] = Counter()
    missing: Counter[int] = Counter()
    branches: Counter[int] = Counter()
    missing_branches: Counter[int] = Counter()
    for line in coverage.statements:
        scope = owners.scope_at(line).line
        statements[scope] += 1
        if line in coverage.missing:
            missing[scope] += 1
        if line in coverage.exit_counts:
            branches[scope] += coverage.exit_counts[line]
            missing_branches[scope] += missing_from[line]
    return {
        scope: Numbers(count, missing[scope], branches[scope], missing_branches[scope])
        for scope, count in statements.items()
    }


class Owners:
    """Which scope owns a line. Where a head and a body share a line, the outer scope has it: it runs first."""

    def __init__(self, scopes: Iterable[Scope]) -> None:
        self._by_line: dict[int, Scope] = {}
        for scope in scopes:
            for node in scope.nodes():
                self._by_line.setdefault(node.line, scope)
        self._starts = sorted(self._by_line)

    def scope_at(self, line: int) -> Scope:
        """The scope of the statement on `line`, or the last one that starts before it."""
        found = self._by_line.get(line)
        if found is not None:
            return found
        position = bisect_right(self._starts, line) - 1
        return self._by_line[self._starts[position]] if position >= 0 else Scope(MODULE, 0, ())


def _uncovered(
    scope: Scope,
    lines: Sequence[int],
    arcs_from: Mapping[int, list[Arc]],
    entries: Mapping[int, Arc],
    describe: Callable[[Arc], str],
) -> Region:
    """A region of missing `lines`; `entries` has the arc, out of a line that ran, that would lead to a line."""
    arcs = tuple(arc for line in lines for arc in arcs_from.get(line, ()))
    reason = describe(entries[lines[0]]) if lines[0] in entries else ""
    return Region("uncovered", scope.name, scope.line, lines[0], lines[-1], tuple(lines), arcs, reason)


def _missing_runs(coverage: FileCoverage, outline: Outline, owners: Owners) -> Iterator[tuple[Scope, list[int]]]:
    if not coverage.missing:
        return
    finder = _RunFinder(coverage)
    for scope in outline.scopes:
        for run in finder.runs(scope.body):
            yield scope, run
    # What no node owns (a clause that coverage.py counts and the syntax tree has no line for) is still a gap.
    for line in sorted(finder.left):
        yield owners.scope_at(line), [line]


@dataclass(slots=True)
class _Share:
    """The statements below one node: how many there are, and which of them are missing."""

    statements: int
    missing: list[int]

    @property
    def whole(self) -> bool:
        return 0 < self.statements == len(self.missing)


class _RunFinder:
    """Splits the missing statements of one file into runs; each is given out once."""

    def __init__(self, coverage: FileCoverage) -> None:
        self._statements = coverage.statements
        self._sorted = sorted(coverage.statements)
        self.left = set(coverage.missing)

    def runs(self, suite: Suite) -> Iterator[list[int]]:
        """Runs of consecutive statements in `suite` and below it of which none ran."""
        run: list[int] = []
        for node in suite:
            share = self._share(node)
            if share.whole:
                run += self._take(share.missing)
                continue
            if share.statements == 0:
                continue
            run += self._take(self._head(node).missing)
            if run:
                yield run
                run = []
            if share.missing:
                for inner in node.suites:
                    yield from self.runs(inner)
        if run:
            yield run

    def _take(self, lines: Sequence[int]) -> list[int]:
        # One line can hold both a head and its body.
        taken = sorted(self.left.intersection(lines))
        self.left.difference_update(taken)
        return taken

    def _share(self, node: Node) -> _Share:
        total = self._head(node)
        for suite in node.suites:
            for inner in suite:
                share = self._share(inner)
                total.statements += share.statements
                total.missing += share.missing
        return total

    def _head(self, node: Node) -> _Share:
        if node.line == node.head_last:
            own = [node.line] if node.line in self._statements else []
        else:
            own = self._sorted[bisect_left(self._sorted, node.line) : bisect_right(self._sorted, node.head_last)]
        return _Share(len(own), [line for line in own if line in self.left])
