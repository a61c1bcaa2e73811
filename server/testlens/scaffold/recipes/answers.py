"""What a stand-in could answer so that the code goes on as it does when all is well."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from testlens.domain.calls import SeenCalls
from testlens.domain.expressions import Expression, mark
from testlens.scaffold.recipes.reading import below, called_name, root_name
from testlens.scaffold.target import FunctionNode, Target

_MOCK = mark("unittest.mock", "MagicMock")
_BY_ANNOTATION = {
    "str": '"done"', "int": "7", "float": "0.5", "bool": "True", "bytes": 'b"done"', "dict": '{"name": "done"}',
    "Mapping": '{"name": "done"}', "list": '["done"]', "Sequence": '["done"]', "tuple": '("done",)', "set": '{"done"}',
}  # fmt: skip
# What these attributes are where all is well.
_WELL = {
    "status_code": "200", "status": "200", "ok": "True", "code": "200", "returncode": "0", "is_success": "True",
    "text": '"done"', "content": 'b"done"', "body": 'b"done"',
}  # fmt: skip
_CALLED = "()"
_MOST_SEEN = 2
_ORDINARY = ('"done"', "{}", "None", f"{_MOCK}()", "[]", '{"name": "done"}', "1", "True")


def answers(call: ast.Call, function: FunctionNode) -> tuple[Expression, ...]:
    """Answers to try for a call in a function, the most telling first."""
    codes = dict.fromkeys(
        [*_by_use(call, function), *_by_annotation(call, function), *_by_reckoning(call, function), *_ORDINARY]
    )
    return tuple(Expression(code, origin="mock" if code.startswith(_MOCK) else "literal") for code in codes)


def seen_answers(call: ast.Call, target: Target, seen: SeenCalls) -> tuple[Expression, ...]:
    """What the project's own tests saw a function or method of the same file answer, simple answers first."""
    name = called_name(call)
    owner = target.owner.name if target.owner is not None else ""
    calls = seen.get((target.path, f"{owner}.{name}" if root_name(call.func) == "self" else name), ())
    results = {one.result.code: one.result for one in calls if one.result is not None}
    return tuple(sorted(results.values(), key=lambda result: len(result.code)))[:_MOST_SEEN]


@dataclass(slots=True)
class _Uses:
    """What the code takes from a value: attributes, items by key, results of calls, and what it takes from these."""

    attributes: dict[str, _Uses] = field(default_factory=dict)
    items: dict[str, _Uses] = field(default_factory=dict)
    is_mapping: bool = False

    def note(self, path: Sequence[tuple[str, str]]) -> None:
        """One way into the value, from the outside in."""
        uses = self
        for kind, name in path:
            if kind == "get":
                uses.is_mapping = True
                return
            held = uses.items if kind == "item" else uses.attributes
            uses = held.setdefault(name, _Uses())

    def written(self, name: str) -> str:
        """A value with all of that, in source."""
        if self.items:
            return "{" + ", ".join(f"{key!r}: {uses.written(key)}" for key, uses in self.items.items()) + "}"
        if self.is_mapping:
            return "{}"
        if not self.attributes:
            return _WELL.get(name, repr(name.lower()))
        if list(self.attributes) == [_CALLED]:
            return f"{_MOCK}(return_value={self.attributes[_CALLED].written(name)})"
        needed = {
            attribute: uses.written(attribute)
            for attribute, uses in self.attributes.items()
            if attribute in _WELL or uses.is_shaped
        }
        return f"{_MOCK}({', '.join(f'{attribute}={code}' for attribute, code in needed.items())})"

    @property
    def is_shaped(self) -> bool:
        """Whether a stand-in for it would not do, because the code looks into it by key."""
        return bool(self.items) or self.is_mapping or any(uses.is_shaped for uses in self.attributes.values())


def _by_use(call: ast.Call, function: FunctionNode) -> Iterator[str]:
    """An answer that has what the code takes from it."""
    names = _bound_to(call, function)
    uses = _Uses()
    for node in below(function):
        path = _path(node, call, names)
        if path:
            uses.note(path)
    if uses.items or uses.is_mapping or uses.attributes:
        yield uses.written("done")


def _path(node: ast.AST, call: ast.Call, names: frozenset[str]) -> list[tuple[str, str]] | None:
    """How an expression goes into the answer; None for what does not start there."""
    if isinstance(node, ast.expr) and _is_answer(node, call, names):
        return []
    match node:
        case ast.Attribute(value=base, attr="get"):
            step = ("get", "")
        case ast.Attribute(value=base, attr=attribute):
            step = ("attribute", attribute)
        case ast.Subscript(value=base, slice=ast.Constant(value=str(key))):
            step = ("item", key)
        case ast.Call(func=base):
            step = ("attribute", _CALLED)
        case _:
            return None
    path = _path(base, call, names)
    return None if path is None else [*path, step]


def _by_annotation(call: ast.Call, function: FunctionNode) -> Iterator[str]:
    """An answer of the type that the function returns, where it hands the answer on."""
    returned = any(isinstance(node, ast.Return) and node.value is call for node in below(function))
    if not returned or function.returns is None:
        return
    annotation = ast.unparse(function.returns).partition("[")[0].rpartition(".")[2].strip("'\"")
    if annotation in _BY_ANNOTATION:
        yield _BY_ANNOTATION[annotation]


def _by_reckoning(call: ast.Call, function: FunctionNode) -> Iterator[str]:
    """A number, where the code reckons with the answer."""
    names = _bound_to(call, function)
    for node in below(function):
        match node:
            case ast.AugAssign(value=value) if _is_answer(value, call, names):
                yield "1"
            case ast.BinOp(left=left, right=right) if any(_is_answer(side, call, names) for side in (left, right)):
                yield "1"


def _bound_to(call: ast.Call, function: FunctionNode) -> frozenset[str]:
    """The names that hold what the call gives."""
    names = set()
    for node in below(function):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if _hands_on(value, call):
                names.add(name)
            case ast.withitem(context_expr=value, optional_vars=ast.Name(id=name)) if value is call:
                names.add(name)
    return frozenset(names)


def _hands_on(value: ast.expr, call: ast.Call) -> bool:
    """Whether an expression is what the call gives: the call itself, or a helper that is handed it in a lambda."""
    if _is_answer(value, call, frozenset()):
        return True
    return isinstance(value, ast.Call) and any(isinstance(a, ast.Lambda) and a.body is call for a in value.args)


def _is_answer(node: ast.expr, call: ast.Call, names: frozenset[str]) -> bool:
    if isinstance(node, ast.Await):
        node = node.value
    return node is call or (isinstance(node, ast.Name) and node.id in names)
