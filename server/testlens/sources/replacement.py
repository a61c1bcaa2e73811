"""Puts what tests say now in the place of what they said before, in coverage data of Testlens' own with branches.

Most of that can be done before the tests have run: which ones will is known, and so is where the lines of edited files
have gone. CoverageData has no way to forget a context; its tables are documented (dbschema).
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import IO

from coverage.exceptions import CoverageException

from testlens.domain.coverage import Arc
from testlens.domain.staleness import Anchors

Moves = Callable[[str], Anchors | None]
"""Where the lines of a file, by its name in the data, have gone since; None where it did not change."""

DAMAGE = (CoverageException, OSError, sqlite3.Error)
"""What the methods of a replacement raise on data that cannot be read, or where the disk refuses."""
_serial = itertools.count()

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
"""


class Replacement:
    """A copy of `base` beside `target` that is changed step by step, and takes the place of `target` in the end.

    One thread at a time may use it, whichever. Its methods raise DAMAGE. In the end `drop` it, whatever became of it.
    """

    def __init__(self, base: Path, target: Path) -> None:
        self._target = target
        self._beside = target.with_name(f".{target.name}.{os.getpid()}-{next(_serial)}")
        self._database: sqlite3.Connection | None = None
        self._replaced: IO[bytes] | None = None
        shutil.copyfile(base, self._beside)
        self._forgotten: dict[str, set[Arc]] = {}
        self._imports: dict[str, set[Arc]] = {}
        self.moved = frozenset[str]()
        """The names of the files whose lines were moved."""

    def forget(self, is_outdated: Callable[[str], bool]) -> None:
        """Forget what ran in the contexts that are outdated."""
        database = self._opened()
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
        """Follow the lines of edited files, once."""
        database = self._opened()
        database.execute("create temp table place (before integer primary key, now integer)")
        for file, name in _files(database):
            anchors = moves(name)
            if anchors is None:
                continue
            self.moved |= {name}
            if anchors.moved is not None:
                _move_arcs(database, file, anchors.moved)
        self._imports = self._arcs_of_imports()

    def add(self, addition: Path) -> frozenset[str]:
        """Add what another data file has.

        Returns the names of the files of which the data may now say something else than before, contexts aside.
        """
        database = self._opened()
        database.execute("attach database ? as added", (str(addition),))
        found: dict[str, set[Arc]] = {}
        arcs = "select distinct path, fromno, tono from added.arc join added.file on added.file.id = file_id"
        for name, start, end in database.execute(arcs):
            found.setdefault(name, set()).add((start, end))
        numbers = {name: number for number, name in _files(database)}
        none = set[Arc]()
        imports = self._imports or self._arcs_of_imports()
        differing = {
            name: (self._forgotten.get(name, none) ^ found.get(name, none)) - imports.get(name, none)
            for name in self._forgotten.keys() | found.keys() - self.moved
        }
        touched = {name for name, arcs in differing.items() if not _are_elsewhere(database, numbers.get(name), arcs)}
        for statement in _ADD.split(";"):
            database.execute(statement)
        return self.moved | touched

    def put(self) -> None:
        """Take the place of the target; `drop` has only to clean up then."""
        self._close("commit")
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
            with contextlib.closing(database):
                database.execute(ending)


def _files(database: sqlite3.Connection) -> list[tuple[int, str]]:
    return database.execute("select id, path from main.file").fetchall()


def _are_elsewhere(database: sqlite3.Connection, file: int | None, arcs: Collection[Arc]) -> bool:
    """Whether all of these arcs of a file ran in other contexts, too."""
    query = "select 1 from main.arc where file_id = ? and fromno = ? and tono = ? limit 1"
    return all(database.execute(query, (file, *arc)).fetchone() is not None for arc in arcs)


def _move_arcs(database: sqlite3.Connection, file: int, moved: Mapping[int, int]) -> None:
    # An end of an arc below 0 stands for the beginning or end of the code that starts there.
    places: Iterable[tuple[int, int]] = ((sign * old, sign * new) for old, new in moved.items() for sign in (1, -1))
    database.execute("delete from place")
    database.executemany("insert into place values (?, ?)", places)
    database.execute(
        "create temp table moved as select arc.context_id, source.now as fromno, target.now as tono from arc "
        "join place as source on source.before = arc.fromno join place as target on target.before = arc.tono "
        "where arc.file_id = ?",
        (file,),
    )
    database.execute("delete from arc where file_id = ?", (file,))
    database.execute("insert or ignore into arc select ?, context_id, fromno, tono from moved", (file,))
    database.execute("drop table moved")
