"""Puts a mutant's code in the place of a function's, in this process alone, after its module was imported."""

from __future__ import annotations

import ast
import gc
import os
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

from testlens_agent.explore.modules import UnreachableError, module_of

_Definition = (ast.FunctionDef, ast.AsyncFunctionDef)
# Evaluating anything else again could do more than make a value.
_PlainDefault = (ast.Constant, ast.Name, ast.UnaryOp)


class Mutant:
    """A function of the file `path` as it would be with the text `text` of that file.

    `function` is its dotted name and `line` the 1-based line of its `def`, in `text` and in the file.
    """

    def __init__(self, task: dict[str, Any]) -> None:
        self._path = Path(task["path"])
        self._text: str = task["text"]
        self._name: str = task["function"].replace(".<locals>", "").rpartition(".")[2]
        self._line: int = task["line"]

    def play(self) -> None:
        """From now on each such function of this process, however it is held, does what the mutant does.

        The module is imported if it was not yet, and its own statements are not run again. Raises UnreachableError.
        """
        module_of(self._path)
        tree = ast.parse(self._text, str(self._path))
        node = _definition_at(tree, self._name, self._line)
        lines = frozenset([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        functions = list(self._living(lines))
        if not functions:
            raise UnreachableError(f"no function `{self._name}` of line {self._line} is there once it is loaded")
        for function in functions:
            self._change(function, tree, node)

    def _living(self, lines: frozenset[int]) -> Iterator[FunctionType]:
        """Every function made by this `def`: decorators, classes and variables may hold several."""
        gc.unfreeze()  # what was there before this process was copied is not told otherwise
        real = os.path.realpath(str(self._path))
        for held in gc.get_objects():
            if type(held) is FunctionType and held.__code__.co_name == self._name:
                code = held.__code__
                if code.co_firstlineno in lines and os.path.realpath(code.co_filename) == real:
                    yield held

    def _change(self, function: FunctionType, tree: ast.Module, node: Any) -> None:
        code = self._compiled(function.__code__, tree, node)
        missing = set(function.__code__.co_freevars) - set(code.co_freevars)
        if missing:
            _mention(node, missing)  # a function keeps its closure, which its code must fit
            code = self._compiled(function.__code__, tree, node)
        try:
            function.__code__ = code
        except ValueError as error:
            raise UnreachableError(f"the mutant uses other variables of the function around it ({error})") from error
        _change_defaults(function, node.args)

    def _compiled(self, original: CodeType, tree: ast.Module, node: Any) -> CodeType:
        whole = compile(tree, original.co_filename, "exec", dont_inherit=True)
        found = next(_codes_at(whole, original.co_name, original.co_firstlineno), None)
        if found is None:
            raise UnreachableError(f"the mutant has no function `{original.co_name}` on line {node.lineno}")
        return found


def _definition_at(tree: ast.Module, name: str, line: int) -> Any:
    for node in ast.walk(tree):
        if isinstance(node, _Definition) and node.name == name and node.lineno == line:
            return node
    raise UnreachableError(f"the mutant has no function `{name}` on line {line}")


def _codes_at(code: CodeType, name: str, line: int) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if constant.co_name == name and constant.co_firstlineno == line:
                yield constant
            yield from _codes_at(constant, name, line)


def _mention(node: Any, names: set[str]) -> None:
    """Name variables in a place that is never run, so that the compiler keeps them for the function."""
    mentions: list[ast.stmt] = [ast.Expr(ast.Name(name, ast.Load())) for name in sorted(names)]
    never = ast.If(test=ast.Constant(value=False), body=mentions, orelse=[])
    position = 1 if ast.get_docstring(node, clean=False) is not None else 0
    first = node.body[0]
    for made in ast.walk(never):
        ast.copy_location(made, first)
    node.body.insert(position, never)


def _change_defaults(function: FunctionType, arguments: ast.arguments) -> None:
    """Give the function the mutant's defaults, as far as they are plain; others cannot have been changed."""
    kept = function.__defaults__ or ()
    if kept and len(kept) == len(arguments.defaults):
        pairs = zip(arguments.defaults, kept)
        function.__defaults__ = tuple(_default(function, node, value) for node, value in pairs)
    by_name = function.__kwdefaults__
    for argument, node in zip(arguments.kwonlyargs, arguments.kw_defaults):
        if by_name and node is not None and argument.arg in by_name:
            by_name[argument.arg] = _default(function, node, by_name[argument.arg])


def _default(function: FunctionType, node: ast.expr, kept: object) -> object:
    if not isinstance(node, _PlainDefault):
        return kept
    try:
        expression = ast.fix_missing_locations(ast.Expression(node))
        return eval(compile(expression, "<default>", "eval"), function.__globals__)  # noqa: S307  (the project's own)
    except Exception:  # noqa: BLE001  (a name of the class around it, which stays as it is)
        return kept
