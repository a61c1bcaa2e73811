"""What can be said of the values that a test ended with."""

from __future__ import annotations

import contextlib
import inspect
import itertools
import sys
import types
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from testlens_agent.explore.patience import TooSlowError, time_limit
from testlens_agent.expressions import Expr, ExpressionWriter
from testlens_agent.import_paths import class_order, mark, nearest_class
from testlens_agent.plain_values import call

_MOST_ATTRIBUTES = 12
_MOST_CALLS = 30
_MOST_ITEMS = 5
_SECONDS_EACH = 0.3
_ANY = mark("unittest.mock", "ANY")
_CALL = mark("unittest.mock", "call")
# What any test can write down anew, and what is one object wherever it comes from.
_ATOMS = (type(None), bool, int, float, complex, str, bytes, type, types.FunctionType, types.ModuleType)
# Their items are made one by one, or taken from what stays as it is.
_COLLECTIONS: tuple[Iterable[Any], ...] = ((), [], "", b"", {}, set(), range(0))
_ITERATORS = frozenset(
    {map, filter, zip, enumerate, reversed, *(type(iter(one)) for one in _COLLECTIONS)}
    | {kind for kind in vars(itertools).values() if isinstance(kind, type)}
)
_ENDLESS = frozenset({itertools.count, itertools.cycle, itertools.repeat})


class Observer:
    """Describes values in the words of domain.trials.Seen.

    Made before the process moves away from the project's folder, whose paths must not be written down.
    """

    def __init__(self) -> None:
        self._fixtures: Mapping[str, Any] = {}
        self._writer = ExpressionWriter(self._known, rebuild=lambda cls, named: cls(**named))

    def see(self, values: Mapping[str, Any], fixtures: Mapping[str, Any]) -> dict[str, Any]:
        """Each value by name, as a test with these fixtures may write it. Iterators are used up, at the very end."""
        self._fixtures = {name: value for name, value in fixtures.items() if not isinstance(value, _ATOMS)}
        seen = {name: self._guarded(value) for name, value in values.items()}
        for name, value in values.items():
            if _is_unused_iterator(value):
                seen[name]["iterable"] = self._first_items(value)
        self._fixtures = {}
        return seen

    def see_error(self, error: BaseException) -> dict[str, str]:
        """The public attributes of an exception, by name, as far as source can rebuild them."""
        attributes: dict[str, str] = {}
        with contextlib.suppress(TooSlowError, Exception), time_limit(_SECONDS_EACH):
            attributes = dict(self._described(error))
            arguments = self._code(error.args)
            attributes.update({} if arguments is None else {"args": arguments})
        return attributes

    def _guarded(self, value: Any) -> dict[str, Any]:
        seen: dict[str, Any] = {"type": nearest_class(type(value)), "code": None, "calls": [], "attributes": {}}
        # Values are the project's: whatever they do while one looks at them, what was seen before stays.
        with contextlib.suppress(TooSlowError, Exception), time_limit(_SECONDS_EACH):
            seen["code"] = self._code(value)
            seen["calls"] = list(self._calls(value))
            seen["attributes"] = dict(self._attributes(value))
        return seen

    def _code(self, value: Any) -> str | None:
        expression = self._writer.write(value)
        return None if expression is None else expression.code

    def _calls(self, value: Any) -> Iterator[str]:
        if _is_stand_in(value):
            yield from map(self._call, list(value.mock_calls)[:_MOST_CALLS])

    def _call(self, made: Any) -> str:
        name, arguments, named = made
        positions = (self._argument(argument) for argument in arguments)
        keywords = {key: self._argument(argument) for key, argument in named.items()}
        return call(f"{_CALL}{_way(name)}", *positions, **keywords)

    def _argument(self, value: Any) -> str:
        # Two stand-ins are never equal.
        return _ANY if _is_stand_in(value) else self._code(value) or _ANY

    def _attributes(self, value: Any) -> Iterator[tuple[str, str]]:
        if isinstance(value, BaseException):
            yield from self.see_error(value).items()
        elif not (isinstance(value, _ATOMS) or _is_stand_in(value)):
            yield from self._described(value)

    def _described(self, value: Any) -> Iterator[tuple[str, str]]:
        codes = ((name, self._code(held)) for name, held in _public(value))
        yield from itertools.islice(((name, code) for name, code in codes if code is not None), _MOST_ATTRIBUTES)

    def _first_items(self, value: Any) -> list[str] | None:
        try:
            with time_limit(_SECONDS_EACH):
                codes = [self._code(item) for item in itertools.islice(value, _MOST_ITEMS)]
        except (TooSlowError, Exception):  # noqa: BLE001  (as above)
            return None
        written = [code for code in codes if code is not None]
        return written if len(written) == len(codes) else None

    def _known(self, value: object) -> Expr | None:
        for name, held in self._fixtures.items():
            if held is value:
                return Expr(name, (name,))
        folder = self._fixtures.get("tmp_path")
        if isinstance(folder, Path) and isinstance(value, Path) and folder in value.parents:
            return Expr(f'tmp_path / "{value.relative_to(folder).as_posix()}"', ("tmp_path",))
        return None


def _public(value: Any) -> Iterable[tuple[str, Any]]:
    """The public attributes that the instance itself holds; no property is asked."""
    held = getattr(value, "__dict__", None)
    if isinstance(held, dict):
        yield from ((name, one) for name, one in held.items() if isinstance(name, str) and not name.startswith("_"))
    for base in class_order(type(value)):
        for name, member in vars(base).items():
            if (
                type(member) is types.MemberDescriptorType
                and not name.startswith("_")
                and base.__module__ != "builtins"
            ):
                try:
                    yield name, member.__get__(value, base)
                except AttributeError:  # a slot that is empty
                    continue


def _way(name: str) -> str:
    """What follows `call` for a call of this name: `.put` for `put`, `().get` for `().get`."""
    return name if not name or name.startswith("(") else f".{name}"


def _is_stand_in(value: object) -> bool:
    mock = sys.modules.get("unittest.mock")
    return mock is not None and issubclass(type(value), mock.NonCallableMock)


def _is_unused_iterator(value: object) -> bool:
    if type(value) is types.GeneratorType:
        return inspect.getgeneratorstate(value) == inspect.GEN_CREATED
    return type(value) in _ITERATORS and type(value) not in _ENDLESS
