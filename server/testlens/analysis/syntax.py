"""Source text to outline: functions, scopes and suites, in one walk over the syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from testlens.analysis._children import LEAVES, children
from testlens.analysis.boundaries import find_markers
from testlens.analysis.complexity import decisions
from testlens.domain.outline import MODULE, Function, Node, Outline, Scope, Suite

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_COMPOUND = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match)


def outline(tree: ast.Module) -> Outline:
    """The outline of a parsed module; all lines are 1-based."""
    builder = _Builder()
    builder.add_scope(MODULE, "", 0, tree.body)
    functions = sorted(builder.functions, key=lambda function: function.first)
    return Outline(tuple(functions), tuple(builder.scopes), find_markers(tree))


class _Builder:
    """Collects functions and scopes; a definition met on the way opens a scope of its own."""

    def __init__(self) -> None:
        self.functions: list[Function] = []
        self.scopes: list[Scope] = []

    def add_scope(self, name: str, prefix: str, line: int, body: Sequence[ast.stmt]) -> None:
        position = len(self.scopes)
        suite = self._suite(prefix, body)
        self.scopes.insert(position, Scope(name, line, suite))

    def _suite(self, prefix: str, statements: Sequence[ast.stmt]) -> Suite:
        return tuple(self._node(prefix, statement) for statement in statements)

    def _node(self, prefix: str, statement: ast.stmt) -> Node:
        if isinstance(statement, _DEFINITIONS):
            return self._definition(prefix, statement)
        if not isinstance(statement, _COMPOUND):
            return Node(statement.lineno, statement.end_lineno or statement.lineno)
        suites = tuple(self._suites(prefix, statement))
        return Node(statement.lineno, _head_last(statement.lineno, suites), suites)

    def _suites(self, prefix: str, statement: ast.stmt) -> Iterator[Suite]:
        body: list[ast.stmt] = getattr(statement, "body", [])
        if body:
            yield self._suite(prefix, body)
        for handler in getattr(statement, "handlers", ()):
            yield (self._clause(prefix, handler.lineno, handler.body),)
        for case in getattr(statement, "cases", ()):
            yield (self._clause(prefix, case.pattern.lineno, case.body),)
        for name in ("orelse", "finalbody"):
            if rest := getattr(statement, name, []):
                yield self._suite(prefix, rest)

    def _clause(self, prefix: str, line: int, body: Sequence[ast.stmt]) -> Node:
        suites = (self._suite(prefix, body),)
        return Node(line, _head_last(line, suites), suites)

    def _definition(self, prefix: str, definition: _Definition) -> Node:
        name = prefix + definition.name
        first = min([decorator.lineno for decorator in definition.decorator_list], default=definition.lineno)
        if not isinstance(definition, ast.ClassDef):
            last = definition.end_lineno or definition.lineno
            complexity = 1 + _decisions_within(definition.body)
            self.functions.append(Function(name, first, definition.lineno, last, complexity))
        self.add_scope(name, f"{name}.", definition.lineno, definition.body)
        return Node(first, max(definition.lineno, _first_line(definition.body[0]) - 1))


def _decisions_within(body: Sequence[ast.stmt]) -> int:
    # Nested definitions are functions of their own and count for themselves.
    total = 0
    pending: list[ast.AST] = [statement for statement in body if not isinstance(statement, _DEFINITIONS)]
    while pending:
        node = pending.pop()
        total += decisions(node)
        pending += children(node, _DECIDE_NOTHING)
    return total


_DECIDE_NOTHING = LEAVES | {ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef}


def _first_line(statement: ast.stmt) -> int:
    if isinstance(statement, _DEFINITIONS) and statement.decorator_list:
        return statement.decorator_list[0].lineno
    return statement.lineno


def _head_last(line: int, suites: Sequence[Suite]) -> int:
    return max(line, suites[0][0].line - 1)
