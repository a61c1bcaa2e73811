"""What the changed expression itself says of inputs that could tell: where the two conditions part."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from testlens.scaffold.changes import Change, changes_for
from testlens.scaffold.kill.aim import Aim


def boundary_changes(aim: Aim, module: str) -> Iterator[Change]:
    """Changes to a scene after which the original and the mutant should go different ways, the likeliest first."""
    line = aim.statement.lineno
    for test, wanted in _wishes(aim):
        yield from changes_for(aim.target, module, test, wanted, line)


def _wishes(aim: Aim) -> Iterator[tuple[ast.expr, bool]]:
    before, after = aim.before, aim.after
    if before is None:
        return
    if after is not None and isinstance(before, ast.Compare | ast.BoolOp | ast.UnaryOp):
        # One of the two is to be true and the other not.
        yield ast.BoolOp(ast.And(), [before, ast.UnaryOp(ast.Not(), after)]), True
        yield ast.BoolOp(ast.And(), [after, ast.UnaryOp(ast.Not(), before)]), True
    for condition in _conditions_around(aim):
        yield from _at_the_edges(condition)
    for part in _operands(before):
        if not isinstance(part, ast.Constant):
            yield part, True
            yield part, False


def _conditions_around(aim: Aim) -> Iterator[ast.expr]:
    """The conditions that the changed expression is, or is a part of."""
    before = aim.before
    for node in ast.walk(aim.statement):
        match node:
            case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test) | ast.Assert(test=test):
                if any(part is before or _same_place(part, before) for part in ast.walk(test)):
                    yield test
    if isinstance(before, ast.Compare):
        yield before


def _same_place(one: ast.AST, other: ast.expr | None) -> bool:
    return (
        other is not None
        and isinstance(one, ast.expr)
        and (one.lineno, one.col_offset, one.end_col_offset) == (other.lineno, other.col_offset, other.end_col_offset)
    )


def _at_the_edges(condition: ast.expr) -> Iterator[tuple[ast.expr, bool]]:
    """The condition both ways, and each comparison in it where its sides are equal or next to each other."""
    yield condition, True
    yield condition, False
    for node in ast.walk(condition):
        match node:
            case ast.Compare(left=left, ops=[ast.Lt() | ast.LtE() | ast.Gt() | ast.GtE()], comparators=[right]):
                for op in (ast.Eq(), ast.Lt(), ast.Gt()):
                    yield ast.Compare(left, [op], [right]), True


def _operands(before: ast.expr) -> Iterator[ast.expr]:
    match before:
        case ast.BoolOp(values=values):
            yield from values
        case ast.IfExp(test=test):
            yield test
        case ast.Call(args=arguments, keywords=keywords):
            yield from arguments
            yield from (keyword.value for keyword in keywords)
        case ast.Name() | ast.Attribute():
            yield before
