"""Adds the coverage data of one run to that of another. Writes Testlens' own files only."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from coverage import CoverageData
from coverage.exceptions import CoverageException

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
) -> Problem | None:
    """Write to `target` what `base` has without the contexts that are `outdated`, and what `addition` has.

    `moves` says of a file, by its name in the data, where its lines have gone since; None where it did not change.
    Both measured branches. `target` appears whole or not at all, and may be `base`.
    """
    try:
        with _becoming(target, base) as merging:
            with contextlib.closing(sqlite3.connect(merging)) as database, database:
                _forget_contexts(database, outdated)
                _move_lines(database, moves)
            with _opened(merging) as merged, _opened(addition) as added:
                merged.update(added)
    except _REFUSED as error:
        return _not_added(error)
    return None


def _forget_contexts(database: sqlite3.Connection, outdated: Chosen) -> None:
    # CoverageData has no way to forget a context; its tables are documented (dbschema).
    contexts = [number for number, name in database.execute("select id, context from context") if outdated(name)]
    files = [number for (number,) in database.execute("select id from file")]
    pairs = [(file, context) for context in contexts for file in files]
    # By both, with which the table's index begins.
    database.executemany("delete from arc where file_id = ? and context_id = ?", pairs)
    database.executemany("delete from context where id = ?", [(context,) for context in contexts])


def _move_lines(database: sqlite3.Connection, moves: Callable[[str], Anchors | None]) -> None:
    for file, name in list(database.execute("select id, path from file")):
        anchors = moves(name)
        if anchors is None or anchors.moved is None:
            continue
        query = "select context_id, fromno, tono from arc where file_id = ?"
        moved = [
            (file, context, source, end)
            for context, before, after in database.execute(query, (file,))
            if (source := _moved(before, anchors)) is not None and (end := _moved(after, anchors)) is not None
        ]
        database.execute("delete from arc where file_id = ?", (file,))
        database.executemany("insert or ignore into arc values (?, ?, ?, ?)", moved)


def _moved(line: int, anchors: Anchors) -> int | None:
    """Where an end of an arc is now; one below 0 stands for the beginning or end of the code that starts there."""
    now = anchors.current(abs(line))
    return None if now is None else now if line > 0 else -now


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
