"""Adds the coverage data of one run to that of another. Writes Testlens' own files only."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from coverage import CoverageData
from coverage.exceptions import CoverageException

from testlens.domain.coverage import Arc
from testlens.domain.problems import Problem
from testlens.domain.staleness import Anchors

Chosen = Callable[[str], bool]
"""Whether a file is meant, or a context, by its name in the data."""

_REFUSED = (CoverageException, OSError, sqlite3.Error)


def add_data(base: Path, addition: Path, target: Path, outdated: Chosen, unwanted: Chosen) -> Problem | None:
    """Write to `target` what `base` has, and what `addition` has on top; `base` is not touched, and may be `target`.

    Files that are `outdated` are forgotten from `base`, those `unwanted` are not taken from `addition`, which is
    changed by that. `target` appears whole or not at all.
    """
    try:
        with _becoming(target, base) as merging, _opened(merging) as merged, _opened(addition) as added:
            merged.purge_files([name for name in merged.measured_files() if outdated(name)])
            added.purge_files([name for name in added.measured_files() if unwanted(name)])
            merged.update(added)
    except _REFUSED as error:
        return _not_added(error)
    return None


def replace_tests(
    base: Path, addition: Path, target: Path, outdated: Chosen, moves: Callable[[str], Anchors | None]
) -> frozenset[str] | Problem:
    """Write to `target` what `base` has without the contexts that are `outdated`, and what `addition` has.

    `moves` says of a file, by its name in the data, where its lines have gone since; None where it did not change.
    Both measured branches. `target` appears whole or not at all, and may be `base`.

    Returns the names of the files of which it may now say something else than `base` does, contexts aside.
    """
    try:
        with _becoming(target, base) as merging:
            with contextlib.closing(sqlite3.connect(merging)) as database, database:
                forgotten = _forget_contexts(database, outdated)
                kept = _arcs_of_imports(database)
                moved = _move_lines(database, moves)
            with _opened(merging) as merged, _opened(addition) as added:
                merged.update(added)
                found = {name: frozenset(added.arcs(name) or ()) for name in added.measured_files()}
    except _REFUSED as error:
        return _not_added(error)
    none = frozenset[Arc]()
    return moved | {
        name
        for name in forgotten.keys() | found.keys()
        if not forgotten.get(name, none) <= found.get(name, none) <= forgotten.get(name, none) | kept.get(name, none)
    }


def _forget_contexts(database: sqlite3.Connection, outdated: Chosen) -> Mapping[str, frozenset[Arc]]:
    """Returns the arcs that were forgotten of each file, by its name."""
    # CoverageData has no way to forget a context; its tables are documented (dbschema).
    contexts = [(number,) for number, name in database.execute("select id, context from context") if outdated(name)]
    database.execute("create temp table gone (id integer primary key)")
    database.executemany("insert into gone values (?)", contexts)
    forgotten: dict[str, frozenset[Arc]] = {}
    for file, name in list(database.execute("select id, path from file")):
        # By both, with which the table's index begins.
        rows = "from arc where file_id = ? and context_id in (select id from gone)"
        arcs = frozenset(database.execute(f"select distinct fromno, tono {rows}", (file,)))
        if arcs:
            forgotten[name] = arcs
            database.execute(f"delete {rows}", (file,))
    database.execute("delete from context where id in (select id from gone)")
    return forgotten


def _arcs_of_imports(database: sqlite3.Connection) -> Mapping[str, frozenset[Arc]]:
    """The arcs of each file that ran outside of tests, which the data of each run has again, by its name."""
    query = """
        select fromno, tono from arc where file_id = ? and context_id = (select id from context where context = '')
    """
    files = list(database.execute("select id, path from file"))
    return {name: frozenset(database.execute(query, (file,))) for file, name in files}


def _move_lines(database: sqlite3.Connection, moves: Callable[[str], Anchors | None]) -> frozenset[str]:
    """Returns the names of the files whose text is another one now."""
    found: set[str] = set()
    database.execute("create temp table place (before integer primary key, now integer)")
    for file, name in list(database.execute("select id, path from file")):
        anchors = moves(name)
        if anchors is None:
            continue
        found.add(name)
        if anchors.moved is not None:
            _move_arcs(database, file, anchors.moved)
    return frozenset(found)


def _move_arcs(database: sqlite3.Connection, file: int, moved: Mapping[int, int]) -> None:
    # An end of an arc below 0 stands for the beginning or end of the code that starts there.
    places = ((sign * before, sign * now) for before, now in moved.items() for sign in (1, -1))
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


@contextlib.contextmanager
def _becoming(target: Path, base: Path) -> Iterator[Path]:
    """A copy of `base` that takes the place of `target`, unless an exception is raised."""
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        shutil.copyfile(base, beside)
        yield beside
        beside.replace(target)
    finally:
        with contextlib.suppress(OSError):
            beside.unlink()


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[CoverageData]:
    data = CoverageData(basename=str(path))
    data.read()
    try:
        yield data
    finally:
        data.close()


def _not_added(error: Exception) -> Problem:
    message = f"The coverage of these tests could not be added to what is known: {error}."
    return Problem(message, "Run all tests.", severity="error")
