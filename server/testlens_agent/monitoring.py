"""Measures lines and branches with sys.monitoring: each place of the code is told of once a context, and then is free.

coverage.py's C tracer is called for every line that runs. Here events are set on the code objects that are measured,
and nowhere else; a line that was seen is disabled, and so is a branch once it has told what no line can tell. Between
contexts those code objects are armed again that ran. Which lines did is read in their bytecode, where each that is
disabled can be told from those that are not, so that nothing has to be done when one begins to run. Where somebody
beside us watches lines as well, that does not tell, and it is noted each time.

It stands in for a tracer of coverage.py, which decides what is measured, and starts and stops it.
"""

from __future__ import annotations

import gc
import sys
from array import array
from itertools import repeat
from threading import get_ident
from types import CodeType
from typing import Any, Callable

from testlens_agent.arc_log import ArcLog
from testlens_agent.audit import listen
from testlens_agent.measured_code import (
    NOTHING_RAN,
    NOWHERE,
    THROWN,
    Measured,
    Numbers,
    bytecode_of,
    identity_of,
    left_in,
)
from testlens_agent.statements import Statements

_MONITORING: Any = getattr(sys, "monitoring", None)
_OURS = "testlens"
_TOOL_NAME = f"{_OURS} coverage"
_TOOLS = (_MONITORING.COVERAGE_ID, 3, 4) if _MONITORING is not None else ()
_ALL_TOOLS = range(6)
_OF_WATCHERS = ("sys.settrace", "sys.monitoring.register_callback")
_REPETITIONS = 24
"""How often a branch goes the same way in one context before the source is read, to see whether it must be watched."""
_Taken = tuple[int, int, int]


def free_tool() -> int | None:
    """A tool id that nobody has taken; None where there is none, or no sys.monitoring."""
    return next((tool for tool in _TOOLS if _MONITORING.get_tool(tool) is None), None)


