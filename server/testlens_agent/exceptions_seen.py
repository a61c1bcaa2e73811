"""What to tell of an exception that left a function."""

from __future__ import annotations

from types import FunctionType
from typing import Any

from testlens_agent.expressions import ExpressionWriter
from testlens_agent.import_paths import class_attribute, is_one_of

_LONGEST_MESSAGE = 300
_HARMLESS = (type(None), bool, int, float, str, bytes)


def describe(error: BaseException, path: str, writer: ExpressionWriter) -> dict[str, Any]:
    """Its class in marked source, its message, and the 1-based line of the file at `path` that it left from.

    The line is the innermost one of that file; None if it passed none. The message is empty where it could not be had
    without running the project's code, or must not be written down.
    """
    message = _message(error)
    shown = message if len(message) <= _LONGEST_MESSAGE and writer.may_write(message) else ""
    return {"type": writer.type_name(error), "message": shown, "line": line_within(error, path)}


def line_within(error: BaseException, path: str) -> int | None:
    """The innermost line of the file that the exception passed on its way."""
    line, entry = None, error.__traceback__
    while entry is not None:
        if entry.tb_frame.f_code.co_filename == path:
            line = entry.tb_lineno
        entry = entry.tb_next
    return line


def _message(error: BaseException) -> str:
    arguments = BaseException.args.__get__(error)  # type: ignore[attr-defined]
    own = type(class_attribute(type(error), "__str__")) is FunctionType
    if own or not all(is_one_of(argument, _HARMLESS) for argument in arguments):
        return ""
    return str(error)
