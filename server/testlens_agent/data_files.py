"""Brings the pieces of coverage data of one run together, and puts the result where the server wants it."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from array import array
from pathlib import Path
from typing import TYPE_CHECKING, Callable, NamedTuple

from testlens_agent import arc_log
from testlens_agent.arc_data import GrowingData, let_go
from testlens_agent.wire import EventStream

if TYPE_CHECKING:  # coverage.py is missing in some of the interpreters that we are started with
    from testlens_agent.measure import QuietCoverage

_PREFIX = "piece"


def piece_name(scratch: Path, generation: int) -> str:
    """The data file's name for the given process of the run, to which coverage.py adds a suffix of its own."""
    return str(scratch / f"{_PREFIX}-{generation}")


def drop_damaged(scratch: Path, generation: int) -> bool:
    """Remove what a process that was killed left half written; true if there was any."""
    pieces = scratch.glob(f"{_PREFIX}-{generation}.*")
    damaged = [piece for piece in pieces if piece.suffix != arc_log.SUFFIX and not _is_whole(piece)]
    for piece in damaged:
        piece.unlink()
    return bool(damaged)


class Published(NamedTuple):
    """Where coverage data is, and the file in the scratch folder that it was made of."""

    place: Path
    piece: Path


class Logs:
    """The logs in `scratch` of what runs (`arc_log.py`), which become pieces like all others while tests still run."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._growing: dict[Path, GrowingData] = {}
        self._trouble: dict[Path, Exception] = {}
        self._pieces: dict[Path, GrowingData] = {}

    def take_some(self) -> bool:
        """Do a little, which takes some milliseconds; False where there is nothing to do yet."""
        return any(self._take(log, GrowingData.take_line) for log in self._found() if log not in self._trouble)

    def convert(self, events: EventStream) -> None:
        """Make pieces of all that is in the logs."""
        for log in self._found():
            if log not in self._trouble:
                self._take(log, GrowingData.finish)
            if log in self._trouble:
                self._tell(log, events)
            else:
                piece = log.with_suffix("")
                _data_of(log).replace(piece)
                self._pieces[piece] = self._growing[log]
            log.unlink()

    def arcs_in(self, piece: Path) -> dict[str, array[int]] | None:
        """All arcs in a piece that was made of a log; None for others."""
        data = self._pieces.get(piece)
        return None if data is None else data.arcs()

    def files(self) -> set[str]:
        """The files that are known so far to belong to the data."""
        return set().union(*(data.files for log, data in self._growing.items() if log not in self._trouble))

    def _found(self) -> list[Path]:
        return sorted(self._scratch.glob(f"{_PREFIX}-*{arc_log.SUFFIX}"))

    def _take(self, log: Path, step: Callable[[GrowingData], bool | None]) -> bool:
        try:
            if log not in self._growing:
                self._growing[log] = GrowingData(log, _data_of(log))
            return bool(step(self._growing[log]))
        except Exception as error:  # noqa: BLE001  (whatever is wrong with it, the results of the tests are there)
            self._trouble[log] = error
            return False

    def _tell(self, log: Path, events: EventStream) -> None:
        error = self._trouble[log]
        with contextlib.suppress(Exception):
            if log in self._growing:
                self._growing[log].close()
            _data_of(log).unlink()
        events.problem(
            f"The coverage of one process of this run is lost: {type(error).__name__}: {error}",
            "Free some space if that is the reason, then run again.",
        )


def _data_of(log: Path) -> Path:
    """Where the data of a log grows, under a name that no piece has."""
    return log.with_name(f"growing-{log.stem}")


def publish(
    scratch: Path, logs: Logs, target: Path, paths: dict[str, list[str]], events: EventStream
) -> Published | None:
    """Combine the pieces in `scratch` and those of its `logs` into `target`, which appears whole or not at all.

    `paths` are coverage.py's `[paths]`, made absolute.

    Returns where the data is: `target`; a file in `scratch` if `target` cannot be written (a problem says so);
    None if nothing was measured.
    """
    logs.convert(events)
    combined = _combine(sorted(scratch.glob(f"{_PREFIX}-*")), scratch / "combined", paths, events)
    if combined is None:
        return None
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        _link_or_copy(combined, beside)
        beside.replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink()
        events.problem(
            f"The coverage data could not be kept: {error.strerror or error}.",
            "Make the folder writable or free some space, then run again; this run's numbers are shown meanwhile.",
            str(target),
        )
        return Published(combined, combined)
    return Published(target, combined)


def _link_or_copy(file: Path, other: Path) -> None:
    try:
        os.link(str(file), str(other))
    except OSError:  # on another disk, say
        shutil.copyfile(str(file), str(other))


def measured_files(scratch: Path) -> set[str]:
    """The absolute paths of the files that the pieces in `scratch` speak of."""
    import coverage

    names: set[str] = set()
    for piece in scratch.glob(f"{_PREFIX}-*"):
        with contextlib.suppress(coverage.CoverageException):  # what cannot be combined either, and is reported there
            names |= _measured_files_of(piece)
    return names


def _measured_files_of(piece: Path) -> set[str]:
    import coverage

    data = coverage.CoverageData(str(piece))
    try:
        data.read()
        return data.measured_files()
    finally:
        let_go(data)


def _combine(pieces: list[Path], combined: Path, paths: dict[str, list[str]], events: EventStream) -> Path | None:
    if len(pieces) == 1 and (not paths or _are_where_they_belong(pieces[0], paths)):
        return pieces[0]
    from testlens_agent.measure import QuietCoverage

    whole = QuietCoverage(data_file=str(combined), config_file=False)
    whole.set_option("paths", paths)
    for piece in pieces:
        _add(whole, piece)
    whole.save()
    let_go(whole.get_data())
    for warning in whole.collected_warnings:
        events.problem(
            f"The coverage of one process of this run is lost: {warning}",
            "Run again; if a test starts processes that measure themselves, let them measure branches too.",
        )
    return combined if combined.exists() else None


def _are_where_they_belong(piece: Path, paths: dict[str, list[str]]) -> bool:
    """Whether `paths` leaves all files of a piece where they are: to combine a big piece for nothing takes seconds."""
    import coverage

    from testlens_agent.measure import QuietCoverage

    try:
        whole = QuietCoverage(data_file=None, config_file=False)
        whole.set_option("paths", paths)
        # As coverage.py does when it combines; it has no other way to ask.
        aliases = whole._make_aliases()
        return all(aliases.map(name) == name for name in _measured_files_of(piece))
    except (coverage.CoverageException, AttributeError, TypeError):  # of another version, or told when it is combined
        return False


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
