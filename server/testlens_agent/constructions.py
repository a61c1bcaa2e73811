"""Remembers with what arguments the objects of the project's classes were built, without keeping one alive."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Iterator
from keyword import iskeyword
from types import FunctionType
from typing import Any, NamedTuple

from testlens_agent.expressions import Expr, ExpressionWriter
from testlens_agent.frames import Argument, Call, constructor
from testlens_agent.import_paths import class_attribute, constant_name, import_path, is_one_of
from testlens_agent.plain_values import call
from testlens_agent.record_values import as_record, own_namespace
from testlens_agent.secret_values import is_secret

_MOST = 5000
_OBJECT_NEW = vars(object)["__new__"]
_COMPARABLE = (type(None), bool, int, float, str, bytes)


class _Known(NamedTuple):
    reference: weakref.ref[object]
    expression: Expr
    attributes: frozenset[str]


class Constructions:
    """How objects came to be, for as long as they live."""

    def __init__(self) -> None:
        self._known: dict[int, _Known] = {}

    def remember(self, value: object, expression: Expr) -> None:
        """Note how `value` was built, unless its own fields tell that, or nothing can refer to it weakly."""
        record = as_record(value)
        if record is not None and record.certain:
            return
        if len(self._known) >= _MOST:
            self.forget_dead()
        if len(self._known) >= _MOST:
            return
        try:
            self._known[id(value)] = _Known(weakref.ref(value), expression, frozenset(own_namespace(value)))
        except TypeError:
            return

    def find(self, value: object) -> Expr | None:
        """How `value` was built, if known, unless it was given further attributes since: then that is not all of it."""
        if _needs_nothing(value):
            return Expr(call(str(import_path(type(value)))))
        known = self._known.get(id(value))
        # The identity of an object that has died may be that of another one now.
        if known is None or known.reference() is not value:
            return None
        more = own_namespace(value).keys() - known.attributes
        is_same = all(type(class_attribute(type(value), name)) is functools.cached_property for name in more)
        return known.expression if is_same else None

    def forget_dead(self) -> None:
        """Drop what is known of objects that are no more."""
        self._known = {key: known for key, known in self._known.items() if known.reference() is not None}


def _needs_nothing(value: object) -> bool:
    """Whether it is an object without any state, of a class that takes no arguments."""
    cls = type(value)
    if class_attribute(cls, "__init__") is not object.__init__ or class_attribute(cls, "__new__") is not _OBJECT_NEW:
        return False
    has_namespace = class_attribute(cls, "__dict__") is not None and not own_namespace(value)
    return has_namespace and import_path(cls) is not None and constant_name(value, lambda: False) is None


def construction(cls: type, given: Call, writer: ExpressionWriter) -> Expr | None:
    """The expression that builds an instance of `cls` as this call of its constructor does."""
    path = import_path(cls)
    function = constructor(cls)
    if path is None or function is None or type(class_attribute(type(cls), "__call__")) is FunctionType:
        return None
    positional: list[str] = []
    named: dict[str, str] = {}
    fixtures: set[str] = set()
    for argument in _as_passed(given.arguments, function):
        expression = _written(argument, writer)
        if expression is None or not argument.name.isidentifier() or iskeyword(argument.name):
            return None
        fixtures.update(expression.fixtures)
        if argument.kind == "positional only":
            positional.append(expression.code)
        else:
            named[argument.name] = expression.code
    return Expr(call(path, *positional, **named), tuple(sorted(fixtures)))


def _written(argument: Argument, writer: ExpressionWriter) -> Expr | None:
    if not is_secret(argument.name, argument.value):
        return writer.write(argument.value)
    stand_in = _in_place_of(argument.value, argument.name.strip("_").replace("_", "-"))
    return None if stand_in is None else Expr(repr(stand_in))


def _in_place_of(secret: Any, name: str) -> Any:
    """What serves as well where an object is built with a secret: the object does not depend on which one it is."""
    if type(secret) is str:
        return name
    if type(secret) is bytes:
        return name.encode()
    if type(secret) is list:
        others = [_in_place_of(one, f"{name}-{at}") for at, one in enumerate(secret, 1)]
        return None if None in others else others
    return None


def _as_passed(arguments: tuple[Argument, ...], function: FunctionType) -> Iterator[Argument]:
    """The arguments as a caller would write them, each by place or by name; what equals its default is left out."""
    defaults = _defaults(function)
    places = [argument for argument in arguments if argument.kind in {"positional", "positional only"}]
    has_more = any(argument.kind == "variadic" and argument.value for argument in arguments)
    # One thing that has to be given needs no name to be understood.
    is_clear = sum(argument.name not in defaults for argument in places) == 1 and places[0].name not in defaults
    for argument in arguments:
        value: Any = argument.value
        if argument.kind == "variadic":
            yield from (Argument(argument.name, "positional only", item) for item in value)
        elif argument.kind == "keywords":
            yield from (Argument(name, "keyword only", item) for name, item in value.items())
        elif argument.kind == "positional only" or (argument.kind == "positional" and has_more):
            yield argument._replace(kind="positional only")
        elif not _is_default(argument, defaults):
            by_place = is_clear and argument is places[0]
            yield argument._replace(kind="positional only" if by_place else "keyword only")


def _is_default(argument: Argument, defaults: dict[str, Any]) -> bool:
    if argument.name not in defaults:
        return False
    value, default = argument.value, defaults[argument.name]
    return value is default or (type(value) is type(default) and is_one_of(value, _COMPARABLE) and value == default)


def _defaults(function: FunctionType) -> dict[str, Any]:
    code = function.__code__
    last = code.co_varnames[: code.co_argcount]
    given = function.__defaults__ or ()
    return {**dict(zip(last[len(last) - len(given) :], given)), **(function.__kwdefaults__ or {})}
