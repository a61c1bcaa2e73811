"""What a mutation run promises: mutmut's verdicts, told honestly, with nothing of the user's touched."""

from __future__ import annotations

import asyncio
import fcntl
import shutil
from pathlib import Path

import pytest

from agent.interpreters import bare_environment
from agent.mutating import (
    QUICK,
    SOURCE,
    check,
    everything,
    mutation_python,
    mutmut_statuses,
    state_of,
    write,
)
from testlens.runners.mutation_runner import (
    CheckedMutant,
    Made,
    MutationEvent,
    MutationRequest,
    MutationStage,
    WantedMutant,
    run_mutants,
)


@pytest.fixture(scope="module")
def python() -> Path:
    """An interpreter with mutmut."""
    return mutation_python()


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory, python: Path) -> dict[str, str]:
    """What `mutmut run` says of the small project."""
    root = tmp_path_factory.mktemp("reference")
    write(root, SOURCE)
    return mutmut_statuses(root, python)


def test_every_verdict_is_mutmuts_and_no_file_of_the_user_changes(
    tmp_path: Path, python: Path, reference: dict[str, str]
) -> None:
    """Mutant by mutant the same names and statuses as `mutmut run`; a survivor tells which tests ran it."""
    write(tmp_path, SOURCE)
    write(tmp_path, {"mutants/kept.txt": "the user's own"})
    before = state_of(tmp_path)
    checked = check(tmp_path, python)
    assert checked.end.trusted, checked.messages
    assert checked.statuses == reference
    assert {"killed", "survived", "no tests"} == set(checked.statuses.values())
    assert state_of(tmp_path) == before
    survivor = next(one for name, one in checked.mutants.items() if "x_label" in name and one.status == "survived")
    assert survivor.tests == ("tests/test_prices.py::test_label",)
    killed = next(one for name, one in checked.mutants.items() if "x_total" in name and one.status == "killed")
    assert killed.killed_by == "tests/test_prices.py::test_total"


@pytest.mark.parametrize(
    "options",
    [
        'filterwarnings = ["error"]',
        'addopts = "-n 2 --dist loadfile"',
        'addopts = "-p randomly --randomly-seed=7"',
    ],
    ids=["warnings are errors", "xdist", "random order"],
)
def test_verdicts_are_the_same_whatever_the_suite_is_run_with(
    tmp_path: Path, python: Path, reference: dict[str, str], options: str
) -> None:
    """A suite that makes warnings errors, spreads its tests or shuffles them, with a fixture for the whole session."""
    pyproject = SOURCE["pyproject.toml"].replace('["src"]\n', f'["src"]\n{options}\n', 1)
    write(tmp_path, {**SOURCE, "pyproject.toml": pyproject})
    checked = check(tmp_path, python)
    assert checked.end.trusted, checked.messages
    assert checked.statuses == reference


def test_a_suite_that_fails_without_any_mutant_gives_no_verdict(tmp_path: Path, python: Path) -> None:
    """Otherwise all mutants would look killed; the problem names the test."""
    write(
        tmp_path,
        {**SOURCE, "tests/test_red.py": "from shop.prices import total\ndef test_red():\n    assert total([])\n"},
    )
    checked = check(tmp_path, python)
    assert not checked.end.trusted
    assert not checked.mutants
    assert "tests/test_red.py::test_red fails" in checked.messages


def test_tests_that_notice_nothing_give_no_score(tmp_path: Path, python: Path) -> None:
    """Where a mutant that must die lives, no verdict can be believed."""
    swallowing = """
        from shop.prices import total


        def test_total():
            try:
                total([1])
            except Exception:
                pass
    """
    write(tmp_path, {**SOURCE, "tests/test_prices.py": swallowing})
    checked = check(tmp_path, python)
    assert not checked.end.trusted
    assert "although every mutated function raised" in checked.messages


def test_a_verdict_that_a_fresh_process_does_not_confirm_takes_back_the_score(tmp_path: Path, python: Path) -> None:
    """A test that sees in which kind of process it runs makes all verdicts worthless."""
    dishonest = """
        import sys

        from shop.prices import label


        def test_label():
            label(3)
            if any(name.startswith("testlens_agent") for name in sys.modules):
                assert label(3) == "cheap"
    """
    write(tmp_path, {**SOURCE, "tests/test_prices.py": dishonest})
    checked = check(tmp_path, python)
    assert not checked.end.trusted
    assert "checked again in a fresh process" in checked.messages


