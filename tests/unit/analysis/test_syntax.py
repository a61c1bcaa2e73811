"""The outline of a source text: functions as coverage.py names them, with McCabe's complexity."""

from __future__ import annotations

import pytest

from testlens.domain.outline import Function
from unit.sample import outlined

COMPLEXITIES = [
    ("return a", 1),
    ("if a: return b", 2),
    ("return a if b else c", 2),
    ("return a and b and c", 3),
    ("for x in a:\n  while b: pass", 3),
    ("try: a()\nexcept E: b()\nexcept F: c()", 3),
    ("return [x for x in a if x if b]", 4),
    ("with a: return b", 1),
    ("match a:\n  case 1: return b\n  case _: return c", 3),
    ("def inner():\n  if a: return b\nreturn inner", 1),
]


@pytest.mark.parametrize(("body", "complexity"), COMPLEXITIES)
def test_complexity_counts_the_places_where_code_can_go_two_ways(body: str, complexity: int) -> None:
    text = "def f(a, b, c):\n" + "".join(f"    {line}\n" for line in body.split("\n"))
    assert outlined(text).functions[0].complexity == complexity


def test_functions_have_dotted_names_and_lines_with_their_decorators() -> None:
    text = """\
        class Service:
            @classmethod
            @cached(
                size=1
            )
            def make(cls): return cls()

            async def fetch(self):
                def parse(): return 1
                return parse()
        """
    assert outlined(text).functions == (
        Function("Service.make", 2, 6, 6, 1),
        Function("Service.fetch", 8, 8, 10, 1),
        Function("Service.fetch.parse", 9, 9, 9, 1),
    )


def test_scopes_are_the_module_its_classes_and_functions_outer_ones_first() -> None:
    text = """\
        class A:
            x = 1
            def f(self):
                def g(): pass
        y = 2
        """
    assert [(scope.name, scope.line) for scope in outlined(text).scopes] == [
        ("<module>", 0),
        ("A", 1),
        ("A.f", 3),
        ("A.f.g", 4),
    ]
