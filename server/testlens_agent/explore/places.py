"""Where a path that is about to be written leads, whatever links and folders it goes through."""

from __future__ import annotations

import os
from typing import Any

# Kept here because a test may replace them.
_realpath, _join, _split, _fsdecode = os.path.realpath, os.path.join, os.path.split, os.fsdecode
_getcwd, _readlink = os.getcwd, os.readlink
_SINKS = frozenset({os.devnull, "/dev/null", "/dev/full", "/dev/zero"})
_NO_FOLDER = -1


class Places:
    """The folders that may be written to: `writable`, absolute and without links, and all that is in them."""

    def __init__(self, writable: tuple[str, ...]) -> None:
        self._roots = tuple(_realpath(folder) for folder in writable)

    def allow(self, path: Any, folder: int = _NO_FOLDER) -> bool:
        """Whether what `path` leads to may be written; `folder` is the descriptor that a relative path starts from."""
        if isinstance(path, int):
            return self._inside(_readlink(f"/proc/self/fd/{path}"))
        text = _fsdecode(path)
        return text in _SINKS or self._inside(_realpath(_join(_base(folder), text)))

    def allow_entry(self, path: Any, folder: int = _NO_FOLDER) -> bool:
        """Whether the entry `path` itself may be made, removed or renamed, be it a link or not."""
        head, name = _split(_join(_base(folder), _fsdecode(path).rstrip("/") or "/"))
        return self._inside(_join(_realpath(head), name)) and name != ".."

    def _inside(self, path: str) -> bool:
        return any(path == root or path.startswith(root + os.sep) for root in self._roots)


def shown(path: Any, folder: int | None = _NO_FOLDER) -> str:
    """A path as a message shows it, from the descriptor of a folder on where it is relative to one."""
    try:
        text = _fsdecode(path)
        return text if folder in (None, _NO_FOLDER) else _join(_base(folder), text)
    except (TypeError, ValueError, OSError):
        return repr(path)


def _base(folder: int | None) -> str:
    if folder is None or folder == _NO_FOLDER:
        return _getcwd()
    return _readlink(f"/proc/self/fd/{folder}")  # elsewhere an OSError, which refuses
