"""Where output goes: results to standard output, everything else to standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from testlens.domain.problems import Problem, Severity

if TYPE_CHECKING:
    from rich.console import Console

_WORDS: Mapping[Severity, str] = {"error": "Error", "warning": "Warning", "information": "Note"}
_PIPED_WIDTH = 100


def prepare_streams() -> None:
    """Make sure that no name of a file or test can stop the output, whatever the locale."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def results() -> Console:
    """The console for what a command found."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else _piped_width()
    return Console(highlight=False, width=width)


def progress() -> Console:
    """The console for how a command gets on."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def print_json(value: Mapping[str, Any]) -> None:
    """The one object that a command with `--json` leaves on standard output."""
    print(json.dumps(value))


def print_problems(problems: Iterable[Problem]) -> None:
    """Each problem once, worst first, on standard error."""
    order = list(_WORDS)
    for problem in sorted(dict.fromkeys(problems), key=lambda problem: order.index(problem.severity)):
        print(f"{_WORDS[problem.severity]}: {problem}", file=sys.stderr)


def _piped_width() -> int | None:
    import os

    return None if os.environ.get("COLUMNS", "").isdigit() else _PIPED_WIDTH
