"""Runs a command's asynchronous work so that a request to end it, of whatever kind, ends its child processes first."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run_stoppable(work: Coroutine[Any, Any, T]) -> T:
    """What comes of `work`; KeyboardInterrupt where the user, or the system, wanted it to end."""
    return asyncio.run(_until_done(work))


async def _until_done(work: Coroutine[Any, Any, T]) -> T:
    running = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for name in ("SIGTERM", "SIGHUP"):
        with contextlib.suppress(AttributeError, NotImplementedError):
            loop.add_signal_handler(getattr(signal, name), running.cancel)
    try:
        return await running
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
