"""How coverage and mutation score went from run to run, and when the target is reached at that pace."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from testlens.domain.coverage import percent_text
from testlens.domain.plan import Plan
from testlens.domain.snapshot import Snapshot

_DAY = 86_400.0
_MONTH_DAYS = 30
_FAR_DAYS = 730
_NOTHING = 0.05
"""A change that one decimal does not show is none."""


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """What was known after a finished run of all tests, or of mutants.

    `time` is in seconds since the epoch, all else in percent: of branches and of mutants None where there are none.
    """

    time: float
    percent: float
    branch_percent: float | None = None
    mutation_score: float | None = None

    @property
    def numbers(self) -> tuple[float, float | None, float | None]:
        """All but the time."""
        return self.percent, self.branch_percent, self.mutation_score

    def has_coverage_of(self, other: TrendPoint) -> bool:
        """Whether both have the same coverage, of lines and branches."""
        return (self.percent, self.branch_percent) == (other.percent, other.branch_percent)


Trend = Sequence[TrendPoint]
"""Oldest first."""


def point_of(snapshot: Snapshot, now: float) -> TrendPoint | None:
    """What a snapshot adds to the trend; None where nothing was measured."""
    if snapshot.percent is None:
        return None
    totals = snapshot.totals
    branches = totals.percent_branches if totals.branches else None
    return TrendPoint(now, snapshot.percent, branches, snapshot.mutants.score)


def outlook(plan: Plan, trend: Trend, now: float) -> str:
    """How far the target is, in one sentence: "64.2 % -> 85 %: 7 functions left, at this month's pace 12 days".

    The pace is that of the last 30 days, or of the time since the first run where that is shorter. It is not guessed
    from less than a day.
    """
    percent = plan.totals.percent
    shown = percent_text(percent)
    way = f"{shown} % -> {plan.target:g} %"
    if percent >= plan.target:
        return f"{shown} %: the target of {plan.target:g} % is reached."
    if plan.shortest is None:
        return f"{way}: closing every gap does not reach it."
    count = len(plan.shortest)
    functions = "1 function" if count == 1 else f"{count} functions"
    return f"{way}: {functions} left, {_in_words(percent, plan.target, trend, now)}."


def _in_words(percent: float, target: float, trend: Trend, now: float) -> str:
    found = _beginning(trend, now)
    if found is None:
        return "no pace is known yet"
    since, before = found
    gained = percent - before
    if gained <= -_NOTHING:
        return f"{-gained:.1f} points lost this month"
    if gained < _NOTHING:
        return "nothing gained this month"
    days = math.ceil((target - percent) / (gained / (now - since)) / _DAY)
    if days > _FAR_DAYS:
        return f"at this month's pace more than {_FAR_DAYS // 365} years"
    return f"at this month's pace {days} day{'s' if days != 1 else ''}"


def _beginning(trend: Trend, now: float) -> tuple[float, float] | None:
    """When the time begins of which the pace is, and the percent then; None where less than a day is known."""
    month_ago = now - _MONTH_DAYS * _DAY
    past = [point for point in trend if point.time <= now]
    if not past:
        return None
    older = [point for point in past if point.time <= month_ago]
    # What was found before the month began still held when it did.
    since, before = (month_ago, older[-1].percent) if older else (past[0].time, past[0].percent)
    return (since, before) if now - since >= _DAY else None
