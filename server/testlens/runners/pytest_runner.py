"""Runs a project's tests through the agent, and streams what it reports."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from testlens.runners.events import Event, Idle
from testlens.runners.finishing import finish
from testlens.runners.group_process import GroupProcess, start
from testlens.runners.process import kill_group, kill_marked
from testlens.runners.run_log import RunLog, RunRequest, RunResult

AGENT = Path(__file__).resolve().parents[2] / "testlens_agent" / "__main__.py"

RUN_VARIABLE = "TESTLENS_RUN"
"""Marks every process of a run, those that leave its process group included."""
_CHUNK_BYTES = 65_536
_LONGEST_LINE_BYTES = 64_000_000
_LONGEST_TURN_SECONDS = 0.005
GRACE_SECONDS = 2.0
# Beyond the test timeout, which the agent watches by itself: combining a big run's data takes its time.
_SILENCE_SECONDS = 120.0


async def run_tests(request: RunRequest, on_event: Callable[[Event], None]) -> RunResult:
    """Run tests and hand each event to `on_event` on the event loop, in order; never raises for what the run does.

    Cancelling the task that awaits this ends every process of the run before CancelledError goes on.
    """
    async with logged(request, on_event) as (log, scratch):
        await _execute(log, scratch)
    return log.result()


@contextlib.asynccontextmanager
async def logged(request: RunRequest, on_event: Callable[[Event], None]) -> AsyncIterator[tuple[RunLog, Path]]:
    """A log for one run, and an empty folder that is removed after it unless the data had to stay there."""
    # pytest and coverage.py report real paths, whatever links the folder was reached through.
    root = await asyncio.to_thread(request.root.resolve)
    # Not on a thread: whoever is cancelled meanwhile would not hear of the folder that is made there.
    scratch = Path(tempfile.mkdtemp(prefix="testlens-run-"))
    log = RunLog(request, on_event, root)
    is_over = False
    try:
        yield log, scratch
        is_over = True
    finally:
        if not is_over or log.measured is None or scratch not in log.measured.data_file.parents:
            await finish(asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True))


async def follow(log: RunLog, lines: AsyncIterator[bytes]) -> None:
    """Take what the agent writes until it ends, or says that it is idle again."""
    turn_began = time.perf_counter()
    try:
        async for line in lines:
            if isinstance(log.take(line), Idle):
                return
            # The event loop is shared with the editor's requests: a flood of events must not hold it.
            if time.perf_counter() - turn_began > _LONGEST_TURN_SECONDS:
                await asyncio.sleep(0)
                turn_began = time.perf_counter()
    except TimeoutError:
        log.report(f"The agent was silent for {silence_of(log.request):g} s and was ended.", "Run the tests again.")
    except LineTooLongError:
        log.report("The agent wrote a line without an end and was ended.", "Run the tests again.")


def silence_of(request: RunRequest) -> float:
    """After how many seconds without an event the agent counts as stuck."""
    return request.test_timeout + _SILENCE_SECONDS


def request_fields(request: RunRequest, scratch: Path) -> dict[str, Any]:
    """The request as the agent takes it."""
    return {
        "root": str(request.root),
        "data_file": str(request.data_file),
        "scratch": str(scratch),
        "tests": request.tests,
        "pytest_args": request.pytest_args,
        "test_timeout": request.test_timeout,
        "record_values": request.record_values,
        "times": request.times,
        "chosen": request.chosen or None,
        "first": request.first,
        "order": request.order,
        "without": request.without,
    }


async def _execute(log: RunLog, scratch: Path) -> None:
    request = log.request
    environment = {**project_environment(request.python), RUN_VARIABLE: str(scratch)}
    try:
        agent = await start([request.python, str(AGENT)], request.root, environment)
    except OSError as error:
        log.report(
            f"{request.python} could not be started in {request.root}: {error.strerror}.",
            "Check that both exist, and choose another interpreter if need be.",
        )
        return
    printed = asyncio.create_task(_keep_output(log, agent.stderr))
    try:
        agent.write_line(request_fields(request, scratch))
        await follow(log, read_lines(agent.stdout, silence_of(request)))
    finally:
        await asyncio.shield(_end(log, agent, printed))
        await asyncio.shield(asyncio.to_thread(kill_marked, RUN_VARIABLE, str(scratch)))
    log.judge(await agent.wait())


async def _end(log: RunLog, agent: GroupProcess, printed: asyncio.Task[None]) -> None:
    await agent.stop(GRACE_SECONDS if log.done is None else 10 * GRACE_SECONDS)
    if log.group is not None:
        kill_group(log.group)
    # A process that left the group may hold the pipe open for ever.
    await asyncio.wait({printed}, timeout=0.5)
    printed.cancel()
    agent.close()


async def _keep_output(log: RunLog, stream: asyncio.StreamReader) -> None:
    while chunk := await stream.read(_CHUNK_BYTES):
        log.take_output(chunk)


class LineTooLongError(Exception):
    """The agent writes on and on, and no line ends."""


class LineReader:
    """Reads a stream line by line; nothing is lost where that is cancelled or takes too long."""

    def __init__(self, stream: asyncio.StreamReader) -> None:
        self._stream = stream
        self._lines: deque[bytes] = deque()
        self._pending = bytearray()
        self._is_over = False

    async def next(self, silence: float | None) -> bytes | None:
        """The next line, None at the end.

        Raises TimeoutError after `silence` seconds without any, None meaning no such limit, and LineTooLongError.
        """
        while not self._lines and not self._is_over:
            async with asyncio.timeout(silence):
                chunk = await self._stream.read(_CHUNK_BYTES)
            self._take(chunk)
        return self._lines.popleft() if self._lines else None

    def _take(self, chunk: bytes) -> None:
        self._is_over = not chunk
        first, *others = chunk.split(b"\n")
        self._pending += first
        for part in others:
            self._lines.append(bytes(self._pending))
            self._pending = bytearray(part)
        if self._is_over and self._pending:
            self._lines.append(bytes(self._pending))
        elif len(self._pending) > _LONGEST_LINE_BYTES:
            raise LineTooLongError


async def read_lines(stream: asyncio.StreamReader, silence: float | None) -> AsyncIterator[bytes]:
    """The lines of `stream`; raises as `LineReader.next`."""
    reader = LineReader(stream)
    while (line := await reader.next(silence)) is not None:
        yield line


def project_environment(python: str) -> dict[str, str]:
    """Our environment as it would be with the interpreter's virtual environment active: tests call its commands."""
    environment = dict(os.environ)
    folder = Path(python).parent
    environment["PATH"] = os.pathsep.join(filter(None, [str(folder), environment.get("PATH")]))
    if (folder.parent / "pyvenv.cfg").is_file():
        environment["VIRTUAL_ENV"] = str(folder.parent)
    else:
        environment.pop("VIRTUAL_ENV", None)
    return environment
