"""Finds a function of a module by its name and place, whatever decorators, classes and descriptors hold it."""

from __future__ import annotations

import ast
import functools
import inspect
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

from testlens_agent.explore.modules import UnreachableError
from testlens_agent.import_paths import mark, shown_in

_CONSTRUCTORS = frozenset({"__init__", "__new__", "__post_init__", "__attrs_post_init__"})
_DEEPEST = 4
# Where libraries keep the function that they made a command, task or the like of.
_OF_OBJECTS = ("callback", "run", "fn", "function", "handler")
_WRAPPED_IN = frozenset({"__wrapped__", "__func__", "func", "dispatcher", "fget", "fset", "fdel"})
_Definition = (ast.FunctionDef, ast.AsyncFunctionDef)


class Found(NamedTuple):
    """A function: `function` has its code, `reached` is what a call by `callee` (marked source) calls.

    `owner` is the class that it is a method of. `kind` is as in domain.trials.
    """

    kind: str
    callee: str
    function: FunctionType
    reached: Any
    owner: type | None


class Place(NamedTuple):
    """Where a function is defined: the dotted name in pieces, and the 1-based lines of its decorators and `def`."""

    names: tuple[str, ...]
    first: int
    last: int

    file: str
    is_overload: bool = False

    def holds(self, code: CodeType) -> bool:
        """Whether this is the code of the function defined here."""
        in_place = self.first <= code.co_firstlineno <= self.last and code.co_name == self.names[-1]
        return in_place and code.co_filename.endswith(self.file)


def place_of(path: Path, function: str, line: int) -> Place:
    """Where the function with this dotted name and `def` line stands; raises UnreachableError for inner functions."""
    names = tuple(function.replace(".<locals>", "").split("."))
    chain = _chain(ast.parse(path.read_bytes()), line)
    outer = next((node for node in chain[:-1] if isinstance(node, _Definition)), None)
    if outer is not None:
        raise UnreachableError(f"it lives inside `{outer.name}`")
    if not chain or not isinstance(chain[-1], _Definition):
        return Place(names, line, line, path.name)
    node = chain[-1]
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    is_overload = any(ast.unparse(one).rpartition(".")[2] == "overload" for one in node.decorator_list)
    return Place(tuple(part.name for part in chain), first, node.lineno, path.name, is_overload)


def _chain(tree: ast.AST, line: int) -> list[Any]:
    """The definitions around `line`, outermost first; the last one is that whose `def` stands there."""
    chain: list[Any] = []
    nodes = list(ast.iter_child_nodes(tree))
    while nodes:
        node = nodes.pop()
        if isinstance(node, (*_Definition, ast.ClassDef)):
            start = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            if start <= line <= (node.end_lineno or start):
                chain.append(node)
                if node.lineno == line:
                    return chain
                nodes = list(node.body)
            continue
        nodes += ast.iter_child_nodes(node)
    return chain


def find(module: ModuleType, place: Place) -> Found:
    """The function that is defined at `place`; raises UnreachableError."""
    if place.is_overload:
        raise UnreachableError("it is an overload, which only type checkers look at")
    owner, path = _owner(module, place)
    namespace = module if owner is None else owner
    name = place.names[-1]
    holder = _static(namespace, mangled(owner, name))
    if holder is not None and _is_fixture(holder):
        raise UnreachableError("it is a fixture, which only pytest calls")
    if holder is not None and name != "_":
        found = _in_holder(holder, place, owner, (*path, name), module.__name__)
        if found is not None:
            return found
    for other, value in list(vars(namespace).items()):
        if owner is not None and isinstance(value, FunctionType):
            continue  # a method is called by its own name
        found = _in_holder(value, place, owner, (*path, other), module.__name__)
        if found is not None:
            return found
    fate = "is not there" if holder is None else "is something else"
    raise UnreachableError(f"`{'.'.join(place.names)}` {fate} once the module is loaded")


def _owner(module: ModuleType, place: Place) -> tuple[type | None, tuple[str, ...]]:
    owner: Any = None
    for index, name in enumerate(place.names[:-1]):
        owner = _static(module if owner is None else owner, name)
        if not isinstance(owner, type):
            raise UnreachableError(f"`{'.'.join(place.names[: index + 1])}` is no class once the module is loaded")
    return owner, place.names[:-1]


