"""Puts what tests say now in the place of what they said before, in coverage data of Testlens' own with branches.

Most of that can be done before the tests have run: which ones will is known, and so is where the lines of edited files
have gone. What they say then lies beside the data at first, where it is found as soon as the tests have ended, and goes
into it later. CoverageData has no way to forget a context; its tables are documented (dbschema).
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import IO

from coverage.exceptions import CoverageException

from testlens.domain.coverage import Arc
from testlens.domain.staleness import Anchors
from testlens.sources.discovery import addition_to, outdated_additions

Moves = Callable[[str], Anchors | None]
"""Where the lines of a file, by its name in the data, have gone since; None where it did not change."""

Found = Mapping[str, Collection[Arc]]
"""The arcs that ran of files, by their names in the data, in whatever contexts."""

DAMAGE = (CoverageException, OSError, sqlite3.Error)
"""What the methods of a replacement raise on data that cannot be read, or where the disk refuses."""
_serial = itertools.count()
_COPIED_BYTES = 1 << 20

_ADD = """
    insert or ignore into file (path) select path from added.file;
    create temp table file_of as
        select a.id as old, b.id as new from added.file as a join main.file as b on a.path = b.path;
    insert or ignore into context (context) select context from added.context;
    create temp table context_of as
        select a.id as old, b.id as new from added.context as a join main.context as b on a.context = b.context;
    insert or ignore into tracer select file_of.new, tracer from added.tracer join file_of on file_of.old = file_id;
    insert or ignore into arc
        select file_of.new, context_of.new, fromno, tono from added.arc
        join file_of on file_of.old = file_id join context_of on context_of.old = context_id order by 1, 2;
    drop table file_of;
    drop table context_of;
"""

# Lines before `first` are where they were, and those from `rest` to `last` have all gone `shift` lines down; those in
# between have places of their own, or are gone. Most rows are those of lines that many tests run, and to look up a
# place takes longer than all else. An end below 0 stands for the beginning or end of the code that starts there.
_MOVE = """
    create temp table moved as select context_id,
        case when fromno between 1 - :first and :first - 1 then fromno
        when fromno between :rest and :last then fromno + :shift
        when fromno between -:last and -:rest then fromno - :shift
        else (select now from place where before = fromno) end as fromno,
        case when tono between 1 - :first and :first - 1 then tono
        when tono between :rest and :last then tono + :shift
        when tono between -:last and -:rest then tono - :shift
        else (select now from place where before = tono) end as tono
        from arc where file_id = :file and (abs(fromno) >= :first or abs(tono) >= :first);
    delete from arc where file_id = :file and (abs(fromno) >= :first or abs(tono) >= :first);
    insert or ignore into arc
        select :file, context_id, fromno, tono from moved where fromno is not null and tono is not null;
    drop table moved;
