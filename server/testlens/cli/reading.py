"""Reads what is known of a folder, and shows on a terminal how that gets on."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from testlens.cli.failure import Failure
from testlens.domain.problems import Problem
from testlens.sources.discovery import OWN_RUN, find_data
from testlens.workspace.collector import collect_rarely
from testlens.workspace.measurement import load_measurement
from testlens.workspace.settings import Overrides
from testlens.workspace.workspace import Workspace

_QUIET_SECONDS = 0.5
_SECONDS_BETWEEN = 0.1
_CLEAR_LINE = "\r\x1b[2K"


@contextlib.contextmanager
def read_folder(root: Path, overrides: Overrides) -> Iterator[Workspace]:
    """A workspace with its snapshot; a `Failure` where `overrides` name a data file that tells nothing."""
    collect_rarely()
    with contextlib.closing(Workspace(root, overrides)) as workspace:
        if overrides.data:
            _check_named_data(workspace)
        progress = ReadingProgress()
        workspace.refresh(progress.show)
        progress.clear()
        learn_changes(workspace)
        yield workspace


def learn_changes(workspace: Workspace) -> None:
    """Let git's history speak in the risks of the snapshot; asks git only about files that it was not asked about."""
    if sys.stderr.isatty():
        print("Asking git about changes\r", end="", file=sys.stderr, flush=True)
    if workspace.read_history():
        workspace.refresh()
    if sys.stderr.isatty():
        print(_CLEAR_LINE, end="", file=sys.stderr, flush=True)


def no_data(root: Path) -> Problem:
    """There is nothing to make a plan from."""
    message = f"There is no usable coverage data in {root}."
    above = next((folder for folder in root.parents if _has_data(folder)), None)
    if above is not None:
        return Problem(message, f"There is some in {above}: name that folder, or work from there.", severity="error")
    advice = "Run `testlens run` there, or your tests with coverage, or name a data file with --data."
    return Problem(message, advice, severity="error")


class ReadingProgress:
    """One line on standard error that counts files, if that is a terminal and reading takes more than a moment."""

    def __init__(self) -> None:
        self._next = time.monotonic() + _QUIET_SECONDS if sys.stderr.isatty() else float("inf")
        self._shown = False

    def show(self, done: int, total: int) -> None:
        """`done` files of `total` have been read."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + _SECONDS_BETWEEN
        self._shown = True
        print(f"\rReading sources: {done} of {total}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            print(_CLEAR_LINE, end="", file=sys.stderr, flush=True)


def _has_data(folder: Path) -> bool:
    return any((folder / name).is_file() for name in (OWN_RUN, ".coverage"))


def _check_named_data(workspace: Workspace) -> None:
    # The core falls back to other data that it finds, which is not what somebody who names a file asks for.
    config = workspace.settings.config
    found, problems = find_data(workspace.root, config)
    measurement = load_measurement(workspace.root, config, found[0])
    if measurement.names:
        return
    cause = Problem(
        f"This data speaks of no file in {workspace.root}.",
        "Name the folder where the tests ran, or map the paths under [tool.coverage.paths].",
        config.data[0],
    )
    raise Failure(next(iter((*measurement.problems, *problems)), cause))
