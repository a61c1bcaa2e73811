"""A code object that is measured with sys.monitoring, and the events that there are of it.

An event is a tuple that begins with the identity of the code object. A line that begins to run is known by the place
where it does (an offset in bytes), a branch that was taken by its place and its target, and an exception by where it
was raised and caught. `meanings.py` says what they mean for the data.
"""

from __future__ import annotations

import dis
import functools
import itertools
import operator
import sys
import time
from types import CodeType
from typing import Any, Callable

from testlens_agent.flow import Bytecode, Flow
from testlens_agent.statements import Statements

NOTHING_RAN = -1
"""In the place of the number of a set of lines: there is none of those."""
NOWHERE = -1
"""In the place of a handler: the exception has left the code object."""
THROWN = 1
"""The last part of events of exceptions."""

# As `id`, but that is one of the functions of which Python tells by audit events, as sys._getframe is: where somebody
# listens to those, as we do ourselves (audit.py), each call takes as long as all the rest of a callback.
identity_of: Callable[[object], int] = object.__hash__

bytecode_of: Callable[[CodeType], bytes] = operator.attrgetter("_co_code_adaptive")
"""The bytecode as it is now."""

_TURNS = 1000
_RESUME = dis.opmap.get("RESUME")
# For each operation of the bytecode whether it stands where Python is to tell that a line begins to run.
_TELLS_OF_LINE = bytes(operation == dis.opmap.get("INSTRUMENTED_LINE") for operation in range(256))


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
    """One code object; `number` is the one in the log, if it is there, `file` the name of its file in the data."""

    def __init__(self, code: CodeType, file: str) -> None:
        self.code = code
        self.file = file
        self.number: int | None = None
        self.needs_start = sys.version_info >= (3, 13) and _begins_where_it_starts(code)
        self.ways: dict[bytes, int] = {}
        """By what was left in the bytecode (see `lines_but`): the set of lines that ran, in the log."""
        self._armed = b""

    @property
    def is_armed(self) -> bool:
        """Whether it ever was."""
        return bool(self._armed)

    def arm(self, bytecode: bytes) -> None:
        """It was armed for the first time, which has made this of its bytecode: all its lines will be told of."""
        self._armed = left_in(bytecode)
        self.ways[self._armed] = NOTHING_RAN

    def lines_but(self, left: bytes, numbers: Numbers) -> list[int]:
        """The numbers of the lines, each at each of its places, but for those units of bytecode that are `left`."""
        identity = identity_of(self.code)
        return [numbers[(identity, 2 * unit)] for unit, was in enumerate(self._armed) if was and not left[unit]]

    @functools.cached_property
    def flow(self) -> Flow:
        """What its bytecode says."""
        return Flow(Bytecode.of(self.code))

    def statements(self) -> Statements:
        """What its source says; an expression may begin in the midst of a statement, but is within one."""
        last = max((line for _, _, line in self.code.co_lines() if line is not None), default=1)
        return Statements(self.file, max(1, self.code.co_firstlineno), last)


def left_in(bytecode: bytes) -> bytes:
    """For each unit of bytecode whether it is still to be told of that a line begins there."""
    return bytecode[::2].translate(_TELLS_OF_LINE)


def _begins_where_it_starts(code: CodeType) -> bool:
    """Whether the first line of the body is also the one of its start.

    Python 3.13 tells of that line only while it tells of the start, too.
    """
    start = next((at for at in range(0, len(code.co_code), 2) if code.co_code[at] == _RESUME), 0)
    lines = [line for begin, end, line in code.co_lines() if begin <= start + 2 and end > start]
    return len(lines) < 2 or lines[0] == lines[1]
