"""The first survivor is known soon: all workers look for it together, and prepare for it while nobody waits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.mutating import SOURCE, Checked, Keeping, check, everything, mutation_python, mutmut_statuses, write
from testlens.runners.mutation_runner import Made, WantedMutant

_SOURCE = """
    import os
    import signal


    def fee(amount, limit=10):
        if amount > limit:
            return amount * 2
        return amount


    def end(parent=False):
        if parent:
            os.kill(os.getppid(), signal.SIGKILL)
        return 1


    def spin(times):
        count = 0
        while count < times:
            count += 1
        return count
"""
# So slow that a mutant is worth the work of all, and each notices something else.
_TESTS = """
    import time

    from shop.prices import end, fee, spin


    def test_small():
        time.sleep(0.11)
        assert fee(3) == 3 and end() == 1 and spin(2) == 2


    def test_large():
        time.sleep(0.12)
        assert fee(12) == 24 and end() == 1 and spin(3) == 3


    def test_at_the_limit():
        time.sleep(0.13)
        assert fee(10) in (10, 20) and end() == 1 and spin(0) == 0
"""
_NOTING = """
    import os
    import sys
    from pathlib import Path

    RUNS = []


    def pytest_runtest_setup(item):
        RUNS.append(item.name)
        if sys.orig_argv[-1] == "--mutate":
            with Path({place!r}).open("a") as file:
                file.write(f"{{os.getpid()}} {{item.name}}\\n")
"""


@pytest.fixture(scope="module")
def python() -> Path:
    """An interpreter with mutmut."""
    return mutation_python()


def _project(root: Path, source: str = _SOURCE, tests: str = _TESTS) -> None:
    write(root, {**SOURCE, "src/shop/prices.py": source, "tests/test_prices.py": tests})
    write(root, {"conftest.py": _NOTING.format(place=str(root / ".runs"))})


def _tests_by_process(root: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for line in (root / ".runs").read_text().splitlines():
        pid, test = line.split()
        found.setdefault(pid, set()).add(test)
    return found


def _of(part: str) -> Callable[[Made], list[WantedMutant]]:
    return lambda made: [mutant for mutant in everything(made) if part in mutant.name]


async def _until_quiet(root: Path) -> None:
    """Until no test has run for a second."""
    quiet_since, size = time.monotonic(), -1
    async with asyncio.timeout(30):
        while time.monotonic() - quiet_since < 1:
            now = (root / ".runs").stat().st_size
            if now != size:
                quiet_since, size = time.monotonic(), now
            await asyncio.sleep(0.05)


def test_shared_out_or_not_each_verdict_is_mutmuts(tmp_path: Path, python: Path) -> None:
    """Mutants that die of one share of the tests, that no share notices, and that loop."""
    decent = _SOURCE.replace("os.kill(os.getppid(), signal.SIGKILL)", "return 2")
    _project(tmp_path, decent)
    checked = check(tmp_path, python)
    assert checked.end.trusted, checked.messages
    assert checked.statuses == mutmut_statuses(tmp_path, python)
    assert {"killed", "survived", "timeout"} <= set(checked.statuses.values())


def test_a_share_that_ends_its_worker_takes_no_other_mutant_with_it(tmp_path: Path, python: Path) -> None:
    """mutmut itself ends with that mutant, so what it would have said of the others is asked of it without."""
    _project(tmp_path)
    hard = check(tmp_path, python, lambda made: sorted(everything(made), key=lambda one: "x_end" not in one.name))
    assert hard.end.trusted, hard.messages
    ended = {name for name, status in hard.statuses.items() if status == "suspicious"}
    assert ended
    assert all("x_end" in name for name in ended)
    others = check(tmp_path, python, lambda made: [one for one in everything(made) if one.name not in ended])
    assert others.statuses == {name: status for name, status in hard.statuses.items() if name not in ended}


def test_all_workers_look_for_the_first_survivor(tmp_path: Path, python: Path) -> None:
    """No process runs more than two of its three tests; one after the other they would take 0.36 s."""
    _project(tmp_path)

    def of_limit(made: Made) -> list[WantedMutant]:
        texts = [texts for functions in made.files.values() for each in functions for texts in each.mutants.items()]
        return [WantedMutant(name) for name, text in texts if "amount >= limit" in text]

    checked = check(tmp_path, python, of_limit)
    assert checked.end.trusted, checked.messages
    assert list(checked.statuses.values()) == ["survived"]
    assert next(iter(checked.mutants.values())).seconds > 0.36  # of all that it ran, wherever
    shares = list(_tests_by_process(tmp_path).values())
    # Once without any mutant, to see that they pass, and once for the mutant.
    assert shares.count({"test_at_the_limit"}) == shares.count({"test_large", "test_small"}) == 2


def test_while_nobody_waits_the_tests_are_run_for_the_next_time(tmp_path: Path, python: Path) -> None:
    """In both workers, so that what libraries do once is done there when the next mutant comes."""
    _project(tmp_path)

    async def twice() -> tuple[Checked, Checked, dict[str, set[str]]]:
        async with Keeping(tmp_path, python) as keeping:
            first = await keeping.check(_of("x_end"))
            (tmp_path / ".runs").write_text("")
            await _until_quiet(tmp_path)
            idle = _tests_by_process(tmp_path)
            return first, await keeping.check(), idle

    first, again, idle = asyncio.run(twice())
    assert first.end.trusted, first.messages
    assert again.end.trusted, again.messages
    names = {"test_small", "test_large", "test_at_the_limit"}
    # The fastest in each of two workers, and all of them once to see whether they pass in what that has prepared.
    assert list(idle.values()).count({"test_small"}) == 3, idle
    assert set().union(*idle.values()) == names
    assert again.statuses == check(tmp_path, python).statuses


def test_tests_that_do_not_pass_twice_are_left_cold(tmp_path: Path, python: Path) -> None:
    """What was tried while nobody waited decides no verdict."""
    once = "\n\n    RUNS = []\n\n\n    def test_once():\n        RUNS.append(1)\n        assert len(RUNS) == fee(1)\n"
    _project(tmp_path, tests=_TESTS + once)

    async def twice() -> tuple[Checked, Checked]:
        async with Keeping(tmp_path, python) as keeping:
            first = await keeping.check(_of("x_end"))
            await _until_quiet(tmp_path)
            return first, await keeping.check()

    first, again = asyncio.run(twice())
    assert first.end.trusted, first.messages
    assert again.end.trusted, again.messages
    assert again.statuses == check(tmp_path, python).statuses
