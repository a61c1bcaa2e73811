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


class GroupProcess(asyncio.SubprocessProtocol):
    """A child process that leads a process group of its own, with pipes to all three standard streams.

    asyncio's own `Process.wait` comes back only when the pipes are closed as well, which a process that a test left
    behind may hold open for ever; this one goes by the process alone.
    """

    def __init__(self) -> None:
        self.stdout = asyncio.StreamReader()
        self.stderr = asyncio.StreamReader()
        self.pid = 0
        self._exited = asyncio.Event()

    def write(self, data: bytes) -> None:
        """Send bytes to the process's standard input."""
        stdin = self._transport.get_pipe_transport(0)
        assert isinstance(stdin, asyncio.WriteTransport)
        stdin.write(data)

    async def wait(self) -> int:
        """The exit status, negative for a signal."""
        await self._exited.wait()
        status = self._transport.get_returncode()
        assert status is not None
        return status

    async def stop(self, grace: float) -> None:
        """Close the input, which asks the process to end; kill its group where it has not within `grace` seconds."""
        # No terminate(): it polls, and where that finds the process dead, asyncio never learns its exit status.
        stdin = self._transport.get_pipe_transport(0)
        if stdin is not None:
            stdin.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._exited.wait(), grace)
        kill_group(self.pid)
        await self._exited.wait()

    def close(self) -> None:
        """Let go of the pipes, whoever may still hold their other ends; the process has ended."""
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio once the process runs."""
        assert isinstance(transport, asyncio.SubprocessTransport)
        self._transport = transport
        self.pid = transport.get_pid()
        for descriptor, reader in ((1, self.stdout), (2, self.stderr)):
            pipe = transport.get_pipe_transport(descriptor)
            assert pipe is not None
            reader.set_transport(pipe)  # from which it pauses reading when nobody takes what was read

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Called by asyncio."""
        self._reader(fd).feed_data(data)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """Called by asyncio."""
        if fd != 0:
            self._reader(fd).feed_eof()

    def process_exited(self) -> None:
        """Called by asyncio."""
        self._exited.set()

    def _reader(self, fd: int) -> asyncio.StreamReader:
        return self.stdout if fd == 1 else self.stderr


async def start(argv: Sequence[str], cwd: Path, env: Mapping[str, str] | None = None) -> GroupProcess:
    """Start `argv` in `cwd`; `env` None means our own environment. Raises OSError if it cannot be started."""
    _, process = await asyncio.get_running_loop().subprocess_exec(
        GroupProcess,
        *argv,
        cwd=cwd,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    return process


def kill_group(pid: int) -> None:
    """Kill the process group that `pid` leads or led; no error if nothing is left of it."""
    if sys.platform == "win32":
        command = ["taskkill", "/PID", str(pid), "/T", "/F"]
        subprocess.run(command, check=False, capture_output=True, timeout=10)
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def kill_marked(variable: str, value: str) -> None:
    """Kill every process that was started with this environment variable, having left its group or not.

    Linux only: elsewhere a process that made a session of its own outlives its job.
    """
    mark = f"{variable}={value}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        # Processes come and go meanwhile, and those of other users cannot be read.
        with contextlib.suppress(OSError):
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                os.kill(int(folder.name), signal.SIGKILL)


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
