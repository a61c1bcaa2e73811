"""The trend as a chart: where its lines, dots and labels lie, in the units of an SVG view box."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from testlens.domain.coverage import percent_text
from testlens.domain.trend import Trend, TrendPoint

WIDTH, HEIGHT = 640, 220
LEFT, _RIGHT, _TOP, _BOTTOM = 72, 14, 12, 26
_MOST = 60
_STEPS = (1, 2, 5, 10, 20, 25)


@dataclass(frozen=True, slots=True)
class Dot:
    """One run in one line; `label` is what it says in words."""

    x: float
    y: float
    label: str


@dataclass(frozen=True, slots=True)
class Line:
    """One percentage over the runs; `path` is the data of an SVG path, which has a break where nothing was known."""

    name: str
    path: str
    dots: tuple[Dot, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """`rules` are heights with their percentage, `ends` the first and the last day."""

    lines: tuple[Line, ...]
    rules: tuple[tuple[float, str], ...]
    target: float
    ends: tuple[str, str]
    points: tuple[TrendPoint, ...]


def make_chart(trend: Trend, target: float) -> Chart | None:
    """The newest runs of `trend`, evenly spaced; None where there are fewer than two."""
    points = tuple(trend[-_MOST:])
    if len(points) < 2:
        return None
    known = [value for point in points for value in (point.percent, point.mutation_score) if value is not None]
    bottom, top, step = _range(min(*known, target), max(*known, target))

    def place(percent: float) -> float:
        return round(_TOP + (HEIGHT - _TOP - _BOTTOM) * (top - percent) / (top - bottom), 1)

    lines = [_line("coverage", points, [point.percent for point in points], place)]
    if any(point.mutation_score is not None for point in points):
        lines.append(_line("mutation score", points, [point.mutation_score for point in points], place))
    rules = tuple((place(percent), f"{percent} %") for percent in range(bottom, top + 1, step))
    return Chart(tuple(lines), rules, place(target), (day(points[0]), day(points[-1])), points)


def day(point: TrendPoint) -> str:
    """When a run was, as a date of the machine that makes the report."""
    return time.strftime("%Y-%m-%d", time.localtime(point.time))


def _line(
    name: str, points: Sequence[TrendPoint], values: Sequence[float | None], place: Callable[[float], float]
) -> Line:
    width = (WIDTH - LEFT - _RIGHT) / (len(points) - 1)
    dots: list[Dot] = []
    path, is_broken = "", True
    for number, (point, value) in enumerate(zip(points, values, strict=True)):
        if value is None:
            is_broken = True
            continue
        x, y = round(LEFT + number * width, 1), place(value)
        path += f"{'M' if is_broken else 'L'}{x} {y}"
        is_broken = False
        dots.append(Dot(x, y, f"{day(point)}: {name} {percent_text(value)} %"))
    return Line(name, path, tuple(dots))


def _range(lowest: float, highest: float) -> tuple[int, int, int]:
    """The lowest and highest percentage to show, and the distance of the rules: at most six of them."""
    step = next(step for step in _STEPS if math.ceil(highest / step) - math.floor(lowest / step) <= 5)
    bottom, top = math.floor(lowest / step) * step, math.ceil(highest / step) * step
    return (bottom, top, step) if bottom < top else (max(0, bottom - step), min(100, top + step), step)
