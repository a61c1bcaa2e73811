"""Which lines of a source file belong to one statement."""

from __future__ import annotations

import functools
import itertools
import sys
import tokenize

_NO_STATEMENT = (tokenize.COMMENT, tokenize.ENCODING)


class Statements:
    """Those of one file from line `first` to `last`; it is read when they are first asked for.

    A statement has to begin at `first`.
    """

    def __init__(self, file: str, first: int = 1, last: int = sys.maxsize) -> None:
        self._file = file
        self._range = first, last

    def are_one(self, line: int, other: int) -> bool:
        """Whether two lines belong to one statement, as far as coverage.py's own analysis goes."""
        return line == other or self._begins.get(line, line) == self._begins.get(other, other)

    @functools.cached_property
    def _begins(self) -> dict[int, int]:
        return _first_lines(self._file, *self._range)


def _first_lines(file: str, first: int, last: int) -> dict[int, int]:
    """For each line of a statement of several lines its first one."""
    lines: dict[int, int] = {}
    begin, before = 0, first - 1
    try:
        with tokenize.open(file) as source:
            for token in tokenize.generate_tokens(itertools.islice(source, before, None).__next__):
                end = before + token.end[0]
                if token.type == tokenize.NEWLINE:
                    if begin and end != begin:
                        lines.update((line, begin) for line in range(begin, end + 1))
                    begin = 0
                    if end >= last:
                        break
                elif token.type not in _NO_STATEMENT and token.string.strip():
                    begin = begin or before + token.start[0]
    except Exception:  # noqa: BLE001  (a file that is gone or is no Python: then each other line is one of its own)
        return lines
    return lines
