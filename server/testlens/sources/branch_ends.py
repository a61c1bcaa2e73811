"""What reports say of branches, made into arcs.

Reports count branches more often than they name them. Totals must stay right, so a missing branch whose destination a
report does not name gets an end that is no line of the source: 0 (unknown) or -line (some exit), then -(line + 1) and
so on. `resolve` replaces these where the source text is known.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from testlens.domain.coverage import Arc, FileCoverage, ParsedSource

End = int | None
"""A destination: a line, the exit of a code object (negative), or unknown."""

MAXIMUM_BRANCHES = 1_000
"""More ways out of one line than this are not believed."""


def file_coverage(
    hits: Mapping[int, int],
    exit_counts: Mapping[int, int],
    missing_ends: Mapping[int, Sequence[End]],
    *,
    excluded: Collection[int] = (),
    measured_branches: bool,
) -> FileCoverage:
    """Build the verdict on a file from hits by line, ways out by branch line and those of them never taken."""
    missing_arcs = (arc for line, ends in missing_ends.items() for arc in _distinct_arcs(line, ends))
    return FileCoverage(
        statements=frozenset(hits),
        excluded=frozenset(excluded),
        missing=frozenset(line for line, count in hits.items() if count == 0),
        exit_counts=dict(exit_counts),
        missing_arcs=frozenset(missing_arcs),
        measured_branches=measured_branches,
    )


def complete_counts(
    known: Mapping[int, int], total: int | None, statements: Collection[int], missing: Collection[int]
) -> dict[int, int]:
    """The number of exits by line, from the arcs that a report lists and the file's own `total` of branches.

    coverage.py lists no missing arc of a `# pragma: no branch` line but counts its exits as taken. Such a line is seen
    with one exit where it ran (every branch line has two), and not at all where it did not: what is then still lacking
    is counted, as taken, on the first statement that never ran.
    """
    counts = {line: max(count, 2) for line, count in known.items()}
    lacking = 0 if total is None else total - sum(counts.values())
    place = min(set(missing) - set(counts), default=min(statements, default=None))
    if lacking > 0 and place is not None:
        counts[place] = counts.get(place, 0) + lacking
    return counts


def resolve(coverage: FileCoverage, source: ParsedSource) -> FileCoverage:
    """Give missing arcs without a known destination the most likely one of the source text the report was made from.

    Exits of the line that are not listed as missing already are candidates: for a negative end those that leave the
    code object first, then those that lead to a statement that never ran. Counts do not change.
    """
    possible: dict[int, set[int]] = {}
    for start, end in source.arcs:
        if end not in source.excluded:
            possible.setdefault(start, set()).add(end)
    arcs: set[Arc] = set()
    for start, ends in _by_start(coverage.missing_arcs).items():
        real = possible.get(start, set())
        free = real - ends
        arcs.update((start, end) for end in ends & real)
        for end in sorted(ends - real):
            best = min(free, key=lambda e: _unlikeliness(e, end, coverage.missing), default=end)
            free.discard(best)
            arcs.add((start, best))
    return FileCoverage(
        coverage.statements,
        coverage.excluded,
        coverage.missing,
        coverage.exit_counts,
        frozenset(arcs),
        coverage.measured_branches,
    )


def _unlikeliness(candidate: int, wanted: int, missing: Collection[int]) -> tuple[bool, bool, int]:
    return (wanted < 0) != (candidate < 0), candidate not in missing, abs(candidate)


def _by_start(arcs: Iterable[Arc]) -> dict[int, set[int]]:
    ends: dict[int, set[int]] = {}
    for start, end in arcs:
        ends.setdefault(start, set()).add(end)
    return ends


def _distinct_arcs(line: int, ends: Sequence[End]) -> set[Arc]:
    known = {end for end in ends if end is not None}
    spare = [end for end in (0, *range(-line, -line - 2 * len(ends), -1)) if end not in known]
    return {(line, end) for end in (*known, *spare[: len(ends) - len(known)])}
