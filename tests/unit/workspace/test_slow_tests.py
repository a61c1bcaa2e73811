"""Slow tests can be left to the user: they do not run by themselves, and nothing old is passed off as new meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from testlens.domain.staleness import Marks
from testlens.runners.warm_runner import WarmRunner
from testlens.workspace.settings import NO_OVERRIDES
from testlens.workspace.views import look
from testlens.workspace.workspace import Workspace
from watched import Shop, Watched, known, told_by_all_tests

_LIMITED = replace(NO_OVERRIDES, slow_tests=0.5)
_SLOW = """\
import time

from shop.prices import fee, never


def test_slow():
    time.sleep(0.6)
    assert never(fee(12)) == 2


def test_quick():
    assert fee(12) == 2
"""
_TEST = "tests/test_slow.py::test_slow"


@pytest.fixture
async def runner() -> AsyncIterator[WarmRunner]:
    """One that is closed at the end."""
    runner = WarmRunner()
    yield runner
    await runner.close()


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A project of which one test is slow, the only one that runs `never`."""
    shop = Shop(tmp_path / "shop-project")
    shop.write("tests/test_slow.py", _SLOW)
    return shop


def marks_of(workspace: Workspace, path: str = "shop/prices.py") -> Marks:
    """What is painted in a file as it is on the disk."""
    return look(workspace, workspace.snapshot.files[path], (workspace.root / path).read_text()).marks


def line_of(shop: Shop, part: str) -> int:
    """The line of the prices with this text."""
    lines = (shop.root / "shop/prices.py").read_text().splitlines()
    (found,) = [number for number, text in enumerate(lines, 1) if part in text]
    return found


async def test_a_slow_test_is_left_out_and_told_until_it_is_run(shop: Shop, tmp_path: Path, runner: WarmRunner) -> None:
    """Then all is known as a run of all tests tells it, and nothing is left."""
    with closing(Watched(shop.root, runner, _LIMITED)) as watched:
        first = await watched.catch_up()
        assert "test_slow" in watched.ran, "how long it takes was not known"
        assert first.left_out == set()
        shop.edit("shop/prices.py", "    if amount > 10:", "    limit = 10\n    if amount > limit:")
        done = await watched.catch_up()
        assert done.is_known
        assert sorted(watched.ran) == ["test_large", "test_quick", "test_small"]
        assert done.left_out == watched.workspace.snapshot.left_out == {_TEST}
        assert (await watched.catch_up()).result is None, "nothing runs twice"
        assert watched.workspace.snapshot.left_out == {_TEST}
        done = await watched.catch_up(slow_too=True)
        assert watched.ran == ["test_slow"]
        assert done.left_out == watched.workspace.snapshot.left_out == set()
        assert known(watched.workspace) == await told_by_all_tests(shop.root, tmp_path / "cold")


async def test_what_only_it_ran_is_stale_and_no_gap(shop: Shop, runner: WarmRunner) -> None:
    """Neither covered, which nobody knows, nor never run; what others run is as it is."""
    with closing(Watched(shop.root, runner, _LIMITED)) as watched:
        await watched.catch_up()
        shop.edit("shop/prices.py", "    return price\n", "    price = price + 0\n    return price\n")
        shop.edit("shop/prices.py", "    return 1\n", "    amount = 1\n    return amount\n")
        await watched.catch_up()
        marks = marks_of(watched.workspace)
        assert {line_of(shop, "price = price + 0"), line_of(shop, "    return price")} <= set(marks.stale)
        assert {line_of(shop, "return 2"), line_of(shop, "return amount")} <= set(marks.covered)
        assert not watched.workspace.snapshot.files["shop/prices.py"].gaps
        await watched.catch_up(slow_too=True)
        marks = marks_of(watched.workspace)
        assert not marks.stale
        assert line_of(shop, "price = price + 0") in marks.covered


async def test_where_nothing_but_slow_tests_is_selected_nothing_runs(shop: Shop, runner: WarmRunner) -> None:
    """What the edit selects is told, and an edit that is taken back tells that nothing is left."""
    with closing(Watched(shop.root, runner, _LIMITED)) as watched:
        await watched.catch_up()
        shop.edit("shop/prices.py", "    return price\n", "    return price + 0\n")
        done = await watched.catch_up()
        assert done.result is None
        assert done.left_out == {_TEST}
        assert {line_of(shop, "return price + 0"), line_of(shop, "def never")} & set(marks_of(watched.workspace).stale)
        shop.edit("shop/prices.py", "    return price + 0\n", "    return price\n")
        assert (await watched.catch_up()).left_out == set()
        assert line_of(shop, "    return price") in marks_of(watched.workspace).covered


async def test_where_all_tests_are_to_run_all_but_the_slow_ones_do(
    shop: Shop, tmp_path: Path, runner: WarmRunner
) -> None:
    """New tests included; what the slow ones said stands as stale, and all run once they are asked for."""
    with closing(Watched(shop.root, runner, _LIMITED)) as watched:
        await watched.catch_up()
        shop.edit("shop/prices.py", "def fee(amount):", "LIMIT = 3\n\n\ndef fee(amount):")
        shop.edit("tests/test_slow.py", "def test_quick", "def test_new():\n    pass\n\n\ndef test_quick")
        done = await watched.catch_up()
        assert done.affected.everything
        assert done.is_known
        assert len(watched.ran) == 7
        assert {"test_new", "test_quick"} <= set(watched.ran)
        assert "test_slow" not in watched.ran
        assert done.left_out == {_TEST}
        assert watched.workspace.snapshot.outcomes[_TEST].outcome == "passed"
        assert line_of(shop, "    return price") in marks_of(watched.workspace).stale
        await watched.catch_up(slow_too=True)
        assert len(watched.ran) == 8
        assert known(watched.workspace) == await told_by_all_tests(shop.root, tmp_path / "cold")
        assert watched.workspace.snapshot.left_out == set()


async def test_what_is_left_out_outlives_the_session(shop: Shop, runner: WarmRunner) -> None:
    """And is selected by whoever asks what the edits can affect."""
    with closing(Watched(shop.root, runner, _LIMITED)) as watched:
        await watched.catch_up()
        shop.edit("shop/prices.py", "return 2", "return 1 + 1")
        await watched.catch_up()
    with closing(Watched(shop.root, runner)) as watched:
        assert watched.workspace.snapshot.left_out == {_TEST}
        done = await watched.catch_up()
        assert watched.ran == ["test_slow"], done.affected.why
        assert watched.workspace.snapshot.left_out == set()
