"""Mutants begin at once where the last run's process is still there, and warmth never decides a verdict."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.mutating import SOURCE, Checked, Keeping, check, everything, mutation_python, request_for, write
from testlens.runners.mutation_runner import (
    CheckedMutant,
    Made,
    MutationEvent,
    MutationStage,
    WantedMutant,
    run_mutants,
)

_FEW = """
    def area(width, height, border):
        inner = width * height
        outer = (width + border) * (height + border)
        if border > 0 and width > border:
            return outer - inner
        return inner * 2
"""
# Many mutants for few tests: then the tests run once before, in the process that plays the mutants.
_MANY = _FEW.replace(
    "        if border", "        outer = outer * 2 // 2 + border - border\n" * 20 + "        if border"
)
_TEST = """
    from shop.prices import area


    def test_area():
        assert area(3, 4, 1) == 8
        assert area(3, 4, 0) == 24
"""


@pytest.fixture(scope="module")
def python() -> Path:
    """An interpreter with mutmut."""
    return mutation_python()


# Notes each process of the agent, and none of those that check a sample, that imports the tests.
_CONFTEST = """
    import sys
    from pathlib import Path

    if sys.orig_argv[-1] == "--mutate":
        with Path({place!r}).open("a") as file:
            file.write("x")
"""


def _project(root: Path, source: str = _FEW, test: str = _TEST) -> None:
    conftest = _CONFTEST.format(place=str(root / ".imports"))
    files = {"src/shop/prices.py": source, "tests/test_prices.py": test, "conftest.py": conftest}
    # Whatever the agent leaves open in its own process would fail a test.
    strict = SOURCE["pyproject.toml"].replace("[tool.mutmut]", 'filterwarnings = ["error"]\n[tool.mutmut]')
    write(root, {**SOURCE, **files, "pyproject.toml": strict})


def _imports(root: Path) -> int:
    return len((root / ".imports").read_text())


def test_the_next_run_begins_at_once_with_the_same_verdicts(tmp_path: Path, python: Path) -> None:
    """Nothing is imported, collected or measured again."""
    _project(tmp_path)

    async def twice() -> tuple[Checked, Checked]:
        async with Keeping(tmp_path, python) as keeping:
            return await keeping.check(), await keeping.check()

    first, again = asyncio.run(twice())
    assert first.end.trusted, first.messages
    assert again.statuses == first.statuses
    assert {"killed", "survived"} <= set(first.statuses.values())
    assert _imports(tmp_path) == 1


def test_the_next_run_may_need_other_tests(tmp_path: Path, python: Path) -> None:
    """The first is of one function; the tests of the others pass in new workers of the same process as well."""
    _project(tmp_path, _MANY + _MANY.replace("area", "volume"))
    write(tmp_path, {"tests/test_volume.py": _TEST.replace("area", "volume")})

    def of_area(made: Made) -> list[WantedMutant]:
        return [mutant for mutant in everything(made) if "x_area" in mutant.name]

    async def one_then_all() -> tuple[Checked, Checked]:
        async with Keeping(tmp_path, python) as keeping:
            return await keeping.check(of_area), await keeping.check()

    one, every = asyncio.run(one_then_all())
    assert one.end.trusted, one.messages
    assert every.end.trusted, every.messages
    assert one.statuses.items() < every.statuses.items()
    of_both = [
        {name.rpartition("_")[2]: status for name, status in every.statuses.items() if f"x_{function}_" in name}
        for function in ("area", "volume")
    ]
    assert of_both[0] == of_both[1]
    assert _imports(tmp_path) == 1


def test_an_edit_between_two_runs_is_never_missed(tmp_path: Path, python: Path) -> None:
    """A source, a test or a file beside them: the process that imported what was there before is replaced."""
    _project(tmp_path)

    async def edit_and_check() -> list[Checked]:
        async with Keeping(tmp_path, python) as keeping:
            found = [await keeping.check()]
            _project(tmp_path, source=_FEW + "\n\n    def other(one):\n        return one + 1\n")
            found.append(await keeping.check())
            _project(tmp_path, test=_TEST.replace("== 24", "> 0"))
            found.append(await keeping.check())
            return found

    before, with_other, with_less = asyncio.run(edit_and_check())
    assert _imports(tmp_path) == 3
    assert before.end.trusted, before.messages
    assert with_other.end.trusted, with_other.messages
    assert with_less.end.trusted, with_less.messages
    assert with_other.statuses.keys() - before.statuses.keys() == {
        "shop.prices.x_other__mutmut_1",
        "shop.prices.x_other__mutmut_2",
    }
    survivors = [sum(status == "survived" for status in one.statuses.values()) for one in (before, with_less)]
    assert survivors[0] < survivors[1]


def test_a_package_that_is_installed_between_two_runs_is_seen(tmp_path: Path, python: Path) -> None:
    """Installing writes into the folder that Python imports from."""
    _project(tmp_path)

    async def install_and_check() -> bool:
        async with Keeping(tmp_path, python) as keeping:
            await keeping.check()
            packages = next((python.parent.parent / "lib").glob("python*/site-packages"))
            (packages / "testlens_was_here.pth").write_text("")
            (packages / "testlens_was_here.pth").unlink()
            return (await keeping.check()).end.trusted

    assert asyncio.run(install_and_check())
    assert _imports(tmp_path) == 2


def test_what_waits_for_the_next_run_does_not_stand_in_the_way_of_others(tmp_path: Path, python: Path) -> None:
    """A run in the terminal while the editor's process waits."""
    _project(tmp_path)

    async def beside() -> tuple[Checked, Checked]:
        async with Keeping(tmp_path, python) as keeping:
            await keeping.check()
            other = await asyncio.to_thread(check, tmp_path, python)
            return other, await keeping.check()

    other, again = asyncio.run(beside())
    assert other.end.trusted, other.messages
    assert again.statuses == other.statuses


