"""What ran and what did not, computed from a source text's facts and a trace exactly as coverage.py does.

The words are coverage.py's: a *statement* is the first line of a logical line, an *arc* a pair of lines `(from, to)`
in which a negative number is the entry or exit of the code object that starts on that line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Arc = tuple[int, int]


@dataclass(frozen=True, slots=True)
class ParsedSource:
    """What coverage.py's parser knows of one source text, whatever ran. All lines are 1-based.

    `multiline` maps each line of a multi-line statement to its first line. `jump_fixes` rewrites the arcs that leave
    `with` blocks (None: drop the arc). `exit_counts` has the number of ways out of a line, excluded ones left out;
    a line with more than one is a branch line.
    """

    statements: frozenset[int]
    excluded: frozenset[int]
    no_branch: frozenset[int]
    multiline: Mapping[int, int]
    arcs: frozenset[Arc]
    jump_fixes: Mapping[Arc, Arc | None]
    exit_counts: Mapping[int, int]

    def first_line(self, line: int) -> int:
        """The first line of the statement that `line` belongs to; negative lines stay negative."""
        if line < 0:
            return -self.multiline.get(-line, -line)
        return self.multiline.get(line, line)


@dataclass(frozen=True, slots=True)
class Trace:
    """What a data file recorded for one source file: raw line numbers, not yet mapped to statements.

    `arcs` is None where the data was measured without branches.
    """

    lines: frozenset[int]
    arcs: frozenset[Arc] | None = None


def percent_text(percent: float, decimals: int = 1) -> str:
    """A percentage for people: "64.8". As coverage.py rounds, so that only 0 is shown as 0 and only 100 as 100."""
    step = 10.0**-decimals
    shown = percent if percent in (0, 100) else min(max(percent, step), 100 - step)
    return f"{shown:.{decimals}f}"


@dataclass(frozen=True, slots=True)
class Numbers:
    """Counts that add up over files; `percent` is coverage.py's total for them."""

    statements: int = 0
    missing: int = 0
    branches: int = 0
    missing_branches: int = 0

    @property
    def percent(self) -> float:
        """Share of statements and branches that ran, 0 to 100; 100 where there is nothing to run."""
        total = self.statements + self.branches
        if total == 0:
            return 100.0
        return 100.0 * (total - self.missing - self.missing_branches) / total

    @property
    def percent_branches(self) -> float:
        """Share of branches that were taken, 0 to 100; 100 where there is none."""
        return Numbers(branches=self.branches, missing_branches=self.missing_branches).percent

    def __add__(self, other: Numbers) -> Numbers:
        return Numbers(
            self.statements + other.statements,
            self.missing + other.missing,
            self.branches + other.branches,
            self.missing_branches + other.missing_branches,
        )


NOTHING = Numbers()
"""Where no file was measured."""


@dataclass(frozen=True, slots=True)
class FileCoverage:
    """The verdict on one file.

    `exit_counts` has the branch lines only, with their number of exits; `missing_arcs` are the exits never taken,
    those of lines that never ran included. `measured_branches` is false where the data knows lines only.
    """

    statements: frozenset[int]
    excluded: frozenset[int]
    missing: frozenset[int]
    exit_counts: Mapping[int, int] = field(default_factory=dict)
    missing_arcs: frozenset[Arc] = frozenset()
    measured_branches: bool = False

    @property
    def numbers(self) -> Numbers:
        """The file's counts."""
        return Numbers(len(self.statements), len(self.missing), sum(self.exit_counts.values()), len(self.missing_arcs))

    @property
    def partial(self) -> frozenset[int]:
        """Branch lines that ran and of which some exit was never taken."""
        return frozenset(start for start, _ in self.missing_arcs) - self.missing


def combine(source: ParsedSource, trace: Trace) -> FileCoverage:
    """Set a trace against the source it was measured on; the result equals coverage.py's own analysis."""
    executed = frozenset(source.first_line(line) for line in trace.lines) & source.statements
    missing = source.statements - executed
    if trace.arcs is None:
        return FileCoverage(source.statements, source.excluded, missing)
    taken = _taken_arcs(source, trace.arcs)
    branch_counts = {line: count for line, count in source.exit_counts.items() if count > 1}
    missing_arcs = frozenset(
        arc
        for arc in source.arcs - taken
        if arc[0] in branch_counts and arc[0] not in source.no_branch and arc[1] not in source.excluded
    )
    return FileCoverage(source.statements, source.excluded, missing, branch_counts, missing_arcs, True)


def _taken_arcs(source: ParsedSource, raw: frozenset[Arc]) -> frozenset[Arc]:
    # A line that jumps to itself (a one-line loop, a comprehension) counts as its only exit where it has just one;
    # coverage.py translates before and after that step, and so do we.
    destinations: dict[int, set[int]] = {}
    for start, end in source.arcs:
        destinations.setdefault(start, set()).add(end)
    single = {start: next(iter(ends)) for start, ends in destinations.items() if len(ends) == 1}
    taken: set[Arc] = set()
    for start, end in _translate(source, raw):
        if start != end:
            taken.add((start, end))
        elif start in single:
            taken.add((start, single[start]))
    return _translate(source, frozenset(taken))


def _translate(source: ParsedSource, arcs: frozenset[Arc]) -> frozenset[Arc]:
    if not source.jump_fixes:
        return frozenset((source.first_line(start), source.first_line(end)) for start, end in arcs)
    fixed = (source.jump_fixes.get(arc, arc) for arc in arcs)
    return frozenset((source.first_line(arc[0]), source.first_line(arc[1])) for arc in fixed if arc is not None)
