"""What a process that tries something says to the one that started it: JSON lines through a pipe of its own."""

from __future__ import annotations

import json
import os
from typing import Any

NOWHERE = -1


class Messages:
    """Writes one JSON object a line. Keeps what it needs, because a test may replace it."""

    def __init__(self, descriptor: int) -> None:
        self._write = os.write
        self._getpid = os.getpid
        self._dumps = json.dumps
        self.go_to(descriptor)

    def go_to(self, descriptor: int) -> None:
        """From now on it is this process that writes, to this descriptor; NOWHERE: nothing is written."""
        self._descriptor = descriptor
        self._owner = self._getpid()

    def send(self, **fields: Any) -> None:
        """Write one message, in the process that it belongs to; a reader that has gone is no error."""
        if self._descriptor == NOWHERE or self._getpid() != self._owner:
            return
        line = (self._dumps(fields, default=str) + "\n").encode("utf-8", "replace")
        try:
            while line:
                line = line[self._write(self._descriptor, line) :]
        except OSError:
            pass
