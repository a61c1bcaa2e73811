"""Work-done progress in the editor, for those clients that show it."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

from lsprotocol.types import WorkDoneProgressBegin, WorkDoneProgressEnd, WorkDoneProgressReport

if TYPE_CHECKING:
    from pygls.lsp.server import LanguageServer

    from testlens.workspace.scaffolding import Progress

# A client that never answers must not hold up the work itself.
_PATIENCE = 2.0
_SAY_EVERY = 0.1


class ProgressBar:
    """One bar in the editor, from `open` to `close`; does nothing where the client has none.

    `on_cancel` hears, on the event loop, of the user's wish to stop; without it the bar offers none. It moves at most
    ten times a second, since each message keeps requests waiting; that all is done is said at once.
    """

    def __init__(self, server: LanguageServer, on_cancel: Callable[[], None] | None = None) -> None:
        self._on_cancel = on_cancel
        self._progress = server.work_done_progress
        window = server.client_capabilities.window
        self._possible = bool(window and window.work_done_progress)
        self._shown = False
        self._has_end = True
        self._moved_at = 0.0
        self._coming: WorkDoneProgressReport | None = None
        # Tokens are never used twice: some clients confuse a second bar with the first.
        self._token = str(uuid.uuid4())

    async def open(self, title: str) -> None:
        """Show the bar."""
        await self._open(WorkDoneProgressBegin(title=title, cancellable=self._on_cancel is not None, percentage=0))

    async def open_endless(self, title: str) -> None:
        """Show a bar for work of which nobody knows how much there is: it has words and no length."""
        self._has_end = False
        await self._open(WorkDoneProgressBegin(title=title, cancellable=self._on_cancel is not None))

    async def _open(self, begin: WorkDoneProgressBegin) -> None:
        if not self._possible:
            return
        try:
            await asyncio.wait_for(self._progress.create_async(self._token), _PATIENCE)
        except Exception:  # noqa: BLE001 - whatever the client answers, the work goes on without a bar
            return
        self._shown = True
        on_cancel = self._on_cancel
        if on_cancel is not None:
            cancelled = self._progress.tokens[self._token]
            cancelled.add_done_callback(lambda future: on_cancel() if future.cancelled() else None)
        self._progress.begin(self._token, begin)

    def report(self, done: int, total: int, message: str) -> None:
        """Show how far the work is."""
        if not self._has_end:
            self.say(message)
            return
        percentage = 100 * done // total if total else 0
        is_first, self._coming = self._coming is None, WorkDoneProgressReport(message=message, percentage=percentage)
        wait = self._moved_at + _SAY_EVERY - time.monotonic()
        if wait <= 0 or done == total:
            self._move()
        elif is_first:
            asyncio.get_running_loop().call_later(wait, self._move)

    def _move(self) -> None:
        coming, self._coming = self._coming, None
        if self._shown and coming is not None:
            self._moved_at = time.monotonic()
            self._progress.report(self._token, coming)

    def say(self, message: str) -> None:
        """Show what is being done, wherever that is."""
        if self._shown:
            self._progress.report(self._token, WorkDoneProgressReport(message=message))

    def close(self, message: str = "") -> None:
        """Take the bar away."""
        if self._shown:
            self._progress.end(self._token, WorkDoneProgressEnd(message=message))
            # pygls keeps tokens for ever.
            self._progress.tokens.pop(self._token, None)
            self._shown = False


def shown_progress(bar: ProgressBar) -> Progress:
    """Shows what is done and how much was tried, at most ten times a second."""
    shown_at = 0.0
    shown = ""

    def say(what: str, tried: int) -> None:
        nonlocal shown_at, shown
        now = time.monotonic()
        if what == shown and now - shown_at < _SAY_EVERY:
            return
        shown, shown_at = what, now
        bar.say(f"{what}, {tried} tried" if tried else what)

    return say
