"""Arid code: where a change that no test notices teaches nobody anything. Logging, texts for people, types.

What counts is the form of the code, so a project's own logger under another name is not recognised.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from testlens.domain.mutants import Span

_Function = ast.FunctionDef | ast.AsyncFunctionDef

LOGGING = "logging"
DEBUG_TEXT = "texts for debugging"
MESSAGE = "messages"
TYPES = "types"
VERSION = "version strings"

_LOG_METHODS = frozenset(
    {"debug", "info", "warning", "warn", "error", "exception", "critical", "log", "trace", "success"}
)
_LOGGER = re.compile(r"(^|_)(log|logs|logger|logging)$", re.IGNORECASE)
_DEBUG_FUNCTIONS = frozenset({"__repr__", "__str__", "__rich_repr__", "__rich__", "__pretty__", "_repr_html_"})
_DEBUG_CALLS = frozenset({"print", "pprint", "pp", "breakpoint", "print_exc", "print_stack"})
_TYPE_CALLS = frozenset(
    {"TypeVar", "ParamSpec", "NewType", "TypeVarTuple", "TypeAliasType", "reveal_type", "assert_type"}
)
_VERSION_NAME = re.compile(r"^(__version__|_?version|VERSION)$")
_HELP_KEYWORDS = frozenset({"help", "description", "epilog", "metavar", "usage"})


@dataclass(frozen=True, slots=True)
class AridPart:
    """A range of the code and the kind of arid code that it is."""

    span: Span
    kind: str


def arid_parts(tree: ast.Module, text: str) -> tuple[AridPart, ...]:
    """The arid parts of a module whose source is `text` (`\\n` line ends); they may lie within each other."""
    finder = _Finder(text.split("\n"))
    return tuple(finder.parts(tree))


def arid_kind(parts: Iterable[AridPart], span: Span) -> str | None:
    """The kind of arid code that `span` lies in, None where it is no such code."""
    return next((part.kind for part in parts if _contains(part.span, span)), None)


class _Finder:
    def __init__(self, lines: list[str]) -> None:
        self._lines = lines

    def parts(self, tree: ast.Module) -> Iterator[AridPart]:
        for node in ast.walk(tree):
            yield from (AridPart(span, kind) for span, kind in self._of(node))

    def _of(self, node: ast.AST) -> Iterator[tuple[Span, str]]:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from self._of_function(node)
            case ast.Call():
                yield from self._of_call(node)
            case ast.Raise(exc=ast.Call() as call):
                yield from ((self._arguments(call), MESSAGE) for _ in call.args[:1] if _is_text(call.args[0]))
            case ast.Assert(msg=ast.expr() as message):
                yield self._span(message), MESSAGE
            case ast.If(test=test) if _name(test) == "TYPE_CHECKING":
                yield self._span(node), TYPES
            case ast.AnnAssign():
                yield self._span(node.annotation), TYPES
                yield from self._of_version([node.target], node.value)
            case ast.Assign():
                yield from self._of_version(node.targets, node.value)

    def _of_function(self, node: _Function) -> Iterator[tuple[Span, str]]:
        if node.name in _DEBUG_FUNCTIONS:
            yield self._span(node), DEBUG_TEXT
        arguments = node.args
        for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            if argument.annotation is not None:
                yield self._span(argument.annotation), TYPES
        if node.returns is not None:
            yield self._span(node.returns), TYPES

    def _of_call(self, call: ast.Call) -> Iterator[tuple[Span, str]]:
        name = _name(call.func)
        if _is_logging(call.func):
            yield self._span(call), LOGGING
        elif name in _DEBUG_CALLS:
            yield self._span(call), DEBUG_TEXT
        elif name == "cast" and call.args:
            yield self._span(call.args[0]), TYPES
        elif name in _TYPE_CALLS:
            yield self._span(call), TYPES
        elif name in {"warn", "warn_explicit"} and call.args and _is_text(call.args[0]):
            yield self._span(call.args[0]), MESSAGE
        for keyword in call.keywords:
            if keyword.arg in _HELP_KEYWORDS and _is_text(keyword.value):
                yield self._span(keyword), MESSAGE

    def _of_version(self, targets: Iterable[ast.expr], value: ast.expr | None) -> Iterator[tuple[Span, str]]:
        if (
            value is not None
            and any(_VERSION_NAME.match(_name(target) or "") for target in targets)
            and _is_text(value)
        ):
            yield self._span(value), VERSION

    def _arguments(self, call: ast.Call) -> Span:
        """From behind the function's name to the end of a call: mutants take arguments away, or replace them."""
        whole, function = self._span(call), self._span(call.func)
        return Span(function.last_line, function.last_column, whole.last_line, whole.last_column)

    def _span(self, node: ast.stmt | ast.expr | ast.keyword) -> Span:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        first = self._column(node.lineno, node.col_offset)
        return Span(node.lineno, first, node.end_lineno, self._column(node.end_lineno, node.end_col_offset))

    def _column(self, line: int, byte_column: int) -> int:
        text = self._lines[line - 1]
        return (
            byte_column
            if text.isascii()
            else len(text.encode("utf-8", "replace")[:byte_column].decode("utf-8", "replace"))
        )


def _is_logging(function: ast.expr) -> bool:
    if not isinstance(function, ast.Attribute) or function.attr not in _LOG_METHODS:
        return False
    owner = function.value
    if isinstance(owner, ast.Call):
        # `logging.getLogger(__name__).info(...)`, `logger.bind(...).info(...)`
        return _name(owner.func) in {"getLogger", "get_logger"} or _is_logger(owner.func)
    return _is_logger(owner)


def _is_logger(owner: ast.expr) -> bool:
    while isinstance(owner, ast.Attribute):
        if _LOGGER.search(owner.attr):
            return True
        owner = owner.value
    return isinstance(owner, ast.Name) and _LOGGER.search(owner.id) is not None


def _is_text(value: ast.expr) -> bool:
    match value:
        case ast.Constant():
            return isinstance(value.value, str)
        case ast.JoinedStr():
            return True
        case ast.BinOp():
            return _is_text(value.left) or _is_text(value.right)
        case ast.Call(func=ast.Attribute(value=owner, attr="format" | "join")):
            return _is_text(owner)
        case ast.Call(func=ast.Name(id="_" | "gettext")):
            return True
        case _:
            return False


def _name(function: ast.expr) -> str | None:
    match function:
        case ast.Name():
            return function.id
        case ast.Attribute():
            return function.attr
        case _:
            return None


def _contains(outer: Span, inner: Span) -> bool:
    begins = (outer.first_line, outer.first_column) <= (inner.first_line, inner.first_column)
    return begins and (inner.last_line, inner.last_column) <= (outer.last_line, outer.last_column)
