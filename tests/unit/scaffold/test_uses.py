"""A parameter gets a value with the keys and elements that the function asks of it."""

from __future__ import annotations

import ast
from textwrap import dedent

import pytest

from testlens.scaffold.uses import by_use
from testlens.scaffold.values import any_value


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
