"""Measures lines and branches with sys.monitoring: each place of the code is told of once a context, and then is free.

coverage.py's C tracer is called for every line that runs. Here events are set on the code objects that are measured,
and nowhere else; a line that was seen is disabled, and so is a branch once it has told what no line can tell. Between
contexts those code objects are armed again that ran. Which lines did is read in their bytecode, where each that is
disabled can be told from those that are not, so that next to nothing has to be done when one begins to run. Where that
does not add up, as with a tool beside us that watches lines as well, it is noted each time.

It stands in for a tracer of coverage.py, which decides what is measured, and starts and stops it.
"""

from __future__ import annotations

import gc
import sys
from array import array
from collections import Counter
from collections.abc import Sequence
from types import CodeType
from typing import Any, Callable

from testlens_agent.arc_log import ArcLog
from testlens_agent.measured_code import (
    AT_PLACE,
    SOMEWHERE,
    THROWN,
    Measured,
    Numbers,
    identity_of,
    meaning_of,
    statements_of,
)

_MONITORING: Any = getattr(sys, "monitoring", None)
_OURS = "testlens"
_TOOL_NAME = f"{_OURS} coverage"
_TOOLS = (_MONITORING.COVERAGE_ID, 3, 4) if _MONITORING is not None else ()
_ALL_TOOLS = range(6)
_REPETITIONS = 24
"""How often a branch goes the same way in one context before the source is read, to see whether it must be watched."""
_MOST_DIFFERING, _MOST_IN_ONE = 10, 2
"""How often lines may be about to be disabled when others are read, and how many of them at once."""
_NO_WAY = (0, 0)
_SEVERAL = -1  # in the place of a number: the line alone does not tell
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
        self._codes: list[int] = []  # for each number in the log, the identity of the code object
        self._open: dict[str, set[int]] = {}  # by file: events of lines that the source may tell more of
        self._outdated: set[int] = set()
        self._trouble: Exception | None = None
        self._statements: dict[str, dict[int, int]] = {}
        self._differing = 0  # how often that did not add up
        self._is_exact = False  # whether it is noted each time at which place a line begins
        self._began: list[Any] = []  # lines that did: the code object and the line, one after the other
        self._noted: list[int] = []  # those that were noted, by the number of the event
        self._ways: list[int] = []  # what was read in the bytecode: sets of events, by their numbers in the log
        self._ran: set[int] = set()  # the identities of the code objects of these
        self._taken: set[int] = set()  # of branches, by the number of the event, and so are the next two
        self._awaited: dict[int, int | None] = {}
        self._repeated: dict[int, int] = {}
        self._thrown: set[tuple[int, int, int | None, str]] = set()
        self._is_on = False
        self._events = _MONITORING.events.LINE | _MONITORING.events.BRANCH

    def start(self) -> None:
        """Start to measure, or go on."""
        events, tool = _MONITORING.events, self._tool
        _MONITORING.use_tool_id(tool, _TOOL_NAME)
        names = (_MONITORING.get_tool(other) or _OURS for other in _ALL_TOOLS)
        is_alone = sys.gettrace() is None and all(name.startswith(_OURS) for name in names)
        self._is_exact = self._is_exact or not is_alone
        for event, callback in (
            (events.PY_START, self._started),
            (events.LINE, self._line_callback()),
            (events.BRANCH, self._branch_callback()),
            (events.EXCEPTION_HANDLED, self._handled_callback()),
            (events.PY_UNWIND, self._unwound_callback()),
        ):
            _MONITORING.register_callback(tool, event, callback)
        self._is_on = True
        _MONITORING.set_events(tool, events.PY_START | events.EXCEPTION_HANDLED | events.PY_UNWIND)
        for measured in self._measured.values():
            _MONITORING.set_local_events(tool, measured.code, self._events)

    def stop(self) -> None:
        """Stop, and give back Python's means of monitoring."""
        if not self._is_on:
            return
        self._is_on = False
        self._read_lines()
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

    def begin(self, context: str) -> None:
        """Write down what ran, and credit to `context` what runs from now on. Raises as `save` does."""
        self.save()
        self._context = context

    def save(self) -> None:
        """Write down what ran in this context. Raises OSError, and what went wrong while the tests ran."""
        if self._trouble is not None:
            raise self._trouble
        # What would be collected meanwhile may have something to run.
        collects = gc.isenabled()
        gc.disable()
        try:
            self._save()
        finally:
            if collects:
                gc.enable()

    def _save(self) -> None:
        self._read_lines()
        ways, ran = self._ways, self._ran
        self._ways, self._ran = [], set()
        numbers = self._still_valid([*_take(self._noted), *_take(self._taken)])
        numbers.extend(map(self._numbers.__getitem__, _take(self._thrown)))
        self._repeated.clear()
        if not (ways or numbers):
            return
        self._log_new(numbers)
        if self._is_on:
            ran.update(map(self._codes.__getitem__, numbers))
            self._arm(ran)
        self._log.write(self._context, array("I", numbers), array("I", ways))

    def _log_new(self, numbers: Sequence[int]) -> None:
        """Have in the log what events with these numbers mean."""
        for number in range(len(self._codes), max(numbers, default=-1) + 1):
            event = self._numbers.event(number)
            measured = self._measured[event[0]]
            self._codes.append(event[0])
            measured.flow.is_open = False
            self._log.add(meaning_of(event, measured, self._statements.get(measured.file)))
            if measured.flow.is_open and (len(event) == 2 or event[-1] == AT_PLACE):
                self._open.setdefault(measured.file, set()).add(number)

    def _read_lines(self) -> None:
        """Find out where lines began to run since the code objects were armed.

        Python's bytecode has an instruction of its own where a line is still to be told of. A function goes few of the
        ways through it again and again, and what one means is known after the first time.
        """
        began = _take(self._began)
        codes, count, all_measured = began[::2], 0, self._measured
        found = dict.fromkeys(map(identity_of, codes), _NO_WAY)
        for identity in found:
            measured = all_measured[identity]
            left = measured.left()
            way = measured.ways.get(left)
            if way is None:
                numbers = measured.lines_but(left, self._numbers)
                self._log_new(numbers)
                way = measured.ways[left] = (self._log.add_set(numbers), len(numbers))
            found[identity] = way
            count += way[1]
        self._ran.update(found)
        if count != len(codes):
            self._note_lines(codes, began[1::2], found)
        self._ways.extend([number for number, size in found.values() if size])

    def _note_lines(self, codes: Sequence[CodeType], lines: Sequence[int], found: dict[int, tuple[int, int]]) -> None:
        """Note each line that began to run where what was `found` of some code object does not add up to that.

        Lines are not disabled for us alone then, or one is just about to be, in another thread.
        """
        self._differing += 1
        events = Counter(map(identity_of, codes))
        for identity, (_, size) in found.items():
            if size > events[identity]:  # something was disabled too late, and ran before
                found[identity] = _NO_WAY
            elif events[identity] - size > _MOST_IN_ONE or self._differing > _MOST_DIFFERING:
                self._is_exact = True
        if self._is_exact and self._is_on:
            _MONITORING.register_callback(self._tool, _MONITORING.events.LINE, self._exact_line_callback())
        self._noted.extend(map(self._number_somewhere, codes, lines))

    def _number_somewhere(self, code: CodeType, line: int) -> int:
        """The number of the event that a line began to run, if it may be at one of several places."""
        number = self._numbers[(identity_of(code), line)]
        return self._numbers[(identity_of(code), line, SOMEWHERE)] if number == _SEVERAL else number

    def _still_valid(self, numbers: list[int]) -> list[int]:
        """These numbers, with new ones for events whose meaning has changed since they were counted."""
        if not self._outdated:
            return numbers
        outdated, self._outdated = self._outdated, set()
        event = self._numbers.event
        return [self._numbers[event(number)] if number in outdated else number for number in numbers]

    def _arm(self, ran: set[int]) -> None:
        # Not by Python's restart_events, which would arm the events of every tool in every code object.
        set_events, tool, events = _MONITORING.set_local_events, self._tool, self._events
        for identity in ran:
            code = self._measured[identity].code
            set_events(tool, code, 0)
            set_events(tool, code, events)

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
        identity = identity_of(code)
        measured = self._measured[identity] = Measured(code, len(self._measured), file)
        self._numbers.update({(identity, line): _SEVERAL for line, at in measured.places.items() if len(at) > 1})
        _MONITORING.set_local_events(self._tool, code, self._events)
        measured.arm()
        return measured

    # The callbacks are functions that have what they need at hand: they are what the tests wait for.

    def _line_callback(self) -> Callable[..., Any]:
        if self._is_exact:
            return self._exact_line_callback()

        def line(code: CodeType, line: int) -> Any:
            add((code, line))
            return disable

        add, disable = self._began.extend, _MONITORING.DISABLE
        return line

    def _exact_line_callback(self) -> Callable[..., Any]:
        def line(code: CodeType, line: int) -> Any:
            number = numbers[(identity(code), line)]
            if number == several:
                number = numbers[(identity(code), frame(1).f_lasti, at_place)]
            add(number)
            return disable

        identity, numbers, add, frame = identity_of, self._numbers, self._noted.append, sys._getframe
        several, at_place, disable = _SEVERAL, AT_PLACE, _MONITORING.DISABLE
        return line

    def _branch_callback(self) -> Callable[..., Any]:
        def branch(code: CodeType, offset: int, target: int) -> Any:
            number = numbers[(identity(code), offset, target)]
            if number in taken:
                repeated[number] = count = repeated.get(number, 0) + 1
                return decide(look_closer, number) if count == _REPETITIONS else None
            add(number)
            if number not in awaited:
                return decide(look, number)
            other = awaited[number]
            return disable if other is None or other in taken else None

        taken, add, awaited, repeated = self._taken, self._taken.add, self._awaited, self._repeated
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
        if other is None or not measured.flow.must_be_seen(branch, other, self._statements.get(measured.file)):
            return None
        return (identity, branch, other)

    def _look_closer(self, event: _Taken) -> _Taken | None:
        """The same, with the source in mind: ways within one statement do not matter."""
        file = self._measured[event[0]].file
        if file not in self._statements:
            self._statements[file] = statements_of(file)
            self._look_again(file)
        return self._look(event)

    def _look_again(self, file: str) -> None:
        """Take what lines mean and what branches must be seen for as not known, where the statements of a file tell."""
        for number in self._open.pop(file, ()):
            event = self._numbers.event(number)
            self._outdated.add(number)
            self._numbers.pop(event, None)
            self._measured[event[0]].ways.clear()
        for number in list(self._awaited):
            if self._measured[self._numbers.event(number)[0]].file == file:
                self._awaited.pop(number, None)

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
                add((identity(code), offset, None, THROWN))

        identity, measured, add = identity_of, self._measured, self._thrown.add
        return unwound


def _take(events: Any) -> Any:
    """What a list or set has, which it has no longer then; another thread may go on adding to it."""
    taken = events.copy()
    if isinstance(events, list):
        del events[: len(taken)]
    else:
        events -= taken
    return taken
