"""Starts child processes that the event loop talks to while they run."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from testlens.runners.process import kill_group


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

    def write_line(self, fields: Mapping[str, object]) -> None:
        """Send one JSON object as a line."""
        self.write(json.dumps(fields).encode("ascii") + b"\n")

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return not self._exited.is_set()

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
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    return process
