"""Source for values of Python's own types. A type counts exactly: a subclass may mean anything."""

from __future__ import annotations

import datetime
import functools
import io
import math
import pathlib
import re
import types
import uuid
from collections import ChainMap, Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, Callable

from testlens_agent.import_paths import mark
from testlens_agent.secret_values import is_secret

Write = Callable[[object], str]

_PATTERN_FLAGS = (re.ASCII, re.IGNORECASE, re.LOCALE, re.MULTILINE, re.DOTALL, re.VERBOSE)
_PATH = type(pathlib.Path())
_ZONE_INFO = ("zoneinfo", "ZoneInfo")


class InexpressibleError(Exception):
    """No source text rebuilds this value."""


def call(name: str, /, *arguments: str, **named: str) -> str:
    """The text of a call."""
    return f"{name}({', '.join([*arguments, *(f'{key}={value}' for key, value in named.items())])})"


def write_named(values: Mapping[str, object], write: Write) -> dict[str, str]:
    """The source of values that names tell of, none of which may be a secret's."""
    if any(is_secret(name, value) for name, value in values.items()):
        raise InexpressibleError
    return {name: write(value) for name, value in values.items()}


def still_to_come(iterator: Any) -> list[object]:
    """What a list's iterator will give, without moving it."""
    (items,), *index = iterator.__reduce__()[1:]
    return list(items[index[0] if index else 0 :])


def write_plain(value: Any, write: Write) -> str:
    """Source for a value of one of the types below; `write` writes what it holds."""
    writer = _WRITERS.get(type(value))
    if writer is None:
        raise InexpressibleError
    return writer(value, write)


def is_plain(value: object) -> bool:
    """Whether its type is one of those below."""
    return type(value) in _WRITERS


def _float(value: float, _write: Write) -> str:
    return repr(value) if math.isfinite(value) else call("float", f'"{value!r}"')


def _complex(value: complex, write: Write) -> str:
    return call("complex", write(value.real), write(value.imag))  # its repr loses the sign of a zero


def _bytearray(value: bytearray, write: Write) -> str:
    return call("bytearray", write(bytes(value)) if value else "")


def _tuple(value: tuple[object, ...], write: Write) -> str:
    return f"({write(value[0])},)" if len(value) == 1 else f"({_items(value, write)})"


def _list(value: list[object], write: Write) -> str:
    return f"[{_items(value, write)}]"


def _dict(value: Mapping[Any, object], write: Write) -> str:
    if any(type(key) is str and is_secret(key, item) for key, item in value.items()):
        raise InexpressibleError
    items = ", ".join(f"{write(key)}: {write(item)}" for key, item in value.items())
    return f"{{{items}}}"


def _set(value: set[object], write: Write) -> str:
    items = ", ".join(sorted(map(write, value)))
    return f"{{{items}}}" if items else "set()"


def _frozenset(value: frozenset[object], write: Write) -> str:
    return call("frozenset", _set(set(value), write) if value else "")


def _range(value: range, write: Write) -> str:
    numbers = [value.start, value.stop, value.step]
    if value.step == 1:
        numbers = numbers[1:2] if value.start == 0 else numbers[:2]
    return call("range", *map(write, map(int, numbers)))


def _slice(value: slice, write: Write) -> str:
    return call("slice", write(value.start), write(value.stop), write(value.step))


def _timedelta(value: datetime.timedelta, write: Write) -> str:
    parts = {name: getattr(value, name) for name in ("days", "seconds", "microseconds")}
    return call(mark("datetime", "timedelta"), **{name: write(part) for name, part in parts.items() if part})


def _timezone(value: datetime.timezone, write: Write) -> str:
    if value is datetime.timezone.utc:
        return f"{mark('datetime', 'timezone')}.utc"
    return call(mark("datetime", "timezone"), *map(write, value.__getinitargs__()))  # type: ignore[attr-defined]


def _date(value: datetime.date, write: Write) -> str:
    return call(mark("datetime", "date"), *map(write, (value.year, value.month, value.day)))


def _datetime(value: datetime.datetime, write: Write) -> str:
    parts = [value.year, value.month, value.day, value.hour, value.minute, value.second, value.microsecond]
    return call(mark("datetime", "datetime"), *_shortest(parts, 3, write), **_zone(value, write))


def _time(value: datetime.time, write: Write) -> str:
    parts = [value.hour, value.minute, value.second, value.microsecond]
    return call(mark("datetime", "time"), *_shortest(parts, 0, write), **_zone(value, write))


def _shortest(parts: list[int], least: int, write: Write) -> Iterable[str]:
    while len(parts) > least and parts[-1] == 0:
        parts.pop()
    return map(write, parts)


def _zone(value: Any, write: Write) -> dict[str, str]:
    named = {} if value.tzinfo is None else {"tzinfo": _tzinfo(value.tzinfo, write)}
    return {**named, "fold": "1"} if value.fold else named


