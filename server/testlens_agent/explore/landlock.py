"""Linux' own guard behind the audit hook: it stops what C code does without telling Python.

See https://docs.kernel.org/userspace-api/landlock.html; a kernel that has none of it leaves the audit hook alone.
"""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Iterable, Iterator
from typing import Any

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_VERSION = 1
_PATH_BENEATH = 1
_NO_NEW_PRIVILEGES = 38

_EXECUTE, _WRITE_FILE, _REMOVE_FILE, _MAKE_FILE, _REFER, _TRUNCATE = 1, 1 << 1, 1 << 5, 1 << 8, 1 << 13, 1 << 14
# Everything that changes a file system: removing and making entries of each kind (bits 4 to 12), and writing.
_CHANGES = _WRITE_FILE | sum(1 << bit for bit in range(4, 13))
_BIND_AND_CONNECT = 0b11
_SIGNALS_AND_SOCKETS = 0b11
_SEMAPHORES = "/dev/shm"  # noqa: S108  (where the C library keeps locks between processes)


def restrict(writable: Iterable[str], network: bool) -> bool:
    """Let this process change nothing outside of these folders; false where the kernel cannot do that."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
    except (ImportError, OSError):
        return False
    version = libc.syscall(_CREATE, None, 0, _VERSION)
    if version < 1:
        return False
    handled = _handled(version)
    ruleset = _ruleset(libc, version, handled, network)
    if ruleset < 0:
        return False
    for place, rights in _allowed(writable):
        _allow(libc, ruleset, place, rights & handled)
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    done = libc.syscall(_RESTRICT, ruleset, 0) == 0
    os.close(ruleset)
    return bool(done)


def _handled(version: int) -> int:
    return _EXECUTE | _CHANGES | (_REFER if version >= 2 else 0) | (_TRUNCATE if version >= 3 else 0)


def _allowed(writable: Iterable[str]) -> Iterator[tuple[str, int]]:
    yield from ((place, _CHANGES | _REFER | _TRUNCATE) for place in writable)
    yield os.devnull, _WRITE_FILE | _TRUNCATE
    yield _SEMAPHORES, _WRITE_FILE | _MAKE_FILE | _REMOVE_FILE | _REFER


def _ruleset(libc: Any, version: int, handled: int, network: bool) -> int:
    fields = [handled]
    if version >= 4:
        fields.append(0 if network else _BIND_AND_CONNECT)
    if version >= 6:
        fields.append(_SIGNALS_AND_SOCKETS)
    attributes = struct.pack(f"={len(fields)}Q", *fields)
    return int(libc.syscall(_CREATE, attributes, len(attributes), 0))


def _allow(libc: Any, ruleset: int, place: str, rights: int) -> None:
    try:
        descriptor = os.open(place, os.O_PATH | os.O_CLOEXEC)
    except OSError:  # it does not exist here
        return
    if not os.path.isdir(place):  # noqa: PTH112  (a plain string)
        rights &= _EXECUTE | _WRITE_FILE | _TRUNCATE
    libc.syscall(_ADD, ruleset, _PATH_BENEATH, struct.pack("=Qi", rights, descriptor), 0)
    os.close(descriptor)
