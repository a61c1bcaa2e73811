"""How the lines of a file came to be, as far as risk asks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """The change facts of one function.

    `age_days` since the newest of its code lines changed; `share365` of its code lines changed in the last 365 days
    (0 to 1); `authors` distinct authors of its lines; `commits` to its file in the last 12 months.
    """

    age_days: float
    share365: float
    authors: int
    commits: int