def _tzinfo(zone: Any, write: Write) -> str:
    cls = type(zone)
    if (cls.__module__, cls.__qualname__) == _ZONE_INFO and zone.key is not None:
        return call(mark(*_ZONE_INFO), write(zone.key))
    return write(zone)


def _decimal(value: Decimal, write: Write) -> str:
    return call(mark("decimal", "Decimal"), write(str(value)))


def _fraction(value: Fraction, write: Write) -> str:
    return call(mark("fractions", "Fraction"), write(value.numerator), write(value.denominator))


def _uuid(value: uuid.UUID, write: Write) -> str:
    return call(mark("uuid", "UUID"), write(str(value)))


def _path(value: pathlib.PurePath, write: Write) -> str:
    name = "Path" if type(value) is _PATH else type(value).__name__
    return call(mark("pathlib", name), write(str(value)))


def _pattern(value: re.Pattern[Any], write: Write) -> str:
    usual = re.UNICODE if type(value.pattern) is str and not value.flags & re.ASCII else 0
    flags = [flag for flag in _PATTERN_FLAGS if value.flags & flag]
    if value.flags & ~usual != sum(flags):
        raise InexpressibleError
    names = " | ".join(mark("re", str(flag.name)) for flag in flags)
    return call(mark("re", "compile"), write(value.pattern), *([names] if names else []))


def _ordered_dict(value: OrderedDict[object, object], write: Write) -> str:
    return call(mark("collections", "OrderedDict"), _dict(value, write) if value else "")


def _defaultdict(value: defaultdict[object, object], write: Write) -> str:
    held = [_dict(value, write)] if value else []
    return call(mark("collections", "defaultdict"), write(value.default_factory), *held)


def _counter(value: Counter[object], write: Write) -> str:
    return call(mark("collections", "Counter"), _dict(value, write) if value else "")


def _deque(value: deque[object], write: Write) -> str:
    held = f"[{_items(value, write)}]"
    limit = {} if value.maxlen is None else {"maxlen": write(value.maxlen)}
    return call(mark("collections", "deque"), *([held] if value or limit else []), **limit)


def _chain_map(value: ChainMap[object, object], write: Write) -> str:
    return call(mark("collections", "ChainMap"), *map(write, value.maps))


def _list_iterator(value: Any, write: Write) -> str:
    return call("iter", write(still_to_come(value)))


def _mapping_proxy(value: types.MappingProxyType[object, object], write: Write) -> str:
    import gc

    held = gc.get_referents(value)
    if len(held) != 1 or type(held[0]) is not dict:  # a class's namespace, or a mapping of the project's own
        raise InexpressibleError
    return call(mark("types", "MappingProxyType"), write(held[0]))


def _namespace(value: types.SimpleNamespace, write: Write) -> str:
    if not all(name.isidentifier() for name in vars(value)):
        raise InexpressibleError
    return call(mark("types", "SimpleNamespace"), **write_named(vars(value), write))


def _buffer(value: Any, write: Write) -> str:
    """A text or bytes buffer that nobody has read from or written to: no one expression has a place within it."""
    if value.closed or value.tell() != 0:
        raise InexpressibleError
    content = value.getvalue()
    return call(mark("io", type(value).__name__), *([write(content)] if content else []))


def _partial(value: functools.partial[Any], write: Write) -> str:
    if vars(value):
        raise InexpressibleError
    named = write_named(value.keywords, write)
    return call(mark("functools", "partial"), write(value.func), *map(write, value.args), **named)


def _items(values: Iterable[object], write: Write) -> str:
    return ", ".join(map(write, values))


def _literal(value: object, _write: Write) -> str:
    return repr(value)


def _ellipsis(_value: object, _write: Write) -> str:
    return "..."


def _not_implemented(_value: object, _write: Write) -> str:
    return "NotImplemented"


_WRITERS: dict[type, Callable[[Any, Write], str]] = {
    **dict.fromkeys((type(None), bool, int, str, bytes), _literal),
    type(...): _ellipsis,
    type(NotImplemented): _not_implemented,
    float: _float,
    complex: _complex,
    bytearray: _bytearray,
    tuple: _tuple,
    list: _list,
    dict: _dict,
    set: _set,
    frozenset: _frozenset,
    range: _range,
    slice: _slice,
    datetime.timedelta: _timedelta,
    datetime.timezone: _timezone,
    datetime.date: _date,
    datetime.datetime: _datetime,
    datetime.time: _time,
    Decimal: _decimal,
    Fraction: _fraction,
    uuid.UUID: _uuid,
    **dict.fromkeys((_PATH, pathlib.PurePosixPath, pathlib.PureWindowsPath), _path),
    re.Pattern: _pattern,
    OrderedDict: _ordered_dict,
    defaultdict: _defaultdict,
    Counter: _counter,
    deque: _deque,
    ChainMap: _chain_map,
    type(iter([])): _list_iterator,
    types.MappingProxyType: _mapping_proxy,
    types.SimpleNamespace: _namespace,
    io.StringIO: _buffer,
    io.BytesIO: _buffer,
    functools.partial: _partial,
}
