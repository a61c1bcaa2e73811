"""JSON lines between the server, the supervisor and the process that runs pytest."""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import Any

_ENCODED = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, default=str).encode


class EventStream:
    """Writes events, one JSON object a line, to a descriptor that the project's code does not know of.

    Copies of the process that a test forks stay silent: their events would be lies about the test run.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._owner = os.getpid()
        self._lock = threading.Lock()
        # Kept here because a test may replace them.
        self._write = os.write
        self._getpid = os.getpid

    @property
    def descriptor(self) -> int:
        """What the events are written to."""
        return self._descriptor

    def send(self, event: str, **fields: Any) -> None:
        """Write one event; raises OSError when the reader has gone."""
        if self._getpid() != self._owner:
            return
        text = _ENCODED({"event": event, **fields})
        # Half a surrogate pair, as in a file name that is no UTF-8, would fail whoever writes it out again.
        line = text.encode("utf-8", "replace") + b"\n"
        with self._lock:
            while line:
                line = line[self._write(self._descriptor, line) :]

    def problem(
        self, message: str, advice: str, path: str | None = None, line: int | None = None, severity: str = "warning"
    ) -> None:
        """Report something that went wrong; `line` is 1-based, `severity` "warning" or "error"."""
        self.send("problem", message=message, advice=advice, path=path, line=line, severity=severity)


def claim_stdout() -> EventStream:
    """Take standard output for events; whatever the project prints goes to standard error from now on."""
    sys.stdout.flush()
    private = os.dup(1)
    os.dup2(2, 1)
    return EventStream(private)


def read_request() -> dict[str, Any]:
    """Read the one JSON line that says what to do; ValueError if it is not one.

    Read byte by byte from the descriptor, so that nothing after the line is lost in a buffer.
    """
    line = bytearray()
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            break
        line += byte
    request = json.loads(line.decode("utf-8"))
    if not isinstance(request, dict):
        raise ValueError("a request is a JSON object")
    return request


def close_stdin() -> None:
    """Give the project an empty standard input, as a run without a terminal has."""
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
