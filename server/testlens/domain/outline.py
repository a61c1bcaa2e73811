"""The shape of one source file: functions, nested suites of statements, and what its lines do to the outside."""

from __future__ import annotations

from collections.abc import Iterator
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
    """One statement, `except` head or `case` head, with the suites below it.

    `line` to `head_last` are its own lines: all of a simple statement, the head of a compound one. A nested function
    or class is a node with a head only, since its body is a scope of its own.
    """

    line: int
    head_last: int
    suites: tuple[Suite, ...] = ()


Suite = tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """The body of one function, class or module: `name` is the function's, the class's, or `MODULE`.

    `line` is that of `def` or `class`, 0 for the module; it tells apart scopes of one name (a property and its setter).
    """

    name: str
    line: int
    body: Suite

    def nodes(self) -> Iterator[Node]:
        """Every node of the scope, outer ones first."""
        return _nodes(self.body)


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
    """All that reading the source text tells; outer scopes and functions come before the ones inside them."""

    functions: tuple[Function, ...]
    scopes: tuple[Scope, ...]
    markers: tuple[Marker, ...]


def _nodes(suite: Suite) -> Iterator[Node]:
    for node in suite:
        yield node
        for inner in node.suites:
            yield from _nodes(inner)
