"""Processes that carry out one task each: copies of a session, or sessions of their own where nothing forks.

Which of the two is decided here and nowhere else.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

from testlens_agent.explore.confined import Session
from testlens_agent.explore.copies import be_copy, be_stage
from testlens_agent.explore.endings import reap
from testlens_agent.explore.folders import Folders
from testlens_agent.explore.request import Request
from testlens_agent.explore.stages import Scene, Stage, Stages
from testlens_agent.explore.streams import PumpedStream, Stream

_MAIN = Path(__file__).resolve().parent.parent / "__main__.py"
_SESSION_SECONDS = 120.0  # within which a session has to start


class Worker:
    """A process that works on a task: `stream` is where its messages come from."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self._pending = b""

    def read(self) -> list[dict[str, Any]] | None:
        """The messages that have come; None at the end. Blocks while there are none."""
        chunk = self.stream.read()
        if not chunk:
            return None
        *lines, self._pending = (self._pending + chunk).split(b"\n")
        return [message for message in map(_parse, lines) if message is not None]

    def kill(self) -> None:
        """End the process and what it may have started."""
        raise NotImplementedError

    def end(self) -> int:
        """Reap the process, let go of its folder, and return its exit status, negative for a signal."""
        raise NotImplementedError


class _Copy(Worker):
    """A copy of the session, or of a stage of it."""

    def __init__(self, pid: int, descriptor: int, place: tuple[Folders, Path], stage: Stage | None) -> None:
        super().__init__(Stream(descriptor))
        self._descriptor = descriptor
        self._pid = pid
        self._folders, self._folder = place
        self._stage = stage
        self._is_reaped = False

    def kill(self) -> None:
        with contextlib.suppress(OSError):
            os.killpg(self._pid, signal.SIGKILL)
        if not self._is_reaped:
            with contextlib.suppress(OSError):
                os.kill(self._pid, signal.SIGKILL)

    def end(self) -> int:
        os.close(self._descriptor)
        raw = self._reap()
        if raw is None:
            self.kill()  # it closed its end of the pipe and lives on
            raw = self._reap()
        self._is_reaped = True
        self.kill()
        self._folders.give_back(self._folder)
        return 0 if raw is None else -os.WTERMSIG(raw) if os.WIFSIGNALED(raw) else os.WEXITSTATUS(raw)

    def _reap(self) -> int | None:
        return reap(self._pid) if self._stage is None else self._stage.reap(self._pid)


class _Fresh(Worker):
    """A session of its own."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        assert process.stdout is not None
        super().__init__(PumpedStream(process.stdout.fileno()))
        self._process = process
        self._folder = folder

    def kill(self) -> None:
        self._process.kill()
        if hasattr(os, "killpg"):
            with contextlib.suppress(OSError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def end(self) -> int:
        status = self._process.wait()
        self.stream.close()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            with contextlib.suppress(OSError):
                stream.close()
        self.kill()
        shutil.rmtree(str(self._folder), ignore_errors=True)
        return status


class Workers:
    """Starts processes. `session` is the warm one that they are copies of; None: each starts one of its own."""

    def __init__(self, request: Request, session: Session | None) -> None:
        self._request = request
        self._session = session
        self._folders = Folders(request.scratch, request.root)
        self._count = 0
        self.stages = None if session is None else Stages(self._start_stage)
        self.start_seconds = _SESSION_SECONDS if session is None else 0.0

    def stream(self, descriptor: int) -> Stream:
        """A descriptor that a selector can wait for."""
        # Threads, where the process is never copied: a copy would have their locks and not them.
        return PumpedStream(descriptor) if self._session is None else Stream(descriptor)

    def start(self, task: dict[str, Any], scene: Scene) -> Worker:
        """A process that carries out `task`, which needs `scene`."""
        if self._session is None or self.stages is None:
            return self._start_afresh(task)
        folder = self._folders.take()
        stage = self.stages.warm_for(scene)
        reading, writing = os.pipe()
        pid = None if stage is None else stage.copy(task, folder, writing)
        if pid is None:
            pid, stage = _copy(self._session, task, folder, writing), None
        os.close(writing)
        return _Copy(pid, reading, (self._folders, folder), stage)

    def _start_stage(self, scene: Scene, task: dict[str, Any]) -> Stage:
        assert self._session is not None
        here, there = socket.socketpair()
        folder, parent = self._folders.take(), os.getpid()
        pid = _fork()
        if pid == 0:
            here.close()
            be_stage(self._session, task, folder, there, parent)
        there.close()
        return Stage(scene, pid, here, time.monotonic() + self._request.preparation_seconds)

    def _start_afresh(self, task: dict[str, Any]) -> Worker:
        request = self._request
        self._count += 1
        folder = request.scratch / f"afresh{self._count}"
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
        folder.mkdir()
        process = subprocess.Popen(
            [sys.executable, *_interpreter_options(), str(_MAIN), "--explore"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=str(request.root),
            start_new_session=True,
        )
        assert process.stdin is not None
        with contextlib.suppress(OSError):  # it died already, which is seen when its messages end
            process.stdin.write(json.dumps(fields).encode("ascii") + b"\n")
            process.stdin.flush()
        return _Fresh(process, folder)


def _copy(session: Session, task: dict[str, Any], folder: Path, descriptor: int) -> int:
    parent = os.getpid()
    pid = _fork()
    if pid == 0:
        be_copy(session, task, folder, descriptor, parent)
    return pid


def _fork() -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of threads, which a plugin may have started; they are not in the copy
        return os.fork()


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        message = json.loads(line)
    except ValueError:  # the end of a process that was killed while it wrote
        return None
    return message if isinstance(message, dict) else None


def _interpreter_options() -> list[str]:
    return subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined, no-any-return]
