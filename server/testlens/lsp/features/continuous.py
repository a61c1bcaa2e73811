"""Continuous testing: after each save the tests that it can affect run, and all that is shown follows."""

from __future__ import annotations

import asyncio
import logging
import math
import time
import uuid
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from testlens.lsp.features import problems
from testlens.lsp.features.arguments import folder_of, parse
from testlens.lsp.features.equipment import ready_interpreter
from testlens.lsp.features.jobs import Job, Jobs
from testlens.lsp.folders import Folder, RunCounts
from testlens.lsp.progress import ProgressBar
from testlens.lsp.protocol import RUN_LEFT_OUT, FolderArguments, JobResult
from testlens.lsp.run_shown import RunShown
from testlens.lsp.server import TestlensServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from testlens.domain.problems import Problem
    from testlens.runners.events import Event
    from testlens.runners.warm_runner import WarmRunner
    from testlens.workspace.continuous import Round
    from testlens.workspace.workspace import Workspace

T = TypeVar("T")

logger = logging.getLogger(__name__)

_LOOK_AGAIN_SECONDS = 0.2
_IDLE_AFTER_SECONDS = 1.0
# What is over sooner would only flash.
_SHOWN_AFTER_SECONDS = 0.3


def register(server: TestlensServer) -> None:
    """Add the feature to the server."""
    feature = _Continuous(server)
    jobs = Jobs(server, "Tests of {} are already running. Cancel that run first.")

    @server.command(RUN_LEFT_OUT)
    def run_left_out(ls: TestlensServer, *arguments: object) -> dict[str, Any]:
        return attrs.asdict(_start_left_out(ls, jobs, folder_of(ls, parse(arguments, FolderArguments).folder)))

    # The settings are in force once there is a snapshot that was made with them.
    server.on_snapshot.append(feature.adjust)
    server.on_removal.append(feature.leave)
    server.on_shutdown.append(feature.close)


class _Continuous:
    """Follows the edits of those folders for which that is wanted."""

    def __init__(self, server: TestlensServer) -> None:
        self._server = server
        self._following: dict[Folder, asyncio.Task[None]] = {}

    def adjust(self, folder: Folder) -> None:
        """Follow a folder, or no longer, as the settings have it."""
        is_wanted = self._server.options.trusted and self._server.options.continuous != "off"
        if not is_wanted:
            self.leave(folder)
        elif folder not in self._following and folder.workspace is not None:
            self._following[folder] = folder.spawn(_Follower(self._server, folder, folder.workspace).follow())

    def leave(self, folder: Folder) -> None:
        """Follow it no longer."""
        following = self._following.pop(folder, None)
        if following is not None:
            following.cancel()

    async def close(self) -> None:
        """Stop, and wait until the processes are gone."""
        tasks = list(self._following.values())
        for folder in list(self._following):
            self.leave(folder)
        if tasks:
            await asyncio.wait(tasks)


