"""Where a test failed is shown at a line that still reads as it did, or nowhere."""

from __future__ import annotations

from testlens.domain import snapshot
from testlens.workspace.failures import Failure, place_failures

_OUTCOMES = {
    "test_a.py::test_two": snapshot.TestResult(
        "failed", 0.1, "assert 1 == 2\n + where", "test_a.py", 2, "assert f() == 2"
    ),
    "test_a.py::test_three": snapshot.TestResult("passed", 0.1),
}


def _lines(text: str) -> list[int]:
    return [failure.line for failure in place_failures(_OUTCOMES, "test_a.py", text)]


def test_a_failure_is_where_it_was() -> None:
    failures = place_failures(_OUTCOMES, "test_a.py", "def test_two():\n    assert f() == 2\n")
    assert failures == (Failure(2, "assert 1 == 2\n + where", ("test_a.py::test_two",)),)
    assert failures[0].summary == "assert 1 == 2 (test_two)"


def test_a_line_that_moved_is_found_again() -> None:
    assert _lines("import os\n\n\ndef test_two():\n    assert f() == 2\n") == [5]


def test_of_two_lines_alike_neither_is_guessed() -> None:
    assert _lines("x\n\ndef test_two():\n    assert f() == 2\n    assert f() == 2\n") == []


def test_an_edited_line_and_another_file_have_none() -> None:
    assert _lines("def test_two():\n    assert f() == 3\n") == []
    assert place_failures(_OUTCOMES, "test_b.py", "def test_two():\n    assert f() == 2\n") == ()


def test_a_test_that_failed_nowhere_in_the_project_is_not_shown_at_its_definition() -> None:
    outcomes = {"test_a.py::test_two": snapshot.TestResult("error", 0.1, "no such fixture", "test_a.py", 1)}
    assert place_failures(outcomes, "test_a.py", "def test_two(f):\n    pass\n") == ()


def test_tests_that_fail_at_one_line_are_counted() -> None:
    results = {
        f"test_a.py::test_{n}": snapshot.TestResult("failed", 0.1, "boom", "a.py", 1, "raise Boom") for n in "cab"
    }
    (failure,) = place_failures(results, "a.py", "raise Boom\n")
    assert failure.summary == "boom (test_a and 2 more)"
