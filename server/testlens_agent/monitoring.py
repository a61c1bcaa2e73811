"""Measures lines and branches with sys.monitoring: each place of the code is told of once a context, and then is free.

coverage.py's C tracer is called for every line that runs. Here events are set on the code objects that are measured,
and nowhere else; a line that was seen is disabled, and so is a branch once it has told what no line can tell. Between
contexts those code objects are armed again that ran. What all of it means for the data is read in the bytecode.

It stands in for a tracer of coverage.py, which decides what is measured, and starts and stops it.
"""

from __future__ import annotations

import dis
import functools
import itertools
import sys
import time
import tokenize
from array import array
from types import CodeType
from typing import Any, Callable

from testlens_agent.arc_log import ArcLog, Event
from testlens_agent.flow import Arc, Flow, Statements

_MONITORING: Any = getattr(sys, "monitoring", None)
_TOOL_NAME = "testlens coverage"
_TOOLS = (_MONITORING.COVERAGE_ID, 3, 4) if _MONITORING is not None else ()
_REPETITIONS = 24
"""How often a branch goes the same way in one context before the source is read, to see whether it must be watched."""
_TURNS = 1000
_RESUME = dis.opmap.get("RESUME")

# As `id`, but that is one of the functions of which Python tells by audit events, as sys._getframe is: where somebody
# listens to those, as we do ourselves (uses.py), each call takes as long as all the rest of a callback.
_identity: Callable[[object], int] = object.__hash__

# Events by which code object (its identity) and where. A line that begins to run is known by its number, one that may
# begin at several places by the place; of a branch that was taken we know its place and its target.
_Taken = tuple[int, int, int]
_AT_PLACE, _THROWN = "@", "!"
_SEVERAL = -1  # in the place of a number: the line alone does not tell
_NO_STATEMENT = (tokenize.COMMENT, tokenize.ENCODING)


def free_tool() -> int | None:
    """A tool id that nobody has taken; None where there is none, or no sys.monitoring."""
    return next((tool for tool in _TOOLS if _MONITORING.get_tool(tool) is None), None)


class _Measured:
    """One code object; `number` counts them, `file` is the name of its file in the data."""

    def __init__(self, code: CodeType, number: int, file: str) -> None:
        self.code = code
        self.number = number
        self.file = file
        self.needs_start = sys.version_info >= (3, 13) and _begins_where_it_starts(code)

    @functools.cached_property
    def flow(self) -> Flow:
        """What its bytecode says."""
        return Flow(self.code)

    @functools.cached_property
    def places(self) -> dict[int, list[int]]:
        """Where each line may begin to run."""
        return self.flow.places()


