"""Reads `calls.json`: with what the project's functions were called while its tests ran, as the agent recorded it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from testlens.domain.calls import Raised, SeenCall, SeenCalls
from testlens.domain.expressions import Expression
from testlens.domain.problems import Problem

Problems = tuple[Problem, ...]

_VERSION = 1
_ADVICE = "Run the tests again with Testlens."


def load_seen_calls(path: Path) -> tuple[SeenCalls, Problems]:
    """The calls in the file at `path`, newest first for each function; none where there is no such file."""
    try:
        record = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}, ()
    except OSError as error:
        return {}, (_problem(path, f"The values that the tests used cannot be read: {error.strerror}."),)
    except (ValueError, RecursionError):
        return {}, (_problem(path, "The values that the tests used cannot be read: it is not JSON."),)
    if not isinstance(record, dict) or record.get("version") != _VERSION:
        return {}, (_problem(path, "The values that the tests used were kept by another version of Testlens."),)
    return _read_functions(path, record.get("functions"))


def _read_functions(path: Path, files: object) -> tuple[SeenCalls, Problems]:
    calls: dict[tuple[str, str], tuple[SeenCall, ...]] = {}
    unusable = 0
    for file, functions in _items(files):
        for name, entries in _items(functions):
            read = [_read_call(entry) for entry in entries] if isinstance(entries, list) else [None]
            usable = tuple(call for call in read if call is not None)
            unusable += len(read) - len(usable)
            if usable:
                calls[file, name] = usable
    if unusable:
        return calls, (
            _problem(path, f"{unusable} of the calls that the tests made cannot be read; they are left out."),
        )
    return calls, ()


def _items(table: object) -> list[tuple[str, Any]]:
    return list(table.items()) if isinstance(table, dict) else []


def _read_call(fields: Any) -> SeenCall | None:
    try:
        return SeenCall(
            test=_text(fields["test"]),
            arguments={name: _expression(value) for name, value in fields["arguments"].items()},
            receiver=_expression(fields["receiver"]),
            result=_expression(fields["result"]),
            raised=_raised(fields["raised"]),
            left=_line(fields.get("left")),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _expression(fields: Mapping[str, Any] | None) -> Expression | None:
    if fields is None:
        return None
    expression = Expression.from_json(fields, "seen")
    # What a fixture gives is no plain value: another test has to ask for it as well.
    return replace(expression, origin="fixture") if expression.fixtures else expression


def _raised(fields: Mapping[str, Any] | None) -> Raised | None:
    if fields is None:
        return None
    return Raised(_text(fields["type"]), _text(fields["message"]), _line(fields["line"]))


def _line(value: object) -> int | None:
    if value is not None and type(value) is not int:
        raise TypeError(value)
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _problem(path: Path, message: str) -> Problem:
    return Problem(message, _ADVICE, str(path))
