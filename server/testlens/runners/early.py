"""A run of tests that tells its results when the tests have ended, while pytest still comes to its own end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from testlens.runners.finishing import finish
from testlens.runners.run_log import RunResult

OnTold = Callable[[RunResult], None]


class EarlyRun:
    """Begins with the run that `start` makes, which calls its argument with the results once they are there."""

    def __init__(self, start: Callable[[OnTold], Coroutine[Any, Any, RunResult]]) -> None:
        self._told: asyncio.Future[RunResult] = asyncio.get_running_loop().create_future()
        self._whole = asyncio.ensure_future(start(self._told.set_result))

    async def results(self) -> RunResult:
        """What the tests said, and what was measured: as soon as that is known."""
        await asyncio.wait({self._whole, self._told}, return_when=asyncio.FIRST_COMPLETED)
        return self._told.result() if self._told.done() else self._whole.result()

    async def end(self) -> RunResult:
        """What came of the whole run, once it is over."""
        return await self._whole

    async def stop(self) -> None:
        """Have it end now, unless it is over."""
        self._whole.cancel()
        await finish(asyncio.wait({self._whole}))
        if not self._whole.cancelled():
            self._whole.exception()  # told already, or of no interest any more
