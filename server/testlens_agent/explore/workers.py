"""Processes that carry out one task each: copies of the warm session, or sessions of their own where nothing forks.

Which of the two is decided here and nowhere else.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

from testlens_agent.explore.confined import Session, carry_out
from testlens_agent.explore.request import Request

_MAIN = Path(__file__).resolve().parent.parent / "__main__.py"
_CHUNK_BYTES = 65_536
_SESSION_SECONDS = 120.0  # within which a session has to start


class Worker:
    """A process that works on a task: `descriptor` is where its messages come from."""

    def __init__(self, pid: int, descriptor: int, folder: Path, process: subprocess.Popen[bytes] | None) -> None:
        self.pid = pid
        self.descriptor = descriptor
        self._folder = folder
        self._process = process
        self._pending = b""

    def read(self) -> list[dict[str, Any]] | None:
        """The messages that have come; None at the end. Blocks while there are none."""
        chunk = os.read(self.descriptor, _CHUNK_BYTES)
        if not chunk:
            return None
        *lines, self._pending = (self._pending + chunk).split(b"\n")
        return [message for message in map(_parse, lines) if message is not None]

    def kill(self) -> None:
        """End the process and what it may have started."""
        if self._process is not None:
            self._process.kill()
        if hasattr(os, "killpg"):
            with contextlib.suppress(OSError):
                os.killpg(self.pid, signal.SIGKILL)
            with contextlib.suppress(OSError):
                os.kill(self.pid, signal.SIGKILL)

    def end(self) -> int:
        """Reap the process, remove its folder, and return its exit status, negative for a signal."""
        os.close(self.descriptor) if self._process is None else None
        if self._process is not None:
            status = self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()
        else:
            _, raw = os.waitpid(self.pid, 0)
            status = -os.WTERMSIG(raw) if os.WIFSIGNALED(raw) else os.WEXITSTATUS(raw)
        self.kill_group()
        shutil.rmtree(str(self._folder), ignore_errors=True)
        return status

    def kill_group(self) -> None:
        """End what the process may have started; it has ended itself."""
        if hasattr(os, "killpg"):
            with contextlib.suppress(OSError):
                os.killpg(self.pid, signal.SIGKILL)


class Workers:
    """Starts processes. `session` is the warm one that they are copies of; None: each starts one of its own."""

    def __init__(self, request: Request, session: Session | None) -> None:
        self._request = request
        self._session = session
        self._count = 0
        self.start_seconds = _SESSION_SECONDS if session is None else 0.0

    def start(self, task: dict[str, Any]) -> Worker:
        """A process that carries out `task`."""
        self._count += 1
        folder = self._request.scratch / f"tmp{self._count:08}"  # so that no expression names it: see secret_values
        if self._session is None:
            return self._start_afresh(task, folder)
        return _fork(self._session, task, folder)

    def _start_afresh(self, task: dict[str, Any], folder: Path) -> Worker:
        request = self._request
        fields = {
            "root": str(request.root),
            "scratch": str(folder),
            "pytest_args": request.pytest_args,
            "near": None if request.near is None else str(request.near),
            "seconds": request.seconds,
            "memory_mb": request.memory_mb,
            "network": request.network,
            "fork": False,
            "only": task,
        }
        folder.mkdir(parents=True)
        process = subprocess.Popen(
            [sys.executable, *_interpreter_options(), str(_MAIN), "--explore"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=str(request.root),
            start_new_session=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(OSError):  # it died already, which is seen when its messages end
            process.stdin.write(json.dumps(fields).encode("ascii") + b"\n")
            process.stdin.flush()
        return Worker(process.pid, process.stdout.fileno(), folder, process)


def _fork(session: Session, task: dict[str, Any], folder: Path) -> Worker:
    reading, writing = os.pipe()
    parent = os.getpid()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of threads, which a plugin may have started; they are not in the copy
        pid = os.fork()
    if pid == 0:
        carry_out(session, task, folder, writing, parent)
    os.close(writing)
    return Worker(pid, reading, folder, None)


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        message = json.loads(line)
    except ValueError:  # the end of a process that was killed while it wrote
        return None
    return message if isinstance(message, dict) else None


def _interpreter_options() -> list[str]:
    return subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined, no-any-return]
