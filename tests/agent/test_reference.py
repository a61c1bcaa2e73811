"""Where Testlens' own way of running mutants cannot be believed, mutmut itself runs them, in a copy of the project."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from agent.mutating import SOURCE, everything, mutation_python, mutmut_statuses, request_for, state_of, write
from testlens.runners.mutation_runner import CheckedMutant, Choose, Made, MutationEvent, WantedMutant, run_mutants

# Tests that notice who runs them.
DISHONEST = """
    import sys

    from shop.prices import label


    def test_label():
        label(3)
        if any(name.startswith("testlens_agent") for name in sys.modules):
            assert label(3) == "cheap"
"""


@pytest.fixture(scope="module")
def python() -> Path:
    """An interpreter with mutmut."""
    return mutation_python()


def _run(
    root: Path, python: Path, choose: Choose = everything, seconds: float | None = None
) -> tuple[dict[str, CheckedMutant], bool, str]:
    mutants: dict[str, CheckedMutant] = {}

    def take(event: MutationEvent) -> None:
        if isinstance(event, CheckedMutant):
            mutants[event.name] = event

    request = replace(request_for(root, python, seconds), by_mutmut=True)
    end = asyncio.run(run_mutants(request, choose, take))
    return mutants, end.trusted, "\n".join(map(str, end.problems))


def test_every_verdict_is_mutmuts_own_and_no_file_of_the_user_changes(tmp_path: Path, python: Path) -> None:
    write(tmp_path, {**SOURCE, "tests/test_prices.py": DISHONEST})
    before = state_of(tmp_path)
    mutants, trusted, problems = _run(tmp_path, python)
    assert trusted, problems
    assert state_of(tmp_path) == before
    statuses = {name: mutant.status for name, mutant in mutants.items()}
    assert statuses == mutmut_statuses(tmp_path, python)
    assert "survived" in statuses.values()
    assert mutants["shop.prices.x_label__mutmut_1"].tests == ("tests/test_prices.py::test_label",)


def test_only_what_is_wanted_is_run_and_an_edit_is_seen(tmp_path: Path, python: Path) -> None:
    def labels(made: Made) -> list[WantedMutant]:
        return [mutant for mutant in everything(made) if "x_label" in mutant.name]

    write(tmp_path, SOURCE)
    first, trusted, problems = _run(tmp_path, python, labels)
    assert trusted, problems
    assert first
    assert all("x_label" in name for name in first)
    write(tmp_path, {"tests/test_prices.py": DISHONEST})
    second, trusted, problems = _run(tmp_path, python, labels)
    assert trusted, problems
    assert {name: one.status for name, one in second.items()} != {name: one.status for name, one in first.items()}


def test_when_its_time_is_over_nothing_of_it_is_left(tmp_path: Path, python: Path) -> None:
    slow = DISHONEST + "\n\n    def test_slow():\n        import time\n\n        time.sleep(0.7)\n        label(3)\n"
    write(tmp_path, {**SOURCE, "tests/test_prices.py": slow})
    mutants, trusted, problems = _run(tmp_path, python, seconds=4.0)
    assert trusted, problems
    assert len(mutants) < sum("mutmut_" in line for line in _mutated(tmp_path).splitlines() if "def x" in line)
    assert not [place for place in Path("/proc").glob("[0-9]*/cwd") if _is_below(place, tmp_path)]


def _mutated(root: Path) -> str:
    return (root / ".testlens/mutation/reference/project/mutants/src/shop/prices.py").read_text()


def _is_below(place: Path, root: Path) -> bool:
    try:
        return place.resolve(strict=True).is_relative_to(root)
    except OSError:
        return False


def test_where_mutmut_fails_the_problem_has_its_words(tmp_path: Path, python: Path) -> None:
    write(tmp_path, {**SOURCE, "tests/test_prices.py": "def test_red():\n    assert False\n"})
    mutants, trusted, problems = _run(tmp_path, python)
    assert not trusted
    assert "`mutmut run` ended with exit code" in problems
    assert not [one for one in mutants.values() if one.status == "killed"]
