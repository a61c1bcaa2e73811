"""What running a command costs: time, and memory of it and of all processes that it starts (Linux)."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_SAMPLE_EVERY = 0.1


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds by the clock and of all processors; bytes of the largest process and of all at once at their peak.

    In `tree`, what processes share is shared out among them. It is sampled: a short peak may be missed.
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
    if usage.ru_maxrss <= _own_peak():
        # Linux counts what the parent had at the fork, too.
        raise RuntimeError(f"{' '.join(command)} took no more memory than this benchmark, so its peak is not known")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, memory.peak)


def _own_peak() -> int:
    """Kilobytes. Not what `getrusage` says of ourselves: that has our own parent's peak in it."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


class _TreeMemory(threading.Thread):
    """Samples the memory of a process and its descendants."""

    def __init__(self, root: int) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self._root = root
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.wait(_SAMPLE_EVERY):
            self.peak = max(self.peak, sum(_proportional(pid) for pid in _tree(self._root)))

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


def _proportional(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
