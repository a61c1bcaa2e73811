"""The trend that is kept in `.testlens/`: small, quick, and whole whatever happens to its file."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from testlens.domain.coverage import Numbers
from testlens.domain.mutants import FileMutants, Mutant, MutantStatus, MutationResults, Span
from testlens.domain.snapshot import Snapshot
from testlens.workspace.trend import FILE, keep_mutation_run, keep_run, load_trend

MINUTE = 60.0


def snapshot(missing: int) -> Snapshot:
    return Snapshot("a run", Numbers(100, missing))


def mutated(missing: int, *statuses: MutantStatus) -> Snapshot:
    mutants = tuple(
        Mutant(f"a.x_f__mutmut_{number}", "a.py", "f", "", Span(1, 0, 1, 1), "1", "2", status)
        for number, status in enumerate(statuses)
    )
    results = MutationResults({"a.py": FileMutants("a.py", "", mutants)})
    return Snapshot("a run", Numbers(100, missing), mutants=results)


def percents(root: Path) -> list[float]:
    return [point.percent for point in load_trend(root)]


def test_runs_are_remembered_oldest_first(tmp_path: Path) -> None:
    keep_run(tmp_path, snapshot(40), 1000)
    keep_run(tmp_path, snapshot(30), 1000 + 60 * MINUTE)
    assert percents(tmp_path) == [60.0, 70.0]
    assert [point.time for point in load_trend(tmp_path)] == [1000, 1000 + 60 * MINUTE]


def test_a_run_that_changes_no_number_adds_nothing(tmp_path: Path) -> None:
    for minute in range(0, 600, 60):
        keep_run(tmp_path, snapshot(40), minute * MINUTE)
    assert percents(tmp_path) == [60.0]


def test_runs_of_one_sitting_are_one_point_beside_the_first(tmp_path: Path) -> None:
    for second in range(20):
        keep_run(tmp_path, snapshot(40 - second), 1000 + second)
    assert percents(tmp_path) == [60.0, 79.0]


def test_nothing_is_remembered_of_no_coverage_or_of_what_was_left_out(tmp_path: Path) -> None:
    keep_run(tmp_path, Snapshot(), 1000)
    keep_run(tmp_path, Snapshot("a run", Numbers(10, 1), left_out=frozenset({"t.py::test_a"})), 1000)
    assert not (tmp_path / FILE).exists()


def test_a_run_of_mutants_adds_its_score_to_the_coverage_of_the_last_run(tmp_path: Path) -> None:
    keep_run(tmp_path, snapshot(40), 1000)
    keep_mutation_run(tmp_path, mutated(40, "killed", "survived"), 1000 + 60 * MINUTE)
    assert [point.mutation_score for point in load_trend(tmp_path)] == [None, 50.0]
    assert percents(tmp_path) == [60.0, 60.0]


def test_a_run_of_mutants_says_nothing_of_coverage_that_no_run_of_all_tests_found(tmp_path: Path) -> None:
    keep_mutation_run(tmp_path, mutated(40, "killed"), 1000)
    assert not (tmp_path / FILE).exists()
    keep_run(tmp_path, snapshot(40), 2000)
    keep_mutation_run(tmp_path, mutated(90, "killed"), 2000 + 60 * MINUTE)
    assert [point.mutation_score for point in load_trend(tmp_path)] == [None]


@pytest.mark.parametrize(
    "damage",
    [
        "",
        "{",
        "\x00\xff",
        "[1, 2]",
        '{"time": "now", "percent": 3}',
        '{"time": 1e999, "percent": 3}',
        '{"time": 5, "percent": 300}',
        "[" * 100_000,
        "<<<<<<< HEAD",
    ],
)
def test_a_damaged_line_costs_that_line(tmp_path: Path, damage: str) -> None:
    keep_run(tmp_path, snapshot(40), 1000)
    with (tmp_path / FILE).open("a", encoding="utf-8") as file:
        file.write(f"{damage}\n")
    keep_run(tmp_path, snapshot(30), 1000 + 60 * MINUTE)
    assert percents(tmp_path) == [60.0, 70.0]


def test_a_file_that_cannot_be_read_or_written_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir(parents=True)
    keep_run(tmp_path, snapshot(40), 1000)
    assert percents(tmp_path) == []


def test_the_file_stays_small_and_the_newest_stay_in_it(tmp_path: Path) -> None:
    (tmp_path / FILE).parent.mkdir()
    lines = (f'{{"time": {number * 1000}, "percent": {number % 90}}}\n' for number in range(5000))
    (tmp_path / FILE).write_text("".join(lines))
    keep_run(tmp_path, snapshot(1), 5_000_000)
    trend = load_trend(tmp_path)
    assert len(trend) == 1000
    assert (trend[-1].percent, trend[-2].time) == (99.0, 4_999_000)


def test_remembering_a_run_takes_a_moment(tmp_path: Path) -> None:
    for number in range(1000):
        keep_run(tmp_path, snapshot(number % 50), number * 1000)
    began = time.perf_counter()
    keep_run(tmp_path, snapshot(99), 2_000_000)
    assert time.perf_counter() - began < 0.2
