"""Follows a test by `sys.settrace`, for Python before 3.12; only frames of the watched file are traced line by line."""

from __future__ import annotations

import inspect
import opcode
import sys
import threading
from types import CodeType, FrameType
from typing import Any, Callable

from testlens_agent.explore.body import Body, is_import

_Trace = Callable[[FrameType, str, Any], Any]
_RESUMABLE = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
_RESUME = opcode.opmap.get("RESUME")  # since 3.11
_YIELDS = frozenset(opcode.opmap[name] for name in ("YIELD_VALUE", "YIELD_FROM") if name in opcode.opmap)
_YIELD_FROM = opcode.opmap.get("YIELD_FROM")
_OPCODE_BYTES = 2


class Tracing:
    """Traces while it is open. Threads that the test starts are traced as well."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._importing = 0

    def __enter__(self) -> None:
        self._before = sys.gettrace()
        threading.settrace(self._trace)
        sys.settrace(self._trace)

    def __exit__(self, *error: object) -> None:
        sys.settrace(self._before)
        threading.settrace(None)
        self._body.active = False

    def _trace(self, frame: FrameType, event: str, argument: Any) -> _Trace | None:
        body, code = self._body, frame.f_code
        filename = code.co_filename
        if filename in body.test_files and body.is_test(code):
            body.enter()
            frame.f_trace_lines = False
            return self._trace_test
        if not body.active or not body.is_watched(filename):
            return None
        if is_import(code):
            self._importing += 1
            frame.f_trace_lines = False
            return self._trace_import
        return None if self._importing else _Frame(body, frame).trace

    def _trace_test(self, frame: FrameType, event: str, argument: Any) -> _Trace:
        if event == "return" and not _is_yield(frame):
            self._body.leave(frame)
        return self._trace_test

    def _trace_import(self, frame: FrameType, event: str, argument: Any) -> _Trace:
        if event == "return":
            self._importing -= 1
        return self._trace_import


class _Frame:
    """One call of a function of the watched file, or one resumption of a generator or coroutine."""

    def __init__(self, body: Body, frame: FrameType) -> None:
        self._body = body
        self._first = frame.f_code.co_firstlineno
        self._last = frame.f_lineno if _is_resumed(frame) else -self._first

    def trace(self, frame: FrameType, event: str, argument: Any) -> _Trace:
        body = self._body
        if event == "line":
            line = frame.f_lineno
            if body.active:
                body.lines.add(line)
                body.arcs.add((self._last, line))
            self._last = line
        elif event == "return" and body.active and not _is_yield(frame):
            body.arcs.add((self._last, -self._first))
        return self.trace


def _is_resumed(frame: FrameType) -> bool:
    code = frame.f_code
    if not code.co_flags & _RESUMABLE:
        return False
    if _RESUME is None:
        return frame.f_lasti >= 0
    return code.co_code[frame.f_lasti + 1] != 0  # RESUME's argument says what is resumed, 0 a new call


def _is_yield(frame: FrameType) -> bool:
    """Whether a `return` event means that a generator or coroutine pauses, and not that it ends."""
    code: CodeType = frame.f_code
    if not code.co_flags & _RESUMABLE:
        return False
    instructions, at = code.co_code, frame.f_lasti
    following = at + _OPCODE_BYTES
    if _RESUME is not None:
        return following < len(instructions) and instructions[following] == _RESUME
    if instructions[at] in _YIELDS:
        return True
    return following < len(instructions) and instructions[following] == _YIELD_FROM
