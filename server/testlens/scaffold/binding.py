"""How tightly expressions bind, and what they are made of as far as line breaks are concerned."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from enum import IntEnum


class Level(IntEnum):
    """How tightly an expression binds; looser ones need parentheses inside of tighter ones."""

    NAMED = 0
    TUPLE = 1
    YIELD = 2
    TEST = 3
    OR = 4
    AND = 5
    NOT = 6
    COMPARE = 7
    BIT_OR = 8
    BIT_XOR = 9
    BIT_AND = 10
    SHIFT = 11
    ARITH = 12
    TERM = 13
    FACTOR = 14
    POWER = 15
    AWAIT = 16
    ATOM = 17


BINARY: Mapping[type[ast.operator], tuple[str, Level]] = {
    ast.Add: ("+", Level.ARITH),
    ast.Sub: ("-", Level.ARITH),
    ast.Mult: ("*", Level.TERM),
    ast.MatMult: ("@", Level.TERM),
    ast.Div: ("/", Level.TERM),
    ast.Mod: ("%", Level.TERM),
    ast.FloorDiv: ("//", Level.TERM),
    ast.LShift: ("<<", Level.SHIFT),
    ast.RShift: (">>", Level.SHIFT),
    ast.BitOr: ("|", Level.BIT_OR),
    ast.BitXor: ("^", Level.BIT_XOR),
    ast.BitAnd: ("&", Level.BIT_AND),
    ast.Pow: ("**", Level.POWER),
}
UNARY: Mapping[type[ast.unaryop], tuple[str, Level]] = {
    ast.Not: ("not ", Level.NOT),
    ast.Invert: ("~", Level.FACTOR),
    ast.UAdd: ("+", Level.FACTOR),
    ast.USub: ("-", Level.FACTOR),
}
COMPARE: Mapping[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}
_LOOSE: Mapping[type[ast.expr], Level] = {
    ast.NamedExpr: Level.NAMED,
    ast.Yield: Level.YIELD,
    ast.YieldFrom: Level.YIELD,
    ast.IfExp: Level.TEST,
    ast.Lambda: Level.TEST,
    ast.Compare: Level.COMPARE,
    ast.Await: Level.AWAIT,
    ast.Starred: Level.BIT_OR,
}
Link = ast.Attribute | ast.Call | ast.Subscript


def level(node: ast.expr) -> Level:
    """How tightly the expression binds as it is written; displays and tuples bring their own brackets."""
    match node:
        case ast.BinOp(op=operator):
            return BINARY[type(operator)][1]
        case ast.UnaryOp(op=unary):
            return UNARY[type(unary)][1]
        case ast.BoolOp(op=boolean):
            return Level.OR if isinstance(boolean, ast.Or) else Level.AND
    return _LOOSE.get(type(node), Level.ATOM)


def links(node: ast.expr) -> tuple[ast.expr, list[Link]]:
    """What a chain of attributes, calls and subscripts starts from, and its links from first to last."""
    found: list[Link] = []
    while isinstance(node, Link):
        found.append(node)
        node = node.func if isinstance(node, ast.Call) else node.value
    return node, found[::-1]


def follows_call(link: Link) -> bool:
    """Whether it is an attribute of what a call or subscript gave."""
    return isinstance(link, ast.Attribute) and isinstance(link.value, ast.Call | ast.Subscript)


def is_fluent(node: ast.expr) -> bool:
    """Whether the expression chains calls on what calls gave, which is broken before each of their dots."""
    return sum(follows_call(link) for link in links(node)[1]) > 1


def operands(node: ast.expr) -> list[ast.expr]:
    """What the loosest operators of an operation stand between; nothing for anything else."""
    match node:
        case ast.Compare(left, _, comparators):
            return [left, *comparators]
        case ast.BoolOp(_, values):
            return values
        case ast.BinOp(left, _, right):
            return [*(operands(left) if level(left) == level(node) else [left]), right]
    return []


def has_simple_power(node: ast.BinOp) -> bool:
    """Whether `**` stands without spaces: between names, attributes and numbers."""
    if isinstance(node.left, ast.UnaryOp):
        return False
    right = node.right
    if isinstance(right, ast.BinOp) and isinstance(right.op, ast.Pow):
        return _is_simple_operand(node.left) and has_simple_power(right)
    return _is_simple_operand(node.left) and _is_simple_operand(right)


def _is_simple_operand(node: ast.expr) -> bool:
    match node:
        case ast.UnaryOp(ast.USub() | ast.UAdd() | ast.Invert(), operand):
            return isinstance(operand, ast.Constant | ast.Name)
        case ast.Constant(value):
            return isinstance(value, int | float | complex) and not isinstance(value, bool)
    base, chain = links(node)
    return isinstance(base, ast.Name) and all(isinstance(link, ast.Attribute) for link in chain)


def is_simple_bound(node: ast.expr) -> bool:
    """Whether a colon of a slice stands beside the expression without a space."""
    if isinstance(node, ast.UnaryOp):
        return is_simple_bound(node.operand)
    return isinstance(node, ast.Name | ast.Constant)


def may_be_parenthesized(node: ast.expr) -> bool:
    """Whether the expression may be put in parentheses to break it; calls and displays have brackets of their own."""
    if isinstance(node, _Display | ast.Lambda | ast.Yield | ast.YieldFrom):
        return False
    chain = links(node)[1]
    return is_fluent(node) or not any(isinstance(link, ast.Call | ast.Subscript) for link in chain)


_Display = ast.List | ast.Tuple | ast.Dict | ast.Set | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def is_name_or_literal(node: ast.expr) -> bool:
    """Whether parentheses help only if the expression then fits: there is nothing in it to break."""
    return (
        isinstance(links(node)[0], ast.Name | ast.Constant | ast.JoinedStr)
        and not is_fluent(node)
        and level(node) == Level.ATOM
    )


def breaks_at_brackets(node: ast.expr) -> bool:
    """Whether an operation is broken at a bracket of its own rather than put in parentheses: Ruff's rule is that it
    has one operator of the loosest kind, and begins or ends with brackets that hold something."""
    if isinstance(node, ast.UnaryOp):
        return _ends_with_brackets(node.operand)
    if isinstance(node, ast.Await):
        return _ends_with_brackets(node.value)
    found = operands(node)
    return len(found) == 2 and (_is_filled_display(_edge(found[0], 0)) or _ends_with_brackets(_edge(found[1], -1)))


def _edge(node: ast.expr, index: int) -> ast.expr:
    """The first (0) or last (-1) operand of nested operations."""
    while found := operands(node):
        node = found[index]
    return node


def _ends_with_brackets(node: ast.expr) -> bool:
    if isinstance(node, ast.Call):
        return bool(node.args or node.keywords)
    return isinstance(node, ast.Subscript) or _is_filled_display(node)


def _is_filled_display(node: ast.expr) -> bool:
    match node:
        case ast.List(elements) | ast.Tuple(elements) | ast.Set(elements):
            return bool(elements)
        case ast.Dict(keys):
            return bool(keys)
    # What is looser than any operator stands in parentheses here.
    loose = level(node) <= Level.TEST
    return loose or isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp)
