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

Chosen = Callable[[str], bool]
"""Whether a file is meant, by its name in the data."""

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
        return not_added(error)
    return None


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


def not_added(error: Exception) -> Problem:
    """That an error has kept what tests found out of the data."""
    message = f"The coverage of these tests could not be added to what is known: {error}."
    return Problem(message, "Run all tests.", severity="error")
