"""Makes a coverage data file of a log (`arc_log.py`), while that still grows."""

from __future__ import annotations

import itertools
import json
import sqlite3
from array import array
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from testlens_agent.arc_log import numbers_of
from testlens_agent.meanings import Meaning, Meanings
from testlens_agent.traced import unpacking

if TYPE_CHECKING:  # it is missing in some of the interpreters that we are started with
    import coverage

_INSERT, _ROW = "insert or ignore into arc values", "(?,?,?,?)"
_NONE = -1
_ROWS_AT_ONCE = 50  # several times as fast as one row a statement


class GrowingData:
    """The data file `target` of what is in `log`, lines that are cut off aside; it is whole once it is finished.

    All methods raise CoverageException, sqlite3.Error, OSError, and ValueError where the log is damaged.
    """

    def __init__(self, log: Path, target: Path) -> None:
        import coverage

        data = coverage.CoverageData(str(target))
        data.add_arcs({})  # says that the file is one with branches
        let_go(data)
        self._lines = log.open(encoding="ascii")
        self._cut_off = ""
        self._meanings = Meanings()
        self._database = sqlite3.connect(str(target), isolation_level=None)
        self._database.executescript("pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -32000")
        self._database.execute("begin")
        self._filling = _Filling(self._database)

    def take_line(self) -> bool:
        """Take the next line of the log; False where there is none yet."""
        text = self._cut_off + self._lines.readline()
        if not text.endswith("\n"):
            self._cut_off = text
            return False
        self._cut_off = ""
        fields = json.loads(text)
        self._meanings.add_codes(fields.get("codes", ()))
        self._filling.add_events(self._meanings.of(fields.get("events", ())))
        self._filling.add_files(fields.get("files", ()))
        self._filling.add_sets(numbers_of("I", each) for each in fields.get("sets", ()))
        if "ran" in fields:
            self._filling.add_context(fields["context"], *(numbers_of("I", fields[of]) for of in ("ran", "together")))
        if "packed" in fields:
            packed = {file: numbers_of("Q", arcs) for file, arcs in fields["packed"].items()}
            self._filling.add_packed(fields["context"], packed)
        return True

    def arcs(self) -> dict[str, array[int]]:
        """All arcs in it by file: their two ends, one after the other."""
        return self._filling.arcs()

    @property
    def files(self) -> Collection[str]:
        """The files in it so far."""
        return self._filling.files

    def finish(self) -> None:
        """Take what is left, and close the file."""
        while self.take_line():
            pass
        self._database.execute("commit")
        self.close()

    def close(self) -> None:
        """Let go of the files; without a `finish` before it, the data is not whole."""
        self._lines.close()
        self._database.close()


def let_go(data: coverage.CoverageData) -> None:
    """Close the file of what was read or written, which versions of coverage.py before 7.7 leave to Python."""
    if hasattr(data, "close"):
        data.close()


