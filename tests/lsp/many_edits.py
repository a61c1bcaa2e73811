"""A small project, and someone who edits it all the time."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path

from watched import PRICES

_STOCK = """\
class Stock:
    def __init__(self):
        self.things = {}

    def add(self, name, count=1):
        if count < 0:
            raise ValueError(count)
        self.things[name] = self.things.get(name, 0) + count

    def has(self, name):
        return self.things.get(name, 0) > 0
"""
_TEST_PRICES = """\
import time

import pytest

from shop import prices, stock


@pytest.fixture
def slowly():
    time.sleep(0.15)


def test_small():
    assert prices.fee(3) == 1


def test_large(slowly):
    assert prices.fee(12) == 2


@pytest.mark.parametrize("given", [[], [1, 2]])
def test_total(given):
    assert prices.total(given) == sum(given)
"""
_TEST_STOCK = """\
import pytest

from shop import prices, stock


def test_add():
    mine = stock.Stock()
    mine.add("pear", 2)
    assert mine.has("pear")


def test_not_less_than_nothing():
    with pytest.raises(ValueError):
        stock.Stock().add("pear", -1)


def test_price_of_things():
    mine = stock.Stock()
    mine.add("plum")
    assert prices.fee(len(mine.things)) == 1
"""
_FILES: Mapping[str, str] = {
    "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["."]\naddopts = ["-p", "no:randomly"]\n',
    "conftest.py": "",
    "shop/__init__.py": "",
    "shop/prices.py": PRICES,
    "shop/stock.py": _STOCK,
    "tests/test_prices.py": _TEST_PRICES,
    "tests/test_stock.py": _TEST_STOCK,
}
SOURCES = ("shop/prices.py", "shop/stock.py", "tests/test_prices.py")
"""The files that are open in the editor."""

_EDITS = (
    ("shop/prices.py", "return 2", "return 1 + 1"),
    ("shop/prices.py", "return 2", "return 3"),
    ("shop/prices.py", "    if amount > 10:", "    limit = 10\n    if amount > limit:"),
    ("shop/prices.py", "    result = 0\n", "    # so far\n    result = 0\n"),
    ("shop/prices.py", "    return price\n", "    return price + 1\n"),
    ("shop/prices.py", "    return result\n", "    return result + (\n"),
    ("shop/stock.py", "if count < 0:", "if count < 0 or not name:"),
    ("shop/stock.py", "self.things.get(name, 0) > 0", "name in self.things"),
    ("shop/stock.py", "class Stock:\n", "class Stock:\n    LIMIT = 3\n\n"),
    ("tests/test_prices.py", "[[], [1, 2]]", "[[], [1, 2], [4]]"),
    ("tests/test_prices.py", "def test_small", "def test_tiny"),
    ("tests/test_prices.py", "prices.fee(3) == 1", "prices.fee(3) == 1, 'small'"),
    ("tests/test_stock.py", 'mine.add("plum")', 'mine.add("plum", 4)'),
    ("tests/test_stock.py", "def test_price_of_things", "def test_no_thing():\n    pass\n\n\ndef test_price_of_things"),
)
_MENDED = ("shop/prices.py", "    return 1\n", "    return 2 - 1\n")
_LONGEST_PAUSE = 0.35


class Author:
    """Edits the project in `root`, which begins in a good state, and takes edits back again."""

    def __init__(self, root: Path, chance: random.Random) -> None:
        self.root = root
        self._chance = chance
        self._made: set[int] = set()
        for name, text in _FILES.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def edit(self) -> tuple[str, str]:
        """The next save: a file and its new text. Each of the edits is made or taken back."""
        number = self._chance.randrange(len(_EDITS))
        # Of those that change the same words, one at a time.
        same = {other for other in self._made if other != number and _EDITS[other][:2] == _EDITS[number][:2]}
        self._made = (self._made - same) ^ {number}
        return self._text_of(_EDITS[number][0])

    def mend(self) -> tuple[str, str]:
        """A save after which everything can be imported, and which tests of each file notice."""
        unfinished = next(number for number, (_, _, after) in enumerate(_EDITS) if after.endswith("(\n"))
        self._made.discard(unfinished)
        name, text = self._text_of(_MENDED[0])
        return name, text.replace(*_MENDED[1:]) if _MENDED[2] not in (self.root / name).read_text() else text

    def pause(self) -> float:
        """Seconds to the next save."""
        return self._chance.random() * _LONGEST_PAUSE

    def _text_of(self, name: str) -> tuple[str, str]:
        text = _FILES[name]
        for number in sorted(self._made):
            path, before, after = _EDITS[number]
            if path == name:
                text = text.replace(before, after)
        return name, text
