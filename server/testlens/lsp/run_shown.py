"""Shows in the editor how a test run of a folder gets on: its counts in the status bar and in a progress bar."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from testlens.lsp.folders import Folder, RunCounts
from testlens.lsp.progress import ProgressBar

if TYPE_CHECKING:
    from testlens.lsp.server import TestlensServer
    from testlens.runners.events import Event

_STATUS_EVERY = 0.1


class RunShown:
    """One run; `take` is handed its events. Shows at most ten times a second, and what came last is never lost."""

    def __init__(self, server: TestlensServer, folder: Folder, counts: RunCounts, bar: ProgressBar) -> None:
        self._server = server
        self._folder = folder
        self._counts = counts
        self._bar = bar
        self._waiting: asyncio.TimerHandle | None = None

    def take(self, event: Event) -> None:
        """Count what `event` tells, and show it soon."""
        from testlens.runners.events import Collected, TestFinished

        self._server.announce_test_event(self._folder, event)
        counts = self._counts
        match event:
            case Collected(total=total):
                # Tests that run again, since their process died, are counted again.
                counts.total, counts.done, counts.failed = total, 0, 0
            case TestFinished(outcome=outcome):
                counts.done += 1
                counts.failed += outcome in ("failed", "error")
            case _:
                return
        if self._waiting is None:
            self._waiting = asyncio.get_running_loop().call_later(_STATUS_EVERY, self._show)

    def _show(self) -> None:
        self._waiting = None
        counts = self._counts
        failed = f", {counts.failed} failed" if counts.failed else ""
        self._bar.report(counts.done, counts.total, f"{counts.done} of {counts.total} tests{failed}")
        self._server.announce_state(self._folder)
