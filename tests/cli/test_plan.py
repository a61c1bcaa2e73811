"""`testlens plan`: coverage.py's numbers in the promised shape, and nothing of the user's is touched."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from cli.projects import Project, command, command_environment, json_of, run_testlens


@pytest.fixture(scope="module")
def planned(measured: Project) -> subprocess.CompletedProcess[str]:
    """What `testlens plan --json` says about the measured shop."""
    return run_testlens("plan", measured.root, "--json")


@pytest.fixture(scope="module")
def plan(planned: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The object that it printed."""
    return json_of(planned)


@pytest.fixture(scope="module")
def truth(measured: Project) -> dict[str, Any]:
    """What `coverage json` says about the measured shop."""
    return measured.coverage_json()


def test_the_percent_is_that_of_coverage_json_to_the_last_digit(plan: dict[str, Any], truth: dict[str, Any]) -> None:
    totals = truth["totals"]
    assert plan["coverage"] == {
        "percent": totals["percent_covered"],
        "statements": totals["num_statements"],
        "missing": totals["missing_lines"],
        "branches": totals["num_branches"],
        "missing_branches": totals["missing_branches"],
    }


def test_the_gaps_are_all_that_coverage_json_misses_and_no_more(plan: dict[str, Any], truth: dict[str, Any]) -> None:
    for path, file in truth["files"].items():
        mine = [gap for gap in plan["gaps"] if gap["file"] == path]
        assert sorted(line for gap in mine for line in gap["statements"]) == file["missing_lines"]
        assert sorted(arc for gap in mine for arc in gap["arcs"]) == sorted(file["missing_branches"])


def test_the_json_has_the_promised_shape(plan: dict[str, Any], planned: subprocess.CompletedProcess[str]) -> None:
    assert (planned.returncode, planned.stderr) == (0, "")
    assert all(problem["severity"] == "information" for problem in plan["problems"])
    assert set(plan) == {"version", "coverage", "target", "outlook", "gaps", "problems"}
    assert (plan["version"], plan["target"]) == (1, 85.0)
    keys = {"file", "function", "kind", "lines", "statements", "arcs", "risk", "factors", "gain", "reason", "left_out"}
    assert all(set(gap) == keys for gap in plan["gaps"])
    assert {gap["kind"] for gap in plan["gaps"]} == {"uncovered", "partial"}


def test_gaps_come_riskiest_first_and_their_factors_add_up_to_the_risk(plan: dict[str, Any]) -> None:
    gaps = plan["gaps"]
    risks = [gap["risk"] for gap in gaps]
    assert risks == sorted(risks, reverse=True)
    assert all(sum(gap["factors"].values()) == pytest.approx(gap["risk"], abs=1e-6) for gap in gaps)


def test_closing_every_gap_gains_what_is_missing_to_a_hundred(plan: dict[str, Any]) -> None:
    assert sum(gap["gain"] for gap in plan["gaps"]) == pytest.approx(100 - plan["coverage"]["percent"])


def test_a_gap_says_in_words_which_branch_was_never_taken(plan: dict[str, Any]) -> None:
    member = next(gap for gap in plan["gaps"] if gap["file"] == "shop/orders.py" and gap["lines"] == [8, 8])
    assert (member["function"], member["kind"], member["arcs"]) == ("total", "partial", [[8, 10]])
    assert member["reason"] == "line 8 never continued to line 10: the condition was always true"


def test_json_has_all_gaps_unless_top_is_given(measured: Project, plan: dict[str, Any]) -> None:
    assert len(plan["gaps"]) > 3
    assert json_of(run_testlens("plan", measured.root, "--json", "--top", "3"))["gaps"] == plan["gaps"][:3]


def test_the_table_shows_places_gains_and_the_way_to_the_target(measured: Project, truth: dict[str, Any]) -> None:
    done = run_testlens("plan", measured.root, "--top", "2", "--target", "90")
    percent = truth["totals"]["percent_covered"]
    assert done.returncode == 0
    assert "shop/orders.py:16  load" in done.stdout
    assert "more gaps: --top" in done.stdout
    assert f"take you from {percent:.1f} % to" in done.stdout
    assert "(target 90 %)" in done.stdout


def test_a_target_that_is_reached_is_said_to_be_reached(measured: Project) -> None:
    done = run_testlens("plan", measured.root, "--target", "10")
    assert "the target of 10 % is reached" in done.stdout


def test_without_data_it_says_what_to_do(shop: Project) -> None:
    done = run_testlens("plan", shop.root)
    assert (done.returncode, done.stdout) == (1, "")
    assert "no usable coverage data" in done.stderr
    assert "testlens run" in done.stderr


def test_without_data_the_json_is_still_one_object(shop: Project) -> None:
    done = run_testlens("plan", shop.root, "--json")
    plan = json_of(done)
    assert done.returncode == 1
    assert (plan["coverage"], plan["gaps"]) == (None, [])
    assert "testlens run" in plan["problems"][0]["advice"]


def test_the_users_files_are_the_same_afterwards_and_none_is_added(measured: Project) -> None:
    before = measured.files()
    run_testlens("plan", measured.root)
    run_testlens("plan", measured.root, "--json", "--data", measured.root / ".coverage")
    assert measured.files() == before
    assert ".coverage" in before


def test_data_made_elsewhere_is_matched_by_the_end_of_its_paths(moved_shop: Project, plan: dict[str, Any]) -> None:
    moved = json_of(run_testlens("plan", moved_shop.root, "--json"))
    assert moved["coverage"] == plan["coverage"]
    assert moved["gaps"] == plan["gaps"]


