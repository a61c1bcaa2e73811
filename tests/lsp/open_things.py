"""What a server and the processes that it keeps hold open, as the system tells it (Linux)."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass
from pathlib import Path

from left_behind import resident_megabytes, working_in

_PATIENCE = 60.0
_LOOK_SECONDS = 1.0
_STEADY_MB = 0.1


@dataclass(frozen=True, slots=True)
class OpenThings:
    """What a server has in use: numbers of open files and threads, and memory in megabytes.

    `processes` are those that work in the project, `kept_mb` the memory of all of them, `left` the names of the files
    in `.testlens` and in the folder for temporary files, and `stored_mb` their size.
    """

    files: int
    threads: int
    server_mb: float
    processes: frozenset[int]
    kept_mb: float
    left: frozenset[str]
    stored_mb: float

    @classmethod
    def of(cls, server: int, root: Path, temporary: Path) -> OpenThings:
        """As it is now, for the server with this process id."""
        processes = working_in(root)
        stored = [file for folder in (root / ".testlens", temporary) for file in folder.rglob("*") if file.is_file()]
        return cls(
            files=len(list(Path(f"/proc/{server}/fd").iterdir())),
            threads=len(list(Path(f"/proc/{server}/task").iterdir())),
            server_mb=resident_megabytes(server),
            processes=frozenset(processes),
            kept_mb=sum(map(resident_megabytes, processes)),
            left=frozenset(file.name for file in stored),
            stored_mb=sum(file.stat().st_size for file in stored) / 1e6,
        )


async def at_rest(server: int, root: Path, temporary: Path) -> OpenThings:
    """What is in use once processes neither come nor go nor grow.

    That takes longer than the last run: a process that is kept warm makes way for one with the libraries it lacked.
    """
    until = time.monotonic() + _PATIENCE
    before: OpenThings | None = None
    while time.monotonic() < until:
        try:
            now = OpenThings.of(server, root, temporary)
        except FileNotFoundError:  # something went while it was looked at
            before = None
        else:
            if before and now.processes == before.processes and abs(now.kept_mb - before.kept_mb) < _STEADY_MB:
                return now
            before = now
        await asyncio.sleep(_LOOK_SECONDS)
    raise AssertionError(f"processes never came to rest: {before}")


def children(word: str) -> list[int]:
    """The ids of the children of this process whose command line has this word."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
            parent = int((folder / "stat").read_text(errors="replace").rpartition(")")[2].split()[1])
        except OSError:
            continue
        if word in command and parent == os.getpid():
            found.append(int(folder.name))
    return found