HOSTILE = {
    "src/shop/__init__.py": "",
    "src/shop/hostile.py": """
        import os
        import shutil
        import signal
        from pathlib import Path


        def spin(times):
            count = 0
            while count < times:
                count += 1
            return count


        def end(parent=False):
            if parent:
                os.kill(os.getppid(), signal.SIGKILL)
            return 1


        def wipe(all=False):
            if all:
                shutil.rmtree(Path(__file__).parents[2])
            return 1


        def fill(much=False):
            return len(bytearray(10**11 if much else 1))


        def decent(value):
            return value > 3
    """,
    "tests/test_hostile.py": """
        import importlib

        from shop import hostile


        def test_spin():
            assert hostile.spin(3) == 3


        def test_end():
            assert hostile.end() == 1


        def test_wipe():
            assert hostile.wipe() == 1


        def test_fill():
            assert hostile.fill() == 1


        def test_decent():
            assert hostile.decent(4) and not hostile.decent(3)
            assert importlib.import_module("shop.lazy").VALUE == 1
    """,
    "src/shop/lazy.py": "VALUE = 1\n",
    "pyproject.toml": SOURCE["pyproject.toml"],
}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory, python: Path) -> tuple[dict[str, str], bool]:
    """The statuses of mutants that do harm, and whether the user's files are what they were."""
    root = tmp_path_factory.mktemp("hostile")
    write(root, HOSTILE)
    before = state_of(root)
    checked = check(root, python)
    assert checked.end.trusted, checked.messages
    return checked.statuses, state_of(root) == before


def test_mutants_that_do_harm_harm_nothing_but_themselves(hostile: tuple[dict[str, str], bool]) -> None:
    """One loops for ever, one ends its parent, one deletes files and one eats memory; all others get their verdicts."""
    statuses, is_untouched = hostile
    assert is_untouched
    assert statuses["shop.hostile.x_spin__mutmut_5"] == "timeout"
    assert statuses["shop.hostile.x_fill__mutmut_1"] == "killed"
    assert {name: status for name, status in statuses.items() if "x_decent" in name} == {
        "shop.hostile.x_decent__mutmut_1": "killed",
        "shop.hostile.x_decent__mutmut_2": "killed",
    }
    assert len(statuses) == len(set(statuses))
    assert "not checked" not in statuses.values()


def test_a_run_that_is_cancelled_leaves_no_process_and_no_change(tmp_path: Path, python: Path) -> None:
    """What was found until then has been told, and the tree is byte for byte the same."""
    write(tmp_path, SOURCE)
    before = state_of(tmp_path)
    told: list[str] = []

    async def run_and_cancel() -> None:
        request = MutationRequest(tmp_path, str(python), tmp_path / ".testlens" / "mutation")
        begun = asyncio.Event()

        def take(event: MutationEvent) -> None:
            if isinstance(event, CheckedMutant) and event.status == "killed":
                told.append(event.name)
                begun.set()

        running = asyncio.create_task(run_mutants(request, everything, take))
        await begun.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(run_and_cancel())
    assert told
    assert state_of(tmp_path) == before