def test_tests_that_pass_only_once_in_a_process_are_run_in_fresh_ones(tmp_path: Path, python: Path) -> None:
    """A warm process has run the tests once; where they do not pass there again, no mutant plays in one."""
    test = """
        from shop.prices import area

        RUNS = []


        def test_area():
            RUNS.append(1)
            assert len(RUNS) == 1
            assert area(3, 4, 1) == 8
            assert area(3, 4, 0) == 24
    """
    _project(tmp_path, _MANY, test)
    checked = check(tmp_path, python)
    assert checked.end.trusted, checked.messages
    _project(tmp_path / "plain", _MANY)
    assert checked.statuses == check(tmp_path / "plain", python).statuses


def test_what_the_project_computes_once_and_keeps_hides_no_kill(tmp_path: Path, python: Path) -> None:
    """In a warm process a cache of the project's own is full, and its function never runs; a fresh one tells."""
    source = """
        KNOWN = {}


        def area(width, height):
            if (width, height) not in KNOWN:
                KNOWN[width, height] = computed(width, height)
            return KNOWN[width, height]


        def computed(width, height):
            found = width * height + 1
            return found * 7 + height
    """
    source = source.replace(
        "            return found", "            found = found * 2 + width\n" * 30 + "            return found"
    )
    test = """
        from shop.prices import area


        def test_area():
            assert area(3, 4) == 120259084271
    """
    _project(tmp_path, source, test)
    checked = check(tmp_path, python)
    assert checked.end.trusted, checked.messages
    of_computed = {status for name, status in checked.statuses.items() if "x_computed" in name}
    assert of_computed == {"killed"}


def test_a_thread_that_tests_leave_behind_hangs_no_mutant(tmp_path: Path, python: Path) -> None:
    """A copy of a process has none of its threads: whoever waits for one would wait for ever."""
    test = """
        from concurrent.futures import ThreadPoolExecutor

        from shop.prices import area

        POOL = ThreadPoolExecutor(1)


        def test_area():
            assert POOL.submit(area, 3, 4, 1).result() == 8
            assert POOL.submit(area, 3, 4, 0).result() == 24
    """
    _project(tmp_path, _MANY, test)
    checked = check(tmp_path, python)
    assert checked.end.trusted, checked.messages
    assert "timeout" not in checked.statuses.values()


def test_a_run_within_a_budget_is_checked_as_any_other(tmp_path: Path, python: Path) -> None:
    """No mutant begins when the time is over, and a sample of those that were checked is checked again."""
    slow = """
        import time

        from shop.prices import area


        def test_slow():
            found = area(3, 4, 1)
            time.sleep(0.5)
            assert found == 8
    """
    _project(tmp_path, test=slow)
    stages: list[str] = []
    checked: list[str] = []

    def take(event: MutationEvent) -> None:
        if isinstance(event, MutationStage):
            stages.append(event.stage)
        elif isinstance(event, CheckedMutant):
            checked.append(event.name)

    whole = check(tmp_path, python)
    end = asyncio.run(run_mutants(request_for(tmp_path, python, seconds=3.0), everything, take))
    assert end.trusted, end.problems
    assert stages[-1] == "rechecking"
    assert 0 < len(set(checked)) < len(whole.mutants)
