"""What a process that tries something says to the one that started it: JSON lines through a pipe of its own."""

from __future__ import annotations

import json
import os
from typing import Any


class Messages:
    """Writes one JSON object a line. Keeps what it needs, because a test may replace it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._write = os.write
        self._owner = os.getpid()
        self._getpid = os.getpid
        self._dumps = json.dumps

    def send(self, **fields: Any) -> None:
        """Write one message, in the process that this was made in; a reader that has gone is no error."""
        if self._getpid() != self._owner:
            return
        line = (self._dumps(fields, default=str) + "\n").encode("utf-8", "replace")
        try:
            while line:
                line = line[self._write(self._descriptor, line) :]
        except OSError:
            pass
