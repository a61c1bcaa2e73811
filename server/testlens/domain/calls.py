"""Calls that were seen while the project's own tests ran: how those tests build things, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from testlens.domain.expressions import Expression


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception: its class in marked source, its message, and the 1-based line of the watched file it left from.

    `line` is the innermost line of that file that the exception passed, None where it passed none. `attributes` are
    its public ones that can be rebuilt, by name in marked source.
    """

    type: str
    message: str
    line: int | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SeenCall:
    """One call of a function by a test. A value is None where no source text can rebuild it.

    `arguments` are by parameter name, `*args` and `**kwargs` under their own names as a tuple and a dict. `receiver` is
    `self` of a method, None for functions, class methods and static methods. `raised` excludes `result`. `left` is the
    line (1-based) of the file, as it was then, on which the call ended: which way through the function it took.
    """

    test: str
    arguments: Mapping[str, Expression | None]
    receiver: Expression | None = None
    result: Expression | None = None
    raised: Raised | None = None
    left: int | None = None


SeenCalls = Mapping[tuple[str, str], tuple[SeenCall, ...]]
"""By file (POSIX, relative to the workspace folder) and dotted name of the function."""
