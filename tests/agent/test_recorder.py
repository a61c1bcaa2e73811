"""What the project's tests call its functions with is known after a run, and the tests notice nothing of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from agent.interpreters import environment, found, in_order
from agent.projects import Project, Run
from testlens.domain.calls import Raised, SeenCall, SeenCalls
from testlens.domain.expressions import Expression
from testlens.runners.pytest_runner import run_tests
from testlens.sources.seen_calls import load_seen_calls

SHOP = {
    "shop/__init__.py": "",
    "shop/cart.py": """
        import functools
        from dataclasses import dataclass, field

        def logged(function):
            @functools.wraps(function)
            def wrapper(*args, **kwargs):
                return function(*args, **kwargs)
            return wrapper

        class Item:
            def __init__(self, name, price=1.0, *tags, **more):
                self.name, self.price = name, price

        class Frozen:
            def __new__(cls, name):
                self = super().__new__(cls)
                self.name = name
                return self

        class Cart:
            def __init__(self, currency="EUR", items=()):
                self.currency = currency
                self.items = list(items)

            def add(self, item):
                self.items.append(item)
                return len(self.items)

            @property
            def total(self):
                return sum(item.price for item in self.items)

            @classmethod
            def of(cls, *items, **options):
                return cls(items=items, **options)

            @staticmethod
            def rounded(amount, digits=2):
                return round(amount, digits)

            @logged
            def checkout(self, *, cash):
                if not self.items:
                    raise LookupError("an empty cart")
                return cash

        class Vip(Cart):
            def __init__(self):
                super().__init__("USD")

        class Till:
            def count(self, coins):
                return len(coins)

        @dataclass
        class Voucher:
            code: str
            seal: str = field(init=False)

            def __post_init__(self):
                self.code, self.seal = self.code.upper(), object()

        class Vault:
            def __init__(self, secret_key, size=1):
                self.key, self.size = secret_key, size

            def open(self):
                return self.size

        def drain(amounts):
            total = 0
            while amounts:
                total += amounts.pop()
            return total

        def label(item, by="name"):
            return getattr(item, by)

        def countdown(start):
            while start:
                yield start
                start -= 1

        async def fetch(url):
            return url

        def load(path):
            return path.read_text()

        def login(user, password):
            return {"user": user, "token": password}

        def outer(x):
            def inner(y):
                raise KeyError(y)
            try:
                inner(x)
            except KeyError:
                pass
            return parse(x)

        def parse(text):
            return int(text)
        """,
    "conftest.py": """
        import pytest
        from shop.cart import Cart, Item

        @pytest.fixture
        def cart(apple):
            return Cart(items=[apple])

        @pytest.fixture(scope="session")
        def apple():
            return Item("apple", 2.0)

        @pytest.fixture(params=[1, 2])
        def pair(request):
            return [request.param]

        @pytest.fixture
        def address():
            return "shop://" + "harbour-street-12"
        """,
    "test_cart.py": """
        import asyncio
        import pytest
        from shop.cart import *

        def test_add(cart):
            assert cart.add(Item("pear", 3)) == 2
            assert cart.total == 5.0

        def test_builds():
            label(Item("fig", 1.0, "sweet", "ripe", origin="IT"))
            label(Item(price=2.5, name="kiwi"))
            label(Frozen("ice"))
            Cart.of(currency="CHF").add(1)
            Vip().add(2)
            Cart.rounded(1.239)

        def test_more_builds():
            Till().count([])
            label(Voucher("a1"), by="code")
            Vault(b"hunter2", size=2).open()
            half = Item.__new__(Item)
            half.name = "half"
            label(half)

        def test_drain():
            assert drain([1, 2]) == 3

        def test_empty():
            with pytest.raises(LookupError):
                Cart().checkout(cash=True)

        def test_asks(address):
            assert asyncio.run(fetch(address)) == address

        def test_suspends():
            assert list(countdown(3)) == [3, 2, 1]
            assert asyncio.run(fetch("x://y")) == "x://y"

        def test_load(tmp_path):
            (tmp_path / "a.txt").write_text("hello")
            assert load(tmp_path / "a.txt") == "hello"

        def test_login():
            login("ada", password="hunter2")

        def test_pair(pair):
            assert drain(pair)

        def test_not_a_number():
            with pytest.raises(ValueError):
                outer("x1")
        """,
}
CART = "shop/cart.py"
ITEM = "\x01shop.cart:Item\x02"


@dataclass(frozen=True, slots=True)
class Example:
    """The shop after a run of all of its tests."""

    project: Project
    run: Run
    seen: SeenCalls

    def call(self, function: str, test: str) -> SeenCall:
        """The one call of the function by the test."""
        (call,) = (call for call in self.calls(function) if call.test == f"test_cart.py::{test}")
        return call

    def calls(self, function: str) -> tuple[SeenCall, ...]:
        """All calls of a function of the shop."""
        return self.seen[CART, function]


def recorded(project: Project) -> SeenCalls:
    """What the last run left; nothing of it may be unreadable."""
    seen, problems = load_seen_calls(project.data_file.with_name("calls.json"))
    assert problems == ()
    return seen


@pytest.fixture(scope="module", params=in_order(found()))
def example(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Example:
    """The shop's tests run once by each version of Python on this machine."""
    root = tmp_path_factory.mktemp("recorded") / "project"
    root.mkdir()
    project = Project(root, environment(request.param, found()[request.param]))
    project.write(SHOP)
    run = asyncio.run(project.run())
    assert set(run.outcomes.values()) == {"passed"}, run.result.output
    assert not run.result.problems, run.messages
    return Example(project, run, recorded(project))


