"""Survivors on the command line: in the plan, and in reports for others."""

from __future__ import annotations

import json
from pathlib import Path

from cli.projects import json_of, run_testlens
from mutmut_left import SOURCE, unpack


def test_the_plan_has_survivors_with_their_mutants(tmp_path: Path) -> None:
    plan = json_of(run_testlens("plan", str(unpack(tmp_path)), "--json"))
    assert plan["coverage"] is None
    assert plan["mutation"] == {
        "score": 44.0,
        "source": "mutants/",
        "survivors": 3,
        "hidden": {"another survivor of the same line is shown": 2, "logging": 6},
    }
    gap = next(gap for gap in plan["gaps"] if gap["lines"] == [8, 8])
    assert (gap["kind"], gap["file"], gap["function"], gap["gain"]) == ("survivor", SOURCE, "price", 0.0)
    assert gap["risk"] == round(sum(gap["factors"].values()), 1)
    mutant = gap["mutant"]
    assert mutant["status"] == "survived"
    assert mutant["tests"] == ["tests/test_prices.py::test_basket", "tests/test_prices.py::test_price"]
    assert "-def price(amount, limit=3):\n+def price(amount, limit=4):\n" in mutant["diff"]


def test_the_plan_for_people_says_what_survived(tmp_path: Path) -> None:
    done = run_testlens("plan", str(unpack(tmp_path)))
    assert "`3` changed to `4`: 2 tests ran it, none failed" in done.stdout
    assert "Mutation score 44 %, 3 survivors among the gaps; not shown: " in done.stdout


def test_the_setting_of_the_project_shows_all_survivors(tmp_path: Path) -> None:
    unpack(tmp_path)
    configuration = tmp_path / "pyproject.toml"
    text = configuration.read_text(encoding="utf-8")
    configuration.write_text(f'{text}[tool.testlens]\nmutants_show = "all"\n', encoding="utf-8")
    assert len(json_of(run_testlens("plan", str(tmp_path), "--json"))["gaps"]) == 11


def test_reports_of_mutants_are_written_where_nothing_was_measured(tmp_path: Path) -> None:
    files = {kind: tmp_path / f"out.{kind}" for kind in ("json", "html")}
    done = run_testlens(
        *("report", str(unpack(tmp_path))),
        *("--mutation-json", str(files["json"]), "--mutation-html", str(files["html"])),
    )
    assert done.returncode == 0, done.stderr
    assert SOURCE in json.loads(files["json"].read_text(encoding="utf-8"))["files"]
    assert "<mutation-test-report-app" in files["html"].read_text(encoding="utf-8")


def test_without_mutants_there_is_nothing_to_report(tmp_path: Path) -> None:
    done = run_testlens("report", str(tmp_path), "--mutation-json", str(tmp_path / "out.json"))
    assert done.returncode == 1
    assert "No mutant of" in done.stderr
    assert not (tmp_path / "out.json").exists()
