"""On every supported version of Python: outcomes as pytest has them, coverage as coverage.py measures it."""

from __future__ import annotations

import asyncio
import hashlib
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from coverage import CoverageData

from agent.interpreters import environment, found, in_order
from agent.projects import Project, Run
from testlens.runners.events import Collected, Done, Hello, Measured, TestStarted

PROJECT = {
    "shop/__init__.py": "",
    "shop/price.py": """
        def price(amount, member):
            if amount < 0:
                raise ValueError("amount")
            if member:
                amount = amount * 0.9
            return [round(part) for part in (amount,)][0]
        """,
    "shop/never_imported.py": """
        def unused():
            return 1
        """,
    "tests/test_price.py": """
        import sys
        import unittest

        import pytest

        from shop.price import price

        def test_member_pays_less():
            print("{}")
            sys.__stdout__.write('{"event": "done"}\\n')
            assert price(10, True) == 9

        def test_wrong_expectation():
            assert price(10, False) == 11

        def test_raises_inside():
            price(-1, False)

        @pytest.mark.skip(reason="no time")
        def test_skipped():
            pass

        @pytest.mark.xfail(reason="known")
        def test_expected_to_fail():
            assert False

        @pytest.mark.xfail(reason="fixed since")
        def test_unexpectedly_passing():
            pass

        @pytest.fixture
        def broken():
            raise RuntimeError("no database")

        def test_broken_setup(broken):
            pass

        @pytest.mark.parametrize("amount", ["[", "a/b::c", "\\u00e9 \\U0001f600"])
        def test_odd_names(amount):
            pass

        class OldStyle(unittest.TestCase):
            def test_unittest(self):
                self.assertEqual(price(0, False), 0)

            def test_unittest_fails(self):
                self.assertEqual(price(0, False), 1)
        """,
}
ONLY = "tests/test_price.py::test_member_pays_less"


@dataclass(frozen=True, slots=True)
class Example:
    """The project above, and the run of all of its tests."""

    project: Project
    run: Run


@pytest.fixture(scope="module", params=in_order(found()))
def example(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Example:
    """The example run once by each version of Python on this machine."""
    root = tmp_path_factory.mktemp("example") / "project"
    root.mkdir()
    project = Project(root, environment(request.param, found()[request.param]))
    project.write(PROJECT)
    return Example(project, asyncio.run(project.run()))


def test_outcomes_messages_and_places_are_those_of_pytest(example: Example) -> None:
    run = example.run

    names = {name: outcome for name, outcome in run.outcomes.items() if "odd_names" not in name}
    assert names == {
        "test_member_pays_less": "passed",
        "test_wrong_expectation": "failed",
        "test_raises_inside": "failed",
        "test_skipped": "skipped",
        "test_expected_to_fail": "xfailed",
        "test_unexpectedly_passing": "xpassed",
        "test_broken_setup": "error",
        "OldStyle::test_unittest": "passed",
        "OldStyle::test_unittest_fails": "failed",
    }
    assert [run.outcomes[name] for name in run.outcomes if "odd_names" in name] == ["passed"] * 3
    wrong = run.test("test_wrong_expectation")
    assert (wrong.file, wrong.line) == ("tests/test_price.py", 14)
    assert "assert 10 == 11" in (wrong.message or "")
    assert "test_price.py:14: AssertionError" in (wrong.longrepr or "")
    raised = run.test("test_raises_inside")
    assert (raised.file, raised.line) == ("shop/price.py", 3)
    assert "ValueError: amount" in (raised.message or "")
    assert run.test("test_skipped").message == "Skipped: no time"
    assert run.test("test_expected_to_fail").message == "known"
    assert "no database" in (run.test("test_broken_setup").message or "")
    assert run.test("OldStyle::test_unittest_fails").line == 47
    assert run.result.exit_code == 1
    assert not run.result.problems, run.messages


def test_events_come_in_order_and_name_the_versions(example: Example, tmp_path: Path) -> None:
    project = Project(tmp_path / "project", example.project.python)
    project.write(PROJECT)

    run = asyncio.run(project.run(tests=(ONLY,)))

    kinds = [type(event).__name__ for event in run.events]
    assert kinds == ["Hello", "ProcessStarted", "Collected", "TestStarted", "TestFinished", "Measured", "Done"]
    hello, collected, started = run.events[0], run.events[2], run.events[3]
    assert isinstance(hello, Hello)
    version = subprocess.run([project.python, "-V"], check=True, capture_output=True, text=True).stdout
    assert f"Python {hello.python}" == version.strip()
    assert collected == Collected(1, str(project.root))
    assert started == TestStarted(ONLY, "tests/test_price.py", 8)


def test_each_line_knows_the_tests_that_ran_it(example: Example) -> None:
    run = example.run
    price = example.project.root / "shop/price.py"
    assert run.contexts(price, 5) == {f"{ONLY}|run"}
    assert run.contexts(price, 3) == {"tests/test_price.py::test_raises_inside|run"}
    assert run.contexts(price, 1) == {""}
    assert run.contexts(price, 6) == {
        f"{ONLY}|run",
        "tests/test_price.py::test_wrong_expectation|run",
        "tests/test_price.py::OldStyle::test_unittest|run",
        "tests/test_price.py::OldStyle::test_unittest_fails|run",
    }


def test_coverage_equals_that_of_coverage_run(example: Example) -> None:
    reference = example.project.data_file.with_name("reference")
    command = [
        str(example.project.python),
        "-m",
        "coverage",
        "run",
        "--branch",
        "--source=shop",
        f"--data-file={reference}",
    ]
    subprocess.run([*command, "-m", "pytest", "-q"], cwd=example.project.root, check=False, capture_output=True)

    run = example.run
    data = CoverageData(str(reference), read_only=True)
    data.read()
    assert {str(example.project.root / name) for name in run.measured(example.project.root)} == data.measured_files()
    for name in data.measured_files():
        path = example.project.root / name
        assert run.arcs(path) == set(data.arcs(name) or ())
        assert run.lines(path) == set(data.lines(name) or ())
    assert run.lines(example.project.root / "shop/never_imported.py") == set()


def test_the_text_that_was_measured_is_named(example: Example) -> None:
    run = example.run

    (measured,) = (event for event in run.events if isinstance(event, Measured))
    price = example.project.root / "shop/price.py"
    assert measured.sources[str(price)] == hashlib.sha256(price.read_bytes()).hexdigest()
    assert measured.rewritten == {}
    assert measured.data_file == example.project.data_file
    assert isinstance(run.events[-1], Done)
