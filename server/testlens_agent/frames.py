"""What a function was called with, read from its frame when it begins."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from types import CodeType, FrameType, FunctionType
from typing import Any, Literal, NamedTuple

from testlens_agent.import_paths import class_attribute, class_order
from testlens_agent.record_values import own_namespace

Kind = Literal["positional only", "positional", "variadic", "keyword only", "keywords"]

Parameters = tuple[tuple[str, Kind], ...]

_CO_VARARGS = 0x04
_CO_VARKEYWORDS = 0x08


class Argument(NamedTuple):
    """One parameter and what it was given; a tuple or dict for `*args` and `**kwargs`."""

    name: str
    kind: Kind
    value: object


class Call(NamedTuple):
    """A call as it begins. `owner` is the `self` of a method or the class that a class method is called for.

    `owner` is no part of `arguments`; it is None for functions and static methods.
    """

    owner: object | None
    owner_is_class: bool
    arguments: tuple[Argument, ...]


def read_call(frame: FrameType, parameters: Parameters) -> Call:
    """The call that the frame begins to carry out; KeyError if a parameter has no value any more."""
    code, held = frame.f_code, frame.f_locals
    arguments = tuple(Argument(name, kind, held[name]) for name, kind in parameters)
    if not arguments or arguments[0].kind not in {"positional", "positional only"}:
        return Call(None, owner_is_class=False, arguments=arguments)
    first = arguments[0].value
    role = _role(code, first, arguments[0].name)
    if role == "argument":
        return Call(None, owner_is_class=False, arguments=arguments)
    return Call(first, role == "class", arguments[1:])


def parameters_of(code: CodeType) -> Parameters:
    """The parameters of the function that has this code, in order."""
    return tuple(_parameters(code))


def _parameters(code: CodeType) -> Iterator[tuple[str, Kind]]:
    names = code.co_varnames
    positional, keyword_only = code.co_argcount, code.co_kwonlyargcount
    for at, name in enumerate(names[:positional]):
        yield name, "positional only" if at < code.co_posonlyargcount else "positional"
    rest = positional + keyword_only
    if code.co_flags & _CO_VARARGS:
        yield names[rest], "variadic"
        rest += 1
    for name in names[positional : positional + keyword_only]:
        yield name, "keyword only"
    if code.co_flags & _CO_VARKEYWORDS:
        yield names[rest], "keywords"


def _role(code: CodeType, first: object, name: str) -> Literal["instance", "class", "argument"]:
    """What the first argument is to the function."""
    is_class = issubclass(type(first), type)
    cls: Any = first if is_class else type(first)
    for base in class_order(cls):
        attribute = vars(base).get(code.co_name)
        if attribute is not None and _is_made_of(attribute, code):
            if code.co_name in {"__new__", "__init_subclass__", "__class_getitem__"}:
                return "class" if is_class else "argument"
            if type(attribute) is staticmethod:
                return "argument"
            return "class" if is_class and type(attribute) is classmethod else "instance"
    # A decorator hides the function from its class; then only the name of the parameter tells.
    if name == "cls" and is_class:
        return "class"
    return "instance" if name == "self" else "argument"


def _is_made_of(attribute: object, code: CodeType) -> bool:
    """Whether an attribute of a class is this function, a property of it, or a wrapper that says what it wraps."""
    pending: list[Any] = [attribute]
    for _ in range(8):
        if not pending:
            return False
        found = pending.pop()
        if type(found) is FunctionType:
            if found.__code__ is code:
                return True
            pending.append(own_namespace(found).get("__wrapped__"))
        elif type(found) in {staticmethod, classmethod}:
            pending.append(found.__func__)
        elif type(found) is property:
            pending += [found.fget, found.fset, found.fdel]
        elif type(found) is functools.cached_property:
            pending.append(found.func)
    return False


def constructor(cls: type) -> FunctionType | None:
    """The function in Python that an instance of the class is built with, `__init__` before `__new__`."""
    for name in ("__init__", "__new__"):
        found = class_attribute(cls, name)
        found = getattr(found, "__func__", found) if type(found) is staticmethod else found
        if type(found) is FunctionType:
            return found
    return None
