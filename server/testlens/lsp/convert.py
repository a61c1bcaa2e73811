"""The only place that turns Testlens' 1-based lines into LSP's 0-based lines and UTF-16 columns, and back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from lsprotocol.types import Position, Range
from pygls.uris import from_fs_path, to_fs_path

from testlens.domain.mutants import Span

# Line ends as LSP defines them; str.splitlines would also split at form feeds and the like.
_LINE_END = re.compile(r"\r\n|\n|\r")


def to_line(position: Position) -> int:
    """The 1-based line of a position."""
    return position.line + 1


def from_line(line: int) -> int:
    """The 0-based line of a 1-based one."""
    return line - 1


def flat_ranges(lines: Iterable[int]) -> list[int]:
    """1-based lines as a flat list of 0-based ranges, neighbours joined."""
    flat: list[int] = []
    for line in sorted(set(lines)):
        if flat and flat[-1] == line - 2:
            flat[-1] = line - 1
        else:
            flat += [line - 1, line - 1]
    return flat


def flat_pairs(spans: Iterable[tuple[int, int]]) -> list[int]:
    """1-based spans as a flat list of 0-based ranges; neighbours stay apart, since each is a place of its own."""
    return [line - 1 for span in sorted(set(spans)) for line in span]


def split_lines(text: str) -> list[str]:
    """The lines of a document without their ends."""
    return _LINE_END.split(text)


def text_range(lines: Sequence[str], first: int, last: int) -> Range:
    """From the first character of line `first` that is no space to the end of line `last` (1-based)."""
    head, tail = _line(lines, first), _line(lines, last).rstrip()
    indent = len(head) - len(head.lstrip("\ufeff \t\f"))
    return Range(Position(first - 1, utf16_length(head[:indent])), Position(last - 1, utf16_length(tail)))


def span_range(lines: Sequence[str], span: Span) -> Range:
    """A range of the text with these lines, which has it in full."""
    first, last = _line(lines, span.first_line), _line(lines, span.last_line)
    start = Position(span.first_line - 1, utf16_length(first[: span.first_column]))
    return Range(start, Position(span.last_line - 1, utf16_length(last[: span.last_column])))


def line_range(line: int) -> Range:
    """The start of a 1-based line, for what belongs to a line and not to its text."""
    return Range(Position(line - 1, 0), Position(line - 1, 0))


def utf16_length(text: str) -> int:
    """How many UTF-16 units `text` takes; characters beyond the basic plane take two."""
    return len(text) + sum(character > "\uffff" for character in text)


def path_of(uri: str) -> Path | None:
    """The file of a URI; None for untitled documents and the like."""
    if not uri.startswith("file:"):
        return None
    path = to_fs_path(uri)
    return Path(path) if path else None


def uri_of(path: Path) -> str:
    """The URI of an absolute path."""
    return from_fs_path(str(path)) or path.as_uri()


def _line(lines: Sequence[str], line: int) -> str:
    return lines[line - 1] if 0 < line <= len(lines) else ""
