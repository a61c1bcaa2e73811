"""Follows a test by `sys.monitoring`, Python 3.12 and later: code outside of the watched file runs at full speed."""

from __future__ import annotations

import sys
import threading
from types import CodeType
from typing import Any

from testlens_agent.explore.body import Body, is_import

_NAME = "testlens"
_MOST_TOOLS = 6


class _Frame:
    """One call of a function of the watched file, or one resumption of a generator or coroutine."""

    __slots__ = ("code", "last")

    def __init__(self, code: CodeType, last: int) -> None:
        self.code = code
        self.last = last


class _Thread(threading.local):
    """What one thread is running of the watched file: frames, innermost last, and imports of it under way."""

    def __init__(self) -> None:
        self.frames: list[_Frame] = []
        self.importing = 0


class Monitoring:
    """Monitors while it is open, in all threads."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._here = _Thread()
        self._monitoring: Any = getattr(sys, "monitoring")  # noqa: B009  (older Pythons are checked as well)

    def __enter__(self) -> None:
        monitoring, events = self._monitoring, self._monitoring.events
        self._tool = next(tool for tool in range(3, _MOST_TOOLS) if monitoring.get_tool(tool) is None)
        monitoring.use_tool_id(self._tool, _NAME)
        callbacks = {
            events.PY_START: self._start,
            events.PY_RESUME: self._resume,
            events.PY_THROW: self._throw,
            events.PY_YIELD: self._pause,
            events.PY_RETURN: self._end,
            events.PY_UNWIND: self._end,
            events.LINE: self._line,
            events.JUMP: self._jump,
        }
        for event, callback in callbacks.items():
            monitoring.register_callback(self._tool, event, callback)
        calls = events.PY_START | events.PY_RESUME | events.PY_YIELD | events.PY_RETURN
        self._local = calls | events.LINE | events.JUMP
        self._of_test = events.PY_START | events.PY_RETURN
        monitoring.set_events(self._tool, events.PY_START | events.PY_RESUME | events.PY_UNWIND | events.PY_THROW)
        monitoring.restart_events()

    def __exit__(self, *error: object) -> None:
        self._body.active = False
        self._monitoring.set_events(self._tool, 0)
        for event in range(17):
            self._monitoring.register_callback(self._tool, 1 << event, None)
        self._monitoring.free_tool_id(self._tool)

    def _start(self, code: CodeType, offset: int) -> Any:
        body = self._body
        if body.is_test(code):
            self._monitoring.set_local_events(self._tool, code, self._of_test)
            body.enter()
            return None
        if not body.is_watched(code.co_filename):
            return self._monitoring.DISABLE
        if is_import(code):
            self._monitoring.set_local_events(self._tool, code, self._of_test)
            self._here.importing += 1
            return None
        self._monitoring.set_local_events(self._tool, code, self._local)
        self._here.frames.append(_Frame(code, -code.co_firstlineno))
        return None

    def _resume(self, code: CodeType, offset: int) -> Any:
        if not self._body.is_watched(code.co_filename):
            return self._monitoring.DISABLE
        self._monitoring.set_local_events(self._tool, code, self._local)
        self._here.frames.append(_Frame(code, sys._getframe(1).f_lineno))
        return None

    def _throw(self, code: CodeType, offset: int, error: BaseException) -> None:
        if self._body.is_watched(code.co_filename):
            self._here.frames.append(_Frame(code, sys._getframe(1).f_lineno))

    def _line(self, code: CodeType, line: int) -> None:
        here, body = self._here, self._body
        if here.frames and here.frames[-1].code is code:
            frame = here.frames[-1]
            if body.active and not here.importing:
                body.lines.add(line)
                body.arcs.add((frame.last, line))
            frame.last = line

    def _jump(self, code: CodeType, start: int, end: int) -> Any:
        """A loop that stands on one line comes back to it without a line event; tracing tells of it as of a line."""
        if end < start:
            line = _line_at(code, start)
            if line is not None and line == _line_at(code, end):
                self._line(code, line)
                return None
        return self._monitoring.DISABLE

    def _pause(self, code: CodeType, offset: int, value: object) -> None:
        frames = self._here.frames
        if frames and frames[-1].code is code:
            frames.pop()

    def _end(self, code: CodeType, offset: int, value: object) -> None:
        """The callback of returns, and of frames that an exception leaves."""
        body, here = self._body, self._here
        if body.is_test(code):
            body.leave(sys._getframe(1))
            return
        if not body.is_watched(code.co_filename):
            return
        if is_import(code):
            here.importing = max(0, here.importing - 1)
        elif here.frames and here.frames[-1].code is code:
            frame = here.frames.pop()
            if body.active and not here.importing:
                body.arcs.add((frame.last, -code.co_firstlineno))


def _line_at(code: CodeType, offset: int) -> int | None:
    return next((line for start, end, line in code.co_lines() if start <= offset < end), None)
