"""Letters between the session and a stage: JSON objects with their length before them, and a descriptor if need be."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

_LENGTH = struct.Struct("=Q")
_CHUNK_BYTES = 65_536


def send(connection: socket.socket, letter: dict[str, Any], descriptor: int | None = None) -> None:
    """Send a letter, with a descriptor that the receiver gets a copy of; OSError if nobody is there."""
    text = json.dumps(letter).encode("ascii")
    content = _LENGTH.pack(len(text)) + text
    sent = 0
    if descriptor is not None:
        sent = socket.send_fds(connection, [content], [descriptor])
    connection.sendall(content[sent:])


def receive(connection: socket.socket) -> tuple[dict[str, Any] | None, list[int]]:
    """The next letter and the descriptors that came with it; None when the other end has gone."""
    content = b""
    descriptors: list[int] = []
    while len(content) < _LENGTH.size or len(content) < _LENGTH.size + _LENGTH.unpack_from(content)[0]:
        chunk, found, _, _ = socket.recv_fds(connection, _CHUNK_BYTES, 1)
        if not chunk:
            return None, descriptors
        content += chunk
        descriptors += found
    letter: dict[str, Any] = json.loads(content[_LENGTH.size :])
    return letter, descriptors
