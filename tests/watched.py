"""A small project whose edits are followed, and what is known of it."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from testlens.runners.events import Event, TestFinished
from testlens.runners.warm_runner import WarmRunner
from testlens.workspace.continuous import Round, run_affected
from testlens.workspace.settings import NO_OVERRIDES, Overrides
from testlens.workspace.workspace import Workspace

PRICES = """\
def fee(amount):
    if amount > 10:
        return 2
    return 1


def total(prices):
    result = 0
    for price in prices:
        result += price
    return result


def never(price):
    return price
"""
_TESTS = """\
import pytest

from shop.prices import fee, total


def test_small():
    assert fee(3) == 1


def test_large():
    assert fee(12) == 2


@pytest.mark.parametrize("prices", [[], [1, 2]])
def test_total(prices):
    assert total(prices) == sum(prices)
"""
_OTHER = "from shop.prices import total\n\n\ndef test_other():\n    assert total([5]) == 5\n"


class Shop:
    """A project whose edits are followed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("pyproject.toml", '[tool.pytest.ini_options]\npythonpath = ["."]\n')
        self.write("shop/__init__.py", "")
        self.write("shop/prices.py", PRICES)
        self.write("tests/test_prices.py", _TESTS)
        self.write("tests/test_other.py", _OTHER)

    def write(self, name: str, text: str) -> None:
        """Put a file there."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def edit(self, name: str, before: str, after: str) -> None:
        """Change a part of a file."""
        path = self.root / name
        text = path.read_text()
        assert before in text
        path.write_text(text.replace(before, after))


class Watched:
    """A workspace that is kept up to date."""

    def __init__(self, root: Path, runner: WarmRunner, overrides: Overrides = NO_OVERRIDES) -> None:
        self.workspace = Workspace(root, overrides)
        self.workspace.refresh()
        self.ran: list[str] = []
        self._runner = runner

    def close(self) -> None:
        """Let go of it."""
        self.workspace.close()

    async def catch_up(self, slow_too: bool = False) -> Round:
        """Look at the edits once; `ran` are then the names of the tests that ran."""
        self.ran = []
        return await run_affected(self.workspace, sys.executable, self._runner, self._take, asyncio.to_thread, slow_too)

    def _take(self, event: Event) -> None:
        if isinstance(event, TestFinished):
            self.ran.append(event.nodeid.partition("::")[2])


def known(workspace: Workspace) -> tuple[Mapping[str, str], Mapping[str, object]]:
    """Outcomes, and what is known of each file, line by line."""
    snapshot = workspace.snapshot
    outcomes = {test: result.outcome for test, result in sorted(snapshot.outcomes.items())}
    files = {
        path: (report.coverage, report.numbers, dict(workspace.tests_by_line(path)))
        for path, report in snapshot.files.items()
    }
    return outcomes, files


async def told_by_all_tests(root: Path, folder: Path) -> tuple[Mapping[str, str], Mapping[str, object]]:
    """The same, as a run of all tests of a copy of the project tells it."""
    copy = folder / root.name
    shutil.copytree(root, copy, ignore=shutil.ignore_patterns(".testlens", "__pycache__"))
    with closing(Workspace(copy)) as workspace:
        workspace.refresh()
        await run_affected(workspace, sys.executable, WarmRunner(), lambda _event: None, asyncio.to_thread)
        return known(workspace)
