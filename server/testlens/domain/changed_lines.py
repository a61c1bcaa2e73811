"""The lines that a change touched, as diff-cover counts them: measured statements, and those that no test ran.

A statement counts by its first line, as everywhere; a change to another line of it counts for nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from testlens.domain.coverage import Numbers


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """The changed lines of one measured file, in lines of the text on disk (1-based).

    `measured` are those that hold a statement; `missing` has the ones that no test ran, with their function.
    `old_path` is where the file was before, if it was moved.
    """

    path: str
    measured: frozenset[int]
    missing: Mapping[int, str]
    old_path: str | None = None

    @property
    def numbers(self) -> Numbers:
        """Their count."""
        return Numbers(len(self.measured), len(self.missing))


@dataclass(frozen=True, slots=True)
class ChangedLines:
    """What differs from a revision of git, in the measured files that changed, by path."""

    revision: str
    files: tuple[ChangedFile, ...]

    @property
    def numbers(self) -> Numbers:
        """The count of all; `percent` is that of diff-cover, not rounded."""
        return sum((file.numbers for file in self.files), Numbers())
