"""Reads what the agent recorded of calls while the project's tests ran."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from testlens.domain.calls import Raised, SeenCall, SeenCalls
from testlens.domain.expressions import Expression
from testlens.domain.problems import Problem

VERSION = 1


def load_seen_calls(path: Path) -> tuple[SeenCalls, tuple[Problem, ...]]:
    """The recorded calls by file and function, empty where there are none; calls that cannot be read are left out."""
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}, ()
    except (OSError, ValueError) as error:
        return {}, (Problem(f"The recorded calls cannot be read: {error}.", "Run the tests again.", str(path)),)
    if not isinstance(document, dict) or document.get("version") != VERSION:
        return {}, (Problem("The recorded calls are of another version.", "Run the tests again.", str(path)),)
    return _calls_by_function(document.get("functions")), ()


def _calls_by_function(files: object) -> SeenCalls:
    found: dict[tuple[str, str], tuple[SeenCall, ...]] = {}
    for file, functions in _items(files):
        for name, calls in _items(functions):
            read = (_call(call) for call in calls) if isinstance(calls, list) else ()
            found[file, name] = tuple(call for call in read if call is not None)
    return found


def _items(value: object) -> list[tuple[str, Any]]:
    return list(value.items()) if isinstance(value, dict) else []


def _call(fields: object) -> SeenCall | None:
    try:
        if not isinstance(fields, dict):
            return None
        arguments = {name: _expression(value) for name, value in fields["arguments"].items()}
        raised = None if fields.get("raised") is None else _raised(fields["raised"])
        return SeenCall(
            str(fields["test"]),
            arguments,
            _expression(fields.get("receiver")),
            _expression(fields.get("result")),
            raised,
        )
    except (KeyError, ValueError, TypeError, AttributeError):
        return None


def _expression(fields: Mapping[str, Any] | None) -> Expression | None:
    if fields is None:
        return None
    found = Expression.from_json(fields, "seen")
    # The test may be another one: what it asks a fixture for is no longer a plain value.
    return found if not found.fixtures else Expression(found.code, found.fixtures, "fixture")


def _raised(fields: Mapping[str, Any]) -> Raised:
    line = fields.get("line")
    return Raised(str(fields["type"]), str(fields["message"]), line if isinstance(line, int) else None)