def test_two_runs_at_a_time_do_not_work_on_each_others_copy(tmp_path: Path, python: Path) -> None:
    """The second says that another is under way; in the editor and on the command line alike."""
    write(tmp_path, SOURCE)
    folder = tmp_path / ".testlens" / "mutation"
    folder.mkdir(parents=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        checked = check(tmp_path, python)
    assert not checked.end.trusted
    assert "are being checked already" in checked.messages
    assert check(tmp_path, python).end.trusted


def test_without_mutmut_the_problem_says_how_to_get_it(tmp_path: Path) -> None:
    """The faces offer to install what is missing."""
    write(tmp_path, SOURCE)
    checked = check(tmp_path, bare_environment(tmp_path / "bare"))
    assert "mutmut" in checked.end.missing
    assert "-m pip install pytest mutmut" in checked.messages


def test_a_project_without_configuration_is_mutated_all_the_same(tmp_path: Path, python: Path) -> None:
    """Where mutmut's guess finds no sources, the packages in the folder are the sources; no file is written."""
    write(tmp_path, {name: text for name, text in SOURCE.items() if name != "pyproject.toml"})
    shutil.move(tmp_path / "src" / "shop", tmp_path / "shop")
    (tmp_path / "src").rmdir()
    checked = check(tmp_path, python)
    assert checked.end.trusted, checked.messages
    assert {name.partition(".x")[0] for name in checked.statuses} == {"shop.prices"}
    assert QUICK not in "".join(path.read_text() for path in tmp_path.glob("*.toml"))


def test_only_covered_lines_are_mutated_where_mutmut_is_told_so(tmp_path: Path, python: Path) -> None:
    """`mutate_only_covered_lines`: the same mutants as `mutmut run`, and others once a test covers more."""
    options = "mutate_only_covered_lines = true\n"
    project = {**SOURCE, "pyproject.toml": SOURCE["pyproject.toml"] + options}
    write(tmp_path / "reference", project)
    write(tmp_path / "project", project)
    checked = check(tmp_path / "project", python)
    assert checked.end.trusted, checked.messages
    assert checked.statuses == mutmut_statuses(tmp_path / "reference", python)
    assert not any("never_called" in name for name in checked.statuses)
    more = "from shop.prices import never_called\n\n\ndef test_more():\n    assert never_called(1) == 2\n"
    write(tmp_path / "project", {"tests/test_more.py": more})
    covered = check(tmp_path / "project", python)
    assert {status for name, status in covered.statuses.items() if "never_called" in name} == {"killed"}


def test_what_the_type_checker_catches_needs_no_test(tmp_path: Path, python: Path) -> None:
    """`type_check_command`: the same verdicts as `mutmut run`; the checker runs once for a state of the project."""
    options = 'type_check_command = ["mypy", "src", "--output", "json"]\n'
    source = """
        def total(prices: list[int]) -> int:
            result = 0
            for price in prices:
                result += price
            return result


        def label(price: int) -> str:
            name = "cheap"
            return name
    """
    test = """
        from shop.prices import label, total


        def test_prices():
            assert total([1, 2])
            assert label(1)
    """
    files = {"src/shop/prices.py": source, "tests/test_prices.py": test}
    project = {**SOURCE, **files, "pyproject.toml": SOURCE["pyproject.toml"] + options}
    write(tmp_path / "reference", project)
    write(tmp_path / "project", project)
    stages: list[str] = []

    def take(event: MutationEvent) -> None:
        if isinstance(event, MutationStage):
            stages.append(event.stage)

    checked = check(tmp_path / "project", python, on_event=take)
    assert checked.end.trusted, checked.messages
    assert checked.statuses == mutmut_statuses(tmp_path / "reference", python)
    caught = [one for one in checked.mutants.values() if one.status == "killed" and one.killed_by is None]
    assert caught
    check(tmp_path / "project", python, on_event=take)
    assert stages.count("typing") == 1


def test_a_type_checker_that_cannot_run_is_told_in_words(tmp_path: Path, python: Path) -> None:
    """Other counts than mutmut's would be told without a word; nothing is checked."""
    options = 'type_check_command = ["no-such-checker"]\n'
    write(tmp_path, {**SOURCE, "pyproject.toml": SOURCE["pyproject.toml"] + options})
    checked = check(tmp_path, python)
    assert not checked.end.trusted
    assert not checked.mutants
    assert "An option of [tool.mutmut] could not be honoured" in checked.messages
    assert "no-such-checker" in checked.messages


def test_a_survivor_on_a_line_that_no_test_runs_has_had_the_tests_of_its_function(tmp_path: Path, python: Path) -> None:
    """A function's tests run even where none is seen to reach the line: here it runs in another process."""
    source = """
        import os


        def seen(way, place=None):
            if way == "child":
                pid = os.fork()
                if pid == 0:
                    place.write_text(str(1 + 1))
                    os._exit(0)
                os.waitpid(pid, 0)
            return way
    """
    test = """
        from shop.prices import seen


        def test_child(tmp_path):
            seen("child", tmp_path / "sum")
            assert (tmp_path / "sum").read_text() == "2"
    """
    write(tmp_path, {**SOURCE, "src/shop/prices.py": source, "tests/test_prices.py": test})

    def narrowed(made: Made) -> list[WantedMutant]:
        texts = [(name, text) for one in made.files["src/shop/prices.py"] for name, text in one.mutants.items()]
        return [WantedMutant(name, (4, 4)) for name, text in texts if "1 - 1" in text or "2 + 1" in text]

    checked = check(tmp_path, python, narrowed)
    assert checked.end.trusted, checked.messages
    assert set(checked.statuses.values()) == {"killed"}
    assert len(checked.statuses) > 1
    assert all(one.tests == ("tests/test_prices.py::test_child",) for one in checked.mutants.values())
