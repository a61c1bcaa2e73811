"""What code stores into, and of what it looks first whether it is there."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from testlens.analysis.mentions import flat, identifiers, own_nodes

_ADDING = frozenset(
    {"append", "appendleft", "add", "insert", "extend", "extendleft", "update", "setdefault", "set", "put", "push"}
)
_BUILTINS = frozenset(vars(builtins))


@dataclass(frozen=True, slots=True)
class Store:
    """Code that puts `value` into a place.

    `names` are the identifiers of the place, from the last one to the first: "cache", "app", "self" of
    `self.app.cache[key] = value`. It `is_variable` if the place is but a name, and `is_attribute` if it is one of
    something, and no element of a container; `has_call` says that a call gave what is stored into.
    """

    place: ast.expr
    names: Sequence[str]
    value: Sequence[ast.expr]
    is_variable: bool
    is_attribute: bool
    has_call: bool

    @property
    def lines(self) -> tuple[int, int]:
        """The first and the last line."""
        parts = [self.place, *self.value]
        return min(each.lineno for each in parts), max(each.end_lineno or each.lineno for each in parts)


def stores(node: ast.AST) -> Iterator[Store]:
    """What a node itself stores, and not those below."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            for each in flat(target):
                yield from _store(each, [node.value])
    elif isinstance(node, ast.AugAssign | ast.AnnAssign | ast.NamedExpr):
        yield from _store(node.target, [node.value] if node.value is not None else [])
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _ADDING:
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        if given:
            # As if it were stored under a key.
            yield from _store(ast.copy_location(ast.Subscript(node.func.value, ast.Constant(None)), node), given)


def _store(place: ast.expr, value: Sequence[ast.expr]) -> Iterator[Store]:
    if isinstance(place, ast.Attribute) and _is_special(place.attr):
        return
    names = identifiers(place)
    telling = [name for name in names if name not in _ADDING and not _is_special(name)]
    calls = [each.func for each in _chain(place) if isinstance(each, ast.Call)]
    if not telling or any(isinstance(each, ast.Name) and _gives_something_new(each.id) for each in calls):
        return
    rest = names[names.index(telling[0]) :]
    if rest == ["super"]:
        return
    is_variable, is_attribute = isinstance(place, ast.Name), isinstance(place, ast.Attribute)
    yield Store(place, rest, value, is_variable, is_attribute, has_call=bool(calls))


def _chain(place: ast.expr) -> Iterator[ast.expr]:
    while isinstance(place, ast.Attribute | ast.Subscript | ast.Call):
        yield place
        place = place.func if isinstance(place, ast.Call) else place.value


def _gives_something_new(name: str) -> bool:
    """Whether a call of this gives something of its own, or what no name stands for: a class, or a builtin."""
    return (name[:1].isupper() or name in _BUILTINS) and name not in ("super", "type")


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def looks(node: ast.AST) -> Sequence[ast.expr]:
    """The expressions of which something is asked here that can tell whether a value is there."""
    if isinstance(node, ast.Compare):
        asks = isinstance(node.ops[0], ast.Is | ast.IsNot | ast.In | ast.NotIn)
        return [node.left, *node.comparators] if asks else []
    if isinstance(node, ast.UnaryOp):
        return [node.operand] if isinstance(node.op, ast.Not) else []
    if isinstance(node, ast.If | ast.IfExp):
        return node.test.values if isinstance(node.test, ast.BoolOp) else [node.test]
    if isinstance(node, ast.Try):
        attributes = (each for each in own_nodes(node.body) if isinstance(each, ast.Attribute))
        return [each for each in attributes if isinstance(each.ctx, ast.Load)]
    return _looks_by_call(node) if isinstance(node, ast.Call) else []


def _looks_by_call(node: ast.Call) -> Sequence[ast.expr]:
    if isinstance(node.func, ast.Attribute) and node.func.attr in ("get", "setdefault"):
        return [node.func.value]
    is_asked = isinstance(node.func, ast.Name) and node.func.id == "hasattr" and len(node.args) == 2
    if is_asked and isinstance(name := node.args[1], ast.Constant):
        return [ast.Attribute(node.args[0], str(name.value), ast.Load())]
    return []
