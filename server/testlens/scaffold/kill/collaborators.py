"""Gives stand-ins inside of larger expressions names of their own: a test can then look at the calls they got."""

from __future__ import annotations

import ast
import builtins
import keyword
import re
from collections.abc import Iterator, Sequence

from testlens.domain.expressions import Reference, mark, references, resolve

_MOCKS = "unittest.mock"
_PLACEHOLDER = "_testlens_mark_{}_"


def with_named_stand_ins(
    statements: Sequence[str], taken: set[str], parameters: Sequence[str]
) -> tuple[tuple[str, ...], frozenset[str]]:
    """The statements, before each of them the stand-ins that it makes, and the new names.

    `basket = Basket(MagicMock())` becomes `store = MagicMock()` and `basket = Basket(store)`. `taken` are names that
    mean something in the test; `parameters` are those of the constructor of what the test is about.
    """
    found: list[str] = []
    named: set[str] = set()
    for statement in statements:
        made, rest = _named(statement, taken | named, parameters)
        named |= {name for name, _ in made}
        found += [f"{name} = {code}" for name, code in made]
        found.append(rest)
    return tuple(found), frozenset(named)


def _named(statement: str, taken: set[str], parameters: Sequence[str]) -> tuple[list[tuple[str, str]], str]:
    marks = {reference: _PLACEHOLDER.format(index) for index, reference in enumerate(references(statement))}
    mocks = {name for reference, name in marks.items() if reference.module == _MOCKS}
    if not mocks:
        return [], statement
    try:
        tree = ast.parse(resolve(statement, lambda reference: marks[reference]))
    except (SyntaxError, ValueError, RecursionError):
        return [], statement
    made: list[tuple[str, str]] = []
    for holder in [node for node in ast.walk(tree) if isinstance(node, ast.Call)]:
        if isinstance(holder.func, ast.Name) and holder.func.id in mocks:
            continue  # what a stand-in gives back is told by its own calls
        for slot, value, hint in _stand_ins(holder, mocks, parameters):
            name = _free(hint, taken | {one for one, _ in made})
            made.append((name, _marked(ast.unparse(value), marks)))
            _put(holder, slot, ast.Name(name, ast.Load()))
    return (made, _marked(ast.unparse(tree), marks)) if made else ([], statement)


def _stand_ins(
    holder: ast.Call, mocks: set[str], parameters: Sequence[str]
) -> Iterator[tuple[int | ast.keyword, ast.expr, str]]:
    """The stand-ins among the arguments of a call: where each stands, what it is, and what it may be called."""
    for index, value in enumerate(holder.args):
        if _is_stand_in(value, mocks):
            before = holder.args[index - 1] if index else None
            named = isinstance(before, ast.Constant) and isinstance(before.value, str)
            hint = before.value if named else parameters[index] if index < len(parameters) else "collaborator"  # type: ignore[union-attr]
            yield index, value, str(hint)
    for one in holder.keywords:
        if _is_stand_in(one.value, mocks):
            yield one, one.value, one.arg or "collaborator"


def _is_stand_in(value: ast.expr, mocks: set[str]) -> bool:
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in mocks


def _put(holder: ast.Call, slot: int | ast.keyword, name: ast.Name) -> None:
    if isinstance(slot, int):
        holder.args[slot] = name
    else:
        slot.value = name


def _free(hint: str, taken: set[str]) -> str:
    name = re.sub(r"\W", "_", hint).strip("_").lower() or "collaborator"
    while name in taken or keyword.iskeyword(name) or hasattr(builtins, name):
        name += "_"
    return name


def _marked(code: str, marks: dict[Reference, str]) -> str:
    for reference, name in marks.items():
        code = code.replace(name, mark(reference.module, reference.qualname))
    return code
