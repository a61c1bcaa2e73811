"""Which mutants survive most often, by the form of the change alone, so that they can be checked first.

Of the mutants of itsdangerous and of examples/clarity that tests run, these shares survive: of comparisons of order or
equality 0.36 and 0.80, of numbers 0.22 and 0.81, of texts 0.60 and 0.52, of all others 0.16 and 0.42.
"""

from __future__ import annotations

import ast

LAST_TURN = 2
_ORDER_OR_EQUALITY = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)


def turn_of(original: str, replacement: str) -> int:
    """When a mutant that puts `replacement` in the place of `original` (both Python code) is to be checked: 0 first."""
    match _parsed(original), _parsed(replacement):
        case ast.Constant(value=bool()), _:
            return LAST_TURN
        case ast.Constant(value=int() | float()), ast.Constant(value=int() | float()):
            return 0
        case ast.Constant(value=str() | bytes()), ast.Constant(value=str() | bytes()):
            return 1
        case ast.Compare(ops=before), ast.Compare(ops=after) if _compares(before) and _compares(after):
            return 0
        case _:
            return LAST_TURN


def _compares(operators: list[ast.cmpop]) -> bool:
    return all(isinstance(operator, _ORDER_OR_EQUALITY) for operator in operators)


def _parsed(code: str) -> ast.AST | None:
    try:
        return ast.parse(code.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        return None