def _in_holder(holder: Any, place: Place, owner: type | None, path: tuple[str, ...], module: str) -> Found | None:
    """The function in what a namespace holds: itself, or something that a decorator made of it."""
    if owner is not None and holder is owner:
        return None
    kind, inner, steps = _unwrapped(holder)
    found = next(((function, more) for function, more in _functions(inner) if place.holds(function.__code__)), None)
    if found is None:
        return None
    function, more = found
    module = shown_in(module, path[0])
    if owner is None:
        return Found("function", mark(module, ".".join(path)) + steps + more, function, _follow(inner, more), None)
    if place.names[-1] in _CONSTRUCTORS:
        return Found("class", mark(module, ".".join(place.names[:-1])), function, owner, owner)
    if kind in ("class method", "static method"):
        return Found(kind, mark(module, ".".join(path)) + more, function, _follow(inner, more), owner)
    return Found(kind or "method", mark(module, ".".join(path[:-1])), function, _follow(inner, more), owner)


def _unwrapped(holder: Any) -> tuple[str, Any, str]:
    """The kind of method that a descriptor makes, what it holds, and the way there from outside."""
    if isinstance(holder, staticmethod):
        return "static method", holder.__func__, ""
    if isinstance(holder, classmethod):
        return "class method", holder.__func__, ""
    if isinstance(holder, property):
        return "property", holder, ""
    if isinstance(holder, functools.cached_property):
        return "property", holder.func, ""
    return "", holder, ""


def _functions(holder: Any) -> Iterator[tuple[FunctionType, str]]:
    """The functions that can be reached from an object, with the way of attributes to what has to be called."""
    seen: set[int] = set()
    queue: list[tuple[Any, str, int]] = [(holder, "", 0)]
    while queue:
        value, way, depth = queue.pop(0)
        if id(value) in seen or depth > _DEEPEST:
            continue
        seen.add(id(value))
        if isinstance(value, FunctionType):
            yield value, way
        for name, inner in _parts(value):
            # A wrapper is called itself; from any other object, the function in it is called.
            further = way if name in _WRAPPED_IN else f"{way}.{name}"
            queue.append((inner, further, depth + 1))


def _parts(value: Any) -> Iterable[tuple[str, Any]]:
    """What an object holds that may be a function, or lead to one."""
    if isinstance(value, (ModuleType, type)):
        return ()
    if isinstance(value, property):
        return (("fget", value.fget), ("fset", value.fset), ("fdel", value.fdel))
    if isinstance(value, FunctionType):
        return (*_wrapped(value), *_registered(value), *_closed_over(value))
    return (*_wrapped(value), *_kept(value))


def _wrapped(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, functools.partial):
        yield "func", value.func
    for name in ("__wrapped__", "__func__", "func", "dispatcher"):
        inner = inspect.getattr_static(value, name, None)
        if inner is not None:
            yield name, inner


def _closed_over(value: FunctionType) -> Iterator[tuple[str, Any]]:
    """The functions that one made by a decorator calls, where the decorator does not say so."""
    for cell in value.__closure__ or ():
        try:
            inner = cell.cell_contents
        except ValueError:  # not filled yet
            continue
        if isinstance(inner, FunctionType):
            yield "__wrapped__", inner


def _registered(value: FunctionType) -> Iterator[tuple[str, Any]]:
    """The functions that one of functools.singledispatch chooses among."""
    registry = vars(value).get("registry")
    if isinstance(registry, Mapping):
        yield from (("__wrapped__", inner) for inner in registry.values())


def _kept(value: Any) -> Iterator[tuple[str, Any]]:
    """The functions that an object has as attributes of its own, or under names that libraries use for such."""
    held = getattr(value, "__dict__", None)
    own = [name for name in held if isinstance(name, str) and name.isidentifier()] if isinstance(held, dict) else []
    for name in (*own, *_OF_OBJECTS):
        inner = inspect.getattr_static(value, name, None)
        if isinstance(inner, staticmethod):
            inner = inner.__func__
        if isinstance(inner, (FunctionType, functools.partial)):
            yield name, inner


def _follow(value: Any, way: str) -> Any:
    for name in filter(None, way.split(".")):
        value = getattr(value, name)
    return value


def _is_fixture(value: Any) -> bool:
    return type(value).__name__ == "FixtureFunctionDefinition" or hasattr(value, "_pytestfixturefunction")


def _static(namespace: Any, name: str) -> Any:
    return vars(namespace).get(name)


def mangled(owner: type | None, name: str) -> str:
    """The name of an attribute as Python keeps it: `_Class__name` for `__name` in a class."""
    if owner is None or not name.startswith("__") or name.endswith("__"):
        return name
    return f"_{owner.__name__.lstrip('_')}{name}"
