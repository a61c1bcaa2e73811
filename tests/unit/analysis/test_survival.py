"""Mutants that survive more often are checked first."""

from __future__ import annotations

import pytest

from testlens.analysis.survival import LAST_TURN, turn_of


@pytest.mark.parametrize(
    ("original", "replacement", "turn"),
    [
        ("age > max_age", "age >= max_age", 0),
        ("a == b", "a != b", 0),
        ("100", "101", 0),
        ("0.5", "1.5", 0),
        ('"notes"', '"XXnotesXX"', 1),
        ('b"salt"', 'b"SALT"', 1),
        ("found is None", "found is not None", LAST_TURN),
        ("key in known", "key not in known", LAST_TURN),
        ("True", "False", LAST_TURN),
        ('"notes"', "None", LAST_TURN),
        ("call(one, two)", "call(one, )", LAST_TURN),
        ("return found", "return None", LAST_TURN),
        ("a >", "a >=", LAST_TURN),
    ],
)
def test_the_turn_follows_the_form_of_the_change(original: str, replacement: str, turn: int) -> None:
    """Boundaries and numbers before texts, and those before all others."""
    assert turn_of(original, replacement) == turn
