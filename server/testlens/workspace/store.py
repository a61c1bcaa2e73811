"""Testlens' own memory of one workspace folder: a SQLite file in `.testlens/`. Deleting it loses only history."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from testlens.domain.problems import Problem
from testlens.domain.snapshot import TestResult
from testlens.workspace.codec import FORMAT, decode_text

FOLDER = ".testlens"
_FILE = "store.db"

_SCHEMA = """
create table if not exists examined (
    path text primary key, content text, trace text, signature text, rules text, value text) without rowid;
create table if not exists measured_text (path text primary key, digest text, text blob) without rowid;
create table if not exists module_values (path text primary key, digest text, value text) without rowid;
create table if not exists history (path text primary key, digest text, value text) without rowid;
create table if not exists mutants (
    path text primary key, source text, time real, digest text, text blob, value text) without rowid;
create table if not exists run (time real, source text, percent real);
create table if not exists outcome (
    test text primary key, outcome text, duration real, message text, file text, line integer, source text,
    expected text, actual text) without rowid;
"""

_OUTCOMES = "select test, outcome, duration, message, file, line, source, expected, actual from outcome"
_KEEP_OUTCOME = """
insert or replace into outcome (test, outcome, duration, message, file, line, source, expected, actual)
values (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


@dataclass(frozen=True, slots=True)
class Origin:
    """What a file was examined from: digests of content, trace and rules.

    `signature` identifies the data file that the trace was read from, so that an unchanged one need not be read again.
    """

    content: str
    trace: str
    signature: str
    rules: str


@dataclass(frozen=True, slots=True)
class KeptMutants:
    """The mutants of one file as they are kept: from where in words, since when (seconds since the epoch), on what.

    `digest` identifies the text that was mutated, and `text` is it, as the codec encodes both it and `value`.
    """

    path: str
    source: str
    time: float
    digest: str
    text: bytes
    value: str


class Store:
    """Reads and writes the memory. When the disk refuses, it goes on in main memory and `problem` says so."""

    def __init__(self, root: Path) -> None:
        self.problem: Problem | None = None
        self._lock = threading.Lock()
        self._outcomes: tuple[object, Mapping[str, TestResult]] | None = None
        self._connection = self._open(root / FOLDER)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    def origins(self) -> Mapping[str, Origin]:
        """What each kept examination was made from, by path."""
        rows = self._read("select path, content, trace, signature, rules from examined")
        return {row[0]: Origin(*row[1:]) for row in rows}

    def examination(self, path: str) -> str | None:
        """What was found for `path`, as it was kept."""
        rows = self._read("select value from examined where path = ?", (path,))
        return rows[0][0] if rows else None

    def keep_examinations(self, kept: Iterable[tuple[str, Origin, str]]) -> None:
        """Remember `(path, origin, value)`, one a path."""
        rows = [(path, o.content, o.trace, o.signature, o.rules, value) for path, o, value in kept]
        self._write("insert or replace into examined values (?, ?, ?, ?, ?, ?)", rows)

    def carry_examinations(self, before: str, now: str, but: Collection[str]) -> None:
        """Let what was found with the data file of the signature `before` hold for `now`, `but` for some paths."""
        kept = [
            (now, path) for path, origin in self.origins().items() if origin.signature == before and path not in but
        ]
        self._write("update examined set signature = ? where path = ?", kept)

    def measured_text(self, path: str) -> tuple[str, str] | None:
        """Digest and text of the source that was last known to match the coverage data of `path`."""
        rows = self._read("select digest, text from measured_text where path = ?", (path,))
        text = decode_text(rows[0][1]) if rows else None
        return None if text is None else (rows[0][0], text)

    def measured_digests(self) -> Mapping[str, str]:
        """The digest of each path's measured text."""
        return dict(self._read("select path, digest from measured_text"))

    def keep_measured_texts(self, texts: Iterable[tuple[str, str, bytes]]) -> None:
        """Remember `(path, digest, text)`, the text as the codec encodes it, as what the data was measured on."""
        self._write("insert or replace into measured_text values (?, ?, ?)", list(texts))

    def module_values(self) -> Mapping[str, tuple[str, str]]:
        """`(digest, value)` by path: what was read in a text of this digest, measured or of tests."""
        rows = self._read("select path, digest, value from module_values")
        return {path: (digest, value) for path, digest, value in rows}

    def keep_module_values(self, rows: Iterable[tuple[str, str, str]]) -> None:
        """Remember `(path, digest, value)`."""
        self._write("insert or replace into module_values values (?, ?, ?)", list(rows))

    def histories(self) -> Mapping[str, tuple[str, str]]:
        """`(digest, value)` of the kept git facts by path."""
        rows = self._read("select path, digest, value from history")
        return {path: (digest, value) for path, digest, value in rows}

    def keep_histories(self, rows: Iterable[tuple[str, str, str]]) -> None:
        """Remember `(path, digest, value)` git facts."""
        self._write("insert or replace into history values (?, ?, ?)", list(rows))

    def outcomes(self) -> Mapping[str, TestResult]:
        """The last known result of each test."""
        # It differs once another process has written.
        version = self._read("pragma data_version")
        if self._outcomes is None or self._outcomes[0] != version:
            rows = self._read(_OUTCOMES)
            self._outcomes = version, MappingProxyType({row[0]: TestResult(*row[1:]) for row in rows})
        return self._outcomes[1]

    def replace_outcomes(self, outcomes: Mapping[str, TestResult]) -> None:
        """Forget all results and remember these."""
        known = self.outcomes()
        rows = [
            (test, r.outcome, r.duration, r.message, r.file, r.line, r.source, r.expected, r.actual)
            for test, r in outcomes.items()
            if known.get(test) != r
        ]
        before, self._outcomes = self._outcomes, None
        gone = [(test,) for test in known if test not in outcomes]
        is_kept = self._write("delete from outcome where test = ?", gone) and self._write(_KEEP_OUTCOME, rows)
        if before is not None and is_kept:
            self._outcomes = before[0], MappingProxyType(dict(outcomes))

    def mutants(self) -> Iterable[KeptMutants]:
        """What is remembered of the mutants of each file."""
        rows = self._read("select path, source, time, digest, text, value from mutants")
        return [KeptMutants(*row) for row in rows]

    def keep_mutants(self, kept: Iterable[KeptMutants]) -> None:
        """Remember what is known of the mutants of files, in the place of what was known of these."""
        rows = [(k.path, k.source, k.time, k.digest, k.text, k.value) for k in kept]
        self._write("insert or replace into mutants values (?, ?, ?, ?, ?, ?)", rows)

    def record_percent(self, source: str, percent: float) -> None:
        """Add a point to the coverage history, unless it repeats the last one."""
        last = self._read("select source, percent from run order by time desc limit 1")
        if last and last[0] == (source, percent):
            return
        self._write("insert into run values (?, ?, ?)", [(time.time(), source, percent)])

    def previous_percent(self) -> float | None:
        """The percent before the last recorded one."""
        rows = self._read("select percent from run order by time desc limit 2")
        return rows[1][0] if len(rows) == 2 else None

    def _open(self, folder: Path) -> sqlite3.Connection:
        try:
            prepare_folder(folder)
            return _connect(folder / _FILE)
        except sqlite3.DatabaseError:
            return self._start_over(folder / _FILE)
        except OSError as error:
            return self._in_memory(error)

    def _start_over(self, path: Path) -> sqlite3.Connection:
        # A damaged store holds only history: begin a new one rather than refuse to work.
        try:
            for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
                path.with_name(name).unlink(missing_ok=True)
            return _connect(path)
        except (sqlite3.Error, OSError) as error:
            return self._in_memory(error)

    def _in_memory(self, error: Exception) -> sqlite3.Connection:
        self.problem = Problem(
            f"Testlens cannot write its own folder ({error}), so results last only until it stops.",
            f"Free disk space, or make {FOLDER}/ writable.",
            FOLDER,
        )
        return _connect(":memory:")

    def _read(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            try:
                return self._connection.execute(query, values).fetchall()
            except sqlite3.Error:
                # A store that cannot be read is an empty one: everything in it can be found again.
                return []

    def _write(self, statement: str, rows: Sequence[Sequence[object]]) -> bool:
        """Whether it could be kept."""
        if not rows:
            return True
        with self._lock:
            try:
                with self._connection:
                    self._connection.executemany(statement, rows)
            except sqlite3.Error as error:
                self.problem = self.problem or Problem(
                    f"Testlens cannot keep its results ({error}).", f"Free disk space, or delete {FOLDER}/.", FOLDER
                )
                return False
        return True


def prepare_folder(folder: Path) -> None:
    """Make `.testlens/`, which git ignores by the file inside it. Raises `OSError` where that is impossible."""
    folder.mkdir(exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")


def _connect(path: Path | str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=5, check_same_thread=False)
    with contextlib.suppress(sqlite3.OperationalError):
        connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = off")
    if connection.execute("pragma user_version").fetchone()[0] != FORMAT:
        connection.executescript(
            "drop table if exists examined; drop table if exists module_values; drop table if exists history;"
        )
        connection.execute(f"pragma user_version = {FORMAT}")
    connection.executescript(_SCHEMA)
    for column in ("source", "expected", "actual"):  # which older versions did not have
        with contextlib.suppress(sqlite3.OperationalError):
            connection.execute(f"alter table outcome add column {column} text")
    return connection
