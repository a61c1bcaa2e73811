"""How far the target is: an honest sentence, whatever is known of the pace."""

from __future__ import annotations

import pytest

from testlens.domain.coverage import FileCoverage, Numbers
from testlens.domain.gaps import Region
from testlens.domain.packing import pack
from testlens.domain.plan import Plan, make_plan
from testlens.domain.risk import Risk
from testlens.domain.snapshot import FileReport, Gap, Snapshot
from testlens.domain.trend import TrendPoint, outlook, point_of

DAY = 86_400.0
NOW = 1_000 * DAY


def plan(missing: int, target: float) -> Plan:
    """Of a file of 100 statements in functions of five, so many of which never ran."""
    lines = range(1, missing + 1)
    gaps = tuple(
        Gap(
            "a.py",
            Region("uncovered", f"f{first}", first, first, first + 4, tuple(range(first, first + 5)), (), ""),
            Risk(1, {}),
        )
        for first in lines[::5]
    )
    coverage = FileCoverage(frozenset(range(1, 101)), frozenset(), frozenset(lines))
    return make_plan([FileReport("a.py", "", coverage.numbers, pack(coverage), (), gaps)], coverage.numbers, target)


def days_ago(days: float, percent: float) -> TrendPoint:
    return TrendPoint(NOW - days * DAY, percent)


def test_the_sentence_has_the_way_the_functions_that_are_left_and_the_days_at_this_pace() -> None:
    said = outlook(plan(35, 85), [days_ago(10, 60)], NOW)
    assert said == "65.0 % -> 85 %: 4 functions left, at this month's pace 40 days."


@pytest.mark.parametrize(
    ("trend", "end"),
    [
        ([], "no pace is known yet."),
        ([days_ago(0.9, 50)], "no pace is known yet."),
        ([days_ago(-3, 50)], "no pace is known yet."),
        ([days_ago(9, 65)], "nothing gained this month."),
        ([days_ago(9, 66.5), days_ago(2, 50)], "1.5 points lost this month."),
        ([days_ago(20, 64.9)], "at this month's pace more than 2 years."),
        ([days_ago(1, 45)], "at this month's pace 1 day."),
        # The rise was long ago: what held when the month began is what counts.
        ([days_ago(300, 5), days_ago(200, 65)], "nothing gained this month."),
        ([days_ago(300, 5), days_ago(200, 55), days_ago(3, 64)], "at this month's pace 60 days."),
    ],
)
def test_the_pace_is_that_of_the_last_month_and_never_guessed(trend: list[TrendPoint], end: str) -> None:
    assert outlook(plan(35, 85), trend, NOW) == f"65.0 % -> 85 %: 4 functions left, {end}"


def test_a_target_that_is_reached_or_out_of_reach_has_no_pace() -> None:
    trend = [days_ago(10, 10)]
    assert outlook(plan(10, 85), trend, NOW) == "90.0 %: the target of 85 % is reached."
    whole = plan(10, 100)
    without_gaps = Plan(whole.totals, 100, (), None)
    assert outlook(without_gaps, trend, NOW) == "90.0 % -> 100 %: closing every gap does not reach it."


def test_one_function_is_not_several() -> None:
    assert "1 function left" in outlook(plan(20, 85), [], NOW)


def test_a_run_without_branches_or_mutants_has_no_percent_of_them() -> None:
    snapshot = Snapshot("a run", Numbers(10, 1))
    assert point_of(snapshot, NOW) == TrendPoint(NOW, 90.0, None, None)
    assert point_of(Snapshot("a run", Numbers(10, 1, 4, 1)), NOW) == TrendPoint(NOW, 100 * 12 / 14, 75.0, None)
    assert point_of(Snapshot(), NOW) is None
