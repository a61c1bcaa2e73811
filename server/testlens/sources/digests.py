"""Digests of files: one that was not written since it was last read is not read again."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from testlens.sources.source_text import read_content

_MOST = 50_000
# As git has it of its index ("racy git"): a file may be written twice before its time of writing is another one. This
# is the coarsest such time, that of FAT.
_YOUNG_NS = 2_000_000_000
# Windows tells when a file was made, and not when its state was last changed: whoever restores a time goes unnoticed.
_TELLS = os.name != "nt"


class _State(NamedTuple):
    """What is another when a file was written, in nanoseconds and bytes."""

    written: int
    changed: int
    size: int
    number: int


class Digests:
    """Digests by one function of a file's content, which any thread may ask for."""

    def __init__(self, of_content: Callable[[bytes], str]) -> None:
        self._of_content = of_content
        self._known: dict[str, tuple[_State, str]] = {}

    def of(self, file: Path) -> str | None:
        """That of a source file as it is now; None where there is none to read, as for `read_content`."""
        name, state = str(file), _state_of(file)
        known = self._known.get(name)
        if known is not None and known[0] == state:
            return known[1]
        began = time.time_ns()
        content = read_content(file)
        if content is None:
            return None
        digest = self._of_content(content)
        if _TELLS and state is not None and max(state.written, state.changed) < began - _YOUNG_NS:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[name] = (state, digest)
        return digest


def _state_of(file: Path) -> _State | None:
    """None for what is no file by itself, such as one in an archive."""
    try:
        found = file.stat()
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return _State(found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino)
