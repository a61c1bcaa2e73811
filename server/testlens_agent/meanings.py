"""What it means for the data that something ran: the lines and arcs behind the events of a log (`arc_log.py`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from testlens_agent.arc_log import bytecode_in
from testlens_agent.flow import Arc, Flow
from testlens_agent.measured_code import NOWHERE
from testlens_agent.statements import Statements

_OF_EXCEPTION = 3  # numbers: the place, the handler, and THROWN


class Meaning(NamedTuple):
    """What an event of a log means.

    `code` is a number for the code object, and `line` the line that began to run, 0 where it is no line that did.
    `arcs` ran for certain. A `likely` one did unless an exception came in between, or is one of several that lead to
    `line`: it counts if the lines at its ends ran.
    """

    file: str
    code: int
    line: int
    arcs: Sequence[Arc]
    likely: Sequence[Arc]


class Meanings:
    """Those of the events of one log."""

    def __init__(self) -> None:
        self._files: list[str] = []
        self._flows: list[Flow] = []
        self._statements: dict[str, Statements] = {}

    def add_codes(self, codes: Sequence[Sequence[Any]]) -> None:
        """Take code objects of the log before an event of one. Raises ValueError where one is damaged."""
        for fields in codes:
            self._files.append(fields[0])
            self._flows.append(Flow(bytecode_in(fields)))

    def of(self, events: Sequence[Sequence[int]]) -> Iterator[Meaning]:
        """What events mean that the log has."""
        for number, *event in events:
            line, arcs, likely = self._meaning(number, event)
            yield Meaning(self._files[number], number, line, arcs, likely)

    def _meaning(self, number: int, event: Sequence[int]) -> tuple[int, Sequence[Arc], Sequence[Arc]]:
        flow, place = self._flows[number], event[0]
        line, began = flow.line(place), 0
        before: tuple[Arc, ...] = ()
        after = None
        if len(event) == _OF_EXCEPTION:
            after = flow.at_unwinding(place) if event[1] == NOWHERE else flow.at_handler(place, event[1])
        elif line is not None and len(event) == 1:
            statements = self._statements_of(self._files[number])
            before, after, began = flow.to_place(place, statements), flow.from_line(line, place, statements), line
        elif line is not None:
            # Whether its target knows by itself is said as of before the source was read, which the tests may not do.
            after = flow.from_line(line, event[1], None)
        arcs, likely = (before, ()) if len(before) < 2 else ((), before)
        if after is not None and after[1] < 0:
            arcs = (*arcs, after)
        elif after is not None:
            likely = (*likely, after)
        return began, arcs, likely

    def _statements_of(self, file: str) -> Statements:
        return self._statements.setdefault(file, Statements(file))
