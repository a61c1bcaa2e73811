"""The only place that starts child processes: argument lists, own process groups, bounded time and output."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from testlens.domain.problems import Problem

_LONGEST_ERROR_TEXT = 4_000


class GroupProcess:
    """A child process that leads a process group of its own, with pipes to all three standard streams."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self._process = process
        self.pid = process.pid
        self.stdin: asyncio.StreamWriter = process.stdin
        self.stdout: asyncio.StreamReader = process.stdout
        self.stderr: asyncio.StreamReader = process.stderr

    async def wait(self) -> int:
        """The exit status, negative for a signal."""
        return await self._process.wait()

    async def stop(self, grace: float) -> int:
        """Close the process's input, by which it is to end, and kill its group where it has not within `grace` seconds."""
        # No terminate(): it polls, and where that finds the process dead, asyncio never learns its exit status.
        self.stdin.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), grace)
        kill_group(self.pid)
        return await self._process.wait()


async def start(argv: Sequence[str], cwd: Path, env: Mapping[str, str] | None = None) -> GroupProcess:
    """Start `argv` in `cwd`; `env` None means our own environment. Raises OSError if it cannot be started."""
    process = await asyncio.create_subprocess_exec(
        *argv,
        cwd=cwd,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    return GroupProcess(process)


def kill_group(pid: int) -> None:
    """Kill the process group that `pid` leads or led; no error if nothing is left of it."""
    if sys.platform == "win32":
        command = ["taskkill", "/PID", str(pid), "/T", "/F"]
        subprocess.run(command, check=False, capture_output=True, timeout=10)
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class Completed:
    """A process that ran to its end: its exit status, and its output decoded as UTF-8."""

    status: int
    output: str
    errors: str


def run_text(argv: Sequence[str], cwd: Path, timeout: float = 30.0, limit: int = 64_000_000) -> Completed | Problem:
    """Run a command that prints text; blocks, so call it from a thread.

    A Problem if it cannot be started, takes more than `timeout` seconds or prints more than `limit` bytes.
    """
    name = Path(argv[0]).name
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(
                argv,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        except OSError as error:
            return Problem(f"{argv[0]} could not be started: {error.strerror}.", f"Install {name}, or check its path.")
        timed_out = threading.Event()
        timer = threading.Timer(timeout, _end, (process, timed_out))
        timer.start()
        try:
            assert process.stdout is not None
            with process.stdout:
                output = process.stdout.read(limit + 1)
            if len(output) <= limit:
                process.wait()
        finally:
            timer.cancel()
            kill_group(process.pid)
            process.wait()
        if timed_out.is_set():
            return Problem(f"{name} took more than {timeout:g} s.", f"Run `{' '.join(argv)}` in a terminal to see why.")
        if len(output) > limit:
            return Problem(f"{name} printed more than {limit} bytes.", "Open a smaller folder.")
        errors.seek(0)
        error_text = errors.read(_LONGEST_ERROR_TEXT)
    return Completed(process.returncode, output.decode("utf-8", "replace"), error_text.decode("utf-8", "replace"))


def _end(process: subprocess.Popen[bytes], timed_out: threading.Event) -> None:
    timed_out.set()
    kill_group(process.pid)
