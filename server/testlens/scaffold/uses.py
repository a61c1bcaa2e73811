"""Values as a function uses its parameter: a dict with the keys that it asks for, a list of what it takes apart."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping

from testlens.domain.expressions import Expression
from testlens.scaffold.target import FunctionNode
from testlens.scaffold.words import word_set

_MOST_KEYS = 12
_DEEPEST = 2
# Of `os` and `shutil`, what takes a path first.
_TAKE_PATHS = word_set(
    "open stat lstat mkdir makedirs listdir scandir walk remove unlink rmdir removedirs rename replace chdir chmod "
    "access truncate utime copy copy2 copyfile copytree move rmtree"
)
Guess = Callable[[str], str]
"""A value, in source, for something of this name."""


def by_use(
    function: FunctionNode, name: str, guess: Guess, others: Mapping[str, FunctionNode] | None = None
) -> Iterator[Expression]:
    """A value that has the keys or elements which the function asks of this parameter, if it asks for any; a path in a
    temporary folder where it opens a file of that name.

    `others` are the functions of the same module by name, which the parameter may be passed on to.
    """
    reader = _Reader(guess, others or {})
    if _is_opened(function, name):
        yield Expression('tmp_path / "name"', ("tmp_path",), "type")
        yield Expression('str(tmp_path / "name")', ("tmp_path",), "type")
    keys = reader.keys(function, name)
    if keys:
        yield Expression(reader.display(keys), origin="type")
    for where, element in reader.elements(function, name):
        yield Expression(f"[{reader.element(where, element)}]", origin="type")


class _Reader:
    def __init__(self, guess: Guess, others: Mapping[str, FunctionNode]) -> None:
        self._guess = guess
        self._others = others

    def element(self, function: FunctionNode, element: ast.expr) -> str:
        """A value for what the function takes out of a collection into `element`."""
        match element:
            case ast.Tuple(elts=parts):
                return f"({', '.join(self.element(function, part) for part in parts)})"
            case ast.Name(id=name):
                keys = self.keys(function, name)
                return self.display(keys) if keys else self._guess(name)
        return self._guess("value")

    def display(self, keys: list[str]) -> str:
        """A dict with these keys."""
        return f"{{{', '.join(f'{key!r}: {self._guess(key)}' for key in keys)}}}"

    def keys(self, function: FunctionNode, name: str, depth: int = 0) -> list[str]:
        """The keys by which something of this name is asked for, those that have to be there if there are any."""
        needed, optional = _own_keys(function, name)
        if depth < _DEEPEST:
            for other, parameter in self._passed_on(function, name):
                needed += self.keys(other, parameter, depth + 1)
        return list(dict.fromkeys(needed or optional))[:_MOST_KEYS]

    def elements(self, function: FunctionNode, name: str, depth: int = 0) -> Iterator[tuple[FunctionNode, ast.expr]]:
        """The variables that each element of something is put into, with the function that does so."""
        names = {name, *_parts(function, name)}
        for node in ast.walk(function):
            if isinstance(node, ast.For | ast.AsyncFor | ast.comprehension) and _is_asked(node.iter, names):
                target = node.target
                if isinstance(node.iter, ast.Call) and isinstance(target, ast.Tuple):
                    target = target.elts[-1]  # the number that `enumerate` adds comes first
                yield function, target
        if depth < _DEEPEST:
            for other, parameter in self._passed_on(function, name):
                yield from self.elements(other, parameter, depth + 1)

    def _passed_on(self, function: FunctionNode, name: str) -> Iterator[tuple[FunctionNode, str]]:
        """The functions of the module that get this variable, with what they call it."""
        for node in ast.walk(function):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            other = self._others.get(node.func.id)
            if other is None or other is function:
                continue
            for position, argument in enumerate(node.args[: len(other.args.args)]):
                if isinstance(argument, ast.Name) and argument.id == name:
                    yield other, other.args.args[position].arg


def _own_keys(function: FunctionNode, name: str) -> tuple[list[str], list[str]]:
    """The keys that a function takes for granted, and those that it can do without, in the order of the code."""
    needed: list[tuple[int, int, str]] = []
    optional: list[tuple[int, int, str]] = []
    for node in ast.walk(function):
        match node:
            case ast.Subscript(value=ast.Name(id=subject), slice=ast.Constant(value=str() as key)) if subject == name:
                if isinstance(node.ctx, ast.Load):
                    needed.append((node.lineno, node.col_offset, key))
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=subject), attr="get"), args=[ast.Constant(value=str() as key), *_]
            ) if subject == name:
                optional.append((node.lineno, node.col_offset, key))
    return [key for _, _, key in sorted(needed)], [key for _, _, key in sorted(optional)]


def _is_opened(function: FunctionNode, name: str) -> bool:
    """Whether the function takes something of this name for the path of a file or folder."""
    for node in ast.walk(function):
        match node:
            case ast.Call(func=ast.Name(id="open" | "Path"), args=[ast.Name(id=path), *_]) if path == name:
                return True
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="os" | "shutil"), attr=attribute), args=[ast.Name(id=path), *_]
            ) if path == name and attribute in _TAKE_PATHS:
                return True
    return False


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