def test_a_deleted_file_is_reported_and_the_others_are_still_ranked(moved_shop: Project) -> None:
    (moved_shop.root / "shop/stock.py").unlink()
    plan = json_of(run_testlens("plan", moved_shop.root, "--json"))
    assert {gap["file"] for gap in plan["gaps"]} == {"shop/orders.py"}
    assert any("stock.py" in f"{problem['path']} {problem['message']}" for problem in plan["problems"])


def test_a_file_edited_since_the_run_is_named(moved_shop: Project) -> None:
    assert run_testlens("plan", moved_shop.root).returncode == 0
    file = moved_shop.root / "shop/stock.py"
    file.write_text("# new\n" + file.read_text(encoding="utf-8"), encoding="utf-8")
    done = run_testlens("plan", moved_shop.root)
    assert done.returncode == 0
    assert "shop/stock.py has changed since the coverage was measured" in done.stderr


@pytest.mark.parametrize("damage", [b"", b"no database at all\n", None], ids=["empty", "text", "truncated"])
def test_damaged_data_is_named_and_left_alone(moved_shop: Project, damage: bytes | None) -> None:
    data = moved_shop.root / ".coverage"
    data.write_bytes(data.read_bytes()[:5000] if damage is None else damage)
    before = moved_shop.files()
    done = run_testlens("plan", moved_shop.root, "--json")
    assert done.returncode == 1
    assert json_of(done)["coverage"] is None
    assert json_of(done)["problems"][0]["path"] == ".coverage"
    assert moved_shop.files() == before


def test_a_named_data_file_is_read_wherever_it_lies(
    measured: Project, shop: Project, truth: dict[str, Any], tmp_path: Path
) -> None:
    data = tmp_path / "downloaded.coverage"
    data.write_bytes((measured.root / ".coverage").read_bytes())
    plan = json_of(run_testlens("plan", shop.root, "--json", "--data", data.name, "--target", "70", cwd=tmp_path))
    assert plan["coverage"]["percent"] == truth["totals"]["percent_covered"]
    assert plan["target"] == 70


def test_a_named_data_file_that_is_damaged_is_never_replaced_by_another(moved_shop: Project, tmp_path: Path) -> None:
    broken = tmp_path / "broken.coverage"
    broken.write_bytes((moved_shop.root / ".coverage").read_bytes()[:5000])
    done = run_testlens("plan", moved_shop.root, "--data", broken)
    assert (done.returncode, done.stdout) == (2, "")
    assert "broken.coverage" in done.stderr
    assert "truncated" in done.stderr


def test_a_named_data_file_that_does_not_exist_is_an_error(measured: Project) -> None:
    done = run_testlens("plan", measured.root, "--data", "nowhere.coverage")
    assert done.returncode == 2
    assert "nowhere.coverage" in done.stderr


def test_a_folder_named_as_data_is_called_a_folder(measured: Project) -> None:
    done = run_testlens("plan", measured.root, "--data", measured.root)
    assert done.returncode == 2
    assert "This is a folder" in done.stderr


def test_a_folder_below_the_data_is_told_where_the_data_is(measured: Project, tmp_path: Path) -> None:
    (tmp_path / ".coverage").write_bytes((measured.root / ".coverage").read_bytes())
    (tmp_path / "shop").mkdir()
    done = run_testlens("plan", tmp_path / "shop")
    assert done.returncode == 1
    assert f"There is some in {tmp_path}:" in done.stderr


@pytest.mark.parametrize("width", [60, 80])
def test_the_table_fits_a_narrow_terminal_and_cuts_nothing_off(measured: Project, width: int) -> None:
    out = run_testlens("plan", measured.root, env={"COLUMNS": str(width)}).stdout
    assert max(map(len, out.splitlines())) <= width
    assert "the condition was always true" in " ".join(out.split())
    assert "…" not in out


def test_output_that_is_no_terminal_has_no_escape_codes(measured: Project) -> None:
    assert "\x1b" not in run_testlens("plan", measured.root).stdout


@pytest.mark.parametrize("locale", [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}], ids=["C", "ASCII terminal"])
def test_a_plain_locale_does_not_stop_the_output(odd: Project, locale: dict[str, str]) -> None:
    done = run_testlens("plan", odd.root, "--top", "50", env=locale)
    assert done.returncode == 0
    assert "gr\\xf6\\xdfe.py:2" in done.stdout or "größe.py:2" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_reader_that_has_seen_enough_gets_no_traceback(measured: Project) -> None:
    plan = subprocess.Popen(
        command("plan", measured.root, "--json"),
        env=command_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert plan.stdout is not None
    assert plan.stderr is not None
    plan.stdout.close()
    assert plan.stderr.read() == ""
    plan.stderr.close()
    plan.wait(30)


def test_json_on_known_sources_loads_neither_server_nor_tables_nor_templates(
    measured: Project, plan: dict[str, Any]
) -> None:
    assert plan["gaps"]  # the sources are known by now
    loaded = run_testlens("plan", measured.root, "--json", env={"PYTHONPROFILEIMPORTTIME": "1"}).stderr
    modules = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in loaded.splitlines()}
    assert "testlens" in modules
    assert modules & {"pygls", "lsprotocol", "rich", "jinja2", "watchdog", "pytest"} == set()
