"""Tells a recorder when functions of the project begin and end, by what the version of Python offers for that.

Only the thread that runs the tests counts. While the recorder looks at a call, Python itself keeps all tracing,
profiling and monitoring switched off.
"""

from __future__ import annotations

import opcode
import sys
import threading
from collections import Counter
from types import CodeType, FrameType
from typing import Any

from testlens_agent.recorder import Recorder, RunningCall
from testlens_agent.watched import WatchedFunction

_MONITORING: Any = getattr(sys, "monitoring", None)
_TOOL_NAME = "testlens"
_FREE_TOOLS = (4, 3)  # no purpose is set aside for these in Python's documentation
_EVENTS_IN_ONE_TEST = 20_000
_WATCHED_REPETITIONS = 2 * 4  # of a test with other parameters; each is set up and run
_EVENTS_TO_FIND_EXCEPTION = 50
_RETURN = opcode.opmap["RETURN_VALUE"]


class Watch:
    """Watches between `start` and `stop`; this one, for where another tool has the place, sees nothing."""

    def start(self, test: str) -> None:
        """Watch from now on, in this test (a node id)."""

    def stop(self) -> None:
        """Watch no longer."""

    def close(self) -> None:
        """Give back what was taken for watching."""


def call_watch(recorder: Recorder) -> Watch:
    """The watch for this version of Python."""
    if _MONITORING is None:
        return _ProfileWatch(recorder)
    for tool in _FREE_TOOLS:
        if _MONITORING.get_tool(tool) is None:
            return _MonitoringWatch(recorder, tool)
    return Watch()


class _Pending:
    """The calls that are under way, innermost last, by the identity of their frames.

    Frames themselves are not kept: they would keep alive what their variables hold.
    """

    def __init__(self) -> None:
        self._calls: list[tuple[int, RunningCall]] = []

    def __bool__(self) -> bool:
        return bool(self._calls)

    def push(self, frame: FrameType, call: RunningCall) -> None:
        self._calls.append((id(frame), call))

    def pop(self, frame: FrameType) -> RunningCall | None:
        """The call that this frame carries out; calls inside it whose end was missed are dropped."""
        identity = id(frame)
        if self._calls[-1][0] != identity and all(key != identity for key, _ in self._calls):
            return None
        while True:
            key, call = self._calls.pop()
            if key == identity:
                return call if call.function.code is frame.f_code else None

    def clear(self) -> None:
        self._calls.clear()


class _MonitoringWatch(Watch):
    """Python 3.12 and later: a function that nothing more is to be learned from costs nothing."""

    def __init__(self, recorder: Recorder, tool: int) -> None:
        self._recorder = recorder
        self._tool = tool
        self._functions: dict[int, WatchedFunction] = {}
        self._pending = _Pending()
        self._thread = threading.get_ident()
        self._is_on = False
        events = _MONITORING.events
        _MONITORING.use_tool_id(tool, _TOOL_NAME)
        _MONITORING.register_callback(tool, events.PY_START, self._started)
        _MONITORING.register_callback(tool, events.PY_RETURN, self._returned)
        _MONITORING.register_callback(tool, events.PY_UNWIND, self._unwound)
        # Left on between tests: to switch events costs more than to ignore the few that come there.
        _MONITORING.set_events(tool, events.PY_START | events.PY_UNWIND)

    def start(self, test: str) -> None:
        self._is_on = not self._recorder.is_full

    def stop(self) -> None:
        self._is_on = False
        self._pending.clear()

    def close(self) -> None:
        self.stop()
        _MONITORING.set_events(self._tool, 0)
        _MONITORING.free_tool_id(self._tool)

    def _started(self, code: CodeType, _offset: int) -> Any:
        function = self._functions.get(id(code))
        if function is None:
            function = self._recorder.function(code)
            if function is None:
                return _MONITORING.DISABLE
            self._functions[id(code)] = function
            _MONITORING.set_local_events(self._tool, code, _MONITORING.events.PY_RETURN)
        if function.is_done:
            return _MONITORING.DISABLE
        if self._is_on and threading.get_ident() == self._thread:
            frame = sys._getframe(1)
            call = self._recorder.entered(function, frame)
            if call is not None:
                self._pending.push(frame, call)
        return None

    def _returned(self, code: CodeType, _offset: int, value: object) -> Any:
        if self._pending and threading.get_ident() == self._thread:
            frame = sys._getframe(1)
            call = self._pending.pop(frame)
            if call is not None:
                self._recorder.returned(call, value, frame.f_lineno)
        function = self._functions.get(id(code))
        return _MONITORING.DISABLE if function is None or function.is_done else None

    def _unwound(self, code: CodeType, _offset: int, error: BaseException) -> None:
        if self._pending and id(code) in self._functions and threading.get_ident() == self._thread:
            call = self._pending.pop(sys._getframe(1))
            if call is not None:
                self._recorder.failed(call, error)


