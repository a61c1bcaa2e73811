"""After each edit only what it can affect runs, and what is known then is what a run of all tests would tell."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from testlens.runners.events import Event, TestStarted
from testlens.runners.warm_runner import WarmRunner
from testlens.workspace.continuous import until_saved
from testlens.workspace.trend import load_trend
from watched import Shop, Watched, known, told_by_all_tests


@pytest.fixture
async def runner() -> AsyncIterator[WarmRunner]:
    """One that is closed at the end."""
    runner = WarmRunner()
    yield runner
    await runner.close()


EDITS: Mapping[str, tuple[tuple[str, str, str], list[str]]] = {
    "a body that fails a test": (
        ("shop/prices.py", "return 2", "return 3"),
        ["test_large", "test_small"],
    ),
    "lines above all others": (
        ("shop/prices.py", "    if amount > 10:", "    limit = 10\n    limit = limit\n    if amount > limit:"),
        ["test_large", "test_small"],
    ),
    "a branch that is gone": (
        ("shop/prices.py", "    if amount > 10:\n        return 2\n", ""),
        ["test_large", "test_small"],
    ),
    "a comment": (("shop/prices.py", "    return 1\n", "    # always\n    return 1\n"), []),
    "a function that no test runs": (("shop/prices.py", "    return price\n", "    return price + 1\n"), []),
    "a test that has another name": (
        ("tests/test_prices.py", "def test_large", "def test_big"),
        ["test_big", "test_small", "test_total[prices0]", "test_total[prices1]"],
    ),
    "a parameter less": (
        ("tests/test_prices.py", "[[], [1, 2]]", "[[1, 2]]"),
        ["test_large", "test_small", "test_total[prices0]"],
    ),
}


@pytest.mark.parametrize("name", EDITS)
async def test_what_is_known_is_what_all_tests_would_tell(name: str, tmp_path: Path, runner: WarmRunner) -> None:
    """Outcomes, lines, branches and the tests of each line, where only these tests ran."""
    shop = Shop(tmp_path / "shop-project")
    edit, expected = EDITS[name]
    with closing(Watched(shop.root, runner)) as watched:
        first = await watched.catch_up()
        assert first.affected.everything
        assert first.is_known
        assert len(watched.ran) == 5
        shop.edit(*edit)
        done = await watched.catch_up()
        assert sorted(watched.ran) == expected, done.affected.why
        assert done.is_known
        assert done.problem is None
        # Of files for which nothing had to run the lines are followed when they are shown.
        if expected:
            assert known(watched.workspace) == await told_by_all_tests(shop.root, tmp_path / "cold")


async def test_edit_after_edit_leads_where_one_run_would(tmp_path: Path, runner: WarmRunner) -> None:
    """Whatever came before, and over restarts."""
    shop = Shop(tmp_path / "shop-project")
    for name in ("a body that fails a test", "a comment", "lines above all others", "a parameter less"):
        with closing(Watched(shop.root, runner)) as watched:
            await watched.catch_up()
            shop.edit(*EDITS[name][0])
            await watched.catch_up()
            now = known(watched.workspace)
    assert now == await told_by_all_tests(shop.root, tmp_path / "cold")


async def test_what_is_only_reformatted_is_not_lost(tmp_path: Path, runner: WarmRunner) -> None:
    """A comment on a line that tests ran, beside a change: where it is now is left to a run of all."""
    shop = Shop(tmp_path / "shop-project")
    with closing(Watched(shop.root, runner)) as watched:
        await watched.catch_up()
        shop.edit("shop/prices.py", "    result = 0\n", "    result = 0  # so far\n")
        assert (await watched.catch_up()).result is None
        shop.edit("shop/prices.py", "return 2", "return 1 + 1")
        done = await watched.catch_up()
        assert "was reformatted as well" in done.affected.why
        shop.edit("shop/prices.py", "result += price", "result -= price")
        await watched.catch_up()
        assert sorted(watched.ran) == ["test_other", "test_total[prices0]", "test_total[prices1]"]


_FIRST = """\
import pytest

from shop.prices import never


