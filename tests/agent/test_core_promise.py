"""On every supported version of Python: outcomes as pytest has them, coverage as coverage.py measures it."""

from __future__ import annotations

import hashlib
import subprocess

from coverage import CoverageData

from agent.projects import Project
from testlens.runners.events import Collected, Done, Hello, TestStarted

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


async def test_outcomes_messages_and_places_are_those_of_pytest(any_project: Project) -> None:
    any_project.write(PROJECT)

    run = await any_project.run()

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


async def test_events_come_in_order_and_name_the_versions(any_project: Project) -> None:
    any_project.write(PROJECT)

    run = await any_project.run(tests=(ONLY,))

    kinds = [type(event).__name__ for event in run.events]
    assert kinds == ["Hello", "ProcessStarted", "Collected", "TestStarted", "TestFinished", "Done"]
    hello, collected, started = run.events[0], run.events[2], run.events[3]
    assert isinstance(hello, Hello)
    version = subprocess.run([any_project.python, "-V"], check=True, capture_output=True, text=True).stdout
    assert f"Python {hello.python}" == version.strip()
    assert collected == Collected(1, str(any_project.root))
    assert started == TestStarted(ONLY, "tests/test_price.py", 8)


async def test_each_line_knows_the_tests_that_ran_it(any_project: Project) -> None:
    any_project.write(PROJECT)

    run = await any_project.run()

    price = any_project.root / "shop/price.py"
    assert run.contexts(price, 5) == {f"{ONLY}|run"}
    assert run.contexts(price, 3) == {"tests/test_price.py::test_raises_inside|run"}
    assert run.contexts(price, 1) == {""}
    assert run.contexts(price, 6) == {
        f"{ONLY}|run",
        "tests/test_price.py::test_wrong_expectation|run",
        "tests/test_price.py::OldStyle::test_unittest|run",
        "tests/test_price.py::OldStyle::test_unittest_fails|run",
    }


async def test_coverage_equals_that_of_coverage_run(any_project: Project) -> None:
    any_project.write(PROJECT)
    reference = any_project.data_file.with_name("reference")
    command = [any_project.python, "-m", "coverage", "run", "--branch", "--source=shop", f"--data-file={reference}"]
    subprocess.run([*command, "-m", "pytest", "-q"], cwd=any_project.root, check=False, capture_output=True)

    run = await any_project.run()

    data = CoverageData(str(reference), read_only=True)
    data.read()
    assert {str(any_project.root / name) for name in run.measured(any_project.root)} == data.measured_files()
    for name in data.measured_files():
        path = any_project.root / name
        assert run.arcs(path) == set(data.arcs(name) or ())
        assert run.lines(path) == set(data.lines(name) or ())
    assert run.lines(any_project.root / "shop/never_imported.py") == set()


async def test_done_names_the_text_that_was_measured(any_project: Project) -> None:
    any_project.write(PROJECT)

    run = await any_project.run()

    done = run.events[-1]
    assert isinstance(done, Done)
    price = any_project.root / "shop/price.py"
    assert done.sources[str(price)] == hashlib.sha256(price.read_bytes()).hexdigest()
    assert done.data_file == any_project.data_file
