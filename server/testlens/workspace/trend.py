"""Keeps how the numbers went from run to run in `.testlens/`: one line of JSON a run, the oldest first.

Whatever is wrong with the file costs history and nothing else.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

from testlens.domain.plan import Plan
from testlens.domain.snapshot import Snapshot
from testlens.domain.trend import Trend, TrendPoint, outlook, point_of
from testlens.workspace.store import FOLDER, prepare_folder

FILE = f"{FOLDER}/trend.jsonl"
_MOST = 1000
_TOGETHER_SECONDS = 300.0
"""Runs that follow each other faster are one point: continuous testing makes many in one sitting."""
_KEYS = ("time", "percent", "branch_percent", "mutation_score")


def load_trend(root: Path) -> Trend:
    """The runs that are remembered; lines that make no sense are passed over."""
    place = root / FILE
    try:
        state = place.stat()
        return _read(place, state.st_mtime_ns, state.st_size)
    except OSError:
        return ()


def outlook_now(root: Path, plan: Plan) -> str:
    """How far the target is, at the pace of the runs that are remembered."""
    return outlook(plan, load_trend(root), time.time())


def keep_run(root: Path, snapshot: Snapshot, now: float | None = None) -> None:
    """Remember what a run of all tests has led to, if it changed a number. Takes some milliseconds.

    `now` is in seconds since the epoch, by default the present.
    """
    found = point_of(snapshot, time.time() if now is None else now)
    if found is None or snapshot.left_out:
        return
    _keep(root, list(load_trend(root)), found)


def keep_mutation_run(root: Path, snapshot: Snapshot, now: float | None = None) -> None:
    """Remember the score that a run of mutants has led to. Takes some milliseconds.

    Only where the coverage is what the last run of all tests found: a mutation run measures none. `now` is in seconds
    since the epoch, by default the present.
    """
    found = point_of(snapshot, time.time() if now is None else now)
    trend = list(load_trend(root))
    if found is not None and trend and trend[-1].has_coverage_of(found):
        _keep(root, trend, found)


@lru_cache(maxsize=16)
def _read(place: Path, _mtime_ns: int, _size: int) -> Trend:
    """What is in a file in this state: every new snapshot asks for it, and few have changed it."""
    lines = place.read_text(encoding="utf-8", errors="replace").splitlines()
    points = (_point(line) for line in lines)
    return tuple(sorted((point for point in points if point is not None), key=lambda point: point.time))


def _keep(root: Path, trend: list[TrendPoint], found: TrendPoint) -> None:
    """Add a point that says something new."""
    if trend and trend[-1].numbers == found.numbers:
        return
    # The first of a sitting stays: it is where the pace begins.
    if len(trend) > 1 and found.time - trend[-1].time < _TOGETHER_SECONDS:
        trend.pop()
    # Where the disk refuses, the trend goes on without this run.
    with contextlib.suppress(OSError):
        _write(root, (*trend, found)[-_MOST:])


def _point(line: str) -> TrendPoint | None:
    try:
        values = json.loads(line)
        moment, percent, *others = (values.get(key) for key in _KEYS)
    except (ValueError, AttributeError, RecursionError):
        return None
    if not _is_number(moment) or not _is_percent(percent):
        return None
    branches, score = (value if _is_percent(value) else None for value in others)
    return TrendPoint(moment, percent, branches, score)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_percent(value: Any) -> bool:
    return _is_number(value) and 0 <= value <= 100


def _write(root: Path, trend: Trend) -> None:
    """Replace the file at once: nobody reads half of it."""
    prepare_folder(root / FOLDER)
    place = root / FILE
    lines = (json.dumps(dict(zip(_KEYS, (point.time, *point.numbers), strict=True))) for point in trend)
    written = place.with_name(f"{place.name}.{os.getpid()}")
    try:
        written.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        written.replace(place)
    finally:
        written.unlink(missing_ok=True)