@pytest.fixture(scope="session")
def price():
    return never(4)


def test_first(price):
    assert price == 4


def test_second(price):
    assert price == 4
"""


async def test_what_a_test_did_first_for_others_is_not_forgotten_with_it(tmp_path: Path, runner: WarmRunner) -> None:
    """The fixture is set up for another test now, and nobody knows for which before all have run."""
    shop = Shop(tmp_path / "shop-project")
    shop.write("tests/test_first.py", _FIRST)
    with closing(Watched(shop.root, runner)) as watched:
        await watched.catch_up()
        shop.edit("tests/test_first.py", "def test_first(price):\n    assert price == 4", "def test_first():\n    pass")
        done = await watched.catch_up()
        assert done.is_known
        shop.edit("shop/prices.py", "    return price\n", "    return price + 1\n")
        await watched.catch_up()
        outcomes, _ = known(watched.workspace)
        assert outcomes["tests/test_first.py::test_second"] == "failed"


async def test_tests_that_are_gone_are_forgotten(tmp_path: Path, runner: WarmRunner) -> None:
    """With what they ran, be it the whole file or the last test in it."""
    shop = Shop(tmp_path / "shop-project")
    shop.write("tests/test_only.py", "from shop.prices import never\n\n\ndef test_only():\n    assert never(1)\n")
    with closing(Watched(shop.root, runner)) as watched:
        await watched.catch_up()
        shop.write("tests/test_only.py", "from shop.prices import never\n")
        await watched.catch_up()
        assert known(watched.workspace) == await told_by_all_tests(shop.root, tmp_path / "cold")
        (shop.root / "tests/test_other.py").unlink()
        await watched.catch_up()
        assert known(watched.workspace) == await told_by_all_tests(shop.root, tmp_path / "colder")


async def test_nothing_runs_twice(tmp_path: Path, runner: WarmRunner) -> None:
    """Tests that failed run again with the next edit that means something, and not by themselves."""
    shop = Shop(tmp_path / "shop-project")
    with closing(Watched(shop.root, runner)) as watched:
        await watched.catch_up()
        shop.edit(*EDITS["a body that fails a test"][0])
        await watched.catch_up()
        assert (await watched.catch_up()).result is None
        shop.edit("tests/test_other.py", "[5]) == 5", "[6]) == 6")
        await watched.catch_up()
        assert watched.ran == ["test_large", "test_other"], "those that failed come first"


_SLEEPING = """\
import time

from shop.prices import fee


def test_{0}():
    time.sleep({1})
    assert fee(3) == 1
"""


async def test_files_whose_tests_are_fast_come_first(tmp_path: Path, runner: WarmRunner) -> None:
    """After the tests that failed before; the tests of a file stay together."""
    shop = Shop(tmp_path / "shop-project")
    slow = _SLEEPING
    shop.write("tests/test_a.py", slow.format("slow", 0.3))
    shop.write("tests/test_b.py", slow.format("slower", 0.6).replace("== 1", "== 2"))
    shop.write("tests/test_c.py", slow.format("quick", 0.1))
    with closing(Watched(shop.root, runner)) as watched:
        await watched.catch_up()
        shop.edit(*EDITS["a branch that is gone"][0])
        await watched.catch_up()
        assert watched.ran[0] == "test_slower", "it failed"
        assert watched.ran[-2:] == ["test_quick", "test_slow"]
        assert sorted(watched.ran[1:-2]) == ["test_large", "test_small"]


async def test_what_cannot_be_imported_loses_nothing(tmp_path: Path, runner: WarmRunner) -> None:
    """Half a line was saved: what is known stands, and the next save finds out."""
    shop = Shop(tmp_path / "shop-project")
    with closing(Watched(shop.root, runner)) as watched:
        await watched.catch_up()
        before = known(watched.workspace)
        shop.edit("tests/test_other.py", "assert total", "assert total(")
        done = await watched.catch_up()
        assert not done.is_known
        assert done.result is not None
        assert done.result.problems
        assert known(watched.workspace) == before
        shop.edit("tests/test_other.py", "assert total(", "assert total")
        assert (await watched.catch_up()).result is None


class SavedAgain(Watched):
    """A workspace in which the file of prices is saved again, unchanged, while a slow test runs."""

    def _take(self, event: Event) -> None:
        super()._take(event)
        if isinstance(event, TestStarted) and event.nodeid.endswith("test_slow"):
            file = self.workspace.root / "shop/prices.py"
            file.write_text(file.read_text())


async def test_a_file_that_is_saved_twice_keeps_its_marks(tmp_path: Path, runner: WarmRunner) -> None:
    """By the editor and then by its user, while tests run: of all tests, of some, and of the first run."""
    shop = Shop(tmp_path / "shop-project")
    shop.write("tests/test_slow.py", _SLEEPING.format("slow", 0.5))
    with closing(SavedAgain(shop.root, runner)) as watched:
        await watched.catch_up()
        assert watched.workspace.snapshot.files["shop/prices.py"].anchored
        for before, after, count in (("return 2", "return 3", 3), ("def never(price)", "def never(price=1)", 6)):
            shop.edit("shop/prices.py", before, after)
            await watched.catch_up()
            assert len(watched.ran) == count
            assert watched.workspace.snapshot.files["shop/prices.py"].anchored
            assert (await watched.catch_up()).result is None
        assert known(watched.workspace) == await told_by_all_tests(shop.root, tmp_path / "cold")


_WAITS_AT_THE_END = """\
import time
from pathlib import Path

