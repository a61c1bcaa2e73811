"""What Python does not tell an audit hook of: replaced by functions that ask the sandbox first."""

from __future__ import annotations

import functools
import os
import signal
import sys
from typing import Any, Callable, NoReturn

from testlens_agent.explore.places import shown
from testlens_agent.explore.sandbox import Sandbox

sqlite3: Any
try:
    import sqlite3
except ImportError:  # a Python that was built without it
    sqlite3 = None

_SQLITE_ATTACH = 24
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def guard_the_rest(sandbox: Sandbox, leaving: Callable[[int], None]) -> None:
    """Replace the functions that no event tells of; `leaving` is called with the status before `os._exit`."""
    _guard_open(sandbox)
    for name, verb in (("mkfifo", "makes the pipe"), ("mknod", "makes the device")):
        _guard_entry(sandbox, name, verb)
    _forbid(sandbox, signal, "pidfd_send_signal", "signals another process")
    _forbid(sandbox, sys.modules.get("_posixsubprocess"), "fork_exec", "starts a program")
    _forbid_import(sandbox, "_posixshmem", "shm_open", "shares memory with other processes")
    _guard_databases(sandbox)
    _announce_exit(leaving)


def _guard_open(sandbox: Sandbox) -> None:
    real = os.open

    def guarded(path: Any, flags: int, mode: int = 0o777, *, dir_fd: Any = None) -> int:
        # The event of an opening does not say which folder a relative path starts from.
        if dir_fd is not None and flags & _WRITING and not sandbox.places.allow(path, dir_fd):
            sandbox.refuse(f"writes {shown(path, dir_fd)}")
        return real(path, flags, mode, dir_fd=dir_fd)

    _replace("open", guarded)


def _guard_entry(sandbox: Sandbox, name: str, verb: str) -> None:
    real = getattr(os, name, None)
    if real is None:
        return

    def guarded(path: Any, *arguments: Any, dir_fd: Any = None, **named: Any) -> Any:
        if not sandbox.places.allow_entry(path, -1 if dir_fd is None else dir_fd):
            sandbox.refuse(f"{verb} {shown(path, dir_fd)}")
        return real(path, *arguments, dir_fd=dir_fd, **named)

    _replace(name, guarded)


def _guard_databases(sandbox: Sandbox) -> None:
    """Refuse the statements that open further files."""
    if sqlite3 is None:
        return
    real = sqlite3.connect

    def judge(action: int, name: str | None, *rest: str | None) -> int:
        wish = sandbox.judge_database(name or "") if action == _SQLITE_ATTACH else None
        if wish is None:
            return 0
        sandbox.tell(wish)
        return 1

    @functools.wraps(real)
    def connect(*arguments: Any, **named: Any) -> Any:
        connection = real(*arguments, **named)
        connection.set_authorizer(judge)
        return connection

    sqlite3.connect = sqlite3.dbapi2.connect = connect


def _replace(name: str, guarded: Any) -> None:
    real = getattr(os, name)
    guarded.__name__, guarded.__doc__ = name, real.__doc__
    for known in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks):
        if real in known:
            known.add(guarded)
    setattr(os, name, guarded)


def _forbid_import(sandbox: Sandbox, module: str, name: str, wish: str) -> None:
    try:
        found = __import__(module)
    except ImportError:  # another platform
        return
    _forbid(sandbox, found, name, wish)


def _forbid(sandbox: Sandbox, module: Any, name: str, wish: str) -> None:
    if not hasattr(module, name):
        return

    def refused(*arguments: Any, **named: Any) -> None:
        sandbox.refuse(wish)

    setattr(module, name, refused)


def _announce_exit(leaving: Callable[[int], None]) -> None:
    real = os._exit

    def leave(status: int) -> NoReturn:
        leaving(status)
        real(status)

    os._exit = leave
