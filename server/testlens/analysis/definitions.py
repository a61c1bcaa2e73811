"""Where a module defines its functions and classes, by name, and nothing else of them: this is quick."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_WITH_SUITES = (ast.If, ast.Try, ast.TryStar, ast.With, ast.AsyncWith, ast.For, ast.While)


def definitions(tree: ast.Module) -> Mapping[str, int]:
    """The line (1-based) of the `def` or `class` of each function and class by dotted name, the last where it has many.

    What is defined inside of functions is left out.
    """
    return dict(_defined(tree.body, ""))


def _defined(statements: Sequence[ast.stmt], prefix: str) -> Iterator[tuple[str, int]]:
    for statement in statements:
        if isinstance(statement, _DEFINITIONS):
            yield f"{prefix}{statement.name}", statement.lineno
        if isinstance(statement, ast.ClassDef):
            yield from _defined(statement.body, f"{prefix}{statement.name}.")
        elif isinstance(statement, _WITH_SUITES):
            for suite in _suites(statement):
                yield from _defined(suite, prefix)


def _suites(statement: ast.stmt) -> Iterator[Sequence[ast.stmt]]:
    for field in ("body", "orelse", "finalbody"):
        yield getattr(statement, field, ())
    for handler in getattr(statement, "handlers", ()):
        yield handler.body
