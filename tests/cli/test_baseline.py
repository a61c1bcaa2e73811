"""`testlens baseline`: a small file that only ever goes up, that git merges, and that `check --no-drop` holds."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from cli.gating import BASELINE, TEST_OF_LOAD, TEST_OF_STOCK, TEST_OF_TAX, TESTED, UNTESTED, Checkout
from cli.projects import TESTS, json_of, run_here

PARTS = TESTS.partition("\n\ndef test_a_basket")


def text_of(checkout: Checkout) -> str:
    return (checkout.root / BASELINE).read_text(encoding="utf-8")


def drop_a_test(checkout: Checkout) -> None:
    """The test of the basket goes, and with it what it proved."""
    checkout.write("tests/test_orders.py", PARTS[0])
    checkout.measure()


def test_it_holds_what_coverage_counts_file_by_file(checkout: Checkout) -> None:
    done = checkout.update_baseline()
    assert (done.returncode, done.stdout) == (0, "testlens-baseline.toml holds 51.35 %, now 51.35 %.\n")
    held = tomllib.loads(text_of(checkout))
    assert held["version"] == 1
    totals = checkout.coverage_json()["totals"]
    files = [file["counts"] for path, file in held.items() if path != "version"]
    assert [sum(column) for column in zip(*files, strict=True)] == [
        totals["num_statements"],
        totals["missing_lines"],
        totals["num_branches"],
        totals["missing_branches"],
    ]
    assert held["shop/orders.py"]["missing"] == {"Basket.clear": [2, 2], "load": [5, 0], "total": [1, 2]}


def test_updating_again_changes_no_byte(checkout: Checkout) -> None:
    checkout.update_baseline()
    before = (checkout.root / BASELINE).stat().st_mtime_ns, text_of(checkout)
    checkout.update_baseline()
    assert ((checkout.root / BASELINE).stat().st_mtime_ns, text_of(checkout)) == before


def test_a_lost_test_fails_the_check_which_names_what_it_proved_and_the_way_back(checkout: Checkout) -> None:
    checkout.update_baseline()
    assert checkout.check("--no-drop").returncode == 0
    drop_a_test(checkout)
    done = checkout.check("--no-drop")
    assert done.returncode == 1
    assert "✗ no drop in coverage: " in done.stdout
    assert "    Lost:\n      shop/orders.py  Basket.add: 2 statements and 2 branches\n" in done.stdout
    assert "shop/orders.py  Basket.__init__: 1 statement" in done.stdout
    assert "Cheapest way back, 1 function:" in done.stdout
    # What was missing before is no loss.
    assert "load: 5 statements" not in done.stdout


def test_it_is_never_lowered(checkout: Checkout) -> None:
    checkout.update_baseline()
    before = text_of(checkout)
    drop_a_test(checkout)
    done = checkout.update_baseline()
    assert done.returncode == 0
    assert "shop/orders.py stays at 61.29 %, though it is at" in done.stdout
    assert text_of(checkout) == before


def test_a_new_file_without_tests_does_not_lower_it(checkout: Checkout) -> None:
    """Otherwise an update would make any drop pass."""
    checkout.update_baseline()
    before = text_of(checkout)
    checkout.write("shop/returns.py", UNTESTED)
    checkout.measure()
    done = checkout.update_baseline()
    assert "testlens-baseline.toml holds 51.35 % (before: 51.35 %), now 44.18 %." in done.stdout
    assert "shop/returns.py is left out: new files would lower what is held." in done.stdout
    assert text_of(checkout) == before
    assert checkout.check("--no-drop").returncode == 1


def test_a_new_file_is_taken_in_where_the_whole_does_not_fall(checkout: Checkout) -> None:
    """Also one that is tested less than the others, once those have gained more; the check holds before and after."""
    checkout.update_baseline()
    checkout.write("shop/returns.py", UNTESTED)
    checkout.write("tests/test_stock.py", TEST_OF_STOCK)
    checkout.write("tests/test_load.py", TEST_OF_LOAD)
    checkout.measure()
    assert checkout.check("--no-drop").returncode == 0
    assert "left out" not in checkout.update_baseline().stdout
    assert '["shop/returns.py"]' in text_of(checkout)
    assert checkout.check("--no-drop").returncode == 0


def test_it_is_raised_by_what_was_gained(checkout: Checkout) -> None:
    checkout.update_baseline()
    checkout.write("tests/test_stock.py", TEST_OF_STOCK)
    checkout.measure()
    assert checkout.check("--no-drop").returncode == 0
    assert "(before: 51.35 %)" in checkout.update_baseline().stdout
    (checkout.root / "tests/test_stock.py").unlink()
    checkout.measure()
    assert checkout.check("--no-drop").returncode == 1


def test_branches_that_raised_different_files_merge(checkout: Checkout) -> None:
    checkout.update_baseline()
    checkout.commit("the baseline")
    checkout.git("checkout", "--quiet", "-b", "stock")
    checkout.write("tests/test_stock.py", TEST_OF_STOCK)
    checkout.measure()
    checkout.update_baseline()
    checkout.commit("stock")
    checkout.git("checkout", "--quiet", "main")
    checkout.write("tests/test_load.py", TEST_OF_LOAD)
    checkout.measure()
    checkout.update_baseline()
    checkout.commit("load")
    checkout.git("merge", "--quiet", "--no-edit", "stock")
    merged = text_of(checkout)
    checkout.measure()
    checkout.update_baseline()
    assert text_of(checkout) == merged


def test_covered_code_may_go(checkout: Checkout) -> None:
    """The share falls, and nothing that was proved is lost."""
    checkout.append("shop/orders.py", TESTED)
    checkout.append("tests/test_orders.py", TEST_OF_TAX)
    checkout.measure()
    checkout.update_baseline()
    checkout.replace("shop/orders.py", TESTED, "")
    checkout.write("tests/test_orders.py", TESTS)
    checkout.measure()
    done = checkout.check("--no-drop")
    assert done.returncode == 0
    assert "nothing more is missing" in done.stdout


def test_untested_code_is_a_drop(checkout: Checkout) -> None:
    checkout.update_baseline()
    checkout.append("shop/orders.py", UNTESTED)
    checkout.measure()
    assert checkout.check("--no-drop").returncode == 1


def test_a_file_that_is_no_longer_measured_is_a_drop(checkout: Checkout) -> None:
    """Even though the percentage of the others is higher."""
    checkout.update_baseline()
    checkout.replace("pyproject.toml", 'source = ["shop"]', 'include = ["shop/orders.py"]')
    checkout.measure()
    done = checkout.check("--no-drop")
    assert done.returncode == 1
    assert "✓ no drop in coverage" in done.stdout
    assert "✗ no drop in measured files" in done.stdout
    before = text_of(checkout)
    checkout.update_baseline()
    assert '["shop/stock.py"]' in text_of(checkout)
    assert text_of(checkout) == before


def test_a_file_that_is_gone_leaves_with_its_entry(checkout: Checkout) -> None:
    checkout.update_baseline()
    (checkout.root / "shop/stock.py").unlink()
    checkout.measure()
    assert checkout.check("--no-drop").returncode == 0
    checkout.update_baseline()
    assert "shop/stock.py" not in text_of(checkout)


def test_a_moved_file_keeps_what_it_held(checkout: Checkout) -> None:
    checkout.update_baseline()
    checkout.git("mv", "shop/stock.py", "shop/storage.py")
    checkout.measure()
    done = checkout.check("--no-drop", "--json")
    assert done.returncode == 0
    assert json_of(done)["new_gaps"] == []
    checkout.update_baseline()
    assert '["shop/storage.py"]' in text_of(checkout)


def test_a_file_of_the_base_branch_can_stand_in(checkout: Checkout, tmp_path: Path) -> None:
    """As an artifact that the base branch's own job has left."""
    artifact = tmp_path / "artifact" / "base.toml"
    checkout.update_baseline("--baseline", artifact)
    assert not (checkout.root / BASELINE).exists()
    assert checkout.check("--no-drop", "--baseline", artifact).returncode == 0
    drop_a_test(checkout)
    assert checkout.check("--no-drop", "--baseline", artifact).returncode == 1