class MonitoringTracer:
    """A tracer for coverage.py's collector that keeps what it sees in `log`.

    `tool` is a free tool id, and `name_in_data` gives the name of a source file for the data.
    coverage.py sets the attributes of its tracers; those that are of use here are declared.
    """

    should_trace: Callable[[str, Any], Any]
    should_trace_cache: dict[str, Any]

    def __init__(self, tool: int, log: ArcLog, name_in_data: Callable[[str], str]) -> None:
        self._tool = tool
        self._log = log
        self._name_in_data = name_in_data
        self._context = ""
        self._measured: dict[int, Measured] = {}
        self._numbers = Numbers()
        self._logged = 0  # how many of them are in the log
        self._trouble: Exception | None = None
        self._statements: dict[int, Statements] = {}  # of code objects, by their identities
        self._ran: set[int] = set()  # the identities of code objects that were left, or left for a while
        self._read: list[tuple[Measured, bytes]] = []  # the bytecode of those as it was after they ran
        self._is_exact = False  # whether it is noted each time where a line begins
        self._noted: list[int] = []  # those that were noted, by the number of the event
        self._taken: set[int] = set()  # of branches, by the number of the event, and so are the next two
        self._awaited: dict[int, int | None] = {}
        self._repeated: dict[int, int] = {}
        self._thrown: set[tuple[int, int, int, int]] = set()
        self._is_on = False
        events = _MONITORING.events
        self._events = events.LINE | events.BRANCH | events.PY_RETURN | events.PY_YIELD

    def start(self) -> None:
        """Start to measure, or go on."""
        events, tool = _MONITORING.events, self._tool
        _MONITORING.use_tool_id(tool, _TOOL_NAME)
        names = (_MONITORING.get_tool(other) or _OURS for other in _ALL_TOOLS)
        is_alone = sys.gettrace() is None and all(name.startswith(_OURS) for name in names)
        self._is_exact = self._is_exact or not is_alone
        for event, callback in (
            (events.PY_START, self._started),
            (events.LINE, self._exact_line_callback() if self._is_exact else _disabling()),
            (events.PY_RETURN, self._left_callback()),
            (events.PY_YIELD, self._left_callback()),
            (events.BRANCH, self._branch_callback()),
            (events.EXCEPTION_HANDLED, self._handled_callback()),
            (events.PY_UNWIND, self._unwound_callback()),
        ):
            _MONITORING.register_callback(tool, event, callback)
        self._is_on = True
        _MONITORING.set_events(tool, events.PY_START | events.EXCEPTION_HANDLED | events.PY_UNWIND)
        for measured in self._measured.values():
            _MONITORING.set_local_events(tool, measured.code, self._events)
        listen(_OF_WATCHERS, self._watched)

    def stop(self) -> None:
        """Stop, and give back Python's means of monitoring."""
        if not self._is_on:
            return
        self._ran.update(self._measured)  # what goes on unseen is not lost: a function in a greenlet, say
        self._read_and_arm()
        self._is_on = False
        _MONITORING.set_events(self._tool, 0)
        for measured in self._measured.values():
            _MONITORING.set_local_events(self._tool, measured.code, 0)
        _MONITORING.free_tool_id(self._tool)

    def activity(self) -> bool:
        """Whether coverage.py has anything to take: never, since the log has it."""
        return False

    def reset_activity(self) -> None:
        """Nothing to reset."""

    def get_stats(self) -> None:
        """None are kept."""

    def begin(self, context: str, is_between: bool) -> None:
        """Write down what ran, and credit to `context` what runs from now on. Raises as `save` does.

        Where it `is_between` calls of what the tests have, nothing that is measured waits in this thread to go on.
        """
        self.save(is_between)
        self._context = context

    def save(self, is_between: bool = False) -> None:
        """Write down what ran in this context. Raises OSError, and what went wrong while the tests ran."""
        if self._trouble is not None:
            raise self._trouble
        # What would be collected meanwhile may have something to run.
        collects = gc.isenabled()
        gc.disable()
        try:
            self._save(is_between)
        finally:
            if collects:
                gc.enable()

    def _save(self, is_between: bool) -> None:
        if self._is_on:
            self._read_and_arm(is_between)
        sets = self._sets_of_lines()
        numbers = [*_take(self._noted), *_take(self._taken), *map(self._numbers.__getitem__, _take(self._thrown))]
        self._repeated.clear()
        self._log_up_to(max(numbers, default=-1))
        if sets or numbers:
            self._log.write(self._context, array("I", numbers), array("I", sets))

    def _log_up_to(self, last: int) -> None:
        """Have in the log what the numbers of events stand for, `last` included."""
        for number in range(self._logged, last + 1):
            identity, *where = self._numbers.event(number)
            measured = self._measured[identity]
            if measured.number is None:
                measured.number = self._log.add_code(measured.file, measured.code)
            self._log.add((measured.number, *where))
        self._logged = max(self._logged, last + 1)

    def _sets_of_lines(self) -> list[int]:
        """Which sets of lines ran, by their numbers in the log.

        Python's bytecode has an instruction of its own where a line is still to be told of. A function goes few of the
        ways through it again and again, and what one means is known after the first time.
        """
        sets = []
        for measured, bytecode in _take(self._read):
            left = left_in(bytecode)
            lines = measured.ways.get(left)
            if lines is None:
                numbers = measured.lines_but(left, self._numbers)
                self._log_up_to(max(numbers, default=-1))
                lines = measured.ways[left] = self._log.add_set(numbers)
            if lines != NOTHING_RAN:
                sets.append(lines)
        return sets

    def _read_and_arm(self, is_between: bool = False) -> None:
        """Read the bytecode of all that ran since it was armed, and arm it again."""
        ran = _take(self._ran)
        ran.update(self._waiting(is_between))
        all_measured = [measured for measured in map(self._measured.__getitem__, ran) if measured.is_armed]
        codes = [measured.code for measured in all_measured]
        # Not by Python's restart_events, which would arm the events of every tool in every code object. No other thread
        # gets to run between the three, since there is no Python code in between: what it ran then would be lost.
        disarmed = map(_MONITORING.set_local_events, repeat(self._tool), codes, repeat(0))
        armed = map(_MONITORING.set_local_events, repeat(self._tool), codes, repeat(self._events))
        bytecodes = [bytecode for bytecode, _, _ in zip(map(bytecode_of, codes), disarmed, armed)]
        if not self._is_exact:
            self._read.extend(zip(all_measured, bytecodes))

    def _waiting(self, is_between: bool) -> set[int]:
        """The identities of measured code objects that some thread is about to go on with, or with the next call."""
        codes, own = [], get_ident()
        for thread, frame in sys._current_frames().items():
            below: Any = None if is_between and thread == own else frame  # many frames, which have to be made first
            while below is not None:
                codes.append(below.f_code)
                below = below.f_back
        return self._measured.keys() & set(map(identity_of, codes))

    def _watched(self, _event: str, _arguments: tuple[Any, ...]) -> None:
        """Somebody is about to watch lines as well."""
        if self._is_exact or not self._is_on:
            return
        try:
            self._read_and_arm()
        except Exception as error:  # noqa: BLE001  (it would be raised in the test)
            self._trouble = error
        self._is_exact = True
        _MONITORING.register_callback(self._tool, _MONITORING.events.LINE, self._exact_line_callback())

    def _started(self, code: CodeType, _offset: int) -> Any:
        measured = self._measured.get(identity_of(code))
        if measured is None:
            try:
                measured = self._discover(code)
            except Exception as error:  # noqa: BLE001  (it would be raised in the test)
                self._trouble = error
        return None if measured is not None and measured.needs_start else _MONITORING.DISABLE

    def _discover(self, code: CodeType) -> Measured | None:
        """Measure a code object if it is to be."""
        name = code.co_filename
        disposition = self.should_trace_cache.get(name)
        if disposition is None:
            disposition = self.should_trace_cache[name] = self.should_trace(name, sys._getframe(2))
        if not disposition.trace:
            return None
        file = self._name_in_data(disposition.source_filename)
        new = Measured(code, file)
        measured = self._measured.setdefault(identity_of(code), new)
        if measured is new:  # and not found by another thread meanwhile, which also starts it
            armed = map(_MONITORING.set_local_events, [self._tool], [code], [self._events])
            measured.arm(next(bytecode for _, bytecode in zip(armed, map(bytecode_of, [code]))))
            self._ran.add(identity_of(code))  # by others, too, while it was not armed
        return measured

    # The callbacks are functions that have what they need at hand: they are what the tests wait for.

    def _exact_line_callback(self) -> Callable[..., Any]:
        def line(code: CodeType, _line: int) -> Any:
            add(numbers[(identity(code), frame(1).f_lasti)])
            return disable

        identity, numbers, add, frame = identity_of, self._numbers, self._noted.append, sys._getframe
        disable = _MONITORING.DISABLE
        return line

    def _left_callback(self) -> Callable[..., Any]:
        def left(code: CodeType, _offset: int, _value: object) -> Any:
            add(identity(code))
            return disable

        identity, add, disable = identity_of, self._ran.add, _MONITORING.DISABLE
        return left

    def _branch_callback(self) -> Callable[..., Any]:
        def branch(code: CodeType, offset: int, target: int) -> Any:
            number = numbers[(identity(code), offset, target)]
            if number in taken:
                repeated[number] = count = repeated.get(number, 0) + 1
                return decide(look_closer, number) if count == _REPETITIONS else None
            add(number)
            other = awaited(number, unknown)
            if other is None:
                return disable
            if other is unknown:
                return decide(look, number)
            return disable if other in taken else None

        taken, add, awaited, repeated = self._taken, self._taken.add, self._awaited.get, self._repeated
        unknown = object()
        identity, numbers, disable = identity_of, self._numbers, _MONITORING.DISABLE
        decide, look, look_closer = self._decide, self._look, self._look_closer
        return branch

    def _decide(self, look: Callable[[_Taken], _Taken | None], number: int) -> Any:
        """Whether a branch may be disabled after this event, by what `look` says must be seen, too."""
        try:
            awaited = look(self._numbers.event(number))
            other = self._awaited[number] = None if awaited is None else self._numbers[awaited]
        except Exception as error:  # noqa: BLE001  (it would be raised in the test)
            self._trouble = error
            return None
        return _MONITORING.DISABLE if other is None or other in self._taken else None

    def _look(self, event: _Taken) -> _Taken | None:
        """What must be seen, too, before the branch may be disabled: its other way, or nothing."""
        identity, branch, target = event
        measured = self._measured[identity]
        other = measured.flow.other_target(branch, target)
        if other is None or not measured.flow.must_be_seen(branch, other, self._statements.get(identity)):
            return None
        return (identity, branch, other)

    def _look_closer(self, event: _Taken) -> _Taken | None:
        """The same, with the source in mind: ways within one statement do not matter."""
        identity = event[0]
        if identity not in self._statements:
            measured = self._measured[identity]
            self._statements[identity] = measured.statements()
            for way in measured.flow.branches():
                number = self._numbers.get((identity, *way))
                if number is not None:
                    self._awaited.pop(number, None)
        return self._look(event)

    def _handled_callback(self) -> Callable[..., Any]:
        def handled(code: CodeType, handler: int, error: BaseException) -> None:
            if identity(code) in measured:
                entry = error.__traceback__
                if entry is not None and entry.tb_frame.f_code is code:
                    add((identity(code), entry.tb_lasti, handler, THROWN))

        identity, measured, add = identity_of, self._measured, self._thrown.add
        return handled

    def _unwound_callback(self) -> Callable[..., Any]:
        def unwound(code: CodeType, offset: int, _error: BaseException) -> None:
            if identity(code) in measured:
                left(identity(code))
                add((identity(code), offset, NOWHERE, THROWN))

        identity, measured, left, add = identity_of, self._measured, self._ran.add, self._thrown.add
        return unwound


def _disabling() -> Callable[..., Any]:
    """What disables each event, without a line of Python: this is what the tests wait for most of all."""
    disabling: Callable[..., Any] = staticmethod(_MONITORING.DISABLE).__get__
    return disabling


def _take(events: Any) -> Any:
    """What a list or set has, which it has no longer then; another thread may go on adding to it."""
    taken = events.copy()
    if isinstance(events, list):
        del events[: len(taken)]
    else:
        events -= taken
    return taken
