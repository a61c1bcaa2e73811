"""`testlens check`: status 0 or 1 by what the tests prove, what was lost where, and the cheapest way back."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from cli.gating import TEST_OF_TAX, TESTED, UNTESTED, Checkout
from cli.projects import Project, json_of, run_testlens

LOSSES_OF_LOAD = {"file": "shop/orders.py", "function": "load", "statements": 5, "branches": 0, "mutants": 0}


def test_the_process_ends_with_0_at_exactly_what_is_covered_with_1_a_hair_below_and_with_2_on_errors(
    checkout: Checkout,
) -> None:
    percent = checkout.coverage_json()["totals"]["percent_covered"]
    for level, status in ((percent, 0), (percent + 1e-9, 1), (101, 2)):
        assert run_testlens("check", checkout.root, "--fail-under", repr(level)).returncode == status


def test_a_failure_says_what_is_missing_where_and_the_fewest_functions_to_close(checkout: Checkout) -> None:
    done = checkout.check("--fail-under", "75")
    assert done.returncode == 1
    assert "✗ coverage: 51.35 %, at least 75 % required" in done.stdout
    assert "shop/orders.py  load: 5 statements" in done.stdout
    assert "shop/stock.py  missing: 3 statements and 2 branches" in done.stdout
    assert "Cheapest way back, 2 functions:" in done.stdout
    assert "shop/stock.py  missing  +13.51 -> 78.4 %" in done.stdout


def test_the_way_back_is_long_enough_and_no_longer(checkout: Checkout) -> None:
    (gate,) = json_of(checkout.check("--fail-under", "75", "--json"))["gates"]
    steps = gate["way_back"]
    assert gate["actual"] + sum(step["gain"] for step in steps) >= 75
    assert gate["actual"] + sum(step["gain"] for step in steps[:-1]) < 75
    assert LOSSES_OF_LOAD in gate["losses"]


def test_branches_have_a_gate_of_their_own(checkout: Checkout) -> None:
    percent = checkout.coverage_json()["totals"]["percent_branches_covered"]
    assert checkout.check("--fail-under-branches", repr(percent)).returncode == 0
    done = checkout.check("--fail-under-branches", "90", "--json")
    assert done.returncode == 1
    (gate,) = json_of(done)["gates"]
    assert gate["actual"] == percent
    assert {loss["function"]: loss["branches"] for loss in gate["losses"]} == {
        "Basket.clear": 2,
        "missing": 2,
        "total": 2,
    }


def test_a_mutation_score_that_is_too_low_names_the_survivors_function(checkout: Checkout) -> None:
    checkout.find_survivor()
    assert checkout.check("--fail-under-mutation", "50").returncode == 0
    done = checkout.check("--fail-under-mutation", "51")
    assert done.returncode == 1
    assert "mutation score: 50 %, at least 51 % required" in done.stdout
    assert "Mutation score 50 %, 1 survivor among the gaps" in done.stdout
    assert "shop/orders.py  total: 1 mutant" in done.stdout


def test_where_there_was_nothing_to_mutate_no_mutant_survived(checkout: Checkout) -> None:
    """As in a pull request that changes documents alone."""
    report = {"schemaVersion": "2", "thresholds": {"high": 80, "low": 60}, "files": {}}
    checkout.write("mutation-report.json", json.dumps(report))
    done = checkout.check("--fail-under-mutation", "80")
    assert done.returncode == 0
    assert "✓ mutation score: 100 %, at least 80 % required (there was nothing to mutate)" in done.stdout


def test_mutants_that_nobody_has_checked_are_no_success(checkout: Checkout) -> None:
    """As where the budget was spent before the first of them."""
    checkout.find_survivor()
    for status in ('"Killed"', '"Survived"'):
        checkout.replace("reports/mutation/mutation.json", status, '"Pending"')
    done = checkout.check("--fail-under-mutation", "0")
    assert done.returncode == 2
    assert "with a larger --budget if it ran out" in done.stderr


def test_a_threshold_holds_for_the_files_of_its_glob_and_for_no_other(checkout: Checkout) -> None:
    """All files of a glob count together, as `coverage report --include` counts them."""
    files = checkout.coverage_json()["files"]
    (percent,) = (file["summary"]["percent_covered"] for path, file in files.items() if path.endswith("orders.py"))
    checkout.append("pyproject.toml", f'\n[tool.testlens.thresholds]\n"shop/orders.py" = {percent!r}\n')
    assert checkout.check().returncode == 0
    checkout.replace("pyproject.toml", repr(percent), "99")
    done = checkout.check("--json")
    assert done.returncode == 1
    (gate,) = json_of(done)["gates"]
    assert (gate["name"], gate["actual"]) == ("coverage of shop/orders.py", percent)
    assert {loss["file"] for loss in gate["losses"]} == {"shop/orders.py"}


def test_changed_lines_are_those_since_the_branch_parted(checkout: Checkout) -> None:
    """What was done on the other branch meanwhile is no part of the change."""
    checkout.git("checkout", "--quiet", "-b", "change")
    checkout.append("shop/orders.py", TESTED)
    checkout.append("tests/test_orders.py", TEST_OF_TAX)
    checkout.commit()
    checkout.git("checkout", "--quiet", "main")
    checkout.append("shop/stock.py", UNTESTED)
    checkout.commit("meanwhile")
    checkout.git("checkout", "--quiet", "change")
    checkout.measure()
    found = json_of(checkout.check("--diff", "main", "--fail-under-diff", "100", "--json"))
    assert found["passed"]
    (file,) = found["diff"]["files"]
    # The docstring is no statement.
    assert (file["path"], file["lines"], file["missing"]) == ("shop/orders.py", [36, 38], [])


def test_changed_lines_that_no_test_runs_fail_the_gate(checkout: Checkout) -> None:
    checkout.append("shop/orders.py", UNTESTED)
    checkout.commit()
    checkout.measure()
    done = checkout.check("--diff", "HEAD~1", "--fail-under-diff", "80")
    assert done.returncode == 1
    assert "changed lines: 25 %, at least 80 % required" in done.stdout
    assert "shop/orders.py  refund: 3 statements" in done.stdout
    assert "new gap shop/orders.py:37  refund  lines 37-39 never run" in done.stdout


def test_edits_that_are_not_committed_count_as_changed(checkout: Checkout) -> None:
    checkout.append("shop/orders.py", UNTESTED)
    checkout.measure()
    found = json_of(checkout.check("--diff", "HEAD", "--json"))
    assert found["diff"]["percent"] == 25.0


def test_lines_are_followed_where_a_file_was_edited_after_its_tests_ran(checkout: Checkout) -> None:
    checkout.append("shop/orders.py", UNTESTED)
    checkout.commit()
    checkout.measure()
    checkout.check("--fail-under", "0")  # so that the text that was measured is known
    checkout.replace("shop/orders.py", '"""Orders of a shop."""', '"""Orders of a shop.\n\nAnd more.\n"""')
    (file,) = json_of(checkout.check("--diff", "HEAD~1", "--json"))["diff"]["files"]
    assert (file["lines"], file["missing"]) == ([39, 40, 41, 42], [40, 41, 42])


def test_changed_lines_that_are_newer_than_the_data_are_no_success(checkout: Checkout) -> None:
    """Nobody has measured them: the gate can say neither yes nor no. A comment makes no difference."""
    checkout.check("--fail-under", "0")  # so that the text that was measured is known
    checkout.append("shop/orders.py", "\n# Orders are kept for ten years.\n")
    assert checkout.check("--diff", "HEAD", "--fail-under-diff", "80").returncode == 0
    checkout.append("shop/orders.py", UNTESTED)
    done = checkout.check("--diff", "HEAD", "--fail-under-diff", "80")
    assert done.returncode == 2
    assert "shop/orders.py was edited after the tests ran" in done.stderr
    assert "Run the tests again" in done.stderr
    checkout.measure()
    assert checkout.check("--diff", "HEAD", "--fail-under-diff", "80").returncode == 1


def test_data_that_is_older_than_a_fresh_checkout_counts_as_coverage_py_counts_it(checkout: Checkout) -> None:
    """Another job has made it, and nobody can know on which text: it is taken for the present one, and said."""
    checkout.append("shop/orders.py", UNTESTED)
    checkout.commit()
    checkout.measure()
    later = (checkout.root / ".coverage").stat().st_mtime + 100
    for file in (checkout.root / "shop").glob("*.py"):
        os.utime(file, (later, later))
    done = checkout.check("--diff", "HEAD~1", "--fail-under-diff", "80", "--json")
    found = json_of(done)
    assert (found["diff"]["lines"], found["diff"]["missing"]) == (4, 3)
    assert any("edited" in problem["message"] or "changed" in problem["message"] for problem in found["problems"])


def test_a_change_without_a_measured_line_passes(checkout: Checkout) -> None:
    checkout.write("README.md", "A shop.\n")
    checkout.commit()
    done = checkout.check("--diff", "HEAD~1", "--fail-under-diff", "100")
    assert done.returncode == 0
    assert "no measured line changed" in done.stdout


def test_a_moved_file_counts_where_its_text_changed(checkout: Checkout) -> None:
    checkout.git("mv", "shop/stock.py", "shop/storage.py")
    checkout.append("shop/storage.py", "\nLEVEL = 3\n")
    checkout.commit()
    checkout.measure()
    (file,) = json_of(checkout.check("--diff", "HEAD~1", "--json"))["diff"]["files"]
    assert (file["path"], file["old_path"], file["lines"]) == ("shop/storage.py", "shop/stock.py", [9])


def test_a_binary_file_and_names_with_odd_letters_do_not_disturb_the_diff(checkout: Checkout) -> None:
    (checkout.root / "logo.bin").write_bytes(bytes(range(256)) * 4)
    checkout.write("shop/grüße an alle.py", "HELLO = 1\n")
    checkout.append("shop/stock.py", "\nLEVEL = 3\n")
    checkout.commit()
    (checkout.root / "logo.bin").write_bytes(bytes(reversed(range(256))) * 4)
    checkout.commit()
    checkout.measure()
    found = json_of(checkout.check("--diff", "HEAD~2", "--json"))
    assert [file["path"] for file in found["diff"]["files"]] == ["shop/grüße an alle.py", "shop/stock.py"]


def test_a_detached_head_is_compared_as_any_other(checkout: Checkout) -> None:
    checkout.append("shop/orders.py", UNTESTED)
    checkout.commit()
    checkout.measure()
    checkout.git("checkout", "--quiet", "--detach")
    assert json_of(checkout.check("--diff", "HEAD~1", "--json"))["diff"]["missing"] == 3


def test_the_folder_may_lie_below_the_top_of_its_repository(checkout: Checkout, tmp_path: Path) -> None:
    (checkout.root / ".git").rename(tmp_path / ".git")
    whole = Checkout(tmp_path)
    whole.commit("moved down")
    checkout.append("shop/orders.py", UNTESTED)
    whole.write("elsewhere.py", "x = 1\n")
    whole.commit()
    checkout.measure()
    done = checkout.check("--diff", "HEAD~1", "--github")
    assert "file=shop/shop/orders.py,line=37" in done.stdout
    assert json_of(checkout.check("--diff", "HEAD~1", "--json"))["diff"]["files"][0]["path"] == "shop/orders.py"


def test_without_a_gate_it_shows_and_passes(checkout: Checkout) -> None:
    done = checkout.check("--diff", "HEAD")
    assert done.returncode == 0
    assert "No gate is set, so nothing can fail." in done.stdout


def test_it_runs_nothing_and_writes_nothing_that_was_not_asked_for(checkout: Checkout) -> None:
    before = checkout.files()
    checkout.check("--fail-under", "10", "--no-drop", "--diff", "HEAD")
    assert checkout.files() == before


WRONG = [
    (["--fail-under", "120"], "`--fail-under 120` is no percentage", "from 0 to 100"),
    (["--fail-under-diff", "-3", "--diff", "HEAD"], "`--fail-under-diff -3` is no percentage", "from 0 to 100"),
    (["--fail-under-branches", "nan"], "`--fail-under-branches nan` is no percentage", "from 0 to 100"),
    (["--fail-under-diff", "80"], "--fail-under-diff speaks of the lines that --diff finds", "--diff origin/main"),
    ([], "There is nothing to check", "--fail-under P"),
    (["--no-drop"], "There is no baseline", "testlens baseline --update"),
    (["--fail-under-mutation", "80"], "No mutant was checked", "testlens mutate"),
    (["--summary", "--fail-under", "1"], "GITHUB_STEP_SUMMARY is not set", "--summary FILE"),
    (["--diff", "origin/main"], "git knows no revision `origin/main`", "called `main`: --diff main"),
    (["--diff", "nowhere-at-all"], "git knows no revision `nowhere-at-all`", "git fetch origin nowhere-at-all"),
    (["--diff", "main..HEAD"], "`main..HEAD` is a range", "Name one revision"),
]


@pytest.mark.parametrize(("arguments", "message", "advice"), WRONG)
def test_what_makes_no_sense_is_told_with_what_to_write_instead(
    checkout: Checkout, arguments: list[str], message: str, advice: str
) -> None:
    """The status is 2, and with --json there is one object all the same."""
    env = {"GITHUB_STEP_SUMMARY": ""}
    done = checkout.check(*arguments, env=env)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert advice in done.stderr
    found = json_of(checkout.check(*arguments, "--json", env=env))
    assert (found["passed"], found["exit_code"], found["gates"]) == (None, 2, [])
    assert message in found["problems"][0]["message"]


@pytest.mark.parametrize(
    ("settings", "line", "said"),
    [
        ('"shop/**" = 120', 9, "cannot be 120"),
        ('"shop/**" = "high"', 9, "cannot be 'high'"),
        ('"services/**" = 90', None, "`services/**` in [tool.testlens.thresholds] matches no measured file"),
    ],
)
def test_a_threshold_that_cannot_hold_fails_the_check_and_is_never_dropped(
    checkout: Checkout, settings: str, line: int | None, said: str
) -> None:
    checkout.append("pyproject.toml", f"\n[tool.testlens.thresholds]\n{settings}\n")
    done = checkout.check("--fail-under", "1", "--json")
    assert done.returncode == 2
    (problem,) = json_of(done)["problems"]
    assert said in problem["message"]
    assert problem["path"] == "pyproject.toml"
    assert "shop/**" in problem["advice"] or "from 0 to 100" in problem["advice"]
    assert problem["line"] == line


def test_a_misspelt_table_of_thresholds_fails_the_check(checkout: Checkout) -> None:
    checkout.append("pyproject.toml", '\n[tool.testlens.threshold]\n"shop/**" = 90\n')
    done = checkout.check("--fail-under", "1")
    assert done.returncode == 2
    assert "Did you mean `thresholds`?" in done.stderr


def test_without_data_nothing_can_be_checked(shop: Project) -> None:
    done = Checkout(shop.root).check("--fail-under", "1")
    assert done.returncode == 2
    assert "There is no usable coverage data" in done.stderr


def test_data_without_branches_has_no_share_of_them(checkout: Checkout) -> None:
    checkout.replace("pyproject.toml", "branch = true", "branch = false")
    checkout.measure()
    done = checkout.check("--fail-under-branches", "80")
    assert done.returncode == 2
    assert "The coverage data knows no branches. Measure with `testlens run`" in done.stderr


def test_without_git_changed_lines_cannot_be_found(moved_shop: Project) -> None:
    done = Checkout(moved_shop.root).check("--diff", "HEAD")
    assert done.returncode == 2
    assert "This folder is not in a git repository" in done.stderr
    assert "leave out --diff" in done.stderr


def test_without_git_all_other_gates_hold(moved_shop: Project) -> None:
    done = Checkout(moved_shop.root).check("--fail-under", "51", "--github")
    assert done.returncode == 0
    assert "✓ coverage: 51.35 %, at least 51 % required" in done.stdout


def test_where_git_is_not_installed_it_is_said(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = checkout.check("--diff", "HEAD", env={"PATH": str(tmp_path / "empty")})
    assert done.returncode == 2
    assert "git is needed to find changed lines: git could not be started" in done.stderr


def test_a_repository_without_a_commit_is_told(checkout: Checkout) -> None:
    checkout.git("update-ref", "-d", "HEAD")
    done = checkout.check("--diff", "HEAD")
    assert done.returncode == 2
    assert "This repository has no commit yet." in done.stderr


def test_a_shallow_clone_is_told_how_to_get_the_history(checkout: Checkout, tmp_path: Path) -> None:
    """As CI checks out by default: the commit where the branches parted is not there."""
    checkout.git("checkout", "--quiet", "-b", "change")
    checkout.append("shop/stock.py", "\nLEVEL = 3\n")
    checkout.commit()
    checkout.git("checkout", "--quiet", "main")
    checkout.append("shop/orders.py", "\nLEVEL = 3\n")
    checkout.commit()
    options = ("--quiet", "--depth", "1", "--no-single-branch", "--branch", "change")
    checkout.git("clone", *options, f"file://{checkout.root}", str(tmp_path / "shallow"))
    shallow = Checkout(tmp_path / "shallow")
    shallow.measure()
    for revision in ("origin/main", "HEAD~1"):
        done = shallow.check("--diff", revision)
        assert done.returncode == 2
        assert "shallow clone" in done.stderr
        assert "fetch-depth: 0" in done.stderr


def test_histories_without_a_common_commit_are_told(checkout: Checkout) -> None:
    checkout.git("checkout", "--quiet", "--orphan", "other")
    checkout.commit("another beginning")
    done = checkout.check("--diff", "main")
    assert done.returncode == 2
    assert "HEAD and main have no commit in common" in done.stderr


def test_files_that_git_does_not_know_are_named(checkout: Checkout) -> None:
    checkout.write("shop/new.py", "LEVEL = 3\n")
    checkout.measure()
    done = checkout.check("--diff", "HEAD")
    assert "shop/new.py is not in git yet, and counts for no changed line. Run `git add`" in done.stderr


def test_the_json_is_one_object_and_has_what_the_terminal_says(checkout: Checkout) -> None:
    done = checkout.check("--fail-under", "75", "--diff", "HEAD", "--json")
    found = json.loads(done.stdout)
    assert {"version", "passed", "exit_code", "coverage", "gates", "diff", "baseline", "new_gaps", "problems"} <= set(
        found
    )
    assert (found["passed"], found["exit_code"], done.returncode) == (False, 1, 1)
    assert found["gates"][0]["summary"] == "coverage: 51.35 %, at least 75 % required"
