"""A file of what ran in which context, which costs next to nothing to write, and how it becomes coverage data.

Each line is a JSON object. One of a `context` has its name, the `events` that no line before had, and which of them
`ran`: their numbers, which count all events of the log from 0, as 4 bytes each in base64. One with `files` names those
that belong to the data whether they ran or not. A line that was cut off is left out, with all that come after it.
"""

from __future__ import annotations

import base64
import bisect
import contextlib
import itertools
import json
import os
import sqlite3
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:  # it is missing in some of the interpreters that we are started with
    import coverage

SUFFIX = ".arcs"
_INSERT, _ROW = "insert or ignore into arc values", "(?,?,?,?)"
_NONE = -1
_ROWS_AT_ONCE = 50  # several times as fast as one row a statement
_Arc = tuple[int, int]


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
        self._events: list[Event] = []
        self._written = 0
        self._owner = 0
        self._descriptor = -1
        self._named: set[str] = set()

    @property
    def files(self) -> set[str]:
        """The files that belong to the data."""
        return self._named | {event.file for event in self._events}

    def add(self, event: Event) -> int:
        """The number of a new event."""
        self._events.append(event)
        return len(self._events) - 1

    def write(self, context: str, ran: array[int]) -> None:
        """Write down which events there were in a context. Raises OSError."""
        self._make_ours()
        new, self._written = self._events[self._written :], len(self._events)
        self._append({"context": context, "events": new, "ran": base64.b64encode(ran.tobytes()).decode("ascii")})

    def write_files(self, files: Iterable[str]) -> None:
        """Write down files that belong to the data. Raises OSError."""
        self._make_ours()
        new = sorted(set(files) - self._named)
        self._named.update(new)
        self._append({"files": new})

    def _make_ours(self) -> None:
        if self._owner == self._process():
            return
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
        self._descriptor = self._open(f"{self._name}.{self._process()}{SUFFIX}", flags, 0o600)
        self._owner = self._process()
        self._written = 0
        self._named = set()

    def _append(self, fields: dict[str, Any]) -> None:
        data = memoryview(json.dumps(fields, separators=(",", ":")).encode("ascii") + b"\n")
        while data:
            data = data[self._write(self._descriptor, data) :]


def to_data(log: Path, target: Path) -> None:
    """Write what a log has to a new data file of coverage.py with branches.

    Raises CoverageException, sqlite3.Error and OSError.
    """
    events, files = _known(log)
    names = sorted(files | {event.file for event in events})
    import coverage

    data = coverage.CoverageData(str(target))
    data.add_arcs({})  # says that the file is one with branches
    data.touch_files(names)
    let_go(data)
    with contextlib.closing(sqlite3.connect(str(target))) as database:
        database.executescript("pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -32000")
        with database:
            numbers = dict(database.execute("select path, id from file"))
            _Filling(database, events, numbers).fill(_contexts(log))


def let_go(data: coverage.CoverageData) -> None:
    """Close the file of what was read or written, which versions of coverage.py before 7.7 leave to Python."""
    if hasattr(data, "close"):
        data.close()


