"""How far the target is, from run to run: what `testlens run` remembers, and what `plan` makes of it."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from agent.mutating import SOURCE, mutation_python, write
from cli.projects import Project, json_of, run_testlens

DAY = 86_400
MORE_TESTS = """\
from shop.stock import missing


def test_what_is_missing():
    assert missing(3, 1) == 2
"""


def run(project: Project, *arguments: str) -> str:
    done = run_testlens("run", project.root, "--python", sys.executable, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def trend(project: Project) -> list[dict[str, Any]]:
    file = project.root / ".testlens" / "trend.jsonl"
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


def give_past(project: Project, days: float, percent: float) -> Path:
    file = project.root / ".testlens" / "trend.jsonl"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({"time": time.time() - days * DAY, "percent": percent}) + "\n", encoding="utf-8")
    return file


def test_each_run_of_all_tests_adds_coverage_and_branches_as_coverage_py_has_them(shop: Project) -> None:
    run(shop)
    shop.write("tests/test_stock.py", MORE_TESTS)
    run(shop)
    first, last = trend(shop)
    assert first["percent"] < last["percent"]
    shop.measure()
    totals = shop.coverage_json()["totals"]
    assert last["percent"] == pytest.approx(totals["percent_covered"])
    assert last["branch_percent"] == pytest.approx(100 * totals["covered_branches"] / totals["num_branches"])


def test_a_run_of_some_tests_is_no_point_of_the_trend(shop: Project) -> None:
    run(shop, "--", "-k", "basket")
    assert trend(shop) == []


def test_a_run_of_mutants_adds_the_score_that_it_tells(tmp_path: Path) -> None:
    write(tmp_path, SOURCE)
    python = str(mutation_python())
    assert run_testlens("run", tmp_path, "--python", python).returncode == 0
    told = json_of(run_testlens("mutate", tmp_path, "--json", "--python", python))["score"]
    first, last = trend(Project(tmp_path))
    assert (first["mutation_score"], round(last["mutation_score"], 1)) == (None, told)
    assert first["percent"] == last["percent"]


def test_plan_and_run_say_how_far_the_target_is_at_this_pace(shop: Project) -> None:
    run(shop)
    (now,) = trend(shop)
    give_past(shop, 10, now["percent"] - 10)
    said = run_testlens("plan", shop.root).stdout
    outlook = json_of(run_testlens("plan", shop.root, "--json"))["outlook"]
    assert outlook in said
    assert outlook.startswith(f"{now['percent']:.1f} % -> 85 %: ")
    assert "at this month's pace " in outlook
    assert outlook in run(shop)


def test_without_a_past_no_pace_is_made_up(measured: Project) -> None:
    outlook = json_of(run_testlens("plan", measured.root, "--json"))["outlook"]
    assert outlook.endswith("left, no pace is known yet.")


def test_a_damaged_trend_is_no_trouble(moved_shop: Project) -> None:
    file = give_past(moved_shop, 10, 1)
    file.write_bytes(b"\x00\xff{[" + file.read_bytes()[:20])
    done = run_testlens("plan", moved_shop.root)
    assert (done.returncode, done.stderr.count("Error")) == (0, 0)
    assert "no pace is known yet" in done.stdout
