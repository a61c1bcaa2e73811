"""Stops code that takes too long, within one process."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator

# Kept here because a test may replace them.
_set_signal, _set_timer = signal.signal, getattr(signal, "setitimer", None)


class TooSlowError(BaseException):
    """Something takes too long. Code that catches Exception does not catch it."""


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TooSlowError after `seconds`, where signals can do that: in the main thread, and not on Windows."""
    if _set_timer is None or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: object) -> None:
        raise TooSlowError

    before = _set_signal(signal.SIGALRM, stop)
    _set_timer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        _set_timer(signal.ITIMER_REAL, 0)
        _set_signal(signal.SIGALRM, before)
