"""Takes from a forked process what it shares with the session: descriptors, streams; and bounds what it may use."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from pathlib import Path
from typing import Any

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

_MEGABYTE = 1024 * 1024
_LARGEST_FILE = 256 * _MEGABYTE


def limit_memory(megabytes: int) -> None:
    """Let this process take `megabytes` more than it has, write no large file and leave no core."""
    try:
        import resource
    except ImportError:  # Windows
        return
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, _LARGEST_FILE)
    present = _present_size()
    if present is not None:
        _lower(resource.RLIMIT_AS, present + megabytes * _MEGABYTE)


def limit_time(seconds: float) -> None:
    """Let this process compute for `seconds` more; that is a second rope, the first is who watches the clock."""
    try:
        import resource
    except ImportError:
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime + seconds) + 2
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def let_go(keep: int, scratch: str) -> None:
    """Close what only the session may use: its standard streams, files open for writing, and connections.

    `keep` is the descriptor that messages go through; files in `scratch` stay open.
    """
    empty = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(empty, descriptor)
    for descriptor in _open_descriptors():
        if descriptor > 2 and descriptor not in (keep, empty) and _is_shared(descriptor, scratch):
            os.dup2(empty, descriptor, inheritable=False)
    os.close(empty)


def _is_shared(descriptor: int, scratch: str) -> bool:
    if fcntl is None:
        return False
    try:
        kind = os.fstat(descriptor).st_mode
        if stat.S_ISFIFO(kind):
            return True
        if stat.S_ISSOCK(kind):
            return _has_address(descriptor)
        if not stat.S_ISREG(kind):
            return False
        writes = fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY
    except OSError:
        return False
    return writes and not _is_temporary(descriptor, scratch)


def _is_temporary(descriptor: int, scratch: str) -> bool:
    """A file of the trial's own folder, or one that has no name any more, as pytest captures output with."""
    try:
        name = str(Path(f"/proc/self/fd/{descriptor}").readlink())
    except OSError:
        return False
    return name.startswith(scratch) or name.endswith(" (deleted)")


def _has_address(descriptor: int) -> bool:
    import socket

    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as copy:
        return copy.family != getattr(socket, "AF_UNIX", None) or bool(copy.getsockname())
    return False


def _open_descriptors() -> list[int]:
    for folder in ("/proc/self/fd", "/dev/fd"):
        with contextlib.suppress(OSError):
            return [int(entry.name) for entry in Path(folder).iterdir()]
    return list(range(3, 256))


def _present_size() -> int | None:
    if not sys.platform.startswith("linux"):
        return None  # where it is not known, a limit might stop the session's own memory
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _lower(kind: int, limit: int) -> None:
    import resource

    hard = resource.getrlimit(kind)[1]
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(kind, (limit, hard))
