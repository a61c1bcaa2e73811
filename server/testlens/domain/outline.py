"""The shape of one source file: functions, nested suites of statements, and what its lines do to the outside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MODULE = "<module>"

MarkerKind = Literal[
    "error handler", "data write", "batch", "network", "storage", "retry", "auth", "deserialisation", "model"
]


@dataclass(frozen=True, slots=True)
class Function:
    """One function or method. `name` is dotted as coverage.py writes it (`Class.method`, `outer.inner`).

    `first` includes the decorators, `line` is that of `def`; `complexity` is McCabe's (1 for straight code).
    """

    name: str
    first: int
    line: int
    last: int
    complexity: int


@dataclass(frozen=True, slots=True)
class Node:
    """One statement (or `except`, `case` head) with the suites below it; nested functions and classes have none here."""

    line: int
    last: int
    suites: tuple[Suite, ...] = ()


Suite = tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """The body of one function, class or module: `name` is the function's, the class's, or `MODULE`."""

    name: str
    body: Suite


@dataclass(frozen=True, slots=True)
class Marker:
    """Lines `first` to `last` that do something whose failure costs more than wrong arithmetic.

    `detail` names the evidence ("boto3 `put_item`", "`except ClientError`").
    """

    kind: MarkerKind
    first: int
    last: int
    detail: str


@dataclass(frozen=True, slots=True)
class Outline:
    """All that reading the source text tells; `functions` are ordered by their first line."""

    functions: tuple[Function, ...]
    scopes: tuple[Scope, ...]
    markers: tuple[Marker, ...]

    def function_at(self, line: int) -> Function | None:
        """The innermost function that contains `line` (1-based), or None at module and class level."""
        inside = [f for f in self.functions if f.first <= line <= f.last]
        return max(inside, key=lambda f: f.first, default=None)
