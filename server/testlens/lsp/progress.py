"""Work-done progress in the editor, for those clients that show it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

from lsprotocol.types import WorkDoneProgressBegin, WorkDoneProgressEnd, WorkDoneProgressReport

if TYPE_CHECKING:
    from pygls.lsp.server import LanguageServer

# A client that never answers must not hold up the work itself.
_PATIENCE = 2.0


class ProgressBar:
    """One bar in the editor, from `open` to `close`; does nothing where the client has none."""

    def __init__(self, server: LanguageServer) -> None:
        self._progress = server.work_done_progress
        window = server.client_capabilities.window
        self._possible = bool(window and window.work_done_progress)
        self._shown = False
        self._has_end = True
        # Tokens are never used twice: some clients confuse a second bar with the first.
        self._token = str(uuid.uuid4())

    async def open(self, title: str, on_cancel: Callable[[], None] | None = None) -> None:
        """Show the bar; `on_cancel` hears, on the event loop, of the user's wish to stop."""
        begin = WorkDoneProgressBegin(title=title, cancellable=on_cancel is not None, percentage=0)
        await self._open(begin, on_cancel)

    async def open_endless(self, title: str, on_cancel: Callable[[], None] | None = None) -> None:
        """Show a bar for work of which nobody knows how much there is: it has words and no length."""
        self._has_end = False
        await self._open(WorkDoneProgressBegin(title=title, cancellable=on_cancel is not None), on_cancel)

    async def _open(self, begin: WorkDoneProgressBegin, on_cancel: Callable[[], None] | None) -> None:
        if not self._possible:
            return
        try:
            await asyncio.wait_for(self._progress.create_async(self._token), _PATIENCE)
        except Exception:  # noqa: BLE001 - whatever the client answers, the work goes on without a bar
            return
        self._shown = True
        if on_cancel is not None:
            cancelled = self._progress.tokens[self._token]
            cancelled.add_done_callback(lambda future: on_cancel() if future.cancelled() else None)
        self._progress.begin(self._token, begin)

    def report(self, done: int, total: int, message: str) -> None:
        """Show how far the work is."""
        if not self._has_end:
            self.say(message)
        elif self._shown:
            percentage = 100 * done // total if total else 0
            self._progress.report(self._token, WorkDoneProgressReport(message=message, percentage=percentage))

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
