"""Values as a function uses its parameter: a dict with the keys that it asks for, a list of what it takes apart."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from testlens.domain.expressions import Expression
from testlens.scaffold.target import FunctionNode

_MOST_KEYS = 12
Guess = Callable[[str], str]
"""A value, in source, for something of this name."""


def by_use(function: FunctionNode, name: str, guess: Guess) -> Iterator[Expression]:
    """A value that has the keys or elements which the function asks of this parameter, if it asks for any."""
    keys = _keys(function, name)
    if keys:
        yield Expression(_display(keys, guess), origin="type")
    for element in _elements(function, name):
        yield Expression(f"[{_element(function, element, guess)}]", origin="type")


def _element(function: FunctionNode, element: ast.expr, guess: Guess) -> str:
    match element:
        case ast.Tuple(elts=parts):
            inside = [_element(function, part, guess) for part in parts]
            return f"({', '.join(inside)})"
        case ast.Name(id=name):
            keys = _keys(function, name)
            return _display(keys, guess) if keys else guess(name)
    return guess("value")


def _display(keys: list[str], guess: Guess) -> str:
    return f"{{{', '.join(f'{key!r}: {guess(key)}' for key in keys)}}}"


def _keys(function: FunctionNode, name: str) -> list[str]:
    """The keys by which something of this name is asked for, in the order of the code."""
    found: list[tuple[int, int, str]] = []
    for node in ast.walk(function):
        match node:
            case ast.Subscript(value=ast.Name(id=subject), slice=ast.Constant(value=str() as key)) if subject == name:
                found.append((node.lineno, node.col_offset, key))
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=subject), attr="get"), args=[ast.Constant(value=str() as key), *_]
            ) if subject == name:
                found.append((node.lineno, node.col_offset, key))
    return list(dict.fromkeys(key for _, _, key in sorted(found)))[:_MOST_KEYS]


def _elements(function: FunctionNode, name: str) -> Iterator[ast.expr]:
    """The variables that the function puts each element of something into."""
    names = {name, *_parts(function, name)}
    for node in ast.walk(function):
        if isinstance(node, ast.For | ast.AsyncFor | ast.comprehension) and _is_asked(node.iter, names):
            target = node.target
            if isinstance(node.iter, ast.Call) and isinstance(target, ast.Tuple):
                target = target.elts[-1]  # the number that `enumerate` adds comes first
            yield target


def _is_asked(iterated: ast.expr, names: set[str]) -> bool:
    match iterated:
        case ast.Name(id=name):
            return name in names
        case ast.Call(func=ast.Name(id="enumerate" | "sorted" | "reversed" | "list"), args=[ast.Name(id=name), *_]):
            return name in names
    return False


def _parts(function: FunctionNode, name: str) -> Iterator[str]:
    """The names of slices: `chunk = items[start : start + size]`."""
    for node in ast.walk(function):
        match node:
            case ast.Assign(
                targets=[ast.Name(id=part)], value=ast.Subscript(value=ast.Name(id=whole), slice=ast.Slice())
            ) if whole == name:
                yield part