"""


class Replacement:
    """A copy of `base` beside `target` that is changed step by step, and takes the place of `target` in the end.

    Of several files in `base` the others are additions to the first. One thread at a time may use it, whichever. Its
    methods raise DAMAGE. In the end `drop` it, whatever became of it.
    """

    def __init__(self, base: Sequence[Path], target: Path) -> None:
        self._target = target
        self._beside = target.with_name(f".{target.name}.{os.getpid()}-{next(_serial)}")
        self._database: sqlite3.Connection | None = None
        self._replaced: IO[bytes] | None = None
        self._forgotten: dict[str, set[Arc]] = {}
        self._imports: dict[str, set[Arc]] | None = None
        self._moved = frozenset[str]()
        self._kept: dict[str, set[Arc]] = {}
        try:
            _copy(base[0], self._beside)
            for addition in base[1:]:
                self.add(addition)
        except BaseException:
            self.drop()
            raise

    def forget(self, is_outdated: Callable[[str], bool]) -> None:
        """Forget what ran in the contexts that are outdated."""
        database = self._opened()
        self._kept.clear()
        contexts = database.execute("select id, context from context")
        outdated = [(number,) for number, name in contexts if is_outdated(name)]
        database.execute("create temp table if not exists gone (id integer primary key)")
        database.execute("delete from gone")
        database.executemany("insert into gone values (?)", outdated)
        for file, name in _files(database):
            # By both, with which the table's index begins.
            rows = "from arc where file_id = ? and context_id in (select id from gone)"
            arcs = database.execute(f"select distinct fromno, tono {rows}", (file,)).fetchall()
            if arcs:
                self._forgotten.setdefault(name, set()).update(arcs)
                database.execute(f"delete {rows}", (file,))
        database.execute("delete from context where id in (select id from gone)")

    def move(self, moves: Moves) -> None:
        """Follow the lines of edited files, of each once."""
        database = self._opened()
        database.execute("create temp table if not exists place (before integer primary key, now integer)")
        for file, name in _files(database):
            anchors = moves(name)
            if anchors is None:
                continue
            self._moved |= {name}
            if anchors.moved is not None:
                _move_arcs(database, file, anchors.moved)
        self._imports = None

    def prepare(self) -> None:
        """Have it ready, so that not much is left to do once the tests have ended."""
        database = self._opened()
        self._imports = self._arcs_of_imports()
        query = "select distinct fromno, tono from arc where file_id = ?"
        traced = {number for (number,) in database.execute("select file_id from tracer where tracer != ''")}
        for number, name in _files(database):
            if name in self._moved and number not in traced:
                self._kept[name] = set(database.execute(query, (number,)))
        self._close("commit")

    def arcs(self, found: Found) -> Found:
        """All arcs of files whose lines were moved before it was ready, with what was `found`."""
        return {name: kept.union(found.get(name, ())) for name, kept in self._kept.items()}

    def touched(self, found: Found) -> frozenset[str]:
        """The files of which the data may say something else than before with what was `found`, contexts aside."""
        database = self._opened()
        if self._imports is None:
            self._imports = self._arcs_of_imports()
        numbers = {name: number for number, name in _files(database)}
        none = set[Arc]()
        differing = {
            name: self._forgotten.get(name, none).symmetric_difference(found.get(name, none))
            - self._imports.get(name, none)
            for name in self._forgotten.keys() | found.keys() - self._moved
        }
        touched = {name for name, arcs in differing.items() if not _are_elsewhere(database, numbers.get(name), arcs)}
        return self._moved | touched

    def add(self, addition: Path) -> None:
        """Add what another data file has."""
        database = self._opened()
        database.execute("commit")
        database.execute("attach database ? as added", (str(addition),))
        database.execute("begin")
        for statement in _ADD.split(";"):
            database.execute(statement)
        database.execute("commit")
        database.execute("detach database added")
        database.execute("begin")

    def put(self, addition: Path | None = None) -> None:
        """Take the place of the target, with an `addition` that is moved beside it; `drop` only cleans up then."""
        self._close("commit")
        if addition is not None:
            sweep(self._target)
            # Which means nothing before the copy has taken its place.
            shutil.move(addition, addition_to(self._target, self._beside.stat().st_mtime_ns))
        if os.name == "posix":
            # As long as it is open, replacing it does not take the time to free its space.
            with contextlib.suppress(OSError):
                self._replaced = self._target.open("rb")
        self._beside.replace(self._target)

    def drop(self) -> None:
        """Leave everything as it was, or as it was put."""
        if self._replaced is not None:
            self._replaced.close()
        with contextlib.suppress(*DAMAGE):
            self._close("rollback")
        with contextlib.suppress(OSError):
            self._beside.unlink()

    def _arcs_of_imports(self) -> dict[str, set[Arc]]:
        """The arcs of each file that ran outside of tests, which the data of each run has again."""
        database = self._opened()
        number = database.execute("select id from context where context = ''").fetchone()
        if number is None:
            return {}
        query = "select fromno, tono from arc where file_id = ? and context_id = ?"
        return {name: set(database.execute(query, (file, *number))) for file, name in _files(database)}

    def _opened(self) -> sqlite3.Connection:
        if self._database is None:
            self._database = sqlite3.connect(self._beside, isolation_level=None, check_same_thread=False)
            # Nobody else sees the copy before it is whole.
            self._database.executescript(
                "pragma journal_mode = off; pragma synchronous = off; pragma temp_store = memory;"
                "pragma cache_size = -64000; begin"
            )
        return self._database

    def _close(self, ending: str) -> None:
        database, self._database = self._database, None
        if database is not None:
            with closing(database):
                database.execute(ending)


def fold(own: Sequence[Path]) -> None:
    """Put the addition to data of Testlens' own into it. Raises DAMAGE, and then leaves all as it was.

    The addition stays for those who are reading both, until somebody sweeps.
    """
    replacement = Replacement(own, own[0])
    try:
        replacement.put()
    finally:
        replacement.drop()


def sweep(own: Path) -> None:
    """Remove additions to data of Testlens' own that is there no more. Raises DAMAGE."""
    for outdated in outdated_additions(own):
        outdated.unlink()


def arcs_in(data_file: Path) -> Found:
    """All arcs in a data file with branches. Raises DAMAGE."""
    found: dict[str, set[Arc]] = {}
    query = "select distinct path, fromno, tono from arc join file on file.id = file_id"
    with closing(sqlite3.connect(f"{data_file.absolute().as_uri()}?mode=ro", uri=True)) as database:
        for name, start, end in database.execute(query):
            found.setdefault(name, set()).add((start, end))
    return found


def _copy(file: Path, copy: Path) -> None:
    """Copy a file into space of its own, so that to put it in another's place need not wait for that (as on ext4)."""
    with file.open("rb") as old, copy.open("wb") as new:
        if hasattr(os, "posix_fallocate"):
            with contextlib.suppress(OSError):  # a file system that cannot: where there is no space, copying tells
                os.posix_fallocate(new.fileno(), 0, max(1, os.fstat(old.fileno()).st_size))
        shutil.copyfileobj(old, new, _COPIED_BYTES)
        new.truncate()


def _files(database: sqlite3.Connection) -> list[tuple[int, str]]:
    return database.execute("select id, path from main.file").fetchall()


def _are_elsewhere(database: sqlite3.Connection, file: int | None, arcs: Collection[Arc]) -> bool:
    """Whether all of these arcs of a file ran in other contexts, too."""
    # Context by context, as the table's index is ordered: a file that many tests run has a hundred times as many rows.
    query = (
        "select 1 from main.context cross join main.arc on context_id = main.context.id"
        " where file_id = ? and fromno = ? and tono = ? limit 1"
    )
    return all(database.execute(query, (file, *arc)).fetchone() is not None for arc in arcs)


def _move_arcs(database: sqlite3.Connection, file: int, moved: Mapping[int, int]) -> None:
    first = next(line for line in itertools.count(1) if moved.get(line) != line)
    last = max(moved, default=0)
    shift = moved.get(last, 0) - last
    rest = next(line for line in itertools.count(last, -1) if moved.get(line) != line + shift) + 1
    places = ((sign * old, sign * new) for old, new in moved.items() if first <= old < rest for sign in (1, -1))
    database.execute("delete from place")
    database.executemany("insert into place values (?, ?)", places)
    numbers = {"file": file, "first": first, "rest": max(rest, first), "last": last, "shift": shift}
    for statement in _MOVE.split(";"):
        database.execute(statement, numbers)
