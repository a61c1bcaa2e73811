"""What a test claims is what was seen, as far as it will be seen again."""

from __future__ import annotations

import pytest

from testlens.domain.calls import Raised
from testlens.domain.expressions import Expression
from testlens.domain.trials import FunctionDescription, Seen, Trial
from testlens.scaffold.assertions import Circumstance, conclude
from testlens.scaffold.scene import Patch, Scene
from testlens.scaffold.style import Style
from testlens.scaffold.words import outcome_of

WORDS = Circumstance("a shop", "sell is called", "it is closed")


def raising(message: str) -> str:
    """The statement that expects an exception with this message."""
    scene = Scene(FunctionDescription("sell", "shop", "function", "\x01shop:sell\x02"))
    case = conclude(scene, Trial("failed", raised=Raised("ValueError", message)), WORDS, Style())
    return case.when.code[0]


def test_an_exception_is_expected_with_its_message() -> None:
    assert "match='it is closed'" in raising("it is closed")


@pytest.mark.parametrize(
    "message", ["it closed after 486654137 seconds", "it closed after 0x7f3a5c2b1d90", "it closed after /tmp/a1/b"]
)
def test_what_differs_from_run_to_run_is_no_part_of_the_message_that_is_expected(message: str) -> None:
    assert "match='it closed after'" in raising(message)


def test_an_exception_without_a_message_is_expected_by_its_class() -> None:
    assert "(ValueError):" in raising("")


def test_an_exception_of_any_class_is_expected_with_what_its_message_is() -> None:
    scene = Scene(FunctionDescription("sell", "shop", "function", "\x01shop:sell\x02"))
    case = conclude(scene, Trial("failed", raised=Raised("Exception", "")), WORDS, Style())
    assert '(Exception, match="^$"):' in case.when.code[0]


def test_each_of_two_collaborators_of_one_name_is_claimed_by_its_own_calls() -> None:
    stand_in = Expression("\x01unittest.mock:MagicMock\x02()", origin="mock")
    patches = (Patch("\x01shop:\x02", "get", stand_in), Patch("\x01till:\x02", "get", stand_in))
    scene = Scene(FunctionDescription("sell", "shop", "function", "\x01shop:sell\x02"), patches=patches)
    quiet, called = (
        Seen("\x01unittest.mock:MagicMock\x02", None, calls) for calls in ((), ("\x01unittest.mock:call\x02(1)",))
    )
    seen = {"result": Seen("NoneType", "None"), "get": quiet, "get_": called}

    case = conclude(scene, Trial("passed", local_values=seen), WORDS, Style())

    assert case.then.code == ("assert get_.mock_calls == [\x01unittest.mock:call\x02(1)]",)
    assert "get_ = \x01unittest.mock:MagicMock\x02()" in case.given.code
    assert "get = \x01unittest.mock:MagicMock\x02()" not in case.given.code


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("{1, 2}", "returns a set"),
        ("{'a': 1}", "returns a dict"),
        ("['a']", "returns a list"),
        ("(1, 2)", "returns a tuple"),
        ("'wind'", "returns wind"),
        ("\x01shop:Order\x02('a')", "returns an Order"),
        ("1 + 2j", "returns the value"),
    ],
)
def test_what_comes_back_is_called_what_it_is(code: str, said: str) -> None:
    assert outcome_of(code, None) == said
