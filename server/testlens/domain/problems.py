"""A problem is a value: what went wrong, where, and what the user can do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "information"]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that Testlens could not read or do.

    `message` says what happened and `advice` what to do next, each as one sentence. `path` is as the user would
    write it (relative to the workspace where it lies inside), `line` is 1-based.
    """

    message: str
    advice: str
    path: str | None = None
    line: int | None = None
    severity: Severity = "warning"

    @property
    def sentences(self) -> str:
        """What happened and what to do, without the place. Words of other programs often come without a full stop."""
        ending = "" if self.message.endswith((".", "!", "?", ":")) else "."
        return f"{self.message}{ending} {self.advice}"

    def __str__(self) -> str:
        place = self.path or ""
        if self.path and self.line:
            place = f"{self.path}:{self.line}"
        prefix = f"{place}: " if place else ""
        return f"{prefix}{self.sentences}"
