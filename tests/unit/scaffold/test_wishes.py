"""A condition is read well enough to say with which values it comes out one way or the other."""

from __future__ import annotations

import ast
import unittest.mock
from typing import Any

import pytest

from testlens.domain.expressions import Reference, resolve
from testlens.scaffold.wishes import Way, ways

NAMES: dict[str, Any] = {"mock": unittest.mock, "LIMIT": 25, "Path": dict}

CONDITIONS = [
    "x",
    "not x",
    "x is None",
    "x is not None",
    "x == 'north'",
    "x != 3",
    "x < 0",
    "x >= 10.5",
    "10 < x",
    "0 < x < 10",
    "x in ('a', 'b')",
    "x not in {1, 2}",
    "'key' in x",
    "len(x) > 3",
    "len(x) == 0",
    "isinstance(x, str)",
    "isinstance(x, (list, tuple))",
    "isinstance(x, Path)",
    "not isinstance(x, int)",
    "hasattr(x, 'close')",
    "callable(x)",
    "x.startswith('http')",
    "x.endswith('.py')",
    "x.isdigit()",
    "x.strip()",
    "x.get('name')",
    "x and len(x) > 2",
    "x is None or x == 'a'",
    "not (x or x is None)",
    "(found := x)",
    "any(part < 0 for part in x)",
    "all(part < 0 for part in x)",
    "x == LIMIT",
]


def outcome(condition: str, way: Way) -> bool | None:
    """How the condition comes out with the wished value of `x`; None where the wishes are about something else."""
    values = {ast.unparse(wish.subject): wish.value.code for wish in way}
    if set(values) != {"x"}:
        return None
    x = eval(resolve(values["x"], _plain), dict(NAMES))
    try:
        return bool(eval(condition, {**NAMES, "x": x}))
    except (TypeError, AttributeError):
        return None


def _plain(reference: Reference) -> str:
    return reference.qualname if not reference.module else f"mock.{reference.qualname}"


@pytest.mark.parametrize("wanted", [True, False])
@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_condition_comes_out_as_wanted_with_one_of_the_first_values(condition: str, wanted: bool) -> None:
    found = ways(ast.parse(condition, mode="eval").body, wanted)
    assert any(outcome(condition, way) is wanted for way in found[:6]), [
        [(ast.unparse(wish.subject), wish.value.code) for wish in way] for way in found
    ]


def test_a_condition_on_two_values_wishes_for_both() -> None:
    (first, *_) = ways(ast.parse("a is None and b == 3", mode="eval").body, True)
    assert {ast.unparse(wish.subject): wish.value.code for wish in first} == {"a": "None", "b": "3"}


def test_a_name_of_the_module_is_marked_as_its_own() -> None:
    found = ways(ast.parse("kind == Kind.LARGE_ONE or size is LIMIT", mode="eval").body, True)
    codes = {wish.value.code for way in found for wish in way}
    assert "\x01:Kind.LARGE_ONE\x02" in codes
    assert "\x01:LIMIT\x02" in codes
