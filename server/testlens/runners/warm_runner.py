"""Runs tests in copies of a process that has imported everything but the project, for those who run often."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from testlens.runners.events import Event, Warm, parse_event
from testlens.runners.finishing import finish
from testlens.runners.group_process import GroupProcess, start
from testlens.runners.process import is_frozen, kill_group, kill_marked
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
_LONGEST_GOODBYE_SECONDS = 2.0
_ATTEMPTS = 2
_LOOK_SECONDS = 1.0
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

    def __init__(self, answer_seconds: float = 10.0, preparation_seconds: float = 120.0) -> None:
        """A process that has not begun with a run for `answer_seconds`, or died during one, is replaced.

        One that is not warm after `preparation_seconds` is given up, and so is one that died twice before it was.
        """
        self._answer_seconds = answer_seconds
        self._preparation_seconds = preparation_seconds
        self._process: _WarmProcess | None = None
        self._unable: Warmth | None = None
        self._turn = asyncio.Lock()

    async def prepare(self, warmth: Warmth) -> None:
        """Have the process ready before a run is wanted."""
        async with self._turn:
            await self._ensure(warmth)

    async def run(
        self,
        request: RunRequest,
        warmth: Warmth,
        on_event: Callable[[Event], None],
        on_measured: Callable[[RunResult], None] | None = None,
    ) -> RunResult:
        """As `run_tests`; cancelling it leaves the process for the next run. `on_measured`: see `RunLog`."""
        async with self._turn:
            for _ in range(_ATTEMPTS):
                process = await self._ensure(warmth)
                if process is None:
                    break
                async with logged(request, on_event) as (log, scratch):
                    log.on_measured = on_measured
                    await self._run_in(process, log, scratch)
                if log.done is not None or (log.measured is not None and log.measured.is_early):
                    return log.result()
                if log.results or log.running is not None:
                    break  # a test may have killed it, and would do so again: a run of its own tells which
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
            process = self._process = await self._start(warmth)
            if process is None:
                self._unable = warmth
        return process

    async def _start(self, warmth: Warmth) -> _WarmProcess | None:
        """A process that is warm, None where there cannot be one."""
        for _ in range(_ATTEMPTS):
            try:
                return await _WarmProcess.start(warmth, self._preparation_seconds)
            except _DiedError:
                continue  # memory may have been short, which says nothing of the next one
        return None

    async def _run_in(self, process: _WarmProcess, log: RunLog, scratch: Path) -> None:
        is_whole = False
        try:
            await process.run(log, scratch, self._answer_seconds)
            is_whole = log.idle_status is not None and process.is_alive
        except asyncio.CancelledError:
            is_whole = await finish(process.cancel(log))
            await finish(process.clean_up(log, scratch))
            raise
        finally:
            if not is_whole:
                await finish(self.close())


class _DiedError(Exception):
    """A process has ended before it was warm, and has not said why."""


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
    async def start(cls, warmth: Warmth, patience: float) -> _WarmProcess | None:
        """Start one; None where that cannot be in `patience` seconds: a run of its own will tell why.

        Raises _DiedError.
        """
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
            if await process._warm_up(patience):
                return process
        except BaseException:
            await finish(process.close())
            raise
        await process.close()
        return None

    @property
    def is_alive(self) -> bool:
        """Whether it runs, and would go on if it were told to."""
        return self._agent.is_running and not is_frozen(self._agent.pid)

    async def run(self, log: RunLog, scratch: Path, patience: float) -> None:
        """Make a run. It is not done where it has not begun after `patience` seconds, or the process died."""
        self._log = log
        self._agent.write_line(
            {"run": {**request_fields(log.request, scratch), "environment": {RUN_VARIABLE: str(scratch)}}}
        )
        first = await self._first(patience)
        if first is None:
            return
        log.take(first)
        await follow(log, self._lines_of(log))
        await self.clean_up(log, scratch)
        if log.done is not None:
            log.judge(0)

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

    async def _warm_up(self, patience: float) -> bool:
        warmth = self.warmth
        self._agent.write_line({"root": str(warmth.root), "libraries": warmth.libraries, "memory_mb": warmth.memory_mb})
        try:
            line = await self._lines.next(patience)
        except TimeoutError:
            return False
        if line is None:
            raise _DiedError
        return isinstance(parse_event(line, warmth.root), Warm)

    async def clean_up(self, log: RunLog, scratch: Path) -> None:
        """End what the run has left behind."""
        if log.group is not None:
            kill_group(log.group)
        # In one go, since what the tests said is not taken over before.
        await asyncio.to_thread(kill_marked, RUN_VARIABLE, str(scratch), self._mark, spared=self._agent.pid)

    async def _lines_of(self, log: RunLog) -> AsyncIterator[bytes]:
        while True:
            is_over = log.done is not None
            try:
                line = await self._lines.next(_LONGEST_GOODBYE_SECONDS if is_over else silence_of(log.request))
            except TimeoutError:
                if is_over:
                    return  # all is said; whatever became of the process, it is replaced
                raise
            if line is None:
                return
            yield line

    async def _first(self, patience: float) -> bytes | None:
        """The first answer; None where it does not come, for which a process that is frozen is not waited for."""
        deadline = time.monotonic() + patience
        while True:
            left = deadline - time.monotonic()
            with contextlib.suppress(TimeoutError):
                return await self._lines.next(min(left, _LOOK_SECONDS))
            if left <= _LOOK_SECONDS or not self.is_alive:
                return None

    async def _keep_output(self) -> None:
        while chunk := await self._agent.stderr.read(_CHUNK_BYTES):
            if self._log is not None:
                self._log.take_output(chunk)
