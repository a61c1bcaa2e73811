"""Small changes of a text, by line, so that an editor can make and undo them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from testlens.scaffold.host import split_lines

_MARK = "\ufeff"


@dataclass(frozen=True, slots=True)
class Edit:
    """`text` in place of the lines from `line` up to and without `end` (1-based); before `line` where they are equal.

    `line` may be one past the last line of the file; all lines are those of the text before any edit.
    """

    path: str
    line: int
    end: int
    text: str


def keep_mark(edit: Edit, text: str) -> Edit:
    """The edit of a text so that a byte order mark stays its first character."""
    if edit.line > 1 or not text.startswith(_MARK):
        return edit
    if edit.end > 1:
        return replace(edit, text=_MARK + edit.text)
    first = split_lines(text)[0]
    return replace(edit, end=2, text=_MARK + edit.text + first.removeprefix(_MARK))


def apply(text: str, edits: Sequence[Edit]) -> str:
    """The text after the edits, which do not overlap and come in the order of their lines."""
    lines = split_lines(text)
    parts: list[str] = []
    position = 0
    for edit in edits:
        parts += lines[position : edit.line - 1]
        parts.append(edit.text)
        position = edit.end - 1
    return "".join([*parts, *lines[position:]])