def codes(values: Mapping[str, Expression | None]) -> dict[str, str | None]:
    return {name: None if value is None else value.code for name, value in values.items()}


def code(value: Expression | None) -> str | None:
    return None if value is None else value.code


def test_arguments_are_known_as_they_were_at_the_call(example: Example) -> None:
    call = example.call("drain", "test_drain")
    assert codes(call.arguments) == {"amounts": "[1, 2]"}
    assert (code(call.result), call.raised, call.receiver) == ("3", None, None)


def test_a_fixture_is_named_where_the_test_used_its_value(example: Example) -> None:
    call = example.call("Cart.add", "test_add")
    assert call.receiver == Expression("cart", ("cart",), "fixture")
    assert codes(call.arguments) == {"item": f"{ITEM}('pear', price=3)"}
    assert code(call.result) == "2"
    built = next(call for call in example.calls("Cart.__init__") if call.test.endswith("test_add"))
    assert built.arguments["items"] == Expression("[apple]", ("apple",), "fixture")
    record = json.loads(example.project.data_file.with_name("calls.json").read_bytes())
    assert record["fixture_files"] == {
        "address": ["conftest.py"],
        "apple": ["conftest.py"],
        "cart": ["conftest.py"],
        "tmp_path": [""],
    }


def test_a_fixture_that_would_multiply_the_test_is_not_asked_for(example: Example) -> None:
    calls = [call for call in example.calls("drain") if "test_pair" in call.test]
    assert sorted(codes(call.arguments)["amounts"] or "" for call in calls) == ["[1]", "[2]"]


def test_a_path_below_a_fixture_of_pytest_is_written_with_it(example: Example) -> None:
    call = example.call("load", "test_load")
    assert call.arguments["path"] == Expression("tmp_path / 'a.txt'", ("tmp_path",), "fixture")


def test_a_long_text_that_a_fixture_made_is_asked_for_by_the_fixtures_name(example: Example) -> None:
    assert example.call("fetch", "test_asks").arguments["url"] == Expression("address", ("address",), "fixture")


