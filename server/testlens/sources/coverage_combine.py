"""Makes one coverage data file of those of many jobs, as `coverage combine` does, and leaves those as they are."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from coverage import CoverageData

from testlens.domain.problems import Problem
from testlens.sources import _data_file

Rename = Callable[[str], str | None]
"""What a file is to be called, by its name in the data; None for files that are to be left out."""

_LEFT_OUT = "<left out>"  # begins the names of files that are to be forgotten, one for each
_REFUSED = (*_data_file.DAMAGE, OSError)


@dataclass(frozen=True, slots=True)
class Combined:
    """What is in the data file that was made; `duplicates` counts data files that said nothing that another did not."""

    files: int
    contexts: int
    duplicates: int


def names_in(paths: Sequence[Path]) -> frozenset[str] | Problem:
    """All names that are recorded in data files; a Problem where one cannot be read, or they cannot go together."""
    names: set[str] = set()
    by_kind: dict[bool, Path] = {}
    for path in paths:
        problem = _data_file.check(path)
        if problem is not None:
            return problem
        try:
            data = CoverageData(basename=str(path), read_only=True)
            data.read()
            measured = data.measured_files()
            if not all(isinstance(name, str) for name in measured):
                raise TypeError("a file name is not text")
        except _REFUSED as error:
            return _data_file.refused(path, str(error))
        names |= measured
        if measured:
            by_kind.setdefault(bool(data.has_arcs()), path)
    return _mixed(by_kind[True], by_kind[False]) if len(by_kind) > 1 else frozenset(names)


def combine(paths: Sequence[Path], target: Path, rename: Rename) -> Combined | Problem:
    """Write to `target` all that ran in any of `paths`, with the contexts; it appears whole or not at all.

    `target` may be one of `paths`; all others are only read.
    """
    seen: set[bytes] = set()

    @functools.cache
    def new_name(name: str) -> str:
        return rename(name) or f"{_LEFT_OUT}{name}"

    current = target
    try:
        with _becoming(target) as beside, contextlib.closing(CoverageData(basename=str(beside))) as merged:
            for current in paths:
                digest = hashlib.sha256(current.read_bytes()).digest()
                if digest not in seen:
                    merged.update(CoverageData(basename=str(current), read_only=True), new_name)
                seen.add(digest)
            merged.close()
            _forget_left_out(beside)
            merged.read()
            files, contexts = len(merged.measured_files()), len(merged.measured_contexts() - {""})
    except _REFUSED as error:
        return _not_merged(current, error)
    return Combined(files, contexts, len(paths) - len(seen))


def _forget_left_out(path: Path) -> None:
    # CoverageData forgets what ran in a file, not the file; its tables are documented (dbschema).
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        for (number,) in database.execute(
            "select id from file where substr(path, 1, ?) = ?", (len(_LEFT_OUT), _LEFT_OUT)
        ).fetchall():
            for table in ("arc", "line_bits", "tracer"):
                database.execute(f"delete from {table} where file_id = ?", (number,))  # noqa: S608 (names of ours)
            database.execute("delete from file where id = ?", (number,))


@contextlib.contextmanager
def _becoming(target: Path) -> Iterator[Path]:
    """A file that takes the place of `target`, unless an exception is raised."""
    beside = target.with_name(f".merging.{target.name}.{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield beside
        beside.replace(target)
    finally:
        with contextlib.suppress(OSError):
            beside.unlink()


def _mixed(with_branches: Path, without: Path) -> Problem:
    return Problem(
        f"This file was measured with branches, and {without} without: they cannot be merged.",
        "Run the tests of all jobs with the same setting of `branch` in [tool.coverage.run].",
        str(with_branches),
        severity="error",
    )


def _not_merged(path: Path, error: Exception) -> Problem:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    message = f"The data files could not be merged: {reason}."
    return Problem(message, "Run the job that wrote it again, or leave it out.", str(path), severity="error")
