"""A file of what ran in which context, which costs next to nothing to write; `arc_data.py` makes coverage data of it.

Each line is a JSON object. One of a `context` has its name, the `events` that no line before had, and which of them
`ran`: their numbers, which count all events of the log from 0, as 4 bytes each in base64. Those that often run together
are in the sets whose numbers are in `together`; `sets` has those that no line before had. Or it has what was `packed`:
for each file its arcs in coverage.py's own encoding, as 8 bytes each in base64. One with `files` names those that
belong to the data whether they ran or not. A line that was cut off is left out, with all that come after it.
"""

from __future__ import annotations

import base64
import json
import os
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

SUFFIX = ".arcs"
_Arc = tuple[int, int]
_ENCODED = json.JSONEncoder(separators=(",", ":")).encode


class Event(NamedTuple):
    """What it means for the data that something ran. Lists of two lines are arcs, as coverage.py has them.

    `code` is a number for the code object, and `line` the line that began to run, 0 where it is no line that did.
    `arcs` ran for certain. A `likely` one did unless an exception came in between, or is one of several that lead to
    `line`: it counts if the lines at its ends ran.
    """

    file: str
    code: int
    line: int
    arcs: Sequence[_Arc]
    likely: Sequence[_Arc]


class ArcLog:
    """A log that is written to. `name` is its path before the number of the process and the suffix are added.

    A copy of the process writes a log of its own.
    """

    def __init__(self, name: str) -> None:
        self._name = os.path.abspath(name)  # noqa: PTH100  (beside `os.open`)
        self._open, self._write, self._process = os.open, os.write, os.getpid  # before tests can replace them
        self._events: list[str] = []
        self._files: set[str] = set()
        self._sets: list[Iterable[int]] = []
        self._written = self._sets_written = 0
        self._owner = 0
        self._descriptor = -1
        self._named: set[str] = set()

    @property
    def files(self) -> set[str]:
        """The files that belong to the data."""
        return self._named | self._files

    def add(self, event: Event) -> int:
        """The number of a new event."""
        self._events.append(_ENCODED(event))
        self._files.add(event.file)
        return len(self._events) - 1

    def add_set(self, numbers: Iterable[int]) -> int:
        """The number of a new set of events that often run together."""
        self._sets.append(numbers)
        return len(self._sets) - 1

    def write(self, context: str, ran: array[int], together: array[int]) -> None:
        """Write down which events there were in a context, by themselves and in sets. Raises OSError."""
        self._make_ours()
        events, self._written = self._events[self._written :], len(self._events)
        sets, self._sets_written = self._sets[self._sets_written :], len(self._sets)
        fields = {"context": context, "ran": text_of(ran), "together": text_of(together)}
        text = _ENCODED({**fields, "sets": [text_of(array("I", each)) for each in sets]})
        self._append(f'{text[:-1]},"events":[{",".join(events)}]}}')

    def write_packed(self, context: str, packed: Mapping[str, Iterable[int]]) -> None:
        """Write down the arcs of files that ran in a context, as coverage.py's tracer has them. Raises OSError."""
        self._make_ours()
        self._named.update(packed)
        texts = {file: text_of(array("Q", arcs)) for file, arcs in packed.items()}
        self._append(_ENCODED({"context": context, "packed": texts}))

    def write_files(self, files: Iterable[str]) -> None:
        """Write down files that belong to the data. Raises OSError."""
        self._make_ours()
        new = sorted(set(files) - self._named)
        if new:
            self._named.update(new)
            self._append(_ENCODED({"files": new}))

    def _make_ours(self) -> None:
        if self._owner == self._process():
            return
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
        self._descriptor = self._open(f"{self._name}.{self._process()}{SUFFIX}", flags, 0o600)
        self._owner = self._process()
        self._written = self._sets_written = 0
        self._named = set()

    def _append(self, text: str) -> None:
        data = memoryview(text.encode("ascii") + b"\n")
        while data:
            data = data[self._write(self._descriptor, data) :]


def numbers_of(kind: str, text: str) -> array[int]:
    """The numbers in a field of the log: of events (`kind` "I"), or of arcs ("Q")."""
    numbers = array(kind)
    numbers.frombytes(base64.b64decode(text))
    return numbers


def text_of(numbers: array[int]) -> str:
    """What stands for numbers in the log."""
    return base64.b64encode(numbers.tobytes()).decode("ascii")
