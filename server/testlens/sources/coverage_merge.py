"""Adds the coverage data of one run to that of another. Writes Testlens' own files only."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from coverage import CoverageData
from coverage.exceptions import CoverageException

from testlens.domain.problems import Problem

Chosen = Callable[[str], bool]
"""Whether a file is meant, by its name in the data."""


def add_data(base: Path, addition: Path, target: Path, outdated: Chosen, unwanted: Chosen) -> Problem | None:
    """Write to `target` what `base` has, and what `addition` has on top; `base` is not touched, and may be `target`.

    Files that are `outdated` are forgotten from `base`, those `unwanted` are not taken from `addition`, which is
    changed by that. `target` appears whole or not at all.
    """
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        shutil.copyfile(base, beside)
        merged = _opened(beside)
        added = _opened(addition)
        merged.purge_files([name for name in merged.measured_files() if outdated(name)])
        added.purge_files([name for name in added.measured_files() if unwanted(name)])
        merged.update(added)
        merged.close()
        added.close()
        beside.replace(target)
    except (CoverageException, OSError) as error:
        message = f"The coverage of these tests could not be added to what is known: {error}."
        return Problem(message, "Run all tests.", severity="error")
    finally:
        with contextlib.suppress(OSError):
            beside.unlink()
    return None


def _opened(path: Path) -> CoverageData:
    data = CoverageData(basename=str(path))
    data.read()
    return data
