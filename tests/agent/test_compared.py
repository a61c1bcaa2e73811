"""Of an assertion that compares, both values are told; of any other failure none."""

from __future__ import annotations

import asyncio

from agent.projects import Project, Run

_TESTS = """
    import unittest

    import pytest

    class Rude:
        def __repr__(self):
            raise RuntimeError("no")

        def __eq__(self, other):
            return False

        __hash__ = None

    class Same:
        def __repr__(self):
            return "same"

    def half(number):
        return number / 2

    def check(actual, expected):
        assert actual == expected

    def test_numbers():
        assert half(8) == 5

    def test_texts():
        assert "one\\ntwo" == "one\\nthree", "they differ"

    def test_in_a_helper():
        check([1, 2], [1, 3])

    def test_long():
        assert {number: "x" * 20 for number in range(10)} == {}

    def test_endless():
        assert "a" * 100_000 == "b"

    def test_holds_no_other():
        assert 1 in [2]

    def test_raises():
        raise AssertionError("nothing compared")

    def test_swallows_one_and_fails_on_another():
        with pytest.raises(AssertionError):
            assert half(8) == 5
        assert not half(8)

    def test_swallows_one_and_fails_on_an_error():
        try:
            assert half(8) == 5
        except AssertionError:
            raise ValueError("other")

    def test_cannot_be_shown():
        assert Rude() == 1

    def test_looks_the_same():
        assert Same() == Same()

    @pytest.mark.xfail
    def test_expected_to_fail():
        assert half(8) == 5

    class OldStyle(unittest.TestCase):
        def test_unittest(self):
            self.assertEqual(half(8), 5)
"""


def _run(project: Project) -> Run:
    project.write({"test_it.py": _TESTS})
    return asyncio.run(project.run())


def test_both_sides_of_a_comparison_are_told_where_it_failed_on_one(project: Project) -> None:
    found = {test.nodeid.partition("::")[2]: (test.expected, test.actual) for test in _run(project).result.results}
    assert found.pop("test_numbers") == ("5", "4.0")
    assert found.pop("test_texts") == ("one\nthree", "one\ntwo"), "texts as they are, to be compared line by line"
    assert found.pop("test_in_a_helper") == ("[1, 3]", "[1, 2]")
    expected, actual = found.pop("test_long")
    assert expected == "{}"
    assert actual is not None
    assert len(actual.splitlines()) == 10
    _, endless = found.pop("test_endless")
    assert endless is not None
    assert len(endless) < 6_000
    assert found == dict.fromkeys(found, (None, None))


def test_the_outcomes_are_those_of_pytest(project: Project) -> None:
    outcomes = _run(project).outcomes
    assert outcomes.pop("test_expected_to_fail") == "xfailed"
    assert set(outcomes.values()) == {"failed"}