BESIDE = Path(__file__).parents[2]


def pytest_sessionfinish():
    for _ in range(1000):
        if (BESIDE / "go").exists():
            return
        time.sleep(0.01)
    (BESIDE / "in vain").touch()
"""


async def test_what_tests_say_is_known_before_pytest_has_ended(tmp_path: Path, runner: WarmRunner) -> None:
    """And a save in the meantime neither waits nor takes anything back: what became of the tests is told."""
    shop, saved = Shop(tmp_path / "shop-project"), asyncio.Event()
    shop.write("tests/conftest.py", _WAITS_AT_THE_END)
    go, record = tmp_path / "go", shop.root / ".testlens/record.json"
    with closing(Watched(shop.root, runner)) as watched:
        go.touch()
        await watched.catch_up()
        go.unlink()
        before = record.read_text()
        shop.edit("shop/prices.py", "return 2", "return 3")
        looking = asyncio.ensure_future(until_saved(watched.catch_up(), saved, shop.root))
        async with asyncio.timeout(60):
            while not record.exists() or record.read_text() == before:
                await asyncio.sleep(0.01)
        shop.edit("shop/prices.py", "return price\n", "return price  # as it is\n")
        saved.set()
        done = await looking
        assert not (tmp_path / "in vain").exists()
        assert done is not None
        assert done.is_known
        assert done.result is not None
        assert {test.nodeid: test.outcome for test in done.result.results} == {
            "tests/test_prices.py::test_small": "passed",
            "tests/test_prices.py::test_large": "failed",
        }
        go.touch()
        assert (await watched.catch_up()).result is None
        assert known(watched.workspace)[0] == (await told_by_all_tests(shop.root, tmp_path / "cold"))[0]
        shop.edit("shop/prices.py", "return 3", "return 2")
        await watched.catch_up()
        assert known(watched.workspace) == await told_by_all_tests(shop.root, tmp_path / "colder")


async def test_a_round_that_changes_the_coverage_is_a_point_of_the_trend(tmp_path: Path, runner: WarmRunner) -> None:
    shop = Shop(tmp_path / "shop-project")
    with closing(Watched(shop.root, runner)) as watched:
        await watched.catch_up()
        shop.edit("shop/prices.py", "    return 1\n", "    # always\n    return 1\n")
        await watched.catch_up()
        assert len(load_trend(shop.root)) == 1
        shop.edit("shop/prices.py", "    if amount > 10:\n        return 2\n", "")
        await watched.catch_up()
        first, last = load_trend(shop.root)
        assert first.percent != last.percent == watched.workspace.snapshot.percent
