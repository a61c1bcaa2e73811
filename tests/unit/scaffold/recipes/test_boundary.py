"""The values that a table is made of lie right beside the conditions of the function."""

from __future__ import annotations

import ast
from textwrap import dedent

import pytest

from testlens.domain.expressions import Expression
from testlens.domain.gaps import Region
from testlens.scaffold.recipes.boundary import boundaries
from testlens.scaffold.target import Target, find_target


def target_of(source: str) -> Target:
    tree = ast.parse(dedent(source))
    function = next(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    line = function.body[0].lineno
    region = Region("uncovered", function.name, function.lineno, line, line, (line,), (), "")
    found = find_target("shop.py", "shop", tree, region, ())
    assert isinstance(found, Target)
    return found


def values(condition: str, usual: str, before: str = "") -> tuple[str, ...]:
    source = f"{before}\ndef price(x):\n    if {condition}:\n        return 1\n    return 2\n"
    found = boundaries(target_of(source), "shop", {"x": Expression(usual)}, frozenset())
    return found[0].codes if found else ()


@pytest.mark.parametrize(
    ("condition", "usual", "expected"),
    [
        ("x < 10", "1", ("9", "10")),
        ("x >= 10", "1", ("9", "10")),
        ("x > 10", "1", ("10", "11")),
        ("10 < x", "1", ("10", "11")),
        ("x <= 0.5", "0.1", ("0.5", "0.6")),
        ("20 <= x <= 250", "60", ("19", "20", "250", "251")),
        ("x == 'a'", "'b'", ("'a'", '"other"')),
        ("x in ('a', 'b')", "'c'", ("'a'", "'b'", '"other"')),
        ("x in (1, 2)", "1", ("1", "2", "3")),
        ("x is None", "'name'", ("None", "'name'")),
        ("not x", "'name'", ('""', "'name'")),
        ("x", "[1]", ("[]", "[1]")),
        ("len(x) > 2", "[7]", ("[7, 7]", "[7, 7, 7]")),
        ("len(x) < 40", "[7]", ("[7] * 39", "[7] * 40")),
        ("len(x) < 2", "'name'", ("'a'", "'aa'")),
        ("x < LIMIT", "1", ("29", "30")),
        ("x not in KNOWN", "'c'", ("'a'", "'b'", '"other"')),
        ("y < 3", "1", ()),
    ],
)
def test_a_condition_gives_values_on_both_of_its_sides(condition: str, usual: str, expected: tuple[str, ...]) -> None:
    constants = 'LIMIT = 30\nKNOWN = frozenset(("a", "b"))\n'
    assert values(condition, usual, constants) == expected


def test_a_member_of_an_enumeration_is_imported_from_where_it_is_defined() -> None:
    assert values("x is Speed.FAST", "'name'", "from shop.speeds import Speed") == (
        "\x01shop.speeds:Speed.FAST\x02",
        "'name'",
    )


def test_a_name_that_is_bound_to_something_else_is_no_parameter_any_more() -> None:
    source = "def price(x):\n    x = load()\n    if x < 10:\n        return 1\n"
    assert boundaries(target_of(source), "shop", {"x": Expression("1")}, frozenset()) == []


def test_fields_that_a_class_checks_are_the_arguments_of_its_constructor() -> None:
    source = """
        class Price:
            def __post_init__(self):
                if self.amount < 0:
                    raise ValueError
        """
    found = boundaries(target_of(source), "shop", {"amount": Expression("1")}, frozenset({"amount"}))
    assert [(one.parameter, one.codes) for one in found] == [("amount", ("-1", "0"))]
