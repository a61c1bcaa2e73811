"""How a copy of a process ended."""

from __future__ import annotations

import os
import time

_LONGEST_SECONDS = 0.25


def reap(pid: int) -> int | None:
    """The raw exit status of a child that is ending; None where it does not end, and then it is still to be reaped."""
    pause = 0.0002
    until = time.monotonic() + _LONGEST_SECONDS
    while True:
        done, raw = os.waitpid(pid, os.WNOHANG)
        if done:
            return raw
        if time.monotonic() > until:
            return None
        time.sleep(pause)
        pause = min(2 * pause, 0.01)
