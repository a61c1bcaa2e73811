"""What the page of the report carries for its script: small, and unpacked file by file when it is looked at.

Each part is JSON, compressed with gzip and written in base 64, whose letters mean nothing to HTML. client/data.mjs
reads it.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from testlens.domain.coverage import Numbers, percent_text
from testlens.domain.plan import Plan
from testlens.domain.snapshot import Snapshot
from testlens.report.file_views import FileView, State
from testlens.workspace.views import PlacedGap

_LETTERS: Mapping[State, str] = {"covered": "c", "partial": "p", "uncovered": "u", "stale": "s", "failing": "f"}
_MOST_TESTS = 60
"""Nobody reads more tests of one line: of the others their number is told."""
_LEVEL = 6


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file as the overview has it; `risk` is the highest of its gaps."""

    path: str
    numbers: Numbers
    risk: float
    gaps: int
    survivors: int


@dataclass(frozen=True, slots=True)
class PageData:
    """`rows` are in the order of the page, riskiest first, and `packed` is what its script reads."""

    rows: tuple[FileRow, ...]
    packed: str


def make_page_data(snapshot: Snapshot, plan: Plan, views: Iterable[FileView]) -> PageData:
    """The overview of all files, and everything on each of them."""
    rows = file_rows(snapshot, plan)
    tests = _Tests({test for test, result in snapshot.outcomes.items() if result.failed})
    functions: dict[str, list[Any]] = {}
    sources: dict[str, str] = {}
    for view in views:
        path = view.report.path
        functions[path] = _functions(view)
        sources[path] = _packed(_source(view, tests))
    index = [[*_row(row), functions.get(row.path, [])] for row in rows]
    # In base 64 all of it is ASCII without quotes, so no text of the project can end the element that it stands in.
    parts = {
        "index": _packed(index),
        "tests": _packed(tests.names),
        "sources": [sources.get(row.path, "") for row in rows],
    }
    return PageData(rows, json.dumps(parts))


def file_rows(snapshot: Snapshot, plan: Plan) -> tuple[FileRow, ...]:
    """Every measured file, riskiest first."""
    risks: dict[str, float] = {}
    gaps: dict[str, int] = {}
    survivors: dict[str, int] = {}
    for planned in plan.gaps:
        gap = planned.gap
        risks[gap.file] = max(risks.get(gap.file, 0.0), gap.risk.score)
        gaps[gap.file] = gaps.get(gap.file, 0) + 1
        survivors[gap.file] = survivors.get(gap.file, 0) + (gap.survivor is not None)
    rows = (
        FileRow(path, report.numbers, risks.get(path, 0.0), gaps.get(path, 0), survivors.get(path, 0))
        for path, report in snapshot.files.items()
    )
    return tuple(sorted(rows, key=lambda row: (-row.risk, row.path)))


class _Tests:
    """The names of all tests, each once; elsewhere tests are places in this list."""

    def __init__(self, failing: set[str]) -> None:
        self.names: list[str] = []
        self._failing = failing
        self._places: dict[str, int] = {}

    def places(self, names: Sequence[str]) -> list[int]:
        """How many tests that are, and the first of them, failing ones before others."""
        shown = sorted(names, key=lambda name: name not in self._failing)[:_MOST_TESTS]
        return [len(names), *(self._place(name) for name in shown)]

    def _place(self, name: str) -> int:
        place = self._places.get(name)
        if place is None:
            place = self._places[name] = len(self.names)
            self.names.append(f"{'!' if name in self._failing else ''}{name}")
        return place


def _row(row: FileRow) -> list[Any]:
    numbers = row.numbers
    # The percentage as text: two languages would not round it alike.
    return [row.path, numbers.statements, percent_text(numbers.percent), round(row.risk), row.gaps, row.survivors]


def _functions(view: FileView) -> list[Any]:
    return [
        [
            placed.report.function.name,
            placed.line,
            round(placed.report.risk),
            percent_text(placed.report.numbers.percent),
        ]
        for placed in view.functions
    ]


def _source(view: FileView, tests: _Tests) -> dict[str, Any]:
    """One file, line by line; `sets` are the different sets of tests, and `runs` has the one of each line, plus one."""
    numbers = range(1, len(view.lines) + 1)
    sets: dict[tuple[str, ...], int] = {}
    runs = [sets.setdefault(names, len(sets)) + 1 if (names := view.tests.get(n)) else 0 for n in numbers]
    return {
        "text": "\n".join(view.lines),
        "states": "".join(_LETTERS.get(view.states.get(number, ""), " ") for number in numbers),
        "gaps": [_gap(gap) for gap in view.gaps],
        "runs": runs,
        "sets": [tests.places(names) for names in sets],
        "note": view.note,
        "numbers": _numbers(view.report.numbers),
    }


def _gap(placed: PlacedGap) -> list[Any]:
    gap, survivor = placed.gap, placed.gap.survivor
    why = ", ".join(f"{name} {gap.risk.factors[name]:.0f}" for name in gap.risk.largest(9))
    common = [placed.first, placed.last, gap.region.kind, gap.region.function, round(gap.risk.score)]
    return [*common, placed.title, placed.reason, why, "" if survivor is None else survivor.diff]


def _numbers(numbers: Numbers) -> list[int]:
    return [numbers.statements, numbers.missing, numbers.branches, numbers.missing_branches]


def _packed(value: Any) -> str:
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    # A lone surrogate, as the name of a file may have one, is no text of UTF-8.
    content = text.encode("utf-8", "backslashreplace")
    return base64.b64encode(gzip.compress(content, _LEVEL, mtime=0)).decode("ascii")
