"""The functions that mutmut makes no mutants of, and why: nothing is known of what their tests prove."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_NEVER = frozenset({"__getattribute__", "__setattr__", "__new__"})
NOTHING_TO_CHANGE = "there is nothing to change in it"


def passed_over(tree: ast.Module) -> Mapping[str, str]:
    """The functions that mutmut passes over, by dotted name, with the reason.

    A function within another is part of it, and not named.
    """
    return dict(_module(tree.body))


def functions_mutated(tree: ast.Module) -> tuple[str, ...]:
    """The dotted names of the functions that mutmut looks for something to change in."""
    over = passed_over(tree)
    names = []
    for node in tree.body:
        if isinstance(node, _Function):
            names.append(node.name)
        elif isinstance(node, ast.ClassDef):
            names += [f"{node.name}.{inner.name}" for inner in node.body if isinstance(inner, _Function)]
    return tuple(name for name in names if name not in over)


def _module(body: Sequence[ast.stmt]) -> Iterator[tuple[str, str]]:
    for node in body:
        if isinstance(node, _Function) and node.decorator_list:
            yield node.name, "it is decorated"
        elif isinstance(node, ast.ClassDef):
            yield from _class(node)
        elif not isinstance(node, _Function):
            yield from _all(node, "", "it stands under a condition")


def _class(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    prefix = f"{node.name}."
    for inner in node.body:
        if isinstance(inner, _Function):
            if inner.decorator_list and not _is_plain(inner):
                yield prefix + inner.name, "it is decorated"
            elif inner.name in _NEVER:
                yield prefix + inner.name, "mutmut leaves functions of this name alone"
        elif isinstance(inner, ast.ClassDef):
            yield from _all(inner, prefix, "its class is within another")
        else:
            yield from _all(inner, prefix, "it stands under a condition")


def _all(node: ast.stmt, prefix: str, reason: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, _Function):
        yield prefix + node.name, reason
        return
    if isinstance(node, ast.ClassDef):
        prefix = f"{prefix}{node.name}."
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
            yield from _all(child, prefix, reason)  # type: ignore[arg-type]


def _is_plain(function: _Function) -> bool:
    match function.decorator_list:
        case [ast.Name(id="staticmethod" | "classmethod")]:
            return True
        case _:
            return False
