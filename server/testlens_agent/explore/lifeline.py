"""Ends this process when whoever started it has gone, while it does what does not read its standard input."""

from __future__ import annotations

import os
import select
import signal
import threading
from types import TracebackType

_SECONDS_BETWEEN = 0.3


class Lifeline:
    """While it is open, the end of the stream `descriptor` ends this process and its group; nothing of it is read."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._released = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> None:
        if hasattr(select, "poll"):
            self._thread.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def release(self) -> None:
        """Watch no longer. Nothing of it is left then that a copy of the process would lack."""
        self._released.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _watch(self) -> None:
        poll = select.poll()
        poll.register(self._descriptor, 0)  # asked for nothing, it tells of the end
        while not self._released.wait(_SECONDS_BETWEEN):
            if poll.poll(0):
                if os.getpgid(0) == os.getpid():
                    os.killpg(0, signal.SIGKILL)
                os._exit(1)
