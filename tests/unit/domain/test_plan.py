"""The plan: what comes first, what it buys, and the shortest way to the target."""

from __future__ import annotations

import pytest

from testlens.domain.coverage import FileCoverage, Numbers
from testlens.domain.gaps import Region
from testlens.domain.packing import pack
from testlens.domain.plan import Plan, make_plan
from testlens.domain.risk import Risk
from testlens.domain.snapshot import FileReport, Gap


def file(path: str, *gaps: tuple[str, int, float]) -> FileReport:
    """A file with gaps of `(function, statements, risk)`, one after the other."""
    found, line = [], 1
    for function, size, score in gaps:
        lines = tuple(range(line, line + size))
        line += size
        found.append(Gap(path, Region("uncovered", function, 1, lines[0], lines[-1], lines, (), ""), Risk(score, {})))
    coverage = FileCoverage(frozenset(range(1, 51)), frozenset(), frozenset(range(1, line)))
    return FileReport(path, "", coverage.numbers, pack(coverage), (), tuple(found))


def plan(target: float, *files: FileReport) -> Plan:
    return make_plan(files, sum((entry.numbers for entry in files), Numbers()), target)


def test_the_riskiest_gap_comes_first_whatever_its_size() -> None:
    made = plan(85, file("a.py", ("small", 1, 90.0), ("large", 20, 10.0)), file("b.py", ("mid", 4, 50.0)))
    assert [planned.gap.region.function for planned in made.gaps] == ["small", "mid", "large"]


def test_gains_add_up_to_full_coverage() -> None:
    made = plan(85, file("a.py", ("f", 3, 1.0), ("g", 7, 2.0)), file("b.py", ("h", 5, 3.0)))
    assert made.totals.percent == 85.0
    assert [planned.gain for planned in made.gaps] == pytest.approx([5.0, 7.0, 3.0])
    assert [planned.cumulative for planned in made.gaps] == pytest.approx([90.0, 97.0, 100.0])


def test_the_shortest_way_takes_the_functions_that_gain_most() -> None:
    made = plan(90, file("a.py", ("f", 5, 99.0), ("g", 12, 1.0), ("f", 4, 1.0)), file("b.py", ("h", 8, 50.0)))
    assert made.totals.percent == 71.0
    assert made.shortest is not None
    assert [(step.function, step.gain, step.reached) for step in made.shortest] == [
        ("g", pytest.approx(12), pytest.approx(83)),
        ("f", pytest.approx(9), pytest.approx(92)),
    ]
    assert made.summary == "These 2 functions take you from 71.0 % to 92.0 % (target 90 %)."


def test_a_target_that_is_reached_needs_no_way() -> None:
    made = plan(70, file("a.py", ("f", 5, 1.0)))
    assert made.shortest == ()
    assert made.summary == "90.0 % covered: the target of 70 % is reached."


def test_equal_risks_stay_in_the_order_of_files_and_lines() -> None:
    made = plan(85, file("a.py", ("f", 1, 5.0), ("g", 1, 5.0)), file("b.py", ("h", 1, 5.0)))
    assert [planned.gap.region.function for planned in made.gaps] == ["f", "g", "h"]


def test_a_project_without_statements_is_wholly_covered() -> None:
    assert make_plan((), Numbers(), 85).summary == "100.0 % covered: the target of 85 % is reached."


def test_packing_loses_nothing() -> None:
    coverage = FileCoverage(
        frozenset({1, 2, 70_000}), frozenset({9}), frozenset({2}), {1: 3}, frozenset({(1, -1), (1, 70_000)}), True
    )
    assert pack(coverage).unpack() == coverage
