"""Ordinary values of the types that Python brings: data, no logic."""

from __future__ import annotations

import collections
import collections.abc
import contextlib
import datetime
import decimal
import fractions
import io
import logging
import os
import pathlib
import re
import sys
import threading
import types
import typing
import uuid
from typing import Any

from testlens_agent.explore.evaluation import Value
from testlens_agent.import_paths import import_path, mark


def stand_in(kind: type) -> Value:
    """A mock that answers like an instance of the class; a plain one where no test can import the class."""
    magic = mark("unittest.mock", "MagicMock")
    path = import_path(kind)
    return Value(f"{magic}()" if path is None else f"{magic}(spec={path})", origin="mock")


def any_function(result: Value) -> Value:
    """A function that takes anything and returns that."""
    return Value(f"lambda *args, **kwargs: {result.code}", result.fixtures)


def _plain(*codes: str) -> tuple[Value, ...]:
    return tuple(map(Value, codes))


_PATH = Value('tmp_path / "name"', ("tmp_path",))
_DATE = mark("datetime", "datetime")
_UTC = mark("datetime", "timezone") + ".utc"
_TEXT_FILE = _plain(f'{mark("io", "StringIO")}("name")', f"{mark('io', 'StringIO')}()")
_BYTES_FILE = _plain(f'{mark("io", "BytesIO")}(b"data")', f"{mark('io', 'BytesIO')}()")

PLAIN: dict[Any, tuple[Value, ...]] = {
    bool: _plain("True", "False"),
    int: _plain("1", "0", "-1", "100", "1000000"),
    float: _plain("0.5", "0.0", "-1.0", "100.0"),
    complex: _plain("1j"),
    str: _plain('"name"', '""'),
    bytes: _plain('b"data"', 'b""'),
    bytearray: _plain('bytearray(b"data")', "bytearray()"),
    memoryview: _plain('memoryview(b"data")'),
    object: _plain("object()"),
    slice: _plain("slice(0, 1)"),
    range: _plain("range(2)"),
    decimal.Decimal: _plain(f'{mark("decimal", "Decimal")}("1.5")', f'{mark("decimal", "Decimal")}("0")'),
    fractions.Fraction: _plain(f"{mark('fractions', 'Fraction')}(1, 2)"),
    uuid.UUID: _plain(f"{mark('uuid', 'UUID')}(int=1)"),
    datetime.datetime: _plain(f"{_DATE}(2024, 1, 2, 3, 4, 5, tzinfo={_UTC})", f"{_DATE}(2024, 1, 2, 3, 4, 5)"),
    datetime.date: _plain(f"{mark('datetime', 'date')}(2024, 1, 2)"),
    datetime.time: _plain(f"{mark('datetime', 'time')}(3, 4, 5)"),
    datetime.timedelta: _plain(f"{mark('datetime', 'timedelta')}(seconds=1)", f"{mark('datetime', 'timedelta')}()"),
    datetime.tzinfo: _plain(_UTC),
    datetime.timezone: _plain(_UTC),
    pathlib.Path: (_PATH, Value("tmp_path", ("tmp_path",))),
    pathlib.PurePath: _plain(f'{mark("pathlib", "PurePath")}("name")'),
    pathlib.PosixPath: (_PATH,),
    os.PathLike: (_PATH,),
    io.StringIO: _TEXT_FILE,
    io.BytesIO: _BYTES_FILE,
    io.TextIOBase: _TEXT_FILE,
    io.IOBase: _BYTES_FILE,
    io.RawIOBase: _BYTES_FILE,
    io.BufferedIOBase: _BYTES_FILE,
    typing.TextIO: _TEXT_FILE,
    typing.BinaryIO: _BYTES_FILE,
    typing.IO: _TEXT_FILE,
    logging.Logger: _plain(f'{mark("logging", "getLogger")}("name")'),
    re.Pattern: _plain(f'{mark("re", "compile")}("name")'),
    re.Match: _plain(f'{mark("re", "match")}("name", "name")'),
    types.ModuleType: _plain(mark("math", "")),
    types.SimpleNamespace: _plain(f"{mark('types', 'SimpleNamespace')}()"),
    types.FunctionType: (any_function(Value("None")),),
    BaseException: _plain('ValueError("name")'),
    Exception: _plain('ValueError("name")'),
    threading.Event: _plain(f"{mark('threading', 'Event')}()"),
    collections.abc.Callable: (any_function(Value("None")),),
    collections.abc.Hashable: _plain('"name"', "1"),
    collections.abc.Sized: _plain("[]", '["name"]'),
    contextlib.AbstractContextManager: _plain(f"{mark('contextlib', 'nullcontext')}()"),
    contextlib.AbstractAsyncContextManager: _plain(f"{mark('contextlib', 'nullcontext')}()"),
}
"""By class, the simplest first."""

ELEMENTLESS: dict[Any, Any] = {
    re.Pattern: re.Pattern,
    re.Match: re.Match,
    os.PathLike: os.PathLike,
    typing.IO: typing.IO,
    contextlib.AbstractContextManager: contextlib.AbstractContextManager,
    contextlib.AbstractAsyncContextManager: contextlib.AbstractAsyncContextManager,
}
"""Generic classes whose values do not depend on the arguments, or not enough to matter."""

if "asyncio" in sys.modules:  # else it would be loaded for the sake of these
    for _name in ("Queue", "Event", "Lock", "Semaphore"):
        PLAIN[getattr(sys.modules["asyncio"], _name)] = _plain(f"{mark('asyncio', _name)}()")
    ELEMENTLESS[sys.modules["asyncio"].Queue] = sys.modules["asyncio"].Queue

_LIST, _SET, _DICT = ("[]", "[{item}]"), ("set()", "{{item}}"), ("{}", "{{key}: {item}}")
_ITERATOR = ("iter([])", "iter([{item}])")
_DEQUE, _COUNTER = mark("collections", "deque"), mark("collections", "Counter")
_DEFAULT, _ORDERED = mark("collections", "defaultdict"), mark("collections", "OrderedDict")

SEVERAL: dict[Any, tuple[str, str]] = {
    list: _LIST,
    set: _SET,
    dict: _DICT,
    frozenset: ("frozenset()", "frozenset({{item}})"),
    collections.deque: (f"{_DEQUE}()", f"{_DEQUE}([{{item}}])"),
    collections.Counter: (f"{_COUNTER}()", f"{_COUNTER}([{{item}}])"),
    collections.defaultdict: (f"{_DEFAULT}(list)", f"{_DEFAULT}(list, {{{{key}}: {{item}}}})"),
    collections.OrderedDict: (f"{_ORDERED}()", f"{_ORDERED}({{{{key}}: {{item}}}})"),
    collections.abc.Iterable: _LIST,
    collections.abc.Collection: _LIST,
    collections.abc.Container: _LIST,
    collections.abc.Reversible: _LIST,
    collections.abc.Sequence: _LIST,
    collections.abc.MutableSequence: _LIST,
    collections.abc.Set: _SET,
    collections.abc.MutableSet: _SET,
    collections.abc.Mapping: _DICT,
    collections.abc.MutableMapping: _DICT,
    collections.abc.Iterator: _ITERATOR,
    collections.abc.Generator: ("(item for item in [])", "(item for item in [{item}])"),
    collections.abc.KeysView: ("{}.keys()", "{{item}: 1}.keys()"),
    collections.abc.ValuesView: ("{}.values()", "{1: {item}}.values()"),
    collections.abc.ItemsView: ("{}.items()", "{{key}: {item}}.items()"),
}
"""Collections: empty, and with one element or one pair."""
