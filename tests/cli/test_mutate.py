"""`testlens mutate`: mutants as JSON for programs, and survivors with what to do next for people."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.mutating import SOURCE, mutation_python, write
from cli.projects import json_of, run_testlens

PRICES = "src/shop/prices.py"
KEYS = {"name", "file", "function", "start", "end", "original", "replacement", "status", "tests"}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small project."""
    folder = tmp_path_factory.mktemp("mutated")
    write(folder, SOURCE)
    return folder


def test_the_json_has_each_mutant_at_its_place(root: Path) -> None:
    """Lines are 1-based, columns 0-based; the names are mutmut's."""
    arguments = ("mutate", "--json", "--file", PRICES, "--function", "label", "--python", str(mutation_python()))
    done = run_testlens(*arguments, cwd=root)
    assert done.returncode == 0, done.stderr
    found = json_of(done)
    assert set(found) == {"version", "score", "checked", "total", "mutants"}
    assert found["version"] == 1
    assert found["checked"] == found["total"] == len(found["mutants"])
    assert all(set(mutant) == KEYS for mutant in found["mutants"])
    boundary = next(mutant for mutant in found["mutants"] if mutant["replacement"] == "price <= 10")
    assert boundary["name"].startswith("shop.prices.x_label__mutmut_")
    assert (boundary["file"], boundary["function"], boundary["original"]) == (PRICES, "label", "price < 10")
    assert (boundary["status"], boundary["tests"]) == ("survived", ["tests/test_prices.py::test_label"])
    lines = (root / PRICES).read_text().splitlines()
    for mutant in found["mutants"]:
        (line, start), (last, end) = mutant["start"], mutant["end"]
        assert line == last
        assert lines[line - 1][start:end] == mutant["original"]
    killed = sum(mutant["status"] == "killed" for mutant in found["mutants"])
    assert found["score"] == round(100 * killed / len(found["mutants"]), 1)


def test_people_see_the_score_the_survivors_and_what_to_do_next(root: Path) -> None:
    """What is known from before is not checked again, and is counted."""
    done = run_testlens("mutate", "--python", str(mutation_python()), cwd=root)
    assert done.returncode == 0, done.stderr
    assert "Mutation score" in done.stdout
    assert f"{PRICES}:10  label" in done.stdout
    assert '+     return "cheap" if price <= 10 else "dear"' in done.stdout
    assert "1 test ran it, none failed" in done.stdout
    assert "known from before" in done.stdout
    assert "testlens kill NAME --write" in done.stdout


def test_a_budget_that_is_spent_before_anything_is_checked_is_no_empty_project(root: Path) -> None:
    """There is no score, and a further run goes on."""
    done = run_testlens("mutate", "--budget", "0.01s", "--python", str(mutation_python()), cwd=root)
    assert done.returncode == 0, done.stderr
    assert "No score" in done.stdout
    assert "Not all was checked. Run it again to go on from here." in done.stdout


def test_mutmuts_own_runner_gives_the_same_with_the_tests_that_ran_each(root: Path) -> None:
    """It is the slower way, for tests that ours does not fit."""
    options = ("--json", "--file", PRICES, "--function", "total", "--python", str(mutation_python()))
    by_mutmut = run_testlens("mutate", "--with-mutmut", *options, cwd=root)
    assert by_mutmut.returncode == 0, by_mutmut.stderr
    ours = json_of(run_testlens("mutate", *options, cwd=root))
    found = json_of(by_mutmut)
    assert found["score"] == ours["score"]
    statuses = [{mutant["name"]: mutant["status"] for mutant in each["mutants"]} for each in (found, ours)]
    assert statuses[0] == statuses[1]
    assert {tuple(mutant["tests"]) for mutant in found["mutants"]} == {("tests/test_prices.py::test_total",)}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--budget", "soon"), "`soon` is no budget"),
        (("--file", "nowhere.py"), "There is no such file in the project"),
        (("--changed",), "This folder is not in a git repository"),
    ],
)
def test_what_cannot_be_done_is_said(root: Path, arguments: tuple[str, ...], said: str) -> None:
    """One problem with what to do about it, and the empty object for programs."""
    done = run_testlens("mutate", "--json", *arguments, cwd=root)
    assert done.returncode == 2
    assert said in done.stderr
    assert json_of(done) == {"version": 1, "score": None, "checked": 0, "total": 0, "mutants": []}