class _Numbers(dict[Any, int]):
    """The numbers of events, given as they come, in any thread."""

    def __init__(self) -> None:
        self._count = itertools.count()
        self._events: dict[int, Any] = {}

    def __missing__(self, event: Any) -> int:
        number = next(self._count)
        self._events[number] = event
        self[event] = number
        return number

    def event(self, number: int) -> Any:
        """The event that got this number."""
        for _ in range(_TURNS):
            if number in self._events:
                break
            time.sleep(0)  # the thread that just took the number goes on
        return self._events[number]


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
        self._measured: dict[int, _Measured] = {}
        self._numbers = _Numbers()
        self._codes: list[int] = []  # for each number in the log, the identity of the code object
        self._outdated: set[int] = set()
        self._trouble: Exception | None = None
        self._statements: dict[str, dict[int, int]] = {}
        self._began: list[int] = []  # lines that did, by the number of the event
        self._taken: set[_Taken] = set()
        self._awaited: dict[_Taken, _Taken | None] = {}
        self._repeated: dict[_Taken, int] = {}
        self._thrown: set[tuple[int, int, int | None, str]] = set()
        self._is_on = False
        self._events = _MONITORING.events.LINE | _MONITORING.events.BRANCH

    def start(self) -> None:
        """Start to measure, or go on."""
        events, tool = _MONITORING.events, self._tool
        _MONITORING.use_tool_id(tool, _TOOL_NAME)
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
        began, taken, thrown = _take(self._began), _take(self._taken), _take(self._thrown)
        self._repeated.clear()
        if not (began or taken or thrown):
            return
        numbers = array("I", self._still_valid(began))
        numbers.extend(map(self._numbers.__getitem__, itertools.chain(taken, thrown)))
        for number in range(len(self._codes), max(numbers) + 1):
            event = self._numbers.event(number)
            measured = self._measured[event[0]]
            self._codes.append(event[0])
            self._log.add(_meaning(event, measured, self._statements.get(measured.file)))
        if self._is_on:
            self._arm(set(map(self._codes.__getitem__, numbers)))
        self._log.write(self._context, numbers)

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
        measured = self._measured.get(_identity(code))
        if measured is None:
            try:
                measured = self._discover(code)
            except Exception as error:  # noqa: BLE001  (it would be raised in the test)
                self._trouble = error
        return None if measured is not None and measured.needs_start else _MONITORING.DISABLE

    def _discover(self, code: CodeType) -> _Measured | None:
        """Measure a code object if it is to be."""
        name = code.co_filename
        disposition = self.should_trace_cache.get(name)
        if disposition is None:
            disposition = self.should_trace_cache[name] = self.should_trace(name, sys._getframe(2))
        if not disposition.trace:
            return None
        file = self._name_in_data(disposition.source_filename)
        identity = _identity(code)
        measured = self._measured[identity] = _Measured(code, len(self._measured), file)
        self._numbers.update({(identity, line): _SEVERAL for line, at in measured.places.items() if len(at) > 1})
        _MONITORING.set_local_events(self._tool, code, self._events)
        return measured

    # The callbacks are functions that have what they need at hand: they are what the tests wait for.

    def _line_callback(self) -> Callable[..., Any]:
        def line(code: CodeType, line: int) -> Any:
            number = numbers[(identity(code), line)]
            if number == several:
                number = numbers[(identity(code), frame(1).f_lasti, at_place)]
            add(number)
            return disable

        identity, numbers, add, frame = _identity, self._numbers, self._began.append, sys._getframe
        several, at_place, disable = _SEVERAL, _AT_PLACE, _MONITORING.DISABLE
        return line

    def _branch_callback(self) -> Callable[..., Any]:
        def branch(code: CodeType, offset: int, target: int) -> Any:
            event = (identity(code), offset, target)
            if event in taken:
                repeated[event] = count = repeated.get(event, 0) + 1
                return decide(look_closer, event) if count == _REPETITIONS else None
            add(event)
            if event not in awaited:
                return decide(look, event)
            other = awaited[event]
            return disable if other is None or other in taken else None

        taken, add, awaited, repeated = self._taken, self._taken.add, self._awaited, self._repeated
        identity, disable = _identity, _MONITORING.DISABLE
        decide, look, look_closer = self._decide, self._look, self._look_closer
        return branch

    def _decide(self, look: Callable[[_Taken], _Taken | None], event: _Taken) -> Any:
        """Whether a branch may be disabled after this event, by what `look` says must be seen, too."""
        try:
            other = self._awaited[event] = look(event)
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
            self._statements[file] = _statements(file)
            # What a line tells depends on it.
            for known, number in list(self._numbers.items()):
                if number != _SEVERAL and self._measured[known[0]].file == file:
                    self._outdated.add(number)
                    del self._numbers[known]
        return self._look(event)

    def _handled_callback(self) -> Callable[..., Any]:
        def handled(code: CodeType, handler: int, error: BaseException) -> None:
            if identity(code) in measured:
                entry = error.__traceback__
                if entry is not None and entry.tb_frame.f_code is code:
                    add((identity(code), entry.tb_lasti, handler, _THROWN))

        identity, measured, add = _identity, self._measured, self._thrown.add
        return handled

    def _unwound_callback(self) -> Callable[..., Any]:
        def unwound(code: CodeType, offset: int, _error: BaseException) -> None:
            if identity(code) in measured:
                add((identity(code), offset, None, _THROWN))

        identity, measured, add = _identity, self._measured, self._thrown.add
        return unwound


def _begins_where_it_starts(code: CodeType) -> bool:
    """Whether the first line of the body is also the one of its start.

    Python 3.13 tells of that line only while it tells of the start, too.
    """
    start = next((at for at in range(0, len(code.co_code), 2) if code.co_code[at] == _RESUME), 0)
    lines = [line for begin, end, line in code.co_lines() if begin <= start + 2 and end > start]
    return len(lines) < 2 or lines[0] == lines[1]


def _meaning(event: tuple[Any, ...], measured: _Measured, statements: Statements) -> Event:
    """What an event means for the data."""
    flow, at = measured.flow, event[1]
    if len(event) == 2:
        at = measured.places[at][0]
    line, began = flow.line(at), 0
    before: tuple[Arc, ...] = ()
    after = None
    if event[-1] == _THROWN:
        after = flow.at_unwinding(at) if event[2] is None else flow.at_handler(at, event[2])
    elif line is not None and (len(event) == 2 or event[-1] == _AT_PLACE):
        before, after, began = flow.to_place(at, statements), flow.from_line(line, at, statements), line
    elif line is not None:
        # Whether its target knows by itself is said as of before the source was read, which may come later.
        after = flow.from_line(line, event[2], None)
    arcs, likely = (before, ()) if len(before) < 2 else ((), before)
    if after is not None and after[1] < 0:
        arcs = (*arcs, after)
    elif after is not None:
        likely = (*likely, after)
    return Event(measured.file, measured.number, began, arcs, likely)


def _take(events: Any) -> Any:
    """What a list or set has, which it has no longer then; another thread may go on adding to it."""
    taken = events.copy()
    if isinstance(events, list):
        del events[: len(taken)]
    else:
        events -= taken
    return taken


def _statements(file: str) -> dict[int, int]:
    """For each line of a statement of several lines its first one, as coverage.py's own analysis has them."""
    lines: dict[int, int] = {}
    first = 0
    try:
        with open(file, "rb") as source:  # noqa: PTH123  (in the midst of tests, which may have replaced more of pathlib)
            for token in tokenize.tokenize(source.readline):
                if token.type == tokenize.NEWLINE:
                    if first and token.end[0] != first:
                        lines.update((line, first) for line in range(first, token.end[0] + 1))
                    first = 0
                elif token.type not in _NO_STATEMENT and token.string.strip():
                    first = first or token.start[0]
    except Exception:  # noqa: BLE001  (a file that is gone or is no Python: then each line is one of its own)
        return {}
    return lines
