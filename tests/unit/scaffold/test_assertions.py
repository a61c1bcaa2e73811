"""What a test claims is what was seen, as far as it will be seen again."""

from __future__ import annotations

import pytest

from testlens.domain.calls import Raised
from testlens.domain.trials import FunctionDescription, Trial
from testlens.scaffold.assertions import Circumstance, conclude
from testlens.scaffold.scene import Scene
from testlens.scaffold.style import Style

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
