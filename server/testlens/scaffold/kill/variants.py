"""Values near a value: what was seen in the project's tests with one thing in it changed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from copy import deepcopy
from itertools import islice
from typing import Any

from testlens.domain.expressions import mark, references, resolve

_MOST = 48
_MOST_ELEMENTS = 3
_LONGEST = 4_000


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
    """Round by round one change of each node, so that every part of a large value has its turn early."""
    rounds = [(index, _replacements(node)) for index, node in enumerate(ast.walk(tree)) if isinstance(node, ast.expr)]
    while rounds:
        left = []
        for index, replacements in rounds:
            replacement = next(replacements, None)
            if replacement is not None:
                yield _with(tree, index, replacement)
                left.append((index, replacements))
        rounds = left


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
        case ast.Dict(keys=keys, values=values) if keys:
            yield ast.Dict([], [])
            for index in range(min(len(keys), _MOST_ELEMENTS * 2)):
                yield ast.Dict(keys[:index] + keys[index + 1 :], values[:index] + values[index + 1 :])
        case ast.Call(func=function, args=arguments, keywords=keywords) if keywords or arguments:
            for index in range(len(keywords)):
                yield ast.Call(function, arguments, keywords[:index] + keywords[index + 1 :])


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
