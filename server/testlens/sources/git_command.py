"""git as Testlens runs it: nothing that a repository's configuration names is started, and nothing is fetched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from testlens.domain.problems import Problem


class CompletedText(Protocol):
    """A command that ran to its end: its exit status and what it printed."""

    @property
    def status(self) -> int: ...
    @property
    def output(self) -> str: ...
    @property
    def errors(self) -> str: ...


Run = Callable[[Sequence[str], Path], CompletedText | Problem]
"""Runs a command in a folder and waits for it; a Problem where it could not be started or did not end in time."""

_TRANSPORTS = ("file", "ext", "ssh", "git", "http", "https")
SWITCHED_OFF = (
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "log.showSignature=false",  # would start gpg.program
    "protocol.allow=never",
    *(f"protocol.{name}.allow=never" for name in _TRANSPORTS),
)
"""The settings of git that could start a program or reach another host, as `-c` wants them."""

GIT = ("git", "--no-pager", "--no-optional-locks", "--literal-pathspecs")
