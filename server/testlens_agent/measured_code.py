"""A code object that is measured with sys.monitoring: what events there are of it, and what they mean for the data.

An event is a tuple that begins with the identity of the code object. A line that begins to run is known by its number,
and one that may begin at several places by the place (an offset in bytes); of a branch that was taken we know its place
and its target, and of an exception where it was raised and caught.
"""

from __future__ import annotations

import dis
import functools
import itertools
import sys
import time
import tokenize
from types import CodeType
from typing import Any, Callable

from testlens_agent.arc_log import Event
from testlens_agent.flow import Arc, Flow, Statements

AT_PLACE, SOMEWHERE, THROWN = "@", "?", "!"
"""The last part of events: of a line that began at a place, or nobody knows at which one of several; of exceptions."""

# As `id`, but that is one of the functions of which Python tells by audit events, as sys._getframe is: where somebody
# listens to those, as we do ourselves (uses.py), each call takes as long as all the rest of a callback.
identity_of: Callable[[object], int] = object.__hash__

_TURNS = 1000
_RESUME = dis.opmap.get("RESUME")
# For each operation of the bytecode whether it stands where Python is to tell that a line begins to run.
_TELLS_OF_LINE = bytes(operation == dis.opmap.get("INSTRUMENTED_LINE") for operation in range(256))
_NO_STATEMENT = (tokenize.COMMENT, tokenize.ENCODING)


class Numbers(dict[Any, int]):
    """The numbers of events, given as they come, in any thread.

    What is kept of each time that something runs is a number, since Python looks for garbage the more often the more
    tuples there are.
    """

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


class Measured:
    """One code object; `number` counts them, `file` is the name of its file in the data."""

    def __init__(self, code: CodeType, number: int, file: str) -> None:
        self.code = code
        self.number = number
        self.file = file
        self.needs_start = sys.version_info >= (3, 13) and _begins_where_it_starts(code)
        self.ways: dict[bytes, tuple[int, int]] = {}
        """By what was left in the bytecode (see `lines_but`): the set of lines that ran, in the log, and its size."""
        self._armed = b""

    def arm(self) -> None:
        """It has just been armed for the first time: all its lines will be told of."""
        self._armed = self.left()

    def left(self) -> bytes:
        """For each unit of the bytecode, as it is now, whether it is still to be told of that a line begins there."""
        bytecode: bytes = self.code._co_code_adaptive  # type: ignore[attr-defined]
        return bytecode[::2].translate(_TELLS_OF_LINE)

    def lines_but(self, left: bytes, numbers: Numbers) -> list[int]:
        """The numbers of the lines, each at each of its places, but for those units of bytecode that are `left`."""
        units = (unit for unit, was in enumerate(self._armed) if was and not left[unit])
        return [numbers[self._began_at(2 * unit)] for unit in units]

    def _began_at(self, place: int) -> tuple[Any, ...]:
        """The event of a line that began to run at this place."""
        identity, line = identity_of(self.code), self.flow.line(place)
        assert line is not None
        return (identity, line) if len(self.places[line]) == 1 else (identity, place, AT_PLACE)

    @functools.cached_property
    def flow(self) -> Flow:
        """What its bytecode says."""
        return Flow(self.code)

    @functools.cached_property
    def places(self) -> dict[int, tuple[int, ...]]:
        """Where each line may begin to run."""
        return self.flow.places()


def _begins_where_it_starts(code: CodeType) -> bool:
    """Whether the first line of the body is also the one of its start.

    Python 3.13 tells of that line only while it tells of the start, too.
    """
    start = next((at for at in range(0, len(code.co_code), 2) if code.co_code[at] == _RESUME), 0)
    lines = [line for begin, end, line in code.co_lines() if begin <= start + 2 and end > start]
    return len(lines) < 2 or lines[0] == lines[1]


def meaning_of(event: tuple[Any, ...], measured: Measured, statements: Statements) -> Event:
    """What an event means for the data."""
    flow, at = measured.flow, event[1]
    if event[-1] == SOMEWHERE:
        return Event(measured.file, measured.number, at, (), ())
    if len(event) == 2:
        at = measured.places[at][0]
    line, began = flow.line(at), 0
    before: tuple[Arc, ...] = ()
    after = None
    if event[-1] == THROWN:
        after = flow.at_unwinding(at) if event[2] is None else flow.at_handler(at, event[2])
    elif line is not None and (len(event) == 2 or event[-1] == AT_PLACE):
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


def statements_of(file: str) -> dict[int, int]:
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
