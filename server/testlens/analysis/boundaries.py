"""Where one source file meets the outside: handlers, writes, batches, network, storage, retries, auth and models."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from testlens.analysis._children import LEAVES, children
from testlens.analysis.boundary_rules import (
    call_evidence,
    called_name,
    chunk_evidence,
    counts_attempts,
    is_auth_name,
    is_sleep,
    retry_decorator,
)
from testlens.analysis.names import Names
from testlens.domain.outline import Marker, MarkerKind

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Loop = ast.For | ast.AsyncFor | ast.While


def find_markers(tree: ast.Module) -> tuple[Marker, ...]:
    """The regions of a parsed file whose failure costs more than wrong arithmetic, in the order of their lines.

    A call marks its statement (of a compound statement the head), a retry or chunk loop the whole loop, a handler
    the handler, a retried or access-guarding function the function. Nothing is marked without evidence, which
    `detail` names.
    """
    walker = _Walker()
    walker.module(tree)
    markers = (Marker(kind, first, last, detail) for (kind, first, last), detail in walker.found.items())
    return tuple(sorted(markers, key=lambda marker: (marker.first, marker.last, marker.kind)))


@dataclass(slots=True)
class _LoopFacts:
    """What was seen in a loop so far that makes it a retry."""

    tries: bool = False
    sleeps: bool = False


class _Walker:
    """Visits each node once. Functions wait until the code around them was read: then the names they use are known."""

    def __init__(self) -> None:
        self.found: dict[tuple[MarkerKind, int, int], str] = {}
        self._names = Names()
        self._loop = _LoopFacts()
        self._waiting: list[tuple[_Function, Names]] = []
        self._result: Callable[[str], None] = _forget

    def module(self, tree: ast.Module) -> None:
        self._suite(tree.body)
        self._functions()

    def _functions(self) -> None:
        """Visit the functions that wait, those first that tell most about the names in others."""
        waiting, self._waiting = self._waiting, []
        for function, around in sorted(waiting, key=_reading_order):
            self._names, self._loop, self._result = around.of_function(), _LoopFacts(), _result_of(function, around)
            self._names.bind_arguments(function.args)
            self._suite(function.body)
            self._functions()

    def _mark(self, kind: MarkerKind, first: int, last: int, detail: str) -> None:
        self.found.setdefault((kind, first, last), detail)

    def _suite(self, body: Sequence[ast.stmt]) -> None:
        for statement in body:
            visit = _VISITORS.get(statement.__class__)
            if visit is None:
                self._simple(statement)
            else:
                visit(self, statement)

    def _simple(self, statement: ast.stmt) -> None:
        self._calls(statement, statement.lineno, statement.end_lineno or statement.lineno)

    def _calls(self, root: ast.AST, first: int, last: int) -> None:
        """Mark lines `first` to `last` with what the calls below `root` do."""
        for call in _calls_below(root):
            self._loop.sleeps = self._loop.sleeps or is_sleep(call)
            for kind, detail in call_evidence(call, self._names):
                self._mark(kind, first, last, detail)

    def _head(self, statement: ast.stmt, *parts: ast.expr) -> None:
        """Mark the head of a compound statement only: its suites are visited by themselves."""
        last = max(part.end_lineno or statement.lineno for part in parts)
        for part in parts:
            self._calls(part, statement.lineno, last)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        self._names.bind_import(node)

    def _assign(self, node: ast.Assign) -> None:
        self._simple(node)
        self._bind(node.targets, node.value)

    def _annotated(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self._simple(node)
            self._bind([node.target], node.value)
        declared = self._names.annotated(node.annotation)
        if declared is not None:
            self._names.bind(node.target, declared)

    def _bind(self, targets: Sequence[ast.expr], value: ast.expr) -> None:
        # `client = None` announces a client that is made later, so it does not hide what is known of the name.
        if isinstance(value, ast.Constant) and value.value is None:
            return
        origin = self._names.origin(value)
        for target in targets:
            if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                for name, part in zip(target.elts, value.elts, strict=False):
                    self._bind([name], part)
            else:
                self._names.bind(target, origin)

    def _function(self, node: _Function) -> None:
        for decorator in node.decorator_list:
            self._calls(decorator, decorator.lineno, decorator.end_lineno or decorator.lineno)
            detail = retry_decorator(decorator, self._names)
            if detail is not None:
                self._mark("retry", node.decorator_list[0].lineno, node.end_lineno or node.lineno, detail)
        if is_auth_name(node.name):
            self._mark("auth", node.lineno, node.end_lineno or node.lineno, f"function `{node.name}`")
        self._waiting.append((node, self._names))

    def _gives(self, node: ast.Return | ast.Expr) -> None:
        """A returned value, or the one that a context manager yields, tells what calling the function gives."""
        self._simple(node)
        value = node.value.value if isinstance(node.value, ast.Yield) else node.value
        origin = (
            self._names.origin(value) if isinstance(node, ast.Return) or isinstance(node.value, ast.Yield) else None
        )
        if origin is not None:
            self._result(origin)

    def _class(self, node: ast.ClassDef) -> None:
        around, self._names = self._names, self._names.of_class()
        self._suite(node.body)
        self._names = around

    def _if(self, node: ast.If) -> None:
        # A loop: generated code has `elif` chains that are too deep to recurse into.
        branch: ast.stmt = node
        while isinstance(branch, ast.If):
            self._head(branch, branch.test)
            self._suite(branch.body)
            if len(branch.orelse) != 1:
                self._suite(branch.orelse)
                return
            branch = branch.orelse[0]
        self._suite([branch])

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            self._head(node, item.context_expr)
            if item.optional_vars is not None:
                self._names.bind(item.optional_vars, self._names.origin(item.context_expr))
            if isinstance(item.context_expr, ast.Call) and called_name(item.context_expr) == "batch_writer":
                self._mark("batch", node.lineno, node.end_lineno or node.lineno, "`batch_writer` block")
        self._suite(node.body)

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        self._head(node, node.iter)
        origin = self._names.origin(node.iter)
        self._names.bind(node.target, f"{origin}[]" if origin else None)
        chunks = chunk_evidence(node.iter)
        if chunks is not None:
            self._mark("batch", node.lineno, node.end_lineno or node.lineno, chunks)
        self._looped(node, node.target)

    def _while(self, node: ast.While) -> None:
        self._head(node, node.test)
        self._looped(node, node.test)

    def _looped(self, node: _Loop, counter: ast.expr) -> None:
        around, self._loop = self._loop, _LoopFacts()
        self._suite(node.body)
        facts, self._loop = self._loop, around
        if facts.tries and (facts.sleeps or counts_attempts(counter)):
            self._mark("retry", node.lineno, node.end_lineno or node.lineno, "loop with `try` and a pause or attempts")
        else:
            around.tries, around.sleeps = around.tries or facts.tries, around.sleeps or facts.sleeps
        self._suite(node.orelse)

    def _try(self, node: ast.Try) -> None:
        self._loop.tries = self._loop.tries or bool(node.handlers)
        self._suite(node.body)
        for handler in node.handlers:
            caught = f"`except {ast.unparse(handler.type)}`" if handler.type else "bare `except`"
            self._mark("error handler", handler.lineno, handler.end_lineno or handler.lineno, caught)
            self._suite(handler.body)
        self._suite(node.orelse)
        self._suite(node.finalbody)

    def _match(self, node: ast.Match) -> None:
        self._head(node, node.subject)
        for case in node.cases:
            self._suite(case.body)


def _reading_order(waiting: tuple[_Function, Names]) -> int:
    function, around = waiting
    if not around.is_class:
        return 0
    if function.name == "__init__":
        return 1
    return 2 if function.decorator_list else 3


def _result_of(function: _Function, around: Names) -> Callable[[str], None]:
    """Where to note what `function` gives: as its result, or as an attribute where it is a property."""
    is_property = any(isinstance(d, ast.Name) and d.id.endswith("property") for d in function.decorator_list)
    return partial(around.bind_property if is_property else around.bind_result, function.name)


def _forget(_origin: str) -> None:
    """A `return` outside of any function has no one to tell."""


def _calls_below(root: ast.AST) -> Iterator[ast.Call]:
    """All calls in an expression or simple statement, in no promised order."""
    pending = [root]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Call):
            yield node
        pending += children(node, LEAVES)


_VISITORS: dict[type[ast.stmt], Callable[[_Walker, Any], None]] = {
    ast.Import: _Walker._import,
    ast.ImportFrom: _Walker._import,
    ast.Assign: _Walker._assign,
    ast.AnnAssign: _Walker._annotated,
    ast.FunctionDef: _Walker._function,
    ast.AsyncFunctionDef: _Walker._function,
    ast.ClassDef: _Walker._class,
    ast.Return: _Walker._gives,
    ast.Expr: _Walker._gives,
    ast.If: _Walker._if,
    ast.With: _Walker._with,
    ast.AsyncWith: _Walker._with,
    ast.For: _Walker._for,
    ast.AsyncFor: _Walker._for,
    ast.While: _Walker._while,
    ast.Try: _Walker._try,
    ast.TryStar: _Walker._try,
    ast.Match: _Walker._match,
}