class _Follower:
    """Follows one folder."""

    def __init__(self, server: TestlensServer, folder: Folder, workspace: Workspace) -> None:
        self._server = server
        self._folder = folder
        self._workspace = workspace
        self._saved = asyncio.Event()
        self._saved_at = -math.inf

    async def follow(self) -> None:
        """Go on until cancelled."""
        from testlens.runners.warm_runner import WarmRunner
        from testlens.workspace.source_watcher import SourceWatcher

        runner = WarmRunner()
        watcher = SourceWatcher(self._folder.root, self._notice)
        try:
            await self._folder.background.do(watcher.start)
            while True:
                await self._until_idle()
                self._saved.clear()
                if await self._is_done(runner):
                    await self._saved.wait()
        finally:
            watcher.stop()
            await asyncio.shield(runner.close())

    async def _is_done(self, runner: WarmRunner) -> bool:
        """Look at the edits once; false where a file was saved meanwhile, and not where the user has cancelled it."""
        python = await ready_interpreter(self._server, self._folder)
        await self._rest()
        try:
            return python is None or await self._round(python, runner) is not None
        except _StoppedError:
            self._saved.clear()  # by the tests perhaps: whoever ends a round does not want it again at once
            return True
        except Exception:
            # The next save may be luckier; without this there would be none, and nobody would know.
            logger.exception("The tests that the edits can affect could not be run.")
            return True

    def _notice(self) -> None:
        self._server.call_soon(self._note_save)

    def _note_save(self) -> None:
        self._saved_at = time.monotonic()
        self._saved.set()

    async def _until_idle(self) -> None:
        """Wait, where that is wanted, until nothing was saved and nothing typed for a moment."""
        while self._server.options.continuous == "onIdle":
            last = max(self._saved_at, self._server.typed_at)
            wait = last + _IDLE_AFTER_SECONDS - time.monotonic()
            if wait <= 0:
                return
            await asyncio.sleep(wait)

    async def _rest(self) -> None:
        """Wait while tests run that somebody asked for."""
        while self._folder.run is not None:
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)

    async def _round(self, python: str, runner: WarmRunner) -> Round | None:
        from testlens.workspace.continuous import get_ready, run_affected, until_saved

        counts = RunCounts(str(uuid.uuid4()), continuous=True)
        shown = RunShown(self._server, self._folder, counts, ProgressBar(self._server))

        lines = _RunningLines(self._server, self._folder, counts)
        self._folder.run = counts  # nobody else may run tests of the folder from now on
        has_said = False

        def take(event: Event) -> None:
            nonlocal has_said
            if not has_said:
                has_said = True
                self._server.announce_state(self._folder)
            shown.take(event)

        try:
            work = run_affected(self._workspace, python, runner, take, lines.take_over, on_selected=lines.show_soon)
            running = asyncio.ensure_future(until_saved(work, self._saved, self._folder.root))
            counts.cancel = running.cancel
            done = await _unless_stopped(running)
        finally:
            self._folder.run = None
            lines.hide()
            self._server.announce_state(self._folder)
        if done is not None:
            if done.result is None:
                self._folder.refresh()  # what else changed meanwhile was left to the end of this
            _tell(self._server, done)
            await runner.prepare(await asyncio.to_thread(get_ready, self._workspace, python, self._saved))
        return done


class _RunningLines:
    """Shows the lines whose tests run in a round, where that takes a moment."""

    def __init__(self, server: TestlensServer, folder: Folder, counts: RunCounts) -> None:
        self._server = server
        self._folder = folder
        self._counts = counts
        self._timer: asyncio.TimerHandle | None = None

    def show_soon(self, tests: frozenset[str]) -> None:
        """Show those of these tests."""
        self._cancel()
        self._timer = asyncio.get_running_loop().call_later(_SHOWN_AFTER_SECONDS, self._show, tests)

    async def take_over(self, make: Callable[[], Problem | None]) -> Problem | None:
        """Have a new snapshot made, whose marks are not those of a run."""
        self._cancel()
        self._counts.tests = frozenset()
        return await self._folder.take(make)

    def hide(self) -> None:
        """Show them no longer."""
        self._cancel()
        self._show(frozenset())

    def _show(self, tests: frozenset[str]) -> None:
        self._counts.tests = tests
        self._server.announce_running(self._folder)

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


def _tell(server: TestlensServer, done: Round) -> None:
    if done.problem is not None:
        problems.tell_as_error(server, done.problem)
    if done.result is not None:
        problems.tell(server, done.result.problems)


def _start_left_out(server: TestlensServer, jobs: Jobs, folder: Folder) -> JobResult:
    """Start a round in which the slow tests that were left out run as well."""
    if folder.run is not None:
        raise jobs.busy(folder)

    def end() -> None:
        folder.run = None
        server.announce_state(folder)

    started = jobs.start(folder, lambda job: _run_left_out(server, job, counts), end)
    counts = folder.run = RunCounts(started.job, cancel=lambda: jobs.cancel(folder))
    server.announce_state(folder)
    return started


async def _run_left_out(server: TestlensServer, job: Job, counts: RunCounts) -> None:
    from testlens.runners.warm_runner import WarmRunner
    from testlens.workspace.continuous import run_affected

    folder, workspace, runner = job.folder, job.folder.workspace, WarmRunner()
    assert workspace is not None
    await job.bar.open(f"Testing {folder.root.name}")
    try:
        shown = RunShown(server, folder, counts, job.bar)
        done = await run_affected(workspace, job.python, runner, shown.take, folder.take, slow_too=True)
    finally:
        await asyncio.shield(runner.close())
    _tell(server, done)


class _StoppedError(Exception):
    """The user has ended a round."""


async def _unless_stopped(running: asyncio.Future[T]) -> T:
    """What comes of it; raises _StoppedError where it was cancelled by itself, and not whoever waits for it."""
    try:
        await asyncio.wait({running})
    except asyncio.CancelledError:
        running.cancel()
        await asyncio.wait({running})
        raise
    if running.cancelled():
        raise _StoppedError
    return running.result()
