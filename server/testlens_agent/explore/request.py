"""What the explorer is asked to do: the one line that starts it, and the commands that follow."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

MOST_AT_ONCE = 2
# Large enough for a library that takes seconds to import, on a machine that is busy.
_PREPARATION_FACTOR = 10


@dataclass(frozen=True)
class Request:
    """The first line. `root` and `scratch` are absolute; `scratch` is an empty folder that trials may write to.

    `near` is a test file or folder beside which new tests will stand. A trial has `seconds` of time and may use
    `memory_mb` more megabytes than the session itself. `fork` says that trials are forked from one warm session;
    without it each command gets a process that starts a session of its own. `only` is what such a process is to do.
    """

    root: Path
    scratch: Path
    pytest_args: tuple[str, ...]
    near: Path | None
    seconds: float
    memory_mb: int
    network: bool
    fork: bool
    only: dict[str, Any] | None

    @property
    def preparation_seconds(self) -> float:
        """The time for what comes before a trial: to import, to collect, to set up."""
        return self.seconds * _PREPARATION_FACTOR

    @classmethod
    def parse(cls, fields: dict[str, Any], can_fork: bool) -> Request:
        """The request that these fields make; KeyError, TypeError or ValueError if they make none."""
        near = fields.get("near")
        return cls(
            root=Path(fields["root"]),
            scratch=Path(fields["scratch"]),
            pytest_args=tuple(fields.get("pytest_args", ())),
            near=None if near is None else Path(near),
            seconds=float(fields.get("seconds", 2.0)),
            memory_mb=int(fields.get("memory_mb", 2048)),
            network=bool(fields.get("network", False)),
            fork=can_fork and bool(fields.get("fork", True)),
            only=fields.get("only"),
        )
