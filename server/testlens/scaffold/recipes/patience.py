"""A second chance for what did not end in time: the first test in a process pays for all that its fixtures load."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

from testlens.domain.trials import Trial
from testlens.scaffold.recipe import Attempt

# As many as are tried at once, each in a process of its own.
_MOST = 2


def patiently(attempt: Attempt) -> Generator[Attempt, tuple[Trial, ...] | None, tuple[Trial, ...] | None]:
    """The trials of an attempt, those that ran out of time tried again."""
    trials = yield attempt
    if trials is None:
        return None
    late = [index for index, trial in enumerate(trials) if trial.outcome == "timeout"][:_MOST]
    if not late:
        return trials
    again = yield replace(attempt, cases=tuple(attempt.cases[index] for index in late))
    if again is None:
        return trials
    better = dict(zip(late, again, strict=True))
    return tuple(better.get(index, trial) for index, trial in enumerate(trials))