class _Filling:
    """Fills the tables of a data file (documented as coverage.py's dbschema) from events with the numbers of files.

    Nearly all work is done once for every event of every context, which is why most loops here are those of built-ins.
    """

    def __init__(self, database: sqlite3.Connection, events: Sequence[Event], files: Mapping[str, int]) -> None:
        self._database = database
        found = {(files[event.file], *arc) for event in events for arc in (*event.arcs, *event.likely)}
        found |= {(files[event.file], event.line, event.line) for event in events}
        rows = sorted(found)
        self._files = [file for file, _, _ in rows]
        self._starts = [start for _, start, _ in rows]
        self._ends = [end for _, _, end in rows]
        ranks = {row: rank for rank, row in enumerate(rows)}
        # For each event, by its number, the ranks of its arcs: the first one of most, and what else some have.
        self._first: list[int] = []
        self._others: dict[int, list[int]] = {}
        self._likely: dict[int, list[tuple[set[int], set[int], int]]] = {}
        self._bare: dict[int, int] = {}
        begins: dict[tuple[int, int], set[int]] = {}
        for number, event in enumerate(events):
            begins.setdefault((event.code, event.line), set()).add(number)

        def started(code: int, line: int) -> set[int]:
            return begins.get((code, line), set())

        for number, event in enumerate(events):
            file = files[event.file]
            certain = [ranks[(file, *arc)] for arc in event.arcs]
            self._first.append(certain[0] if certain else _NONE)
            if len(certain) > 1:
                self._others[number] = certain[1:]
            if event.likely:
                self._likely[number] = [
                    # What an event leads on from has run, if maybe before this context began.
                    (
                        started(event.code, start) if end == event.line else {number},
                        started(event.code, end),
                        ranks[file, start, end],
                    )
                    for start, end in event.likely
                ]
            if event.line and not certain:
                self._bare[number] = ranks[file, event.line, event.line]

    def fill(self, contexts: Iterable[tuple[str, array[int]]]) -> None:
        """Write down what ran in the contexts."""
        numbers: dict[str, int] = {}
        by_file: dict[int, list[tuple[int, array[int]]]] = {}
        for context, ran in contexts:
            number = numbers.setdefault(context, len(numbers) + 1)
            arcs = array("I", sorted(self._arcs_of(set(ran))))
            for file, of_file in self._split(arcs):
                by_file.setdefault(file, []).append((number, of_file))
        # In the order of the table's index, which then only grows at its end.
        for file in sorted(by_file):
            self._insert(file, by_file[file])
        self._database.executemany("insert into context (context, id) values (?, ?)", numbers.items())

    def _split(self, arcs: array[int]) -> Iterator[tuple[int, array[int]]]:
        """Arcs in the order of their ranks, by file."""
        begin = 0
        while begin < len(arcs):
            file = self._files[arcs[begin]]
            end = bisect.bisect_left(arcs, bisect.bisect_right(self._files, file), begin)
            yield file, arcs[begin:end]
            begin = end

    def _arcs_of(self, ran: set[int]) -> set[int]:
        arcs = set(map(self._first.__getitem__, ran))
        arcs.discard(_NONE)
        for event in self._others.keys() & ran:
            arcs.update(self._others[event])
        for event in self._likely.keys() & ran:
            for start, end, arc in self._likely[event]:
                if not (start.isdisjoint(ran) or end.isdisjoint(ran)):
                    arcs.add(arc)
        # A line that no arc tells of, as when it raised an exception, has at least run.
        arcs.update(self._bare[event] for event in self._bare.keys() & ran)
        return arcs

    def _insert(self, file: int, contexts: Iterable[tuple[int, array[int]]]) -> None:
        starts, ends = self._starts.__getitem__, self._ends.__getitem__
        rows = itertools.chain.from_iterable(
            zip(itertools.repeat(file), itertools.repeat(number), map(starts, arcs), map(ends, arcs))
            for number, arcs in contexts
        )
        while values := list(itertools.chain.from_iterable(itertools.islice(rows, _ROWS_AT_ONCE))):
            self._database.execute(f"{_INSERT} {','.join([_ROW] * (len(values) // 4))}", values)


def _known(log: Path) -> tuple[list[Event], set[str]]:
    """The events of a log, and the files that it names."""
    events: list[Event] = []
    files: set[str] = set()
    for line in _lines(log):
        events += (Event(*fields) for fields in line.get("events", ()))
        files.update(line.get("files", ()))
    return events, files


def _contexts(log: Path) -> Iterator[tuple[str, array[int]]]:
    for line in _lines(log):
        if "context" in line:
            ran = array("I")
            ran.frombytes(base64.b64decode(line["ran"]))
            yield line["context"], ran


def _lines(log: Path) -> Iterator[dict[str, Any]]:
    with log.open(encoding="ascii") as file:
        for text in file:
            if not text.endswith("\n"):
                return
            yield json.loads(text)
