"""Cyclomatic complexity: one more than the number of places where a function can go two ways."""

from __future__ import annotations

import ast

_DECISIONS = frozenset({ast.If, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.IfExp, ast.match_case})


def decisions(node: ast.AST) -> int:
    """The decision points that `node` itself adds; those of its children are theirs.

    McCabe, "A Complexity Measure" (1976), extended as is customary: each further operand of `and` and `or` and each
    comprehension with its conditions counts as well.
    """
    if type(node) in _DECISIONS:
        return 1
    if isinstance(node, ast.BoolOp):
        return len(node.values) - 1
    if isinstance(node, ast.comprehension):
        return 1 + len(node.ifs)
    return 0
