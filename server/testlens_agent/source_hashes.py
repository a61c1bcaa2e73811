"""What identifies the files that ran, which is found out while they still do."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Callable, NamedTuple

_ATTEMPTS = 3


class Found(NamedTuple):
    """SHA-256 of the bytes of files by absolute path: of those that ran, and of those of which that is not certain."""

    certain: dict[str, str]
    rewritten: dict[str, str]


class _State(NamedTuple):
    """What is another once a file was written: times in seconds and nanoseconds since the epoch, bytes."""

    written: float
    written_ns: int
    size: int
    number: int


class SourceHashes:
    """Of files that run from `began` on, in seconds since the epoch.

    Of a file that was written after that it is not known which text ran.
    """

    def __init__(self, began: float) -> None:
        self._began = began
        self._known: dict[str, tuple[_State, str]] = {}
        self._looked_at: set[str] = set()
        self._next: list[str] = []

    def take_one(self, names: Callable[[], set[str]]) -> bool:
        """Read one of the files that `names` gives now, if it was not looked at before; False where there is none."""
        if not self._next:
            self._next = list(names() - self._looked_at)
            self._looked_at.update(self._next)
        if not self._next:
            return False
        self._read(self._next.pop())
        return True

    def of(self, names: Iterable[str]) -> Found:
        """Those of these files, as they are now."""
        found = Found({}, {})
        for name in names:
            if name not in self._known or self._known[name][0] != _state_of(name):
                self._read(name)
            if name in self._known:
                state, digest = self._known[name]
                (found.certain if state.written < self._began else found.rewritten)[name] = digest
        return found

    def _read(self, name: str) -> None:
        self._known.pop(name, None)
        for _ in range(_ATTEMPTS):
            state = _state_of(name)
            try:
                content = Path(name).read_bytes()
            except OSError:
                return
            if state is not None and state == _state_of(name):  # nobody was writing it just then
                self._known[name] = (state, hashlib.sha256(content).hexdigest())
                return


def _state_of(name: str) -> _State | None:
    try:
        found = Path(name).stat()
    except OSError:
        return None
    return _State(found.st_mtime, found.st_mtime_ns, found.st_size, found.st_ino)
