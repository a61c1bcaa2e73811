"""Follows the body of one test: which lines and arcs of one file it runs, and which local variables it ends with."""

from __future__ import annotations

import os
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

_BODY_OF_MODULE = "<module>"


class Body:
    """What the body of a test ran and left. `code` are the code objects of the test function, `watched` a real path.

    Arcs are as coverage.py has them: -N is the entry or exit of the code object that starts on line N. What an import
    of the watched file runs is left out.
    """

    def __init__(self, code: frozenset[CodeType], watched: str) -> None:
        self.test_code = frozenset(map(id, code))
        self.test_files = frozenset(one.co_filename for one in code)
        self.arcs: set[tuple[int, int]] = set()
        self.lines: set[int] = set()
        self.local_values: dict[str, Any] = {}
        self.began = False
        self.active = False
        self._watched = watched
        self._name = Path(watched).name
        self._known: dict[str, bool] = {}

    def is_test(self, code: CodeType) -> bool:
        """Whether this is the test function's own code."""
        return id(code) in self.test_code

    def is_watched(self, filename: str) -> bool:
        """Whether code with this file name is that of the watched file."""
        known = self._known.get(filename)
        if known is None:
            known = filename.endswith(self._name) and os.path.realpath(filename) == self._watched
            self._known[filename] = known
        return known

    def enter(self) -> None:
        """The test function begins."""
        self.began = self.active = True

    def leave(self, frame: FrameType) -> None:
        """The test function ends, however it does."""
        self.active = False
        self.local_values = dict(frame.f_locals)


def is_import(code: CodeType) -> bool:
    """Whether this code is the body of a module."""
    return code.co_name == _BODY_OF_MODULE
