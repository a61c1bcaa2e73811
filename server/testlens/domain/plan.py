"""The plan: gaps ranked by risk, what closing each buys, and the shortest way to the target."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from testlens.domain.coverage import Numbers, percent_text
from testlens.domain.snapshot import FileReport, Gap


@dataclass(frozen=True, slots=True)
class PlannedGap:
    """A gap in its place in the plan. `gain` is in percentage points of the workspace's coverage.

    `cumulative` is the percent reached when this gap and all before it are closed.
    """

    gap: Gap
    gain: float
    cumulative: float


@dataclass(frozen=True, slots=True)
class Step:
    """A function on the shortest way to the target, and the percent reached once all its gaps are closed."""

    file: str
    function: str
    gain: float
    reached: float


@dataclass(frozen=True, slots=True)
class Plan:
    """`shortest` is empty when the target is reached; None when no set of gaps reaches it."""

    totals: Numbers
    target: float
    gaps: tuple[PlannedGap, ...]
    shortest: tuple[Step, ...] | None

    @property
    def summary(self) -> str:
        """One sentence: where the project stands and what leads to the target."""
        now, target = f"{percent_text(self.totals.percent)} %", f"{self.target:g} %"
        if self.totals.percent >= self.target:
            return f"{now} covered: the target of {target} is reached."
        if self.shortest is None:
            return f"{now} covered: closing every gap does not reach {target}."
        count = len(self.shortest)
        functions = "This function takes" if count == 1 else f"These {count} functions take"
        reached = f"{percent_text(self.shortest[-1].reached)} %"
        return f"{functions} you from {now} to {reached} (target {target})."


def gain(gap: Gap, totals: Numbers) -> float:
    """Percentage points of the workspace's coverage that closing `gap` adds."""
    return _gain(gap.region.size, totals)


def _gain(size: int, totals: Numbers) -> float:
    whole = totals.statements + totals.branches
    return 100.0 * size / whole if whole else 0.0


def make_plan(files: Iterable[FileReport], totals: Numbers, target: float, survivors: Iterable[Gap] = ()) -> Plan:
    """Rank the gaps of `files`, given in order of path, and `survivors`, and find the shortest way to `target` percent.

    Closing a survivor proves code that counts as covered already: it gains nothing.
    """
    gaps = [gap for file in files for gap in file.gaps]
    gaps += survivors
    # Sorting is stable: equal risks stay in the order of files and lines.
    gaps.sort(key=lambda gap: -gap.risk.score)
    planned = []
    percent = totals.percent
    gains: dict[int, float] = {}
    for gap in gaps:
        # Equal gains are one number: a large project has tens of thousands of gaps.
        size = gap.region.size
        added = gains.get(size)
        if added is None:
            added = gains[size] = _gain(size, totals)
        percent += added
        planned.append(PlannedGap(gap, added, min(percent, 100.0)))
    return Plan(totals, target, tuple(planned), _shortest(planned, totals, target))


def _shortest(planned: Sequence[PlannedGap], totals: Numbers, target: float) -> tuple[Step, ...] | None:
    gains: dict[tuple[str, str], float] = {}
    for entry in planned:
        if not entry.gain:
            continue
        key = (entry.gap.file, entry.gap.region.function)
        gains[key] = gains.get(key, 0.0) + entry.gain
    return shortest_way(gains, totals.percent, target)


def shortest_way(gains: Mapping[tuple[str, str], float], percent: float, target: float) -> tuple[Step, ...] | None:
    """The fewest functions (file, name) that lead from `percent` to `target`; None where all of them do not.

    `gains` has the percentage points that closing all of a function adds.
    """
    # Functions are independent and each costs one step, so the fewest are those that gain most.
    reached = percent
    steps: list[Step] = []
    for (file, function), added in sorted(gains.items(), key=lambda item: (-item[1], item[0])):
        if reached >= target:
            break
        reached += added
        steps.append(Step(file, function, added, reached))
    return tuple(steps) if reached >= target - 1e-9 else None
