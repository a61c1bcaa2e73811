"""A file of what ran in which context, which costs next to nothing to write; `arc_data.py` makes coverage data of it.

Each line is a JSON object. One of a `context` has its name, the `codes` and `events` that no line before had, and which
of the events `ran`: their numbers, which count all events of the log from 0, as 4 bytes each in base64. Those that
often run together are in the sets whose numbers are in `together`; `sets` has those that no line before had. What the
events mean is left to who reads it, so that the tests do not wait for that (`meanings.py`). Or it has what was
`packed`: for each file its arcs in coverage.py's own encoding, as 8 bytes each in base64. One with `files` names those
that belong to the data whether they ran or not. A line that was cut off is left out, with all that come after it.
"""

from __future__ import annotations

import base64
import json
import os
from array import array
from collections.abc import Iterable, Mapping, Sequence
from types import CodeType
from typing import Any

from testlens_agent.flow import Bytecode

SUFFIX = ".arcs"
_NO_LINE = -1
_ENCODED = json.JSONEncoder(separators=(",", ":")).encode


class ArcLog:
    """A log that is written to. `name` is its path before the number of the process and the suffix are added.

    A copy of the process writes a log of its own.
    """

    def __init__(self, name: str) -> None:
        self._name = os.path.abspath(name)  # noqa: PTH100  (beside `os.open`)
        self._open, self._write, self._process = os.open, os.write, os.getpid  # before tests can replace them
        self._codes: list[tuple[str, CodeType]] = []
        self._events: list[str] = []  # as texts, through which Python need not look for garbage
        self._files: set[str] = set()
        self._sets: list[Iterable[int]] = []
        self._codes_written = self._events_written = self._sets_written = 0
        self._owner = 0
        self._descriptor = -1
        self._named: set[str] = set()

    @property
    def files(self) -> set[str]:
        """The files that belong to the data."""
        return self._named | self._files

    def add_code(self, file: str, code: CodeType) -> int:
        """The number of a new code object, of a file that belongs to the data from now on."""
        self._codes.append((file, code))
        self._files.add(file)
        return len(self._codes) - 1

    def add(self, event: Sequence[int]) -> None:
        """A new event, which gets the next number: that of its code object, and where in it something happened."""
        self._events.append(str([*event]))

    def add_set(self, numbers: Iterable[int]) -> int:
        """The number of a new set of events that often run together."""
        self._sets.append(numbers)
        return len(self._sets) - 1

    def write(self, context: str, ran: array[int], together: array[int]) -> None:
        """Write down which events there were in a context, by themselves and in sets. Raises OSError."""
        self._make_ours()
        codes, self._codes_written = self._codes[self._codes_written :], len(self._codes)
        events, self._events_written = self._events[self._events_written :], len(self._events)
        sets, self._sets_written = self._sets[self._sets_written :], len(self._sets)
        fields = {
            "context": context,
            "ran": text_of(ran),
            "together": text_of(together),
            "sets": [text_of(array("I", each)) for each in sets],
            "codes": [_fields_of(file, code) for file, code in codes],
        }
        self._append(f'{_ENCODED(fields)[:-1]},"events":[{",".join(events)}]}}')

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
        self._codes_written = self._events_written = self._sets_written = 0
        self._named = set()

    def _append(self, text: str) -> None:
        data = memoryview(text.encode("ascii") + b"\n")
        while data:
            data = data[self._write(self._descriptor, data) :]


def _fields_of(file: str, code: CodeType) -> list[Any]:
    bytecode = Bytecode.of(code)
    lines = array("i", [_NO_LINE if number is None else number for piece in bytecode.lines for number in piece])
    parts = (bytecode.instructions, bytecode.exceptions, lines.tobytes())
    return [
        file,
        bytecode.is_expression,
        bytecode.first_line,
        *(base64.b64encode(part).decode("ascii") for part in parts),
    ]


def bytecode_in(fields: Sequence[Any]) -> Bytecode:
    """That of a code object in the log. Raises ValueError where it is damaged."""
    _, is_expression, first_line, *parts = fields
    instructions, exceptions, lines = map(base64.b64decode, parts)
    numbers = array("i", lines)
    pieces = zip(numbers[::3], numbers[1::3], (None if line == _NO_LINE else line for line in numbers[2::3]))
    return Bytecode(is_expression, first_line, instructions, exceptions, pieces)


def numbers_of(kind: str, text: str) -> array[int]:
    """The numbers in a field of the log: of events (`kind` "I"), or of arcs ("Q")."""
    numbers = array(kind)
    numbers.frombytes(base64.b64decode(text))
    return numbers


def text_of(numbers: array[int]) -> str:
    """What stands for numbers in the log."""
    return base64.b64encode(numbers.tobytes()).decode("ascii")
