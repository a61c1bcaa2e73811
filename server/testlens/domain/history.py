"""How the lines of a file came to be, as far as risk asks."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass

NOT_COMMITTED = -1
_DAY = 86_400.0
_YEAR = 365 * _DAY


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


@dataclass(frozen=True, slots=True)
class FileHistory:
    """The history of one file as it stood in the working tree at `read_at` (seconds since the epoch).

    Entry `n - 1` of `times` and `authors` belongs to line `n`: when it was committed (seconds since the epoch) and a
    number for who wrote it. A line that is not committed has the time `read_at` and the author `NOT_COMMITTED`.
    `commits` to the file are those of the 365 days before `read_at`.
    """

    read_at: float
    times: array[int]
    authors: array[int]
    commits: int


def change_of(history: FileHistory, first: int, last: int, code_lines: Iterable[int]) -> Change | None:
    """What the history says of those of `code_lines` that lie in lines `first` to `last`.

    None where it knows no such line, because there is none or the file has grown since. Lines that are not committed
    are new, but stand for no further author: most likely they are by one of those who wrote the rest.
    """
    known = [line - 1 for line in code_lines if first <= line <= last and 1 <= line <= len(history.times)]
    if not known:
        return None
    times = [history.times[index] for index in known]
    authors = {history.authors[index] for index in known} - {NOT_COMMITTED}
    return Change(
        age_days=max(0.0, (history.read_at - max(times)) / _DAY),
        share365=sum(time > history.read_at - _YEAR for time in times) / len(times),
        authors=max(1, len(authors)),
        commits=history.commits,
    )
