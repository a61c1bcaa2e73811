"""Verdicts on mutants, kept by the text of the function and the change: an edit elsewhere keeps them."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from testlens.domain.mutants import MutantStatus
from testlens.domain.problems import Problem
from testlens.workspace.store import FOLDER, prepare_folder

_FILE = "mutation.db"
_STATUSES: Mapping[str, MutantStatus] = {status: status for status in get_args(MutantStatus)}
_SCHEMA = """
create table if not exists verdict (
    path text, function text, digest text, change text, tests_digest text, status text, tests text, killed_by text,
    seconds real, primary key (path, function, digest, change)) without rowid;
"""


@dataclass(frozen=True, slots=True)
class Place:
    """What identifies a mutant over edits elsewhere: its function, the digest of its text, and the change in it."""

    path: str
    function: str
    digest: str
    change: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a mutant; `tests_digest` identifies the tests that could have noticed it."""

    tests_digest: str
    status: MutantStatus
    tests: tuple[str, ...]
    killed_by: str | None
    seconds: float


class VerdictStore:
    """The verdicts of one workspace folder. Where the disk refuses, it remembers nothing and `problem` says so.

    It may be used by several threads, and closed while one uses it: what comes after that is not kept.
    """

    def __init__(self, root: Path) -> None:
        self.problem: Problem | None = None
        self._lock = threading.Lock()
        self._connection = self._open(root / FOLDER)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    def verdicts(self, path: str) -> Mapping[Place, Verdict]:
        """What is known of a file's mutants."""
        query = "select path, function, digest, change, tests_digest, status, tests, killed_by, seconds from verdict"
        try:
            with self._lock:
                rows = self._connection.execute(f"{query} where path = ?", (path,)).fetchall()
        except sqlite3.Error:
            return {}
        return {
            Place(*row[:4]): Verdict(row[4], _STATUSES.get(row[5], "not checked"), tuple(json.loads(row[6])), *row[7:])
            for row in rows
        }

    def keep(self, verdicts: Iterable[tuple[Place, Verdict]]) -> None:
        """Remember verdicts."""
        rows = [
            (
                p.path,
                p.function,
                p.digest,
                p.change,
                v.tests_digest,
                v.status,
                json.dumps(v.tests),
                v.killed_by,
                v.seconds,
            )
            for p, v in verdicts
        ]
        self._write("insert or replace into verdict values (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def forget(self, places: Iterable[Place]) -> None:
        """Forget verdicts that turned out to be worth nothing."""
        rows = [(place.path, place.function, place.digest, place.change) for place in places]
        self._write("delete from verdict where path = ? and function = ? and digest = ? and change = ?", rows)

    def keep_only(self, path: str, digests: Iterable[str]) -> None:
        """Forget what is known of functions of a file whose text is none of these any more."""
        known = set(digests)
        old = [place for place in self.verdicts(path) if place.digest not in known]
        self.forget(old)

    def _write(self, statement: str, rows: Sequence[Sequence[object]]) -> None:
        try:
            with self._lock, self._connection:
                self._connection.executemany(statement, rows)
        except sqlite3.Error as error:
            self.problem = self.problem or Problem(
                f"Testlens cannot keep what became of mutants ({error}).",
                f"Free disk space, or delete {FOLDER}/{_FILE}.",
                FOLDER,
            )

    def _open(self, folder: Path) -> sqlite3.Connection:
        path = folder / _FILE
        try:
            prepare_folder(folder)
            return _connect(path)
        except (sqlite3.DatabaseError, OSError) as error:
            with contextlib.suppress(sqlite3.Error, OSError):
                path.unlink(missing_ok=True)  # damaged: it holds nothing that cannot be found again
                return _connect(path)
            self.problem = Problem(
                f"Testlens cannot write its own folder ({error}), so verdicts on mutants last only until it stops.",
                f"Free disk space, or make {FOLDER}/ writable.",
                FOLDER,
            )
            return _connect(":memory:")


def _connect(path: Path | str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=5, check_same_thread=False)
    connection.execute("pragma synchronous = off")
    connection.executescript(_SCHEMA)
    return connection
