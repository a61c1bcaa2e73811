"""Where a test goes in a file, and that nothing else of the file changes."""

from __future__ import annotations

from dataclasses import replace
from textwrap import dedent

import pytest

from testlens.scaffold.edits import apply
from unit.scaffold.drafts import PLACE, PLAIN, case, text_of, written

ONE = case("assert 1")
CLASSES = replace(PLAIN, classes=True)


def added(before: str, **rest: object) -> tuple[int, str]:
    """The line before which a test goes in the file, and the text that is put there."""
    (edit,) = written(ONE, into=before, **rest).edits
    assert edit.line == edit.end
    return edit.line, edit.text


TEST = "def test_it_works():\n    assert 1\n"


@pytest.mark.parametrize(
    ("before", "line", "text"),
    [
        ("def test_a():\n    pass\n", 3, f"\n\n{TEST}"),
        ("def test_a():\n    pass", 3, f"\n\n\n{TEST}"),
        ("def test_a():\n    pass\n\n\n\n", 6, TEST),
        ("def test_a():\n    pass\n\n# the end\n", 5, f"\n\n{TEST}"),
        ("x = 1\n\n\nif __name__ == '__main__':\n    main()\n", 4, f"{TEST}\n\n"),
        ("x = 1\n\n# Run.\nif '__main__' == __name__:\n    main()\n", 3, f"\n{TEST}\n\n"),
        ("if __name__ == '__main__':\n    main()\n\nx = 1\n", 5, f"\n\n{TEST}"),
        ("x = 1\r\n", 2, f"\n\n{TEST}".replace("\n", "\r\n")),
        ("x = 1\ry = 2\r", 3, f"\n\n{TEST}".replace("\n", "\r")),
        ("x = 1\n\x0cy = '\x0b\u2028'\n", 3, f"\n\n{TEST}"),
        ("class A:\n\tx = 1\n", 3, "\n\n" + TEST.replace("    ", "\t")),
        ("def a():\n  pass\n", 3, "\n\n" + TEST.replace("    ", "  ")),
        ("# Nothing yet.\n", 2, f"\n{TEST}"),
        ('"""Tests."""', 2, f"\n\n{TEST}"),
    ],
)
def test_a_function_goes_to_the_end_of_the_file(before: str, line: int, text: str) -> None:
    assert added(before) == (line, text)


METHOD = "    def test_it_works(self):\n        assert 1\n"


@pytest.mark.parametrize(
    ("before", "line", "text"),
    [
        ("class TestThing:\n    def test_a(self):\n        pass\n\n\nx = 1\n", 4, f"\n{METHOD}"),
        ("class TestThing:\n    x = 1\n    # So much for x.\n\n# And y.\ny = 2\n", 4, f"\n{METHOD}"),
        ("class TestThing:\n    x = 1", 3, f"\n\n{METHOD}"),
        ("class TestThing:\n\tx = 1\n", 3, "\n" + METHOD.replace("    ", "\t")),
        ("class TestThing:\n  x = 1\n", 3, "\n" + METHOD.replace("    ", "  ")),
        ("class TestThing:\r\n    x = 1\r\n", 3, f"\n{METHOD}".replace("\n", "\r\n")),
    ],
)
def test_a_method_goes_to_the_end_of_its_class(before: str, line: int, text: str) -> None:
    assert added(before, style=CLASSES) == (line, text)


@pytest.mark.parametrize(
    "head",
    [
        "class TestThing(Base):",
        "@pytest.mark.skip\nclass TestThing:",
        "class TestThing:\n    pytestmark = slow\n",
        "class TestThing:\n    __test__ = False\n",
        "class TestThing:\n    def __init__(self):\n        pass\n",
        "class TestThing: y = 1\nclass Other:",
        "TestThing = object\nclass Other:",
        "if True:\n    class TestThing:\n        y = 1\nclass Other:",
    ],
)
def test_a_class_that_would_change_what_a_test_does_gets_a_neighbour(head: str) -> None:
    made = written(ONE, into=f"{head}\n    x = 1\n", style=CLASSES)
    assert made.names == ("TestThing2::test_it_works",)
    again = written(ONE, into=made.files[PLACE.test_file], style=CLASSES)
    assert again.names == ("TestThing2::test_it_works_2",)


def test_a_class_whose_mark_new_tests_have_as_well_takes_them() -> None:
    style = replace(CLASSES, marks=("unit",))
    made = written(ONE, into="@pytest.mark.unit\nclass TestThing:\n    x = 1\n", style=style)
    assert made.names == ("TestThing::test_it_works",)


def test_a_test_of_the_same_name_is_not_replaced() -> None:
    made = written(ONE, ONE, into="def test_it_works():\n    pass\n\n\ntest_it_works_2 = None\n")
    assert made.names == ("test_it_works_3", "test_it_works_4")


def test_a_byte_order_mark_stays_in_front() -> None:
    text = text_of(case("assert date", given=("import datetime as date",)), into="\ufeffx = 1\n")
    assert text.startswith("\ufeffx = 1\n")
    text = text_of(case("assert \x01datetime:date\x02"), into="\ufeffx = 1\n")
    assert text.startswith("\ufefffrom datetime import date\n\nx = 1\n")


def test_a_file_that_is_not_utf_8_gets_nothing_that_it_cannot_hold() -> None:
    text = text_of(case("assert 'naïve ☃'"), into="# -*- coding: latin-1 -*-\n\nx = 1\n")
    assert 'assert "na\\xefve \\u2603"' in text


def test_the_edits_are_the_change() -> None:
    before = "import os\n\n\ndef test_a():\n    assert os\n"
    made = written(case("assert \x01decimal:Decimal\x02(1)"), into=before)
    assert [(edit.line, edit.end) for edit in made.edits] == [(2, 2), (6, 6)]
    assert apply(before, made.edits) == made.files[PLACE.test_file]
    assert made.added[PLACE.test_file] == dedent("""\
        from decimal import Decimal


        def test_it_works():
            assert Decimal(1)
        """)
