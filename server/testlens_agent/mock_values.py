"""Stand-ins of unittest.mock as calls of their class, with what the test told them to answer.

What they were called with is no part of it, nor are answers that no source rebuilds. Everything is read from where
unittest.mock keeps it: to ask a stand-in for an attribute would make one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from testlens_agent.import_paths import class_order, import_path, mark
from testlens_agent.plain_values import InexpressibleError, Write, call, still_to_come
from testlens_agent.record_values import own_namespace
from testlens_agent.secret_values import is_secret

_MODULE = "unittest.mock"
_DEEPEST = 4
_LIST_ITERATOR: type = type(iter([]))
_INTERNAL = ("_mock_", "_spec_", "_is_", "__")
# Other special methods answer by default, too.
_SPECIAL = frozenset({"__enter__", "__aenter__"})
_KIND_OF_PARTS = {"NonCallableMock": "Mock", "NonCallableMagicMock": "MagicMock"}


def is_stand_in(cls: type) -> bool:
    """Whether instances of the class are stand-ins."""
    mock = sys.modules.get(_MODULE)
    return mock is not None and issubclass(cls, mock.NonCallableMock)


def write_stand_in(value: Any, write: Write) -> str:
    """Source for a stand-in that answers as this one does, as far as the answers can be written."""
    arguments, dotted = [], []
    spec = own_namespace(value).get("_spec_class")
    if spec is not None and import_path(spec) is not None:
        arguments.append(f"spec={write(spec)}")
    # In the order in which unittest.mock sets them.
    for name, answer in sorted(_answers(value, 0), key=lambda named: named[0].count(".")):
        code = None if is_secret(name.rpartition(".")[2], answer) else _written(answer, write)
        if code is not None and name.isidentifier():
            arguments.append(f"{name}={code}")
        elif code is not None:
            dotted.append(f"{name!r}: {code}")
    if dotted:
        arguments.append(f"**{{{', '.join(dotted)}}}")
    return call(mark(_MODULE, _kind(value)), *arguments)


def _written(answer: object, write: Write) -> str | None:
    try:
        return write(answer)
    except InexpressibleError:
        return None


def _answers(value: Any, depth: int) -> Iterator[tuple[str, Any]]:
    """What was set on the stand-in and on what it gives, by dotted name."""
    held = own_namespace(value)
    for name, answer in held.items():
        if not name.startswith(_INTERNAL) and name != "method_calls" and not is_stand_in(type(answer)):
            yield name, answer
    effect = held.get("_mock_side_effect")
    if effect is not None:
        yield "side_effect", still_to_come(effect) if type(effect) is _LIST_ITERATOR else effect
    kind = _kind(value)
    for name, part in _parts(held):
        if not is_stand_in(type(part)) or _kind(part) != _KIND_OF_PARTS.get(kind, kind):
            yield name, part
        elif depth < _DEEPEST:
            yield from ((f"{name}.{inner}", answer) for inner, answer in _answers(part, depth + 1))


def _parts(held: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, part in (held.get("_mock_children") or {}).items():
        if not name.startswith("__") or name in _SPECIAL:
            yield name, part
    answer = held.get("_mock_return_value")
    if answer is not sys.modules[_MODULE].DEFAULT:
        yield "return_value", answer


def _kind(value: Any) -> str:
    # Each stand-in has a class of its own, derived from one of the module's and named after it.
    return next(base.__name__ for base in class_order(type(value))[1:] if base.__module__ == _MODULE)
