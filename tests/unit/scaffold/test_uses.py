"""A parameter gets a value with the keys and elements that the function asks of it."""

from __future__ import annotations

import ast
from textwrap import dedent

import pytest

from testlens.domain.expressions import Expression
from testlens.domain.gaps import Region
from testlens.domain.trials import FunctionDescription, ParameterFacts
from testlens.scaffold.recipe import Knowledge
from testlens.scaffold.style import Style
from testlens.scaffold.target import Target, find_target
from testlens.scaffold.uses import by_use
from testlens.scaffold.values import any_value, arguments_for


def values(source: str) -> list[str]:
    """The values for the first parameter of the first function."""
    functions = {node.name: node for node in ast.parse(dedent(source)).body if isinstance(node, ast.FunctionDef)}
    first = next(iter(functions.values()))
    return [value.code for value in by_use(first, first.args.args[0].arg, any_value, functions)]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('return order["id"], order["total"]', ["{'id': \"item-1\", 'total': 1}"]),
        ('return order["id"], order.get("note", "")', ["{'id': \"item-1\"}"]),
        ('return order.get("note")', ["{'note': \"name\"}"]),
        ("return [line for line in order]", ['["name"]']),
        ('for line in order:\n        print(line["count"])', ["[{'count': 1}]"]),
        ("for key, count in order:\n        print(key)", ['[("item-1", 1)]']),
        ('for at, line in enumerate(order):\n        print(at, line["count"])', ["[{'count': 1}]"]),
        ('part = order[0:2]\n    print([line["count"] for line in part])', ["[{'count': 1}]"]),
        ('order["seen"] = 1', []),
        ("return order", []),
    ],
)
def test_what_a_function_asks_for_is_there(body: str, expected: list[str]) -> None:
    assert values(f"def f(order):\n    {body}\n") == expected


def test_what_a_function_passes_on_has_what_the_other_asks_for() -> None:
    source = """
        def send(messages):
            for batch in batches(messages):
                post(batch)
        def batches(found):
            for message in found:
                yield size(message)
        def size(message):
            return len(message["text"])
        """
    assert values(source) == ["[{'text': \"name\"}]"]


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        ("", "[{'id': \"item-1\"}]"),
        ("list", "[{'id': \"item-1\"}]"),
        ("list[dict[str, Any]]", "[{'id': \"item-1\"}]"),
        ("Sequence[Order]", "[Order()]"),
        ("Sequence[tuple[str, dict[str, Any]]]", "[Order()]"),
    ],
)
def test_a_type_that_says_what_is_inside_is_believed_first(annotation: str, expected: str) -> None:
    source = 'def f(orders):\n    for order in orders:\n        print(order["id"])\n'
    tree = ast.parse(source)
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef)
    region = Region("uncovered", "f", 1, 2, 2, (2,), (), "")
    target = find_target("shop.py", "shop", tree, region, ())
    assert isinstance(target, Target)
    typed = ParameterFacts("orders", "positional", False, annotation, (Expression("[Order()]", origin="type"),))
    description = FunctionDescription("f", "shop", "function", "\x01shop:f\x02", parameters=(typed,))
    first = arguments_for(target, Knowledge(Style(), description))["orders"][0]
    assert first.code == expected


@pytest.mark.parametrize(
    ("body", "is_path"),
    [
        ("open(it)", True),
        ("os.remove(it)", True),
        ("shutil.rmtree(it)", True),
        ("os.kill(it, 9)", False),
        ("os.getenv(it)", False),
    ],
)
def test_what_is_opened_as_a_file_is_a_path_in_a_temporary_folder(body: str, is_path: bool) -> None:
    function = ast.parse(f"def f(it):\n    {body}\n").body[0]
    assert isinstance(function, ast.FunctionDef)
    assert any("tmp_path" in value.fixtures for value in by_use(function, "it", lambda _name: '"name"')) is is_path
