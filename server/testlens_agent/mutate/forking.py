"""Copies of this process, and waiting for them, whatever tests have put in the place of the functions for that."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import select
import signal
import threading
import time
import warnings
from collections.abc import Iterable
from typing import Any

_GRACE_SECONDS = 1.0
_TICK_SECONDS = 0.05
_AWAITING_END_SECONDS = 0.0005

# Libraries that let time stand replace time.monotonic, some of them in C.
_CLOCK = (
    functools.partial(time.clock_gettime, time.CLOCK_MONOTONIC) if hasattr(time, "clock_gettime") else time.monotonic
)


class System:
    """The functions of the operating system, taken before a test could replace them.

    As attributes of a class they are found by none of the libraries that replace what modules have imported.
    """

    exit = staticmethod(os._exit)
    pipe = staticmethod(os.pipe)
    read = staticmethod(os.read)
    write = staticmethod(os.write)
    close = staticmethod(os.close)
    kill = staticmethod(os.kill)
    listdir = staticmethod(os.listdir)
    getpid = staticmethod(os.getpid)
    monotonic = staticmethod(_CLOCK)
    select = staticmethod(select.select)
    dumps = staticmethod(json.dumps)
    loads = staticmethod(json.loads)
    active_threads = staticmethod(threading.active_count)
    if hasattr(os, "fork"):
        fork = staticmethod(os.fork)
        waitpid = staticmethod(os.waitpid)
        killpg = staticmethod(os.killpg)
        setpgid = staticmethod(os.setpgid)
        set_blocking = staticmethod(os.set_blocking)
        getitimer = staticmethod(signal.getitimer)


def fork() -> int:
    """As os.fork; says nothing of threads, which a plugin may have started: they are not in the copy."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return os.fork()


class Dialogue:
    """Lines of JSON to and from a copy of this process, as who made the copy sees it; `pid` is 0 in the copy itself.

    The copy reads from `tasks` and writes to `results`, and has no use for the `foreign` descriptors.
    """

    def __init__(self, foreign: Iterable[int]) -> None:
        self.tasks, self._tasks = os.pipe()
        self.reading, self.results = os.pipe()
        self._pending = b""
        self.pid = fork()
        if self.pid == 0:
            for descriptor in (*self.descriptors, *foreign):
                with contextlib.suppress(OSError):
                    os.close(descriptor)
        else:
            os.close(self.tasks)
            os.close(self.results)

    @property
    def descriptors(self) -> list[int]:
        """What the maker of the copy holds, which other copies have no use for."""
        return [self._tasks, self.reading]

    def say(self, task: dict[str, Any]) -> None:
        """Send a line."""
        with contextlib.suppress(OSError):  # it has died, which is seen when its results end
            os.write(self._tasks, System.dumps(task).encode("ascii") + b"\n")

    def hear(self, patience: float | None = None) -> dict[str, Any] | None:
        """The next line; None if the copy has died, or is silent for `patience` seconds."""
        while b"\n" not in self._pending:
            if patience is not None and not System.select([self.reading], [], [], patience)[0]:
                return None
            chunk = os.read(self.reading, 65_536)
            if not chunk:
                return None
            self._pending += chunk
        line, _, self._pending = self._pending.partition(b"\n")
        said: dict[str, Any] = System.loads(line)
        return said

    def end(self) -> None:
        """End the copy, and where Linux looks after that, the copies that it has made."""
        for end in (System.killpg, System.kill):
            with contextlib.suppress(OSError):
                end(self.pid, signal.SIGKILL)
        with contextlib.suppress(OSError):
            System.waitpid(self.pid, 0)
        for descriptor in self.descriptors:
            os.close(descriptor)


def result_of(pid: int, reading: int, seconds: float) -> dict[str, Any]:
    """Wait for a copy that plays a mutant, and end what it leaves behind; `reading` is where it says what failed.

    The exit `code` is negative for a signal, and that of a timeout where it took longer than `seconds`.
    """
    status, timed_out = _await(pid, reading, seconds)
    said = _read_rest(reading)
    with contextlib.suppress(OSError):
        System.killpg(pid, signal.SIGKILL)
    return {"code": 36 if timed_out else status, "failed": said.get("failed"), "why": said.get("why")}


def threads() -> int:
    """How many threads this process has, those of libraries as well, of which Python knows nothing."""
    try:
        return len(System.listdir("/proc/self/task"))
    except OSError:
        return System.active_threads()


def descriptors() -> frozenset[int]:
    """The open descriptors of this process; none where that cannot be found out."""
    for folder in ("/proc/self/fd", "/dev/fd"):
        with contextlib.suppress(OSError):
            return frozenset(map(int, System.listdir(folder)))
    return frozenset()


def limit_processor(seconds: int) -> None:
    """Let this process compute for `seconds` more."""
    import resource

    limit = seconds + int(time.process_time())
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 1))


def _await(pid: int, reading: int, seconds: float) -> tuple[int, bool]:
    """The exit code of the mutant, negative for a signal, and whether its time was over."""
    deadline = System.monotonic() + seconds
    is_late, is_told = False, False
    while True:
        patience = min(_TICK_SECONDS, max(0.0, deadline - System.monotonic()))
        if is_told:  # it has said what it has to say, or closed its end: it is about to end
            System.select([], [], [], _AWAITING_END_SECONDS)
        else:
            is_told = bool(System.select([reading], [], [], patience)[0])
        done, raw = System.waitpid(pid, os.WNOHANG)
        if done:
            return _exit_code(raw), is_late
        if System.monotonic() < deadline:
            continue
        if is_late:
            System.kill(pid, signal.SIGKILL)
            System.waitpid(pid, 0)
            return -signal.SIGXCPU, True
        System.kill(pid, signal.SIGXCPU)
        is_late, deadline = True, System.monotonic() + _GRACE_SECONDS


def _exit_code(raw: int) -> int:
    return -os.WTERMSIG(raw) if os.WIFSIGNALED(raw) else os.WEXITSTATUS(raw)


def _read_rest(reading: int) -> dict[str, Any]:
    text = b""
    with contextlib.suppress(OSError):
        System.set_blocking(reading, False)
        text = System.read(reading, 65_536)
    System.close(reading)
    try:
        said: dict[str, Any] = System.loads(text)
    except ValueError:
        return {}
    return said
