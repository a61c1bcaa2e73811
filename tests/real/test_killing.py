"""A test that kills a mutant is found, claims what differs, and is green on the original and red on the mutant."""

from __future__ import annotations

from pathlib import Path

import pytest

from real.killing_ground import killing_ground
from real.scaffold_ground import make_project
from real.test_example_clarity import example_python
from testlens.scaffold.kill.search import NotKilled

pytestmark = pytest.mark.real

PROJECT = {
    "shop.py": '''
        import logging
        import random

        logger = logging.getLogger(__name__)
        LIMIT = 100

        class OutOfStockError(Exception):
            def __init__(self, message, left):
                super().__init__(message)
                self.left = left

        def shipping(total, member=False):
            """What sending costs."""
            if total >= LIMIT or member:
                return 0
            return 5

        def take(stock, amount):
            if amount > stock:
                raise OutOfStockError("not enough in stock", stock)
            return stock - amount

        class Basket:
            def __init__(self, store=None):
                self._items = []
                self._store = store

            def add(self, name, count=1):
                self._items.append((name, count))
                if self._store is not None:
                    self._store.put(name, count=count)

            def size(self):
                return sum(count for _, count in self._items)

        def sorted_names(names):
            names.sort()
            logger.info("%d names", len(names))
            return None

        def total(prices):
            result = 0
            for price in prices:
                result += price
            return result + 0

        def receipt(names):
            return {"count": len(names), "names": names}

        class Post:
            def __init__(self, client=None):
                self._client = client or object()

            def send(self, name):
                return str(self._client.put(Name=name)["Id"])

        class Register:
            def __init__(self):
                self._names = set()

            def enter(self, name):
                if name in self._names:
                    raise ValueError("the name is taken")
                self._names.add(name)

        def jittered(delay):
            return delay * random.uniform(0.5, 1.0)
        ''',
    "tests/test_shop.py": """
        from unittest.mock import MagicMock

        import pytest

        from shop import (
            Basket,
            OutOfStockError,
            Post,
            Register,
            jittered,
            receipt,
            shipping,
            sorted_names,
            take,
            total,
        )


        def test_shipping():
            assert shipping(10) == 5
            assert shipping(200) == 0


        def test_take():
            assert take(5, 3) == 2
            with pytest.raises(OutOfStockError):
                take(1, 2)


        def test_basket():
            basket = Basket(MagicMock())
            basket.add("tea")


        def test_sorting():
            sorted_names(["b", "a"])


        def test_receipt():
            made = receipt(["tea"])
            assert made  # it is not empty


        def test_total():
            assert total([1, 2]) == 3


        def test_post():
            assert Post(MagicMock()).send("tea")


        def test_register():
            Register().enter("tea")


        def test_jitter():
            assert jittered(1.0) > 0
        """,
}

# The change, and what the test that kills it has to say.
CHANGES = {
    "a boundary": ("shipping", ">=", ">", "assert result == 0"),
    "a connective": ("shipping", "or", "and", "shipping("),
    "a default": ("shipping", "False", "True", "assert result == 5"),
    "a comparison that raises": ("take", ">", ">=", "assert result == 0"),
    "the words of a message": ("take", '"not enough in stock"', '"XXnot enough in stockXX"', "^not enough in stock$"),
    "an attribute of an exception": ("take", ", stock)", ", None)", "assert error.value.left == "),
    "what a stand-in is called with": ("add", "name, count=count", "None, count=count", ".mock_calls == ["),
    "a state that only a method shows": ("add", "(name, count)", "(name, 0)", "outcome = "),
    "a record of logging": ("sorted_names", '"%d names"', '"XX%d namesXX"', "assert logged == "),
    "what a stand-in is called with, among what Python does with it": (
        *("send", "Name=name", "Name=None"),
        ".put.assert_called_once_with(Name=",
    ),
    "what a second call meets": ("enter", '"the name is taken"', '"XXthe name is takenXX"', "^the name is taken$"),
    "what is left to chance": ("jittered", "0.5", "0.6", "random.seed(1)"),
    "what becomes of an argument": ("sorted_names", "names.sort()", "names.reverse()", "assert names == "),
}


async def test_what_the_mutant_changes_is_what_the_test_claims(tmp_path: Path) -> None:
    root = make_project(tmp_path, PROJECT)
    before = {path: path.read_bytes() for path in root.rglob("*.py")}
    wrong = {}
    async with killing_ground(root, example_python()) as ground:
        for kind, (function, original, replacement, claim) in CHANGES.items():
            killing = await ground.kill(function, original, replacement)
            text = killing.written.added["tests/test_shop.py"]
            if not killing.is_verified or claim not in text:
                wrong[kind] = text

    assert not wrong
    assert {path: path.read_bytes() for path in root.rglob("*.py")} == before


async def test_where_nothing_tells_them_apart_it_says_how_far_it_looked(tmp_path: Path) -> None:
    root = make_project(tmp_path, PROJECT)
    async with killing_ground(root, example_python(), budget=1.0) as ground:
        found = await ground.look_for("total", "result + 0", "result - 0")

    assert isinstance(found, NotKilled)
    assert 0 < found.reached <= found.tried
    assert not found.differed


async def test_a_test_that_has_the_input_already_gets_the_assertion_that_it_lacks(tmp_path: Path) -> None:
    root = make_project(tmp_path, PROJECT)
    before = (root / "tests" / "test_shop.py").read_text()
    async with killing_ground(root, example_python()) as ground:
        killing = await ground.kill("receipt", '"count"', '"COUNT"')

    assert killing.way == "assertion"
    assert killing.is_verified
    assert killing.written.node_ids == ("tests/test_shop.py::test_receipt",)
    line = "    assert made  # it is not empty\n"
    recorded = "    # Recorded from today's behaviour: confirm that it is meant.\n"
    claim = '    assert made == {"count": 1, "names": ["tea"]}\n'
    assert killing.written.files["tests/test_shop.py"] == before.replace(line, line + recorded + claim)
