"""Is this coverage.py data file fit to be read, and if not, what should the user do?

coverage.py opens a read-only data file as immutable: SQLite then ignores locks and journals, and notices a truncated
file only when a query happens to touch a missing page. So the header is checked first, and a lock is asked for.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from coverage.exceptions import CoverageException

from testlens.domain.problems import Problem, Severity

DAMAGE = (CoverageException, sqlite3.Error, ValueError, TypeError, AssertionError)
"""What a query of a damaged file raises: text that is no text and numbers that are none get as far as Python."""

_MAGIC = b"SQLite format 3\0"
_HEADER_SIZE = 100
_RUN_AGAIN = "Run the tests again to replace it."


def check(path: Path) -> Problem | None:
    """What keeps `path` from being read as a coverage.py data file, or None. Never writes and never waits."""
    try:
        if path.is_dir():
            return _problem(path, "This is a folder, not a coverage.py data file.", "Name the data file inside it.")
        size = path.stat().st_size
        with path.open("rb") as file:
            header = file.read(_HEADER_SIZE)
    except FileNotFoundError:
        return _problem(path, "This coverage.py data file does not exist.", "Run the tests with coverage first.")
    except OSError as error:
        return _problem(path, f"The data file cannot be opened: {error.strerror}.", "Check its permissions and links.")
    return _check_header(path, header, size) or _check_lock(path, header)


def _check_header(path: Path, header: bytes, size: int) -> Problem | None:
    if size == 0:
        return _problem(path, "The data file is empty.", f"Wait for the test run to end. {_RUN_AGAIN}")
    if not header.startswith(_MAGIC):
        message = "This is not a coverage.py data file (version 5 or later)."
        return _problem(path, message, f"{_RUN_AGAIN} A report needs its ending: .xml, .json, .info or .lcov.")
    if len(header) < _HEADER_SIZE or size < _expected_size(header):
        return _problem(path, "The data file is truncated.", f"Wait until it has been copied. {_RUN_AGAIN}")
    return None


def _expected_size(header: bytes) -> int:
    # https://www.sqlite.org/fileformat2.html: the page count holds only where both change counters agree.
    page_size = int.from_bytes(header[16:18], "big")
    page_size = 65536 if page_size == 1 else page_size
    if header[24:28] != header[92:96]:
        return 0
    return page_size * int.from_bytes(header[28:32], "big")


def _check_lock(path: Path, header: bytes) -> Problem | None:
    write_ahead_log = header[18] == 2 or header[19] == 2
    if write_ahead_log:
        # coverage.py never writes these, and merely asking for the lock would create files beside it.
        return None
    try:
        with closing(sqlite3.connect(path.resolve().as_uri() + "?mode=ro", uri=True, timeout=0)) as connection:
            connection.execute("select count(*) from sqlite_master").fetchall()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_READONLY_ROLLBACK:
            message = "A test run was killed while it wrote the data file: it has a journal beside it."
            return _problem(path, message, f"Delete {path.name}-journal and {path.name}, then run the tests again.")
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            message = "The data file is being written."
            return _problem(path, message, "Wait for the test run to end.", severity="information")
        return damaged(path, str(error))
    except DAMAGE as error:
        return damaged(path, str(error))
    return None


def refused(path: Path, reason: str) -> Problem:
    """The problem for a file that coverage.py itself refused, with `reason` as its own words."""
    if "wrong schema" in reason:
        schema = reason.partition("wrong schema: ")[2]
        message = f"The data file was written by a version of coverage.py that Testlens cannot read (schema {schema})."
        return _problem(path, message, "Update Testlens, or run the tests with coverage 5 to 7.")
    if "no such table" in reason:
        return _problem(path, "This is an SQLite file, but not one of coverage.py's.", "Name another data file.")
    return damaged(path, reason)


def damaged(path: Path, reason: str) -> Problem:
    """The problem for a file in which reading stopped half-way."""
    return _problem(path, f"The data file is damaged ({reason}).", _RUN_AGAIN)


def _problem(path: Path, message: str, advice: str, severity: Severity = "error") -> Problem:
    return Problem(message, advice, str(path), severity=severity)
