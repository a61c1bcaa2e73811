"""A run can repeat its tests in one process: each time with fixtures made anew, each time reported."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from agent.interpreters import environment, found, in_order
from agent.projects import Project
from testlens.runners.events import Collected, Event, TestFinished
from testlens.runners.pytest_runner import run_tests
from testlens.runners.run_log import RunResult

TESTS = """
    import unittest

    import pytest

    made = []

    @pytest.fixture(scope="session")
    def shop():
        made.append("shop")
        yield made
        made.remove("shop")

    @pytest.fixture
    def basket(shop):
        made.append("basket")
        yield made
        made.remove("basket")

    def test_finds_what_it_needs(basket):
        assert basket == ["shop", "basket"]

    class TestOfAClass:
        def test_keeps_nothing(self, basket):
            assert not hasattr(self, "kept")
            self.kept = True

    class OldStyle(unittest.TestCase):
        def test_unittest(self):
            self.assertEqual(made, ["shop"])

    counted = []

    def test_passes_only_once():
        counted.append(1)
        assert counted == [1]
    """
ASYNCHRONOUS = """
    import asyncio
    import pytest

    @pytest.mark.asyncio
    async def test_waits():
        await asyncio.sleep(0)

    class TestOfAClass:
        @pytest.mark.asyncio
        async def test_keeps_nothing(self):
            assert not hasattr(self, "kept")
            self.kept = True
    """


async def run(project: Project, *pytest_args: str) -> tuple[RunResult, list[Event]]:
    """Run all tests three times."""
    events: list[Event] = []
    request = replace(project.request(*pytest_args), times=3)
    async with asyncio.timeout(60):
        return await run_tests(request, events.append), events


def outcomes(events: list[Event]) -> dict[str, list[str]]:
    """The outcomes of each test, in the order in which they came."""
    seen: dict[str, list[str]] = {}
    for event in events:
        if isinstance(event, TestFinished):
            seen.setdefault(event.nodeid.split("::")[-1], []).append(event.outcome)
    return seen


@pytest.mark.parametrize("version", [in_order(found())[0], in_order(found())[-1]])
async def test_each_time_is_like_the_first_and_what_is_not_shows(version: str, tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    project = Project(tmp_path / "project", environment(version, found()[version]))
    project.write({"test_shop.py": TESTS})
    result, events = await run(project, "-p", "no:randomly")
    assert outcomes(events) == {
        "test_finds_what_it_needs": ["passed"] * 3,
        "test_keeps_nothing": ["passed"] * 3,
        "test_unittest": ["passed"] * 3,
        "test_passes_only_once": ["passed", "failed", "failed"],
    }
    assert [event.total for event in events if isinstance(event, Collected)] == [12]
    assert result.exit_code == 1
    assert {test.outcome for test in result.results if test.nodeid.endswith("only_once")} == {"failed"}


async def test_asynchronous_tests_are_repeated_too(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    project = Project(tmp_path / "project", Path(sys.executable))
    project.write({"test_shop.py": ASYNCHRONOUS})
    _, events = await run(project)
    assert outcomes(events) == {"test_waits": ["passed"] * 3, "test_keeps_nothing": ["passed"] * 3}


async def test_a_run_that_is_to_stop_at_the_first_failure_stops_there(project: Project) -> None:
    project.write({"test_shop.py": "def test_fails():\n    assert False\n"})
    _, events = await run(project, "-x")
    assert outcomes(events) == {"test_fails": ["failed"]}


async def test_a_test_that_ends_the_process_is_reported_and_the_run_ends(project: Project) -> None:
    project.write({"test_shop.py": "import os\n\ndef test_leaves():\n    os._exit(3)\n"})
    result, events = await run(project)
    assert outcomes(events)["test_leaves"] == ["error"]
    assert result.exit_code == 1
