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
_RESUME = dis.opmap.get("RESUME")

# Events by which code object (its identity) and where in its bytecode. Of a branch that was taken its place and target:
_Taken = tuple[int, int, int]
_THROWN = "!"
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
        """What its bytecode says, read when it is first needed."""
        return Flow(self.code)


class _Numbers(dict[Any, int]):
    """The numbers of events in the log; an event that it does not have yet gets one from `new`."""

    def __init__(self, new: Callable[[Any], int]) -> None:
        self._new = new

    def __missing__(self, event: Any) -> int:
        number = self[event] = self._new(event)
        return number


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
        self._numbers = _Numbers(self._new_number)
        self._codes: list[int] = []  # for each number, the identity of the code object
        self._statements: dict[str, dict[int, int]] = {}
        self._places: list[tuple[int, int]] = []
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
        """Write down what ran, and credit to `context` what runs from now on. Raises OSError."""
        self.save()
        self._context = context

    def save(self) -> None:
        """Write down what ran in this context. Raises OSError."""
        places, taken, thrown = _take(self._places), _take(self._taken), _take(self._thrown)
        self._repeated.clear()
        if not (places or taken or thrown):
            return
        numbers = array("I", map(self._numbers.__getitem__, itertools.chain(places, taken, thrown)))
        if self._is_on:
            self._arm(set(map(self._codes.__getitem__, numbers)))
        self._log.write(self._context, numbers)

    def _arm(self, ran: set[int]) -> None:
        # Not by Python's restart_events, which would arm the events of every tool in every code object.
        set_events, tool, events = _MONITORING.set_local_events, self._tool, self._events
        for identity in ran:
            code = self._measured[identity].code
            set_events(tool, code, 0)
            set_events(tool, code, events)

    def _new_number(self, event: tuple[Any, ...]) -> int:
        measured = self._measured[event[0]]
        self._codes.append(event[0])
        return self._log.add(_meaning(event, measured, self._statements.get(measured.file)))

    def _started(self, code: CodeType, _offset: int) -> Any:
        measured = self._measured.get(id(code))
        if measured is None:
            measured = self._discover(code)
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
        measured = self._measured[id(code)] = _Measured(code, len(self._measured), file)
        _MONITORING.set_local_events(self._tool, code, self._events)
        return measured

    # The callbacks are functions that have what they need at hand: they are what the tests wait for.

    def _line_callback(self) -> Callable[..., Any]:
        def line(code: CodeType, _line: int) -> Any:
            add((id(code), frame(1).f_lasti))
            return disable

        add, frame, disable = self._places.append, sys._getframe, _MONITORING.DISABLE
        return line

    def _branch_callback(self) -> Callable[..., Any]:
        def branch(code: CodeType, offset: int, target: int) -> Any:
            event = (id(code), offset, target)
            if event in taken:
                repeated[event] = count = repeated.get(event, 0) + 1
                return look_closer(event) if count == _REPETITIONS else None
            add(event)
            try:
                other = awaited[event]
            except KeyError:
                other = awaited[event] = look(event)
            return disable if other is None or other in taken else None

        taken, add, awaited, repeated = self._taken, self._taken.add, self._awaited, self._repeated
        look, look_closer, disable = self._look, self._look_closer, _MONITORING.DISABLE
        return branch

    def _look(self, event: _Taken) -> _Taken | None:
        """What must be seen, too, before the branch may be disabled: its other way, or nothing."""
        identity, branch, target = event
        measured = self._measured[identity]
        other = measured.flow.other_target(branch, target)
        if other is None or not measured.flow.must_be_seen(branch, other, self._statements.get(measured.file)):
            return None
        return (identity, branch, other)

    def _look_closer(self, event: _Taken) -> Any:
        """Look again, with the source in mind: whether the branch must really be watched."""
        file = self._measured[event[0]].file
        if file not in self._statements:
            self._statements[file] = _statements(file)
            # What a line tells depends on it.
            for known in [known for known in list(self._numbers) if self._measured[known[0]].file == file]:
                del self._numbers[known]
        self._awaited[event] = other = self._look(event)
        return _MONITORING.DISABLE if other is None else None

    def _handled_callback(self) -> Callable[..., Any]:
        def handled(code: CodeType, handler: int, error: BaseException) -> None:
            if id(code) in measured:
                entry = error.__traceback__
                if entry is not None and entry.tb_frame is frame(1):
                    add((id(code), entry.tb_lasti, handler, _THROWN))

        measured, add, frame = self._measured, self._thrown.add, sys._getframe
        return handled

    def _unwound_callback(self) -> Callable[..., Any]:
        def unwound(code: CodeType, offset: int, _error: BaseException) -> None:
            if id(code) in measured:
                add((id(code), offset, None, _THROWN))

        measured, add = self._measured, self._thrown.add
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
    line, began = flow.line(at), 0
    before: tuple[Arc, ...] = ()
    after = None
    if event[-1] == _THROWN:
        after = flow.at_unwinding(at) if event[2] is None else flow.at_handler(at, event[2])
    elif line is not None and len(event) == 2:
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
