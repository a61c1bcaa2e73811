"""Merging mutation reports: each mutant once, with the verdict that all reports together allow."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import fastjsonschema
import pytest

from testlens.domain.problems import Problem
from testlens.sources.mutation_merge import MergedMutants, ShardReport, merge_reports, read_shard_report

SCHEMA = json.loads((Path(__file__).parents[2] / "mutation-testing-report-schema.json").read_text(encoding="utf-8"))
TEXT = "def f(x):\n    return x + 1\n"
PLACE = {"start": {"line": 2, "column": 12}, "end": {"line": 2, "column": 17}}


def _mutant(name: str, status: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "mutatorName": "f", "replacement": f"x - {name}", "location": PLACE, "status": status, **more}


def _document(statuses: Mapping[str, str], shard: str | None = None, text: str = TEXT, **more: Any) -> dict[str, Any]:
    mutants = [_mutant(name, status, **more) for name, status in statuses.items()]
    document: dict[str, Any] = {
        "schemaVersion": "2.0",
        "thresholds": {"high": 80, "low": 60},
        "files": {"shop/a.py": {"language": "python", "source": text, "mutants": mutants}},
    }
    return document if shard is None else {**document, "config": {"testlens": {"shard": shard}}}


Read = Callable[..., ShardReport]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """A report as a job leaves it, and as it is read."""
    numbers = itertools.count(1)

    def _read(*arguments: Any, **more: Any) -> ShardReport:
        file = tmp_path / f"{next(numbers)}.json"
        file.write_text(json.dumps(_document(*arguments, **more)), encoding="utf-8")
        report = read_shard_report(file, file.name)
        assert isinstance(report, ShardReport)
        return report

    return _read


def _merged(*reports: ShardReport) -> MergedMutants:
    merged = merge_reports(reports, lambda name: name)
    assert isinstance(merged, MergedMutants)
    return merged


def _statuses(merged: MergedMutants) -> dict[str, str]:
    return {entry["id"]: entry["status"] for file in merged.document["files"].values() for entry in file["mutants"]}


def test_the_shards_of_a_run_make_the_whole_run(read: Read) -> None:
    """What one left pending another has checked; the result is a report like any other."""
    merged = _merged(
        read({"a": "Killed", "b": "Pending", "c": "Survived"}, "1/2"),
        read({"a": "Pending", "b": "Timeout", "c": "Pending"}, "2/2"),
    )
    assert _statuses(merged) == {"a": "Killed", "b": "Timeout", "c": "Survived"}
    assert merged.score == pytest.approx(200 / 3)
    assert (merged.conflicts, merged.missing) == ((), ())
    fastjsonschema.compile(SCHEMA)(merged.document)


def test_the_order_of_the_reports_does_not_matter(read: Read) -> None:
    """CI hands them over in any order."""
    reports = [read({"a": one, "b": other}) for one, other in (("Killed", "NoCoverage"), ("Survived", "Killed"))]
    assert _statuses(_merged(*reports)) == _statuses(_merged(*reversed(reports))) == {"a": "Survived", "b": "Killed"}


def test_a_shard_that_left_no_report_is_named_and_its_mutants_are_still_there(read: Read) -> None:
    """A job that died must not make the score better."""
    merged = _merged(read({"a": "Killed", "b": "Pending"}, "1/3"), read({"a": "Pending", "b": "Pending"}, "3/3"))
    assert [str(shard) for shard in merged.missing] == ["2/3"]
    assert merged.statuses == ("killed", "not checked")


def test_contrary_verdicts_are_told_and_the_worse_counts(read: Read) -> None:
    """Two jobs that disagree on a mutant have a test that is not deterministic."""
    merged = _merged(read({"a": "Killed", "b": "Killed"}), read({"a": "Survived", "b": "Timeout"}))
    assert [(one.path, one.name, dict(one.verdicts)) for one in merged.conflicts] == [
        ("shop/a.py", "a", {"1.json": "Killed", "2.json": "Survived"})
    ]
    assert _statuses(merged) == {"a": "Survived", "b": "Killed"}


def test_the_tests_of_all_reports_are_kept(read: Read) -> None:
    """Who ran a mutant on either machine ran it."""
    merged = _merged(
        read({"a": "Killed"}, coveredBy=["t::one"], killedBy=["t::one"]),
        read({"a": "Killed"}, coveredBy=["t::two"], killedBy=["t::two"]),
    )
    (entry,) = merged.document["files"]["shop/a.py"]["mutants"]
    assert entry["coveredBy"] == entry["killedBy"] == ["t::one", "t::two"]


def test_line_ends_of_windows_make_no_other_text(read: Read) -> None:
    """git may have given them to one job only."""
    merged = _merged(read({"a": "Killed"}), read({"b": "Killed"}, text=TEXT.replace("\n", "\r\n")))
    assert len(merged.statuses) == 2


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (({"a": "Killed"}, None, "def f(x):\n    return x + 2\n"), "mutated different texts"),
        (({"a": "Killed"}, "1/5"), "shards of different runs: of 2 and of 5"),
    ],
)
def test_reports_that_do_not_belong_together_are_refused(read: Read, second: tuple[Any, ...], said: str) -> None:
    """A number made of two commits would be a number of neither."""
    problem = merge_reports([read({"a": "Killed"}, "1/2"), read(*second)], lambda name: name)
    assert isinstance(problem, Problem)
    assert said in problem.message


def test_one_name_for_two_mutants_is_refused(read: Read) -> None:
    """Another version of the engine numbers them otherwise: a mutant would be lost without anyone noticing."""
    problem = merge_reports([read({"a": "Killed"}), read({"a": "Killed"}, replacement="x * 1")], lambda name: name)
    assert isinstance(problem, Problem)
    assert "different mutants under the name a" in problem.message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not valid JSON"),
        ("{}", "no mutation report"),
        ('{"schemaVersion": "2", "files": {"a.py": {"mutants": []}}}', "no source of a.py"),
        (json.dumps(_document({"a": "Perhaps"})), "unknown status 'Perhaps'"),
        (json.dumps(_document({"a": "Killed"}, "7/2")), "no shard 7 of 2"),
    ],
)
def test_a_report_that_is_not_whole_is_refused(tmp_path: Path, text: str, said: str) -> None:
    """What a job left half-written is no result."""
    file = tmp_path / "report.json"
    file.write_text(text, encoding="utf-8")
    problem = read_shard_report(file, "report.json")
    assert isinstance(problem, Problem)
    assert said in problem.message
