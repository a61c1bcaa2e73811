"""What running a command costs: time, and memory of it and of all processes that it starts (Linux)."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_SAMPLE_EVERY = 0.05
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds by the clock and of all processors; bytes of the largest process and of all at once at their peak.

    What processes share counts for each of them, so `tree` is rather too large. It is sampled: a short peak may be
    missed, a command with one process has it exactly.
    """

    seconds: float
    processor: float
    largest: int
    tree: int


def run(command: Sequence[str], folder: Path) -> Cost:
    """Run `command` in `folder`; raises `RuntimeError` with its output where it fails."""
    started = time.perf_counter()
    # Output goes to a pipe, as in a script; nobody's terminal is measured.
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    memory = _TreeMemory(process.pid)
    memory.start()
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    memory.stop()
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: {errors.decode(errors='replace')}")
    largest = usage.ru_maxrss * 1024
    return Cost(seconds, usage.ru_utime + usage.ru_stime, largest, max(largest, memory.peak))


class _TreeMemory(threading.Thread):
    """Samples the resident memory of a process and its descendants."""

    def __init__(self, root: int) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self._root = root
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.wait(_SAMPLE_EVERY):
            self.peak = max(self.peak, sum(_resident(pid) for pid in _tree(self._root)))

    def stop(self) -> None:
        self._stopped.set()
        self.join()


def _tree(root: int) -> list[int]:
    found = [root]
    for pid in found:
        for listing in Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                found += [int(child) for child in listing.read_text(encoding="ascii").split()]
            except OSError:
                continue
    return found


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0
