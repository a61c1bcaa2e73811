"""Which lines of a function have to run for a mutant of it to make any difference."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from testlens.analysis.mutant_spans import Change, body_around

# What makes a function a generator, or a name local, works wherever it stands.
_WORKS_FROM_AFAR = re.compile(r"\byield\b|:=")
_Compound = (
    ast.If | ast.For | ast.AsyncFor | ast.While | ast.With | ast.AsyncWith | ast.FunctionDef | ast.AsyncFunctionDef
)


def lines_to_run(source: str, function: str, change: Change) -> tuple[int, int] | None:
    """First and last of the lines of which one runs before the change matters, counted from 0 at the function's first.

    A function's first line is that of its decorators. None where the change may matter to whoever calls the function
    at all, as one of a default value does.
    """
    if _WORKS_FROM_AFAR.search(change.original):
        return None
    body = body_around(source, function, change.span)
    if body is None:
        return None
    statement = _innermost(body.node, change, body.shift)
    if statement is None:
        return None
    first, last = _extent(statement, change, body.shift)
    return first - body.first, last - body.first


def _innermost(function: ast.stmt, change: Change, shift: int) -> ast.stmt | None:
    best, inside = None, list(_statements_below(function))
    while inside:
        holding = [statement for statement in inside if _holds(statement, change, shift)]
        if not holding:
            break
        # Of several on one line nothing tells which it is.
        best = min(reversed(holding), key=lambda statement: (statement.end_lineno or 0) - statement.lineno)
        inside = list(_statements_below(best))
    return best


def _holds(statement: ast.stmt, change: Change, shift: int) -> bool:
    first, last = statement.lineno + shift, (statement.end_lineno or statement.lineno) + shift
    return first <= change.span.first_line and change.span.last_line <= last


def _statements_below(node: ast.AST) -> Iterator[ast.stmt]:
    """The statements that stand directly in this one, those of its handlers and cases included."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            yield child
        elif isinstance(child, ast.ExceptHandler | ast.match_case):
            yield from _statements_below(child)


def _extent(statement: ast.stmt, change: Change, shift: int) -> tuple[int, int]:
    first, last = statement.lineno + shift, (statement.end_lineno or statement.lineno) + shift
    if not isinstance(statement, _Compound):
        return first, last
    head_last = max(first, statement.body[0].lineno + shift - 1)
    return (first, head_last) if change.span.last_line <= head_last else (first, last)