class _ProfileWatch(Watch):
    """Before Python 3.12: every call and return in the thread is told, so a test with many is not watched to its end.

    How a call ended is not told where an exception ended it: that is found out when the exception is handled.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._functions: dict[int, WatchedFunction | None] = {}
        self._codes: list[CodeType] = []
        self._foreign: set[str] = set()
        self._pending = _Pending()
        self._raising: list[RunningCall] = []
        self._waited = 0
        self._left = 0
        self._repeated: Counter[str] = Counter()
        self._profile = self._event

    def start(self, test: str) -> None:
        function, _, parameters = test.partition("[")
        if parameters:
            self._repeated[function] += 1
        if self._repeated[function] <= _WATCHED_REPETITIONS and self._may_profile():
            self._left = _EVENTS_IN_ONE_TEST
            sys.setprofile(self._profile)

    def _may_profile(self) -> bool:
        return sys.getprofile() is None and not self._recorder.is_full

    def stop(self) -> None:
        if sys.getprofile() is self._profile:
            sys.setprofile(None)
        self._pending.clear()
        self._give_up()

    def _event(self, frame: FrameType, event: str, value: object) -> None:
        self._left -= 1
        if self._left < 0:
            sys.setprofile(None)
            return
        try:
            if self._raising:
                self._look_for_exception()
            if event == "call":
                self._called(frame)
            elif event == "return" and self._pending:
                self._returned(frame, value)
        except RecursionError:  # the tests use nearly all of the stack
            return

    def _called(self, frame: FrameType) -> None:
        code = frame.f_code
        if code.co_filename in self._foreign:
            return
        try:
            function = self._functions[id(code)]
        except KeyError:
            if not self._recorder.watches(code.co_filename):
                self._foreign.add(code.co_filename)
                return
            function = self._functions[id(code)] = self._recorder.function(code)
            self._codes.append(code)  # its identity stays its own
        if function is None or function.is_done or (function.suspends and not _begins(frame)):
            return
        call = self._recorder.entered(function, frame)
        if call is not None:
            self._pending.push(frame, call)

    def _returned(self, frame: FrameType, value: object) -> None:
        call = self._pending.pop(frame)
        if call is None:
            return
        if value is None and frame.f_code.co_code[frame.f_lasti] != _RETURN:
            self._raising.append(call)
            self._waited = 0
        else:
            self._recorder.returned(call, value, frame.f_lineno)

    def _look_for_exception(self) -> None:
        error = sys.exc_info()[1]
        if error is not None:
            passed = _codes_passed(error)
            for call in [call for call in self._raising if id(call.function.code) in passed]:
                self._raising.remove(call)
                self._recorder.failed(call, error)
        self._waited += 1
        if self._waited > _EVENTS_TO_FIND_EXCEPTION:
            self._give_up()

    def _give_up(self) -> None:
        for call in self._raising:
            self._recorder.lost(call)
        self._raising.clear()


def _begins(frame: FrameType) -> bool:
    """Whether a function that can be suspended begins, rather than goes on."""
    if sys.version_info < (3, 11):
        return frame.f_lasti == -1
    return frame.f_code.co_code[frame.f_lasti + 1] == 0  # RESUME says from what


def _codes_passed(error: BaseException) -> set[int]:
    """The identities of the code that the exception has left."""
    codes, entry = set(), error.__traceback__
    while entry is not None:
        codes.add(id(entry.tb_frame.f_code))
        entry = entry.tb_next
    return codes