def test_a_lower_mutation_score_is_a_drop_where_as_many_mutants_were_checked(checkout: Checkout) -> None:
    report = "reports/mutation/mutation.json"
    checkout.find_survivor()
    checkout.update_baseline()
    assert "mutants = [1, 2]" in text_of(checkout)
    checkout.replace(report, '"Killed"', '"Survived"')
    done = checkout.check("--no-drop")
    assert done.returncode == 1
    assert "✗ no drop in mutation score: 0 %, at least 50 % required" in done.stdout
    checkout.replace(report, '"Survived"', '"Pending"')
    assert checkout.check("--no-drop").returncode == 0


def test_it_is_shown_without_being_changed(checkout: Checkout) -> None:
    checkout.update_baseline()
    before = text_of(checkout)
    drop_a_test(checkout)
    done = run_here("baseline", checkout.root)
    assert done.returncode == 0
    assert "holds 51.35 %, now" in done.stdout
    assert "shop/orders.py  Basket.add: 2 statements and 2 branches more than before" in done.stdout
    found = json_of(run_here("baseline", checkout.root, "--json"))
    assert found["held"]["percent"] > found["now"]["percent"]
    assert text_of(checkout) == before


CONFLICT = 'version = 1\n<<<<<<< HEAD\n["a.py"]\n=======\n>>>>>>> other\n'
TWICE = 'version = 1\n["a.py"]\ncounts = [1, 0, 0, 0]\n["a.py"]\ncounts = [1, 1, 0, 0]\n'
UNUSABLE = [
    (CONFLICT, 2, "There is a merge conflict", "`git checkout --ours testlens-baseline.toml`"),
    ("version = 2\n", None, "of version 2, and this Testlens knows 1", "Use the Testlens that wrote it"),
    ('{"totals": {}}', 1, "not valid TOML", "testlens baseline --update"),
    ("[tool]\nx = 1\n", None, "it has no `version`", "Name another file"),
    (TWICE, 4, "not valid TOML", "twice after a merge"),
    ('version = 1\n["a.py"]\ncounts = [1, 2, 0, 0]\n', 2, "has counts of a.py that cannot be", "Delete it"),
    ('version = 1\n["a.py"]\ncounts = "all"\n', 2, "has counts of a.py that cannot be", "Delete it"),
]


@pytest.mark.parametrize(("text", "line", "message", "advice"), UNUSABLE)
def test_a_baseline_that_cannot_be_used_is_told_with_its_line_and_never_written_over(
    checkout: Checkout, text: str, line: int | None, message: str, advice: str
) -> None:
    checkout.write(BASELINE, text)
    for command in (["check", "--no-drop"], ["baseline", "--update"], ["baseline"]):
        done = run_here(*command, checkout.root, "--json")
        assert done.returncode == 2
        (problem,) = json_of(done)["problems"]
        assert message in problem["message"]
        assert advice in problem["advice"]
        assert (Path(problem["path"]).name, problem["line"]) == (BASELINE, line)
    assert text_of(checkout) == text


def test_an_update_after_one_side_of_a_conflict_was_taken_has_both(checkout: Checkout) -> None:
    """What the error advises leads to what the merged code has."""
    checkout.update_baseline()
    checkout.replace(BASELINE, '"load" = [5, 0]', '"load" = [5, 0]\n"gone" = [1, 0]')
    checkout.replace(BASELINE, "[23, 8,", "[23, 9,")
    checkout.update_baseline()
    assert "counts = [23, 8, 8, 4]" in text_of(checkout)
    assert '"gone"' not in text_of(checkout)
