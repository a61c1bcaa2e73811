"""Values near a value: what was seen in the project's tests with one thing in it changed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from copy import deepcopy
from itertools import islice
from typing import Any

from testlens.domain.expressions import mark, references, resolve
from testlens.scaffold.kill.turns import alternately

_MOST = 48
_MOST_ELEMENTS = 3
_MOST_ENTRIES = 12
_LONGEST = 4_000
_SEPARATORS = "+T/@.:, -"


def variants(code: str) -> Iterator[str]:
    """Marked source with one literal, element or argument in it changed each, the simplest changes first."""
    if len(code) > _LONGEST:
        return
    marks = {reference: f"_mark{index}_" for index, reference in enumerate(references(code))}
    try:
        tree = ast.parse(resolve(code, lambda reference: marks[reference]), mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        return
    back = {name: mark(reference.module, reference.qualname) for reference, name in marks.items()}
    for changed in islice(_changed(tree), _MOST):
        text = ast.unparse(changed)
        for name, marked in back.items():
            text = text.replace(name, marked)
        yield text


def _changed(tree: ast.expr) -> Iterator[ast.expr]:
    """One change of each node, then another of each, so that every part of a large value has its turn early."""
    nodes = list(ast.walk(tree))
    keys = {id(key) for node in nodes if isinstance(node, ast.Dict) for key in node.keys}
    expressions = [(index, node) for index, node in enumerate(nodes) if isinstance(node, ast.expr)]
    # A key that was renamed is mostly read as one that is missing.
    for are_keys in (False, True):
        streams = [
            _each_in_place(tree, index, replacements)
            for index, node in expressions
            if (id(node) in keys) is are_keys
            for replacements in (_replacements(node), *_without_one(node))
        ]
        yield from alternately(streams)


def _each_in_place(tree: ast.expr, index: int, replacements: Iterator[ast.expr]) -> Iterator[ast.expr]:
    return (_with(tree, index, replacement) for replacement in replacements)


def _with(tree: ast.expr, index: int, replacement: ast.expr) -> ast.expr:
    copy = deepcopy(tree)
    node = next(islice(ast.walk(copy), index, None))
    if node is copy:
        return replacement
    _Replace(node, replacement).visit(copy)
    return copy


class _Replace(ast.NodeTransformer):
    def __init__(self, node: ast.AST, replacement: ast.expr) -> None:
        self._node = node
        self._replacement = replacement

    def visit(self, node: ast.AST) -> ast.AST:
        """Swap the one node."""
        return self._replacement if node is self._node else self.generic_visit(node)


def _replacements(node: ast.expr) -> Iterator[ast.expr]:
    match node:
        case ast.Constant(value=value):
            yield from map(ast.Constant, _constants(value))
        case ast.List() | ast.Tuple() | ast.Set():
            yield from _collections(node)
        case ast.Dict(keys=keys) if keys:
            yield ast.Dict([], [])


def _without_one(node: ast.expr) -> Iterator[Iterator[ast.expr]]:
    """The value without each of its entries: what is missing is worth as much as any other change."""
    match node:
        case ast.Dict(keys=keys, values=values) if len(keys) > 1:
            for index in range(min(len(keys), _MOST_ENTRIES)):
                yield iter([ast.Dict(keys[:index] + keys[index + 1 :], values[:index] + values[index + 1 :])])
        case ast.Call(func=function, args=arguments, keywords=keywords):
            for index in range(min(len(keywords), _MOST_ENTRIES)):
                yield iter([ast.Call(function, arguments, keywords[:index] + keywords[index + 1 :])])


def _constants(value: object) -> Iterator[Any]:
    match value:
        case bool():
            yield not value
        case int() | float():
            yield from _numbers(value)
        case str():
            yield from _texts(value)
        case bytes():
            yield from _contents(value)
        case None:
            yield from (1, "name", True)


def _numbers(number: int | float) -> Iterator[int | float]:
    yield from (number + 1, number - 1, 0, -number, number * 2, number + 0.5, 10**6)


def _texts(text: str) -> Iterator[str]:
    swapped = text.swapcase()
    candidates = (
        "",
        *_beginnings(text),
        swapped,
        f"{text} {text}",
        f" {text} ",
        text[:-1],
        text[1:],
        f"{text}é",
        "a",
        "-",
        text * 20,
        f"{text}\n",
    )
    yield from dict.fromkeys(other for other in candidates if other != text)


def _beginnings(text: str) -> Iterator[str]:
    """The text without what follows the last of each separator: a time zone, a time of day, a file, a domain."""
    yield from (text.rpartition(separator)[0] for separator in _SEPARATORS if separator in text[1:-1])


def _contents(content: bytes) -> Iterator[bytes]:
    candidates = (
        b"",
        content.swapcase(),
        content + b" ",
        content[:-1],
        content[1:],
        content + b"\xff",
        b"a",
        b"-",
        content * 20,
    )
    yield from dict.fromkeys(other for other in candidates if other != content)


def _collections(node: ast.List | ast.Tuple | ast.Set) -> Iterator[ast.expr]:
    elements = node.elts
    if not elements:
        return
    made = ast.Tuple if isinstance(node, ast.Tuple) else ast.List
    if not isinstance(node, ast.Set):
        yield made([], ast.Load())
        yield made([*elements, elements[0]], ast.Load())
        if len(elements) > 1:
            yield made(elements[::-1], ast.Load())
    for index in range(min(len(elements), _MOST_ELEMENTS)) if len(elements) > 1 else ():
        rest = elements[:index] + elements[index + 1 :]
        yield ast.Set(rest) if isinstance(node, ast.Set) else made(rest, ast.Load())
