"""The chart of the trend: its points lie where their numbers say, whatever these are."""

from __future__ import annotations

import pytest

from testlens.domain.trend import TrendPoint
from testlens.report.trend_chart import HEIGHT, LEFT, WIDTH, make_chart

DAY = 86_400


def points(*percents: float) -> list[TrendPoint]:
    return [TrendPoint(1_700_000_000 + number * DAY, percent) for number, percent in enumerate(percents)]


def test_one_run_is_no_trend() -> None:
    assert make_chart(points(), 85) is None
    assert make_chart(points(50), 85) is None


def test_runs_are_evenly_spaced_and_more_is_higher() -> None:
    chart = make_chart(points(40, 60, 50), 85)
    assert chart is not None
    (line,) = chart.lines
    (x1, y1), (x2, y2), (x3, y3) = ((dot.x, dot.y) for dot in line.dots)
    assert x2 - x1 == pytest.approx(x3 - x2, abs=0.2)
    assert y2 < y3 < y1
    assert chart.target < y2


@pytest.mark.parametrize("percents", [(0, 0), (100, 100), (0, 100), (85, 85), (84.99, 85.01), (3.2, 97.4, 50)])
@pytest.mark.parametrize("target", [0, 85, 100])
def test_everything_lies_within_the_chart_and_few_rules_are_drawn(percents: tuple[float, ...], target: float) -> None:
    chart = make_chart(points(*percents), target)
    assert chart is not None
    heights = [dot.y for line in chart.lines for dot in line.dots] + [chart.target] + [y for y, _ in chart.rules]
    assert min(heights) >= 0
    assert max(heights) <= HEIGHT
    assert all(LEFT <= dot.x <= WIDTH for line in chart.lines for dot in line.dots)
    assert 2 <= len(chart.rules) <= 6
    assert all(0 <= float(label.removesuffix(" %")) <= 100 for _, label in chart.rules)


def test_a_score_that_was_not_known_breaks_its_line() -> None:
    scores = (50.0, 60.0, None, 70.0)
    trend = [TrendPoint(number * DAY, 80, None, score) for number, score in enumerate(scores)]
    chart = make_chart(trend, 85)
    assert chart is not None
    coverage, score = chart.lines
    assert (coverage.name, coverage.path.count("M"), coverage.path.count("L")) == ("coverage", 1, 3)
    assert (score.name, score.path.count("M"), score.path.count("L")) == ("mutation score", 2, 1)
    assert [dot.label[-25:] for dot in score.dots][-1].endswith("mutation score 70.0 %")


def test_only_the_newest_runs_are_drawn() -> None:
    chart = make_chart(points(*range(100)), 85)
    assert chart is not None
    assert [point.percent for point in chart.points] == list(range(40, 100))
