"""Finds, in the source text, where code goes through a collection in chunks, and what it sends each chunk to."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from testlens.scaffold.recipes.constants import Constants
from testlens.scaffold.recipes.items import is_collection
from testlens.scaffold.recipes.reading import below, called_name, derived, last_name, own_below, parameters
from testlens.scaffold.recipes.retry_sites import operations_in
from testlens.scaffold.target import FunctionNode, Target

_CHUNKED = re.compile(r"(\A|_)(chunks?|chunked|ichunked|batched|batches|grouper|in_chunks)(_|\Z)")
_DEEPEST = 5
_MOST_REQUESTS = 3


@dataclass(frozen=True, slots=True)
class Setting:
    """Where the size of a chunk can be changed: a parameter, a global of the module, or an attribute of `self`."""

    kind: Literal["parameter", "global", "attribute"]
    name: str


@dataclass(frozen=True, slots=True)
class Chunks:
    """Code that goes through a collection in chunks.

    `parameter` is what the collection comes from. `size` items go into one chunk, None for all that there are;
    `setting` is where that can be changed. `requests` are the calls that may be made for each chunk, the likeliest
    first; `names` hold a chunk, or something made of it, while the loop runs; `loop` is where.
    """

    parameter: str
    size: int | None
    setting: Setting | None
    requests: tuple[ast.Call, ...]
    names: frozenset[str]
    loop: ast.stmt

    def carried(self, request: ast.Call) -> str | None:
        """How the recorded call of a request holds its chunk, in source after the call; None where it is not seen."""
        for index, argument in enumerate(request.args):
            if self._is_chunk(argument):
                return f".args[{index}]"
        for keyword in request.keywords:
            if keyword.arg is not None and self._is_chunk(keyword.value):
                return f'.kwargs["{keyword.arg}"]'
        return None

    def _is_chunk(self, node: ast.expr) -> bool:
        match node:
            case ast.Name(id=name):
                return name in self.names
            case ast.Subscript(slice=ast.Slice()):
                return True
            case ast.Call(func=ast.Name(id="list" | "tuple"), args=[inner]):
                return self._is_chunk(inner)
            case ast.ListComp(generators=[ast.comprehension(iter=over)]):
                return self._is_chunk(over)
        return False


def find_chunks(target: Target) -> Chunks | None:
    """Where the function of a target works in chunks; None where nothing says that it does."""
    function = target.function
    for node in own_below(function):
        if isinstance(node, ast.For | ast.AsyncFor):
            found = _loop(node, target)
        elif isinstance(node, ast.While):
            found = _eaten(node, target)
        else:
            found = None
        if found is not None:
            return found
    return _single_request(target)


def _loop(loop: ast.For | ast.AsyncFor, target: Target) -> Chunks | None:
    match loop.iter:
        case ast.Call(func=ast.Name(id="range"), args=[_, stop, step]):
            subject, size = _measured(stop), step
        case ast.Call(args=[subject, size, *_]) as call if _CHUNKED.search(called_name(call)):
            pass
        case ast.Call(args=[subject], keywords=[ast.keyword(value=size)]) as call if _CHUNKED.search(called_name(call)):
            pass
        case _:
            return None
    if isinstance(size, ast.Constant) and size.value in (1, 2, 3):
        return None  # steps through pairs and triples are no batches
    targets = frozenset(last_name(node) for node in below(loop.target) if isinstance(node, ast.Name))
    # The place where a chunk starts is no chunk.
    names = derived(loop, targets) - (targets if called_name(loop.iter) == "range" else frozenset())
    return _chunks(subject, size, names, loop, target)


def _eaten(loop: ast.While, target: Target) -> Chunks | None:
    """`while rest: chunk, rest = rest[:SIZE], rest[SIZE:]`."""
    for node in own_below(loop):
        match node:
            case ast.Subscript(
                value=ast.Name(id=name) as subject, slice=ast.Slice(lower=None, upper=ast.expr() as size)
            ):
                if any(last_name(part) == name for part in below(loop.test)) and _is_left_behind(name, size, loop):
                    return _chunks(subject, size, derived(loop, frozenset({name})), loop, target)
    return None


def _is_left_behind(name: str, size: ast.expr, loop: ast.While) -> bool:
    """Whether the loop goes on with what comes after the chunk."""
    return any(
        isinstance(node, ast.Subscript)
        and last_name(node.value) == name
        and isinstance(node.slice, ast.Slice)
        and node.slice.lower is not None
        and ast.dump(node.slice.lower) == ast.dump(size)
        for node in below(loop)
    )


def _single_request(target: Target) -> Chunks | None:
    """One request for all that there is, as a service takes it: no loop of the function's own."""
    batches = [marker for marker in target.markers if marker.kind == "batch"]
    for call in operations_in(target.function.body, target):
        if not any(marker.first <= call.lineno <= marker.last for marker in batches):
            continue
        for parameter in parameters(target.function):
            names = derived(target.function, frozenset({parameter.arg}))
            used = {last_name(node) for node in below(call) if isinstance(node, ast.Name)}
            if used & names and is_collection(parameter, target.function):
                return Chunks(parameter.arg, None, None, (call,), names, target.function)
    return None


def _chunks(
    subject: ast.expr | None,
    size: ast.expr,
    names: frozenset[str],
    loop: ast.For | ast.AsyncFor | ast.While,
    target: Target,
) -> Chunks | None:
    parameter = _parameter_behind(subject, target.function)
    number = Constants(target).number(size)
    requests = operations_in(loop.body, target)
    if parameter is None or not requests:
        return None
    found = Chunks(parameter, number, _setting(size, target.function), requests, names, loop)
    # What only helps to make a request of the chunk is not what is counted.
    carrying = [request for request in requests if found.carried(request) is not None]
    return replace(found, requests=tuple(carrying[:_MOST_REQUESTS])) if carrying else None


def _measured(stop: ast.expr) -> ast.expr | None:
    """What a `len(...)` inside an expression measures."""
    for node in below(stop):
        if isinstance(node, ast.Call) and called_name(node) == "len" and len(node.args) == 1:
            return node.args[0]
    return None


def _setting(size: ast.expr, function: FunctionNode) -> Setting | None:
    match size:
        case ast.Name(id=name):
            own = any(parameter.arg == name for parameter in parameters(function))
            return Setting("parameter" if own else "global", name)
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            return Setting("attribute", name)
    return None


def _parameter_behind(node: ast.expr | None, function: FunctionNode, depth: int = 0) -> str | None:
    """The parameter that an expression comes from, through the variables of the function."""
    if node is None or depth > _DEEPEST:
        return None
    own = {parameter.arg for parameter in parameters(function)} - {"self", "cls"}
    names = [inner.id for inner in below(node) if isinstance(inner, ast.Name)]
    for name in names:
        if name in own:
            return name
    for name in names:
        for value in _values_of(name, function):
            found = _parameter_behind(value, function, depth + 1)
            if found is not None:
                return found
    return None


def _values_of(name: str, function: FunctionNode) -> Iterator[ast.expr]:
    for node in own_below(function):
        match node:
            case ast.Assign(targets=[ast.Name(id=bound)], value=value) if bound == name:
                yield value
            case ast.AnnAssign(target=ast.Name(id=bound), value=ast.expr() as value) if bound == name:
                yield value
