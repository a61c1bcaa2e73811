"""Takes variables away that nothing reads."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from testlens.scaffold.tidy import is_useless


def without_unused(suites: Sequence[Sequence[ast.stmt]]) -> list[list[ast.stmt]]:
    """The suites, which follow one another in one function, without variables that nothing reads."""
    current = [list(suite) for suite in suites]
    while True:
        read = {name for suite in current for statement in suite for name in _read(statement)}
        if "locals" in read:
            return current
        dropper = _Dropper(read)
        current = [_visit_suite(dropper, suite) for suite in current]
        if not dropper.dropped:
            return current


def _read(statement: ast.stmt) -> Iterator[str]:
    for node in ast.walk(statement):
        match node:
            case ast.Name(name, ast.Load() | ast.Del()) | ast.AugAssign(ast.Name(name)):
                yield name
            case ast.Global(names) | ast.Nonlocal(names):
                yield from names


def _visit_suite(visitor: ast.NodeTransformer, suite: Sequence[ast.stmt]) -> list[ast.stmt]:
    found: list[ast.stmt] = []
    for statement in suite:
        result = visitor.visit(statement)
        found.extend(result if isinstance(result, list) else [result] if result is not None else [])
    return found


class _Dropper(ast.NodeTransformer):
    """Takes away variables that nothing reads, and keeps what is done to compute them."""

    def __init__(self, read: set[str]) -> None:
        self._read = read
        self.dropped = False

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AsyncFunctionDef:
        return node

    def visit_Match(self, node: ast.Match) -> ast.Match:
        return node

    def visit_TryStar(self, node: ast.TryStar) -> ast.TryStar:
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.stmt | None:
        if len(node.targets) != 1:
            return node
        target = node.targets[0]
        if isinstance(target, ast.Name) and self._is_unused(target.id):
            return self._without_target(node)
        if isinstance(target, ast.Tuple):
            for element in target.elts:
                self._mark_unused(element)
        return node

    def _mark_unused(self, element: ast.expr) -> None:
        if isinstance(element, ast.Name) and self._is_unused(element.id):
            element.id = f"_{element.id}"

    def _without_target(self, node: ast.Assign) -> ast.stmt | None:
        self.dropped = True
        if _is_inert(node.value):
            return None
        if is_useless(node.value):
            return ast.copy_location(ast.Assign([ast.Name("_", ast.Store())], node.value), node)
        return ast.copy_location(ast.Expr(node.value), node)

    def visit_With(self, node: ast.With) -> ast.With:
        self._drop_targets(node.items)
        node.body = self._kept(node.body)
        return node

    def visit_AsyncWith(self, node: ast.AsyncWith) -> ast.AsyncWith:
        self._drop_targets(node.items)
        node.body = self._kept(node.body)
        return node

    def _drop_targets(self, items: Sequence[ast.withitem]) -> None:
        for item in items:
            if isinstance(item.optional_vars, ast.Name) and self._is_unused(item.optional_vars.id):
                item.optional_vars = None
                self.dropped = True

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.ExceptHandler:
        if node.name and self._is_unused(node.name):
            node.name = None
            self.dropped = True
        node.body = self._kept(node.body)
        return node

    def visit_For(self, node: ast.For) -> ast.For:
        node.body = self._kept(node.body)
        node.orelse = _visit_suite(self, node.orelse)
        return node

    def visit_While(self, node: ast.While) -> ast.While:
        node.body = self._kept(node.body)
        return node

    def visit_If(self, node: ast.If) -> ast.If:
        node.body = self._kept(node.body)
        node.orelse = _visit_suite(self, node.orelse)
        return node

    def visit_Try(self, node: ast.Try) -> ast.Try:
        node.body = self._kept(node.body)
        node.handlers = [self.visit_ExceptHandler(handler) for handler in node.handlers]
        node.orelse = _visit_suite(self, node.orelse)
        node.finalbody = self._kept(node.finalbody) if node.finalbody else []
        return node

    def _kept(self, body: list[ast.stmt]) -> list[ast.stmt]:
        return _visit_suite(self, body) or [ast.copy_location(ast.Pass(), body[0])]

    def _is_unused(self, name: str) -> bool:
        return name not in self._read and not name.startswith("_")


def _is_inert(value: ast.expr) -> bool:
    """Whether computing the value does nothing."""
    inert = (ast.Constant, ast.Name, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.Lambda, ast.expr_context)
    return all(
        isinstance(node, (*inert, ast.UnaryOp, ast.unaryop))
        for node in ast.walk(value)
        if not isinstance(node, ast.arguments | ast.arg)
    )
