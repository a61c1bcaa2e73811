"""Brings the pieces of coverage data of one run together, and puts the result where the server wants it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from testlens_agent.wire import EventStream

if TYPE_CHECKING:  # coverage.py is missing in some of the interpreters that we are started with
    from testlens_agent.measure import QuietCoverage

_PREFIX = "piece"


def piece_name(scratch: Path, generation: int) -> str:
    """The data file's name for the given process of the run, to which coverage.py adds a suffix of its own."""
    return str(scratch / f"{_PREFIX}-{generation}")


def drop_damaged(scratch: Path, generation: int) -> bool:
    """Remove what a process that was killed left half written; true if there was any."""
    damaged = [piece for piece in scratch.glob(f"{_PREFIX}-{generation}.*") if not _is_whole(piece)]
    for piece in damaged:
        piece.unlink()
    return bool(damaged)


def publish(scratch: Path, target: Path, paths: dict[str, list[str]], events: EventStream) -> Path | None:
    """Combine the pieces in `scratch` into `target`, which appears whole or not at all.

    `paths` are coverage.py's `[paths]`, made absolute.

    Returns where the data is: `target`; a file in `scratch` if `target` cannot be written (a problem says so);
    None if nothing was measured.
    """
    combined = _combine(sorted(scratch.glob(f"{_PREFIX}-*")), scratch / "combined", paths, events)
    if combined is None:
        return None
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        shutil.copyfile(str(combined), str(beside))
        beside.replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink()
        events.problem(
            f"The coverage data could not be kept: {error.strerror or error}.",
            "Make the folder writable or free some space, then run again; this run's numbers are shown meanwhile.",
            str(target),
        )
        return combined
    return target


def source_hashes(scratch: Path, run_started: float) -> dict[str, str]:
    """SHA-256 of the bytes of each file that the pieces in `scratch` measured, by absolute path.

    That is the file that ran: an installed copy, and not the source that `[paths]` shows it at.
    A file that was written after `run_started` (seconds since the epoch) is left out: which text ran is unknown.
    """
    hashes = {}
    for name in _measured_files(scratch):
        path = Path(name)
        try:
            content, modified = path.read_bytes(), path.stat().st_mtime
        except OSError:
            continue
        if modified < run_started:
            hashes[name] = hashlib.sha256(content).hexdigest()
    return hashes


def _measured_files(scratch: Path) -> set[str]:
    import coverage

    names: set[str] = set()
    for piece in scratch.glob(f"{_PREFIX}-*"):
        data = coverage.CoverageData(str(piece))
        with contextlib.suppress(coverage.CoverageException):  # what cannot be combined either, and is reported there
            data.read()
            names |= data.measured_files()
        data.close()
    return names


def _combine(pieces: list[Path], combined: Path, paths: dict[str, list[str]], events: EventStream) -> Path | None:
    if len(pieces) == 1 and not paths:
        return pieces[0]
    from testlens_agent.measure import QuietCoverage

    whole = QuietCoverage(data_file=str(combined), config_file=False)
    whole.set_option("paths", paths)
    for piece in pieces:
        _add(whole, piece)
    whole.save()
    whole.get_data().close()
    for warning in whole.collected_warnings:
        events.problem(
            f"The coverage of one process of this run is lost: {warning}",
            "Run again; if a test starts processes that measure themselves, let them measure branches too.",
        )
    return combined if combined.exists() else None


def _add(whole: QuietCoverage, piece: Path) -> None:
    import coverage

    try:
        whole.combine([str(piece)], keep=True)
    except coverage.CoverageException as error:
        whole.collected_warnings.append(str(error))


def _is_whole(piece: Path) -> bool:
    try:
        with contextlib.closing(sqlite3.connect(str(piece))) as database:
            return bool(database.execute("pragma quick_check").fetchone() == ("ok",))
    except sqlite3.Error:
        return False
