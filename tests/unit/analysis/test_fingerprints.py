"""What an edit changed: the blocks whose own code is another now."""

from __future__ import annotations

import pytest

from testlens.analysis.fingerprints import blocks, changed_blocks

_TEXT = '''"""A module."""

import os

LIMIT = 10


class Basket:
    """What was bought."""

    size = 3

    def __init__(self, items=()):
        """Begin."""
        self.items = list(items)

    @property
    def total(self):
        return sum(self.items)

    @total.setter
    def total(self, value):
        self.items = [value]


def outer(one):
    def inner(two):
        return one + two

    return inner
'''


@pytest.mark.parametrize(
    ("before", "after", "names"),
    [
        ("return sum(self.items)", "return sum(self.items) + 1", ["Basket.total"]),
        ("self.items = [value]", "self.items = [value, 0]", ["Basket.total#2"]),
        ("return one + two", "return one - two", ["outer.inner"]),
        ("return inner", "return inner(3)", ["outer"]),
        ("def inner(two)", "def inner(two=2)", ["outer"]),
        ("size = 3", "size = 4", ["Basket"]),
        ("LIMIT = 10", "LIMIT = 11", [""]),
        ("items=()", "items=None", ["Basket"]),
        ("@property\n", "@cache\n", ["Basket"]),
        ('"""Begin."""', '"""Start."""', ["Basket"]),
        ("def outer(one)", "async def outer(one)", [""]),
        ("def outer(one):", "def outer(one: int) -> object:", [""]),
        ("class Basket:", "class Basket(dict):", [""]),
    ],
)
def test_an_edit_changes_the_blocks_that_run_it_and_no_other(before: str, after: str, names: list[str]) -> None:
    """What is evaluated when a definition is made belongs to the block around it."""
    assert before in _TEXT
    changed = changed_blocks(_TEXT, _TEXT.replace(before, after))
    assert [change.block.name for change in changed] == names


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("LIMIT = 10", "LIMIT = (10)  # ten"),
        ("return one + two", "# adds\n        return (\n            one + two\n        )"),
        ("import os\n", "import os\n\n\n\n"),
        ("'", '"'),
    ],
)
def test_comments_and_formatting_change_nothing(before: str, after: str) -> None:
    """However far they move the lines."""
    assert changed_blocks(_TEXT, _TEXT.replace(before, after)) == ()


def test_a_function_that_comes_or_goes_changes_what_is_around_it_as_well() -> None:
    """Names that are bound are the business of the block that binds them."""
    more = _TEXT + "\n\ndef another():\n    return 1\n"
    assert [change.block.name for change in changed_blocks(_TEXT, more)] == ["", "another"]
    assert [change.after for change in changed_blocks(more, _TEXT)][1:] == [None]


def test_lines_are_those_of_the_body() -> None:
    """Without the line of `def`, which runs at import; with inner functions."""
    found = blocks(_TEXT)
    lines = _TEXT.splitlines()
    assert lines[found["Basket.__init__"].first - 1].strip() == "self.items = list(items)"
    assert (lines[found["outer"].first - 1].strip(), found["outer"].last) == ("def inner(two):", len(lines))
    assert found["outer.inner"].is_in_function
    assert not found["Basket.total"].is_in_function


def test_what_cannot_be_parsed_is_refused() -> None:
    """Whoever asks decides what that means."""
    with pytest.raises(SyntaxError):
        blocks("def broken(:\n")


@pytest.mark.parametrize(
    ("edited", "names"),
    [
        ("if A:\n    b()\nelse:\n    d()\n\nlast()\n", [""]),
        ("if A:\n    b()\n\nlast(); more()\n", [""]),
        ("if A:\n    b()\n\ndef new():\n    return 1\n\nlast()\n", ["", "new"]),
        ("if A: \\\n    b()\n\nlast() \\\n\n", []),
        ("if A:\n    b()\n@wrapped\ndef new():\n    pass\nlast()\n", ["", "new"]),
        ("", [""]),
    ],
    ids=["a branch of the statement above", "on one line", "a new one", "backslashes", "decorated", "nothing left"],
)
def test_statements_that_an_edit_adds_to_others_are_told_apart_as_python_does(edited: str, names: list[str]) -> None:
    """Though only what was edited is parsed."""
    before = "if A:\n    b()\n\nlast()\n"
    changes = changed_blocks(before, edited)
    assert sorted(change.block.name for change in changes) == sorted(names)
    again = changed_blocks(edited, before)
    assert sorted(change.block.name for change in again) == sorted(names)
    assert blocks(edited) == blocks(edited + "\n# the end\n") | {"": blocks(edited)[""]}


def test_half_a_statement_is_refused_wherever_it_begins() -> None:
    for broken in ("if A:\n    b(\n\nlast()\n", "if A:\n    b()\n\nlast(\n", "  if A:\n    b()\n\nlast()\n"):
        with pytest.raises(SyntaxError):
            changed_blocks("if A:\n    b()\n\nlast()\n", broken)
