"""The supervisor's hold on one process that runs pytest: its start, its events, its end."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Callable, Optional, Protocol

_MAIN = Path(__file__).with_name("__main__.py")
_EventOrEnd = Optional[dict[str, Any]]
Meanwhile = Callable[[], bool]
"""Work that is done while no event is there, a little at a time; it returns False once there is none."""


class PytestProcess(Protocol):
    """A process that runs pytest and leads a group of its own, as its supervisor sees it."""

    pid: int

    def next_event(self, timeout: float, meanwhile: Meanwhile) -> _EventOrEnd:
        """The next event; None once the process has ended. Raises TimeoutError after `timeout` seconds of silence."""

    def wait(self, timeout: float) -> int:
        """The exit status, negative for a signal; a process that outlives `timeout` seconds is killed."""

    def kill(self) -> None:
        """End the process and its group."""


class Child:
    """A running pytest process and what it reports."""

    def __init__(self, request: dict[str, Any]) -> None:
        self._events: queue.SimpleQueue[_EventOrEnd] = queue.SimpleQueue()
        self._process = subprocess.Popen(
            [sys.executable, *_interpreter_options(), str(_MAIN), "--child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=request["root"],
            env=_environment(),
            # Its own group: a test that signals its whole group must not reach the supervisor.
            start_new_session=True,
        )
        self.pid = self._process.pid
        threading.Thread(target=self._read, daemon=True).start()
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it died already; its end is seen below
            self._process.stdin.write(json.dumps(request).encode("ascii") + b"\n")
            self._process.stdin.close()

    def next_event(self, timeout: float, meanwhile: Meanwhile) -> _EventOrEnd:
        """The next event; None once the process has ended and all of its events are read.

        Raises TimeoutError after `timeout` seconds of silence. The end is not told by the pipe alone: a process that
        a test left behind may hold the pipe open.
        """
        waited = 0.0
        while True:
            with contextlib.suppress(queue.Empty):
                return self._events.get_nowait()
            if meanwhile():
                continue
            try:
                return self._events.get(timeout=0.2)
            except queue.Empty:
                waited += 0.2
            if self._process.poll() is not None and self._events.empty():
                return None
            if waited >= timeout:
                raise TimeoutError

    def wait(self, timeout: float) -> int:
        """The exit status, negative for a signal; a process that outlives `timeout` seconds is killed."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout)
        self.kill()
        return self._process.wait()

    def kill(self) -> None:
        """End the process and all that tests started in its group."""
        if hasattr(os, "killpg"):
            with contextlib.suppress(OSError):
                os.killpg(self.pid, signal.SIGKILL)
        else:
            self._process.kill()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with contextlib.suppress(ValueError):
                event = json.loads(line.decode("utf-8"))
                self._events.put(event)
        self._events.put(None)


def _interpreter_options() -> list[str]:
    """The options that this interpreter was started with, for the next one."""
    return subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined, no-any-return]


def _environment() -> dict[str, str]:
    """Our environment, without what would make coverage.py measure by itself and write into the user's folder."""
    hidden = {"COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG", "COVERAGE_FILE"}
    return {name: value for name, value in os.environ.items() if name not in hidden}
