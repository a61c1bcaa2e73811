"""Runs tests in copies of a process that has imported everything but the project, for those who run often."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from testlens.runners.events import Event, Warm, parse_event
from testlens.runners.finishing import finish
from testlens.runners.group_process import GroupProcess, start
from testlens.runners.process import kill_group, kill_marked
from testlens.runners.pytest_runner import (
    AGENT,
    GRACE_SECONDS,
    RUN_VARIABLE,
    LineReader,
    follow,
    logged,
    project_environment,
    request_fields,
    run_tests,
    silence_of,
)
from testlens.runners.run_log import RunLog, RunRequest, RunResult

_CHUNK_BYTES = 65_536
_LONGEST_PREPARATION_SECONDS = 120.0
_LONGEST_GOODBYE_SECONDS = 10.0
# With these coverage.py would measure the process that stays, and write into the user's folder.
_HIDDEN = ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG", "COVERAGE_FILE")


@dataclass(frozen=True, slots=True)
class Warmth:
    """What a process is kept warm for: where any of it is another, so is the process.

    `libraries` are the modules to have imported, each with whether pytest rewrites its assertions; where none are known
    it would be of no use, and there is none. `surroundings`
    identifies what else it must not outlive: configuration, lock files and installed packages. Once it has reached
    `memory_mb`, it imports nothing more.
    """

    root: Path
    python: str
    libraries: tuple[tuple[str, bool], ...]
    surroundings: str
    memory_mb: int = 1024


class WarmRunner:
    """Keeps one process; runs take turns. Where it cannot be kept, they go as `run_tests`, with the same results."""

    def __init__(self, answer_seconds: float = 10.0) -> None:
        """A process that has not begun with a run for `answer_seconds` is replaced."""
        self._answer_seconds = answer_seconds
        self._process: _WarmProcess | None = None
        self._unable: Warmth | None = None
        self._turn = asyncio.Lock()

    async def prepare(self, warmth: Warmth) -> None:
        """Have the process ready before a run is wanted."""
        async with self._turn:
            await self._ensure(warmth)

    async def run(self, request: RunRequest, warmth: Warmth, on_event: Callable[[Event], None]) -> RunResult:
        """As `run_tests`; cancelling it leaves the process for the next run."""
        async with self._turn:
            for _ in range(2):  # one that was killed or frozen meanwhile has not begun with any test
                process = await self._ensure(warmth)
                if process is None:
                    break
                async with logged(request, on_event) as (log, scratch):
                    has_begun = await self._run_in(process, log, scratch)
                if has_begun:
                    return log.result()
            return await run_tests(request, on_event)

    async def close(self) -> None:
        """End the process, and the run that it may be at."""
        process, self._process = self._process, None
        if process is not None:
            await process.close()

    async def _ensure(self, warmth: Warmth) -> _WarmProcess | None:
        process = self._process
        if process is not None and (process.warmth != warmth or not process.is_alive):
            await self.close()
            process = None
        if process is None and warmth.libraries and hasattr(os, "fork") and self._unable != warmth:
            process = self._process = await _WarmProcess.start(warmth)
            if process is None:
                self._unable = warmth
        return process

    async def _run_in(self, process: _WarmProcess, log: RunLog, scratch: Path) -> bool:
        is_whole = False
        try:
            has_begun = await process.run(log, scratch, self._answer_seconds)
            is_whole = has_begun and process.is_alive
            return has_begun
        except asyncio.CancelledError:
            is_whole = await finish(process.cancel(log))
            await finish(process.clean_up(log, scratch))
            raise
        finally:
            if not is_whole:
                await finish(self.close())


class _WarmProcess:
    """A process that is warm."""

    def __init__(self, warmth: Warmth, agent: GroupProcess, mark: str) -> None:
        self.warmth = warmth
        self._agent = agent
        self._mark = mark
        self._lines = LineReader(agent.stdout)
        self._log: RunLog | None = None
        self._printed = asyncio.create_task(self._keep_output())

    @classmethod
    async def start(cls, warmth: Warmth) -> _WarmProcess | None:
        """Start one; None where that cannot be, for whatever reason: a run of its own will tell it."""
        mark = f"warm-{os.getpid()}-{id(warmth)}"
        environment = {**project_environment(warmth.python), RUN_VARIABLE: mark}
        for name in _HIDDEN:
            environment.pop(name, None)
        try:
            agent = await start([warmth.python, str(AGENT), "--warm"], warmth.root, environment)
        except OSError:
            return None
        process = cls(warmth, agent, mark)
        try:
            is_warm = await process._warm_up()
        except BaseException:
            await asyncio.shield(process.close())
            raise
        if is_warm:
            return process
        await process.close()
        return None

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._agent.is_running

    async def run(self, log: RunLog, scratch: Path, patience: float) -> bool:
        """Make a run; False if it has not even begun after `patience` seconds."""
        self._log = log
        self._agent.write_line(
            {"run": {**request_fields(log.request, scratch), "environment": {RUN_VARIABLE: str(scratch)}}}
        )
        first = await self._next(patience)
        if first is None:
            return False
        log.take(first)
        await follow(log, self._lines_of(log))
        await self.clean_up(log, scratch)
        if log.idle_status is None:
            await self._agent.stop(GRACE_SECONDS)  # it said nothing for too long, or has died
        log.judge(log.idle_status if log.idle_status is not None else await self._agent.wait())
        return True

    async def cancel(self, log: RunLog) -> bool:
        """End the run that is going on; whether the process is still of use."""
        self._agent.write_line({"cancel": True})
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE_SECONDS):
                while log.idle_status is None and (line := await self._lines.next(None)) is not None:
                    log.take(line)
        return self.is_alive and log.idle_status is not None

    async def close(self) -> None:
        """End it, and all that it has started."""
        await self._agent.stop(GRACE_SECONDS)
        if self._log is not None and self._log.group is not None:
            kill_group(self._log.group)
        await asyncio.to_thread(kill_marked, RUN_VARIABLE, self._mark)
        self._printed.cancel()
        self._agent.close()

    async def _warm_up(self) -> bool:
        warmth = self.warmth
        self._agent.write_line({"root": str(warmth.root), "libraries": warmth.libraries, "memory_mb": warmth.memory_mb})
        line = await self._next(_LONGEST_PREPARATION_SECONDS)
        return line is not None and isinstance(parse_event(line, warmth.root), Warm)

    async def clean_up(self, log: RunLog, scratch: Path) -> None:
        """End what the run has left behind."""
        if log.group is not None:
            kill_group(log.group)
        for mark, spared in ((str(scratch), None), (self._mark, self._agent.pid)):
            await asyncio.to_thread(kill_marked, RUN_VARIABLE, mark, spared)

    async def _lines_of(self, log: RunLog) -> AsyncIterator[bytes]:
        while True:
            silence = silence_of(log.request) if log.done is None else _LONGEST_GOODBYE_SECONDS
            line = await self._lines.next(silence)
            if line is None:
                return
            yield line

    async def _next(self, seconds: float) -> bytes | None:
        try:
            return await self._lines.next(seconds)
        except TimeoutError:
            return None

    async def _keep_output(self) -> None:
        while chunk := await self._agent.stderr.read(_CHUNK_BYTES):
            if self._log is not None:
                self._log.take_output(chunk)