def test_objects_are_built_again_as_the_tests_built_them(example: Example) -> None:
    built = [code(call.arguments["item"]) for call in example.calls("label") if call.test.endswith("::test_builds")]
    assert built == [
        f"{ITEM}('fig', 1.0, 'sweet', 'ripe', origin='IT')",
        f"{ITEM}('kiwi', price=2.5)",
        "\x01shop.cart:Frozen\x02('ice')",
    ]
    receivers = [code(call.receiver) for call in example.calls("Cart.add")]
    assert "\x01shop.cart:Cart\x02(currency='CHF')" in receivers
    assert "\x01shop.cart:Vip\x02()" in receivers


def test_objects_without_a_constructor_in_sight_are_built_again_too(example: Example) -> None:
    assert code(example.call("Till.count", "test_more_builds").receiver) == "\x01shop.cart:Till\x02()"
    voucher, half = (call for call in example.calls("label") if call.test.endswith("::test_more_builds"))
    assert code(voucher.arguments["item"]) == "\x01shop.cart:Voucher\x02('a1')"
    assert half.arguments["item"] is None


def test_an_object_that_holds_a_secret_is_built_again_with_another(example: Example) -> None:
    call = example.call("Vault.open", "test_more_builds")
    assert code(call.receiver) == "\x01shop.cart:Vault\x02(b'secret-key', size=2)"


def test_class_and_static_methods_have_no_receiver_and_collect_their_arguments(example: Example) -> None:
    made = example.call("Cart.of", "test_builds")
    assert made.receiver is None
    assert codes(made.arguments) == {"items": "()", "options": "{'currency': 'CHF'}"}
    assert codes(example.call("Cart.rounded", "test_builds").arguments) == {"amount": "1.239", "digits": "2"}
    assert code(example.call("Cart.total", "test_add").receiver) == "cart"


def test_an_exception_is_known_by_class_message_and_line(example: Example) -> None:
    empty = example.call("Cart.checkout", "test_empty")
    assert (code(empty.receiver), codes(empty.arguments)) == ("\x01shop.cart:Cart\x02()", {"cash": "True"})
    line = next(n for n, text in enumerate(example_lines(example), 1) if "an empty cart" in text)
    assert (empty.result, empty.raised, empty.left) == (None, Raised("LookupError", "an empty cart", line), line)
    assert example_lines(example)[(example.call("Cart.rounded", "test_builds").left or 0) - 1].endswith(
        "(amount, digits)"
    )
    parse = example.call("parse", "test_not_a_number")
    assert parse.raised is not None
    assert parse.raised.message == "invalid literal for int() with base 10: 'x1'"
    outer = example.call("outer", "test_not_a_number")
    assert outer.raised == parse.raised


def example_lines(example: Example) -> list[str]:
    return (example.project.root / CART).read_text().splitlines()


def test_what_runs_piece_by_piece_is_known_by_its_arguments(example: Example) -> None:
    assert [codes(call.arguments) for call in example.calls("countdown")] == [{"start": "3"}]
    assert codes(example.call("fetch", "test_suspends").arguments) == {"url": "'x://y'"}


def test_a_password_never_leaves_the_test(example: Example) -> None:
    call = example.call("login", "test_login")
    assert codes(call.arguments) == {"user": "'ada'", "password": None}
    assert call.result is None
    assert b"hunter2" not in example.project.data_file.with_name("calls.json").read_bytes()


def test_only_functions_that_a_test_can_reach_are_known(example: Example) -> None:
    assert {file for file, _ in example.seen} == {CART}
    assert "outer.inner" not in {name for _, name in example.seen}


def test_a_run_with_the_recorder_measures_the_same_coverage(example: Example, tmp_path: Path) -> None:
    project = example.project
    plain = replace(project.request(), data_file=tmp_path / "plain.db", record_values=False)
    other = Run(asyncio.run(run_tests(plain, lambda event: None)), ())
    assert other.outcomes == example.run.outcomes
    for name in example.run.measured(project.root):
        path = project.root / name
        assert example.run.arcs(path) == other.arcs(path)
        lines = example.run.lines(path)
        assert lines == other.lines(path)
        assert all(example.run.contexts(path, line) == other.contexts(path, line) for line in lines)
    assert not (tmp_path / "calls.json").exists()
