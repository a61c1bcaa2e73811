"""What the user starts in a folder and may stop: one of a kind at a time, with a bar, where that is trusted."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from testlens.lsp.features.arguments import refusal
from testlens.lsp.features.equipment import ready_interpreter
from testlens.lsp.folders import Folder
from testlens.lsp.progress import ProgressBar
from testlens.lsp.protocol import JobResult
from testlens.lsp.server import TestlensServer

_LONGEST_GOODBYE = 3.0


@dataclass(frozen=True, slots=True)
class Job:
    """One job: the folder, the interpreter that has what it needs, and the bar, which ends with it."""

    folder: Folder
    python: str
    bar: ProgressBar


Work = Callable[[Job], Coroutine[Any, Any, None]]


class Jobs:
    """The jobs of one kind, each in another folder. `busy` says that one runs already, `{}` being the folder's name."""

    def __init__(self, server: TestlensServer, busy: str) -> None:
        self._server = server
        self._busy = busy
        self._tasks: dict[Folder, asyncio.Task[None]] = {}
        server.on_shutdown.append(self._end_all)

    def start(self, folder: Folder, work: Work, on_end: Callable[[], None] = lambda: None) -> JobResult:
        """Start a job, which ends with its folder; nothing of it is waited for. `on_end` hears of any end."""
        if not self._server.options.trusted:
            raise refusal("Testlens runs nothing in a workspace that is not trusted. Trust it, then ask again.")
        if folder.workspace is None:
            raise refusal("Testlens is still opening the folder. Try again in a moment.")
        if folder in self._tasks:
            raise self.busy(folder)
        task = self._tasks[folder] = folder.spawn(self._do(folder, work))

        def forget(_task: asyncio.Task[None]) -> None:
            del self._tasks[folder]
            on_end()

        # Not in the work itself: what is cancelled before it began would never get there.
        task.add_done_callback(forget)
        return JobResult(str(uuid.uuid4()))

    def busy(self, folder: Folder) -> Exception:
        """The refusal of a second job."""
        return refusal(self._busy.format(folder.root.name))

    def cancel(self, folder: Folder) -> None:
        """Stop the job of a folder, if there is one."""
        task = self._tasks.get(folder)
        if task is not None:
            task.cancel()

    async def _do(self, folder: Folder, work: Work) -> None:
        bar = ProgressBar(self._server, lambda: self.cancel(folder))
        try:
            python = await ready_interpreter(self._server, folder)
            if python is not None:
                await work(Job(folder, python, bar))
        finally:
            bar.close()

    async def _end_all(self) -> None:
        """Stop all jobs and wait, a little, until their processes are gone."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_LONGEST_GOODBYE)
