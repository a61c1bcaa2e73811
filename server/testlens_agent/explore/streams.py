"""Descriptors that one can wait for together with others."""

from __future__ import annotations

import contextlib
import os
import socket
import threading

_CHUNK_BYTES = 65_536


class Stream:
    """What comes through a descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        """What a selector waits for."""
        return self._descriptor

    def read(self) -> bytes:
        """What has come, nothing at the end; blocks while there is neither."""
        return os.read(self._descriptor, _CHUNK_BYTES)

    def close(self) -> None:
        """Let go of what this made; the descriptor is the caller's."""


class PumpedStream(Stream):
    """The same where a selector takes nothing but sockets, as on Windows: a thread passes on what comes."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor)
        self._here, self._there = socket.socketpair()
        threading.Thread(target=self._pump, daemon=True).start()

    def fileno(self) -> int:
        return self._here.fileno()

    def read(self) -> bytes:
        return self._here.recv(_CHUNK_BYTES)

    def close(self) -> None:
        self._here.close()

    def _pump(self) -> None:
        with contextlib.suppress(OSError), self._there:  # the other end has gone, or the descriptor has
            while chunk := os.read(self._descriptor, _CHUNK_BYTES):
                self._there.sendall(chunk)
