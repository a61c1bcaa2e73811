"""The processes that a test may have left."""

from __future__ import annotations

import os
from pathlib import Path


def working_in(folder: Path) -> set[int]:
    """The ids of the processes whose working folder is this one or below, this process left out; on Linux."""
    return {int(process.name) for process in Path("/proc").glob("[0-9]*") if _is_below(process / "cwd", folder)} - {
        os.getpid()
    }


def resident_megabytes(process: int) -> float:
    """The memory that a process has; on Linux."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1_000_000


def _is_below(link: Path, folder: Path) -> bool:
    try:
        return link.readlink().is_relative_to(folder)
    except OSError:  # it has ended, or is another user's
        return False
