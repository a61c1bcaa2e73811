"""Gaps: regions of code that the tests do not prove.

Every missing statement lies in exactly one `uncovered` region, and every missing arc of a line that ran in exactly one
`partial` region. A region is never a lone line of something larger: it is the longest run of unproven statements in
one block of one function.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from testlens.domain.coverage import Arc, FileCoverage, Numbers
from testlens.domain.outline import MODULE, Node, Outline, Scope, Suite

GapKind = Literal["uncovered", "partial"]


@dataclass(frozen=True, slots=True)
class Region:
    """One unproven region of one file.

    `function` is the dotted name of the innermost function or class, or `<module>`, and `scope_line` the line of its
    `def` or `class` (0 for the module). `statements` are the missing
    ones (empty for `partial`), `arcs` the missing exits of the region's lines; `reason` says in words which branch
    would lead here (`uncovered`) or was never taken (`partial`), empty where nothing is known.
    """

    kind: GapKind
    function: str
    scope_line: int
    first: int
    last: int
    statements: tuple[int, ...]
    arcs: tuple[Arc, ...]
    reason: str


def find_regions(coverage: FileCoverage, outline: Outline, descriptions: Mapping[Arc, str]) -> tuple[Region, ...]:
    """All regions of one file, by line."""
    arcs_from: dict[int, list[Arc]] = {}
    for arc in sorted(coverage.missing_arcs):
        arcs_from.setdefault(arc[0], []).append(arc)
    regions = [_uncovered(scope, lines, arcs_from, descriptions) for scope, lines in _missing_runs(coverage, outline)]
    owners = Owners(outline.scopes)
    for line in sorted(coverage.partial):
        arcs = tuple(arcs_from[line])
        reason = "; ".join(descriptions[arc] for arc in arcs if arc in descriptions)
        scope = owners.scope_at(line)
        regions.append(Region("partial", scope.name, scope.line, line, line, (), arcs, reason))
    return tuple(sorted(regions, key=lambda region: (region.first, region.kind)))


def scope_numbers(coverage: FileCoverage, outline: Outline) -> Mapping[int, Numbers]:
    """The counts of each scope's own body by the scope's line; inner functions count for themselves, as in coverage.py."""
    owners = Owners(outline.scopes)
    missing_from = Counter(start for start, _ in coverage.missing_arcs)
    totals: dict[int, Numbers] = {}
    for line in coverage.statements:
        scope = owners.scope_at(line).line
        one = Numbers(1, int(line in coverage.missing), coverage.exit_counts.get(line, 0), missing_from[line])
        totals[scope] = totals.get(scope, Numbers()) + one
    return totals


class Owners:
    """Which scope owns a line. Where a head and a body share a line, the outer scope has it: it runs first."""

    def __init__(self, scopes: Iterable[Scope]) -> None:
        first_owner: dict[int, Scope] = {}
        for scope in scopes:
            for node in scope.nodes():
                first_owner.setdefault(node.line, scope)
        self._starts = sorted(first_owner)
        self._scopes = [first_owner[line] for line in self._starts]

    def scope_at(self, line: int) -> Scope:
        """The scope of the statement on `line`, or the last one that starts before it."""
        position = bisect_right(self._starts, line) - 1
        return self._scopes[position] if position >= 0 else Scope(MODULE, 0, ())


def _uncovered(
    scope: Scope, lines: Sequence[int], arcs_from: Mapping[int, list[Arc]], descriptions: Mapping[Arc, str]
) -> Region:
    inside = set(lines)
    arcs = tuple(arc for line in lines for arc in arcs_from.get(line, ()))
    entries = (arc for start, found in arcs_from.items() if start not in inside for arc in found if arc[1] == lines[0])
    reason = next((descriptions[arc] for arc in entries if arc in descriptions), "")
    return Region("uncovered", scope.name, scope.line, lines[0], lines[-1], tuple(lines), arcs, reason)


def _missing_runs(coverage: FileCoverage, outline: Outline) -> Iterator[tuple[Scope, list[int]]]:
    if not coverage.missing:
        return
    finder = _RunFinder(coverage)
    for scope in outline.scopes:
        for run in finder.runs(scope.body):
            yield scope, run
    # What no node owns (a clause that coverage.py counts and the syntax tree has no line for) is still a gap.
    owners = Owners(outline.scopes)
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
        self._statements = sorted(coverage.statements)
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
            for inner in node.suites:
                yield from self.runs(inner)
        if run:
            yield run

    def _take(self, lines: Sequence[int]) -> list[int]:
        taken = [line for line in lines if line in self.left]
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
        low = bisect_left(self._statements, node.line)
        high = bisect_right(self._statements, node.head_last)
        own = self._statements[low:high]
        return _Share(len(own), [line for line in own if line in self.left])
