"""Arid code, where survivors teach nobody anything, and changes that look as if they changed nothing."""

from __future__ import annotations

import ast

import pytest

from testlens.analysis.arid import arid_kind, arid_parts
from testlens.analysis.equivalents import looks_equivalent
from testlens.domain.mutants import Span


def kind_of(line: str, part: str) -> str | None:
    """What `part` of a line in a function is."""
    indented = f"    {line}"
    text = f"def f(self, x, y, log):\n{indented}\n"
    start, bare = indented.index(part), part.strip("()")
    start += part.index(bare)
    return arid_kind(arid_parts(ast.parse(text), text), Span(2, start, 2, start + len(bare)))


@pytest.mark.parametrize(
    ("line", "part", "kind"),
    [
        ('logger.info("%s came", x)', '"%s came"', "logging"),
        ("self._log.debug(x)", "(x)", "logging"),
        ('logging.getLogger("x").error(y)', "(y)", "logging"),
        ('raise ValueError(f"bad {x}")', 'f"bad {x}"', "messages"),
        ('raise ValueError("bad", x)', '"bad", x', "messages"),
        ('assert x, "no x"', '"no x"', "messages"),
        ('warnings.warn("old")', '"old"', "messages"),
        ('parser.add_argument("-v", help="talk")', 'help="talk"', "messages"),
        ("print(x)", "(x)", "texts for debugging"),
        ("y = cast(int, x)", "int", "types"),
        ("y: int = 3", "int", "types"),
        ('__version__ = "1.2"', '"1.2"', "version strings"),
        ("return x > y", "x > y", None),
        ("raise TooLarge(x)", "(x)", None),
        ("return catalog.info(x)", "(x)", None),
        ('parser.add_argument("-v", default="talk")', 'default="talk"', None),
        ("y: int = 3", "3", None),
    ],
)
def test_code_is_arid_by_what_it_is_for(line: str, part: str, kind: str | None) -> None:
    assert kind_of(line, part) == kind


def test_columns_are_counted_in_characters() -> None:
    text = 'def f(x):\n    y = "ä€𝄞"; log.info(x)\n    return y\n'
    start = text.split("\n")[1].index("x)")
    assert arid_kind(arid_parts(ast.parse(text), text), Span(2, start, 2, start + 1)) == "logging"
    assert arid_kind(arid_parts(ast.parse(text), text), Span(2, 8, 2, 13)) is None


def test_all_of_a_repr_is_arid() -> None:
    text = 'class A:\n    def __repr__(self):\n        return f"A({self.x > 1})"\n'
    assert arid_kind(arid_parts(ast.parse(text), text), Span(3, 20, 3, 30)) == "texts for debugging"


@pytest.mark.parametrize(
    ("original", "replacement", "expected"),
    [
        ("d.get(k, None)", "d.get(k)", True),
        ("d.get(k, None)", "d.get(k, )", True),
        ('"utf-8"', '"UTF-8"', True),
        ('x.encode("utf-8")', 'x.encode("UTF-8")', True),
        ("x = None", 'x = ""', True),
        ('s.split(",")', 's.rsplit(",")', True),
        ("cast(int, x)", "cast(None, x)", True),
        ('s.split(",", 1)', 's.rsplit(",", 1)', False),
        ("d.get(k, 0)", "d.get(k)", False),
        ('"utf-8"', '"XXutf-8XX"', False),
        ('"name"', '"NAME"', False),
        ("a > b", "a >= b", False),
        ("break", "return", False),
        ("a", "", False),
        ("if", "else", False),
    ],
)
def test_what_looks_equivalent(original: str, replacement: str, *, expected: bool) -> None:
    assert looks_equivalent(original, replacement) is expected
