"""Carries line numbers from the text that was measured to the text as it is now.

A line that was not touched keeps what is known of it; a line that stands in for measured ones is stale; a new line has
nothing known of it. Nothing is ever carried to a line with other text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from testlens.domain.coverage import FileCoverage


@dataclass(frozen=True, slots=True)
class Anchors:
    """`moved` maps measured lines to current ones (1-based); `replaced` are current lines that stand for older ones.

    `moved` is None where text is unchanged: every line is where it was.
    """

    moved: dict[int, int] | None
    replaced: frozenset[int] = frozenset()

    def current(self, line: int) -> int | None:
        """Where the measured `line` is now, or None if it was changed or deleted."""
        return line if self.moved is None else self.moved.get(line)


UNCHANGED = Anchors(None)


@dataclass(frozen=True, slots=True)
class Marks:
    """The lines of the current text by state, 1-based; `failing` ran only in tests that fail."""

    covered: tuple[int, ...] = ()
    partial: tuple[int, ...] = ()
    uncovered: tuple[int, ...] = ()
    stale: tuple[int, ...] = ()
    failing: tuple[int, ...] = ()


def anchor(measured: str, current: str) -> Anchors:
    """Compare two texts with `\\n` line ends, line by line."""
    if measured == current:
        return UNCHANGED
    old, new = measured.split("\n"), current.split("\n")
    head = common_prefix(old, new)
    tail = common_prefix(old[head:][::-1], new[head:][::-1])
    moved = {line: line for line in range(1, head + 1)}
    shift = len(new) - len(old)
    moved |= {line: line + shift for line in range(len(old) - tail + 1, len(old) + 1)}
    replaced = _align(old[head : len(old) - tail], new[head : len(new) - tail], head, moved)
    return Anchors(moved, frozenset(replaced))


def place(coverage: FileCoverage, failing_only: Iterable[int], anchors: Anchors) -> Marks:
    """The marks of a file in the current text. `failing_only` are measured lines that no passing test ran."""
    failing = frozenset(failing_only) & coverage.statements - coverage.missing
    partial = coverage.partial - failing
    covered = coverage.statements - coverage.missing - partial - failing
    return Marks(
        _move(covered, anchors),
        _move(partial, anchors),
        _move(coverage.missing, anchors),
        tuple(sorted(anchors.replaced)),
        _move(failing, anchors),
    )


def _move(lines: Iterable[int], anchors: Anchors) -> tuple[int, ...]:
    moved = (anchors.current(line) for line in lines)
    return tuple(sorted(line for line in moved if line is not None))


def common_prefix(old: Sequence[str], new: Sequence[str]) -> int:
    """How many lines, or characters, are the same at the beginning of both."""
    count = 0
    for one, other in zip(old, new, strict=False):
        if one != other:
            break
        count += 1
    return count


def _align(old: list[str], new: list[str], offset: int, moved: dict[int, int]) -> set[int]:
    """Match the middle parts, adding to `moved`; gives the new lines that replace old ones."""
    replaced: set[int] = set()
    # `autojunk` would ignore lines that repeat often, such as `return None`.
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for tag, old_first, old_end, new_first, new_end in matcher.get_opcodes():
        if tag == "equal":
            pairs = zip(range(old_first, old_end), range(new_first, new_end), strict=True)
            moved.update((offset + before + 1, offset + after + 1) for before, after in pairs)
        elif tag == "replace":
            replaced.update(offset + line + 1 for line in range(new_first, new_end) if new[line].strip())
    return replaced
