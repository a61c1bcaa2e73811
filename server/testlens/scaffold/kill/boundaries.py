"""What the changed expression itself says of inputs that could tell: where the two conditions part."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from testlens.scaffold.changes import Change, changes_for
from testlens.scaffold.kill.aim import Aim

_MOST_TEXTS = 3
_VALUES = ("'name'", "'yes'", "'2'", "'no'", "0", "None")


def boundary_changes(aim: Aim, module: str) -> Iterator[Change]:
    """Changes to a scene after which the original and the mutant should go different ways, the likeliest first."""
    line = aim.statement.lineno
    for test, wanted in _wishes(aim):
        yield from changes_for(aim.target, module, test, wanted, line)


def texts_of(aim: Aim) -> tuple[str, ...]:
    """The texts that the change takes away or brings, then those of the expression and of the smallest call around."""
    around = [node for node in ast.walk(aim.statement) if isinstance(node, ast.Call) and _holds(node, aim.before)]
    innermost = min(around, key=lambda node: len(ast.dump(node)), default=None)
    parts = [part for part in (aim.before, aim.after, innermost) if part is not None]
    before, after = (set() if part is None else set(_texts(part)) for part in (aim.before, aim.after))
    found = dict.fromkeys(text for part in parts for text in _texts(part))
    return tuple(sorted(found, key=lambda text: text in before & after))[:_MOST_TEXTS]


def _texts(part: ast.expr) -> Iterator[str]:
    nodes = (node.value for node in ast.walk(part) if isinstance(node, ast.Constant))
    yield from (value for value in nodes if isinstance(value, str) and value)


def with_entries(code: str, keys: tuple[str, ...]) -> Iterator[str]:
    """A dict display in marked source with one more entry; nothing for any other code."""
    if not (code.startswith("{") and code.endswith("}") and (":" in code or code == "{}")):
        return
    inside = code[1:-1].rstrip().removesuffix(",")
    for value in _VALUES:
        for key in keys:
            yield f"{{{', '.join(filter(None, [inside, f'{key!r}: {value}']))}}}"


def _holds(node: ast.Call, part: ast.expr | None) -> bool:
    return part is not None and any(_same_place(inner, part) for inner in ast.walk(node))


def _wishes(aim: Aim) -> Iterator[tuple[ast.expr, bool]]:
    before, after = aim.before, aim.after
    if before is None:
        return
    if isinstance(before, ast.Compare):
        yield from _where_sides_meet(before)
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
        if isinstance(node, ast.Compare):
            yield from _where_sides_meet(node)


def _where_sides_meet(comparison: ast.Compare) -> Iterator[tuple[ast.expr, bool]]:
    match comparison:
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