class _Filling:
    """Fills the tables of a data file (documented as coverage.py's dbschema).

    Nearly all work is done once for every event of every context, which is why most loops here are those of built-ins.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._numbers_of_files: dict[str, int] = {}
        self._numbers_of_contexts: dict[str, int] = {}
        # Of each arc, by a number of its own: the number of its file, and its ends.
        self._arcs: dict[tuple[int, int, int], int] = {}
        self._files: list[int] = []
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._ran: set[int] = set()
        # For each event, by its number, its arcs: the first one of most, and what else some have.
        self._first: list[int] = []
        self._others: dict[int, list[int]] = {}
        self._likely: dict[int, list[tuple[set[int], set[int], int]]] = {}
        self._bare: dict[int, int] = {}
        self._sets: list[frozenset[int]] = []
        # Arcs in coverage.py's encoding, by file.
        self._packed: dict[str, dict[int, int]] = {}
        self._unpack = unpacking()
        # The events with which a line of a code object began, of which more may come.
        self._begins: dict[tuple[int, int], set[int]] = {}

    def add_files(self, names: Sequence[str]) -> None:
        """Files that belong to the data whether they ran or not."""
        for name in names:
            self._file(name)

    def add_events(self, events: Iterable[Meaning]) -> None:
        """Take what events mean before a context says that they ran."""
        for event in events:
            if event.line:
                self._started(event.code, event.line).add(len(self._first))
            self._add(len(self._first), event)

    def add_sets(self, sets: Iterable[Iterable[int]]) -> None:
        """Take sets of events before a context says that they ran."""
        self._sets.extend(map(frozenset, sets))

    def add_context(self, context: str, ran: Iterable[int], together: Iterable[int]) -> None:
        """Write down which events there were in a context, by themselves and in sets."""
        self._insert(context, self._arcs_of(set(ran).union(*map(self._sets.__getitem__, together))))

    def add_packed(self, context: str, packed: Mapping[str, Sequence[int]]) -> None:
        """Write down which arcs of files ran in a context, in coverage.py's encoding."""
        for file, arcs in packed.items():
            known = self._packed.setdefault(file, {})
            new = [arc for arc in arcs if arc not in known]
            if new:
                number = self._file(file)
                known.update(zip(new, (self._arc(number, *arc) for arc in self._unpack(new))))
        self._insert(context, (self._packed[file][arc] for file, arcs in packed.items() for arc in arcs))

    @property
    def files(self) -> Collection[str]:
        """All files."""
        return self._numbers_of_files.keys()

    def arcs(self) -> dict[str, array[int]]:
        """The two ends of all arcs by file."""
        found = {number: array("i") for number in self._numbers_of_files.values()}
        for arc in self._ran:
            found[self._files[arc]].extend((self._starts[arc], self._ends[arc]))
        return {name: found[number] for name, number in self._numbers_of_files.items()}

    def _insert(self, context: str, arcs: Iterable[int]) -> None:
        number = self._numbers_of_contexts.get(context)
        if number is None:
            number = self._numbers_of_contexts[context] = len(self._numbers_of_contexts) + 1
            self._database.execute("insert into context (id, context) values (?, ?)", (number, context))
        arcs = list(arcs)
        self._ran.update(arcs)
        columns = (self._files.__getitem__, self._starts.__getitem__, self._ends.__getitem__)
        files, starts, ends = (map(column, arcs) for column in columns)
        rows = zip(files, itertools.repeat(number), starts, ends)
        while values := list(itertools.chain.from_iterable(itertools.islice(rows, _ROWS_AT_ONCE))):
            self._database.execute(f"{_INSERT} {','.join([_ROW] * (len(values) // 4))}", values)

    def _add(self, number: int, event: Meaning) -> None:
        file = self._file(event.file)
        certain = [self._arc(file, *arc) for arc in event.arcs]
        self._first.append(certain[0] if certain else _NONE)
        if len(certain) > 1:
            self._others[number] = certain[1:]
        if event.likely:
            self._likely[number] = [
                # What an event leads on from has run, if maybe before this context began.
                (
                    self._started(event.code, start) if end == event.line else {number},
                    self._started(event.code, end),
                    self._arc(file, start, end),
                )
                for start, end in event.likely
            ]
        if event.line and not certain:
            self._bare[number] = self._arc(file, event.line, event.line)

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

    def _file(self, name: str) -> int:
        number = self._numbers_of_files.get(name)
        if number is None:
            number = self._numbers_of_files[name] = len(self._numbers_of_files) + 1
            self._database.execute("insert into file (id, path) values (?, ?)", (number, name))
        return number

    def _arc(self, file: int, start: int, end: int) -> int:
        found = self._arcs.setdefault((file, start, end), len(self._files))
        if found == len(self._files):
            self._files.append(file)
            self._starts.append(start)
            self._ends.append(end)
        return found

    def _started(self, code: int, line: int) -> set[int]:
        return self._begins.setdefault((code, line), set())
