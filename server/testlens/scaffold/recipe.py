"""What a recipe is: it says whether it fits a gap, and writes tests for it, trying them as it goes."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from testlens.domain.calls import SeenCall
from testlens.domain.cases import Case, Draft, Helper
from testlens.domain.trials import FunctionDescription, Trial
from testlens.scaffold.style import Style
from testlens.scaffold.target import Target


@dataclass(frozen=True, slots=True)
class Offer:
    """A recipe that fits a gap: `title` says what it will do, `fitness` (0 to 100) how well it fits.

    `needs` are distributions that the tests would import and the project lacks; the title names them.
    """

    recipe: str
    title: str
    fitness: int
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What is known beside the source text.

    `seen` has the calls that the project's tests made, by file and dotted name. `description` is what the project's
    interpreter says of the target's function.
    """

    style: Style
    description: FunctionDescription
    seen: Mapping[tuple[str, str], tuple[SeenCall, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attempt:
    """Cases to try together; a trial comes back for each. `helpers` stand beside them while they are tried."""

    cases: tuple[Case, ...]
    helpers: tuple[Helper, ...] = ()


Search = Generator[Attempt, tuple[Trial, ...] | None, Draft]
"""Yields attempts and is sent their trials, in order. None instead of trials means that the budget is spent, or that
nothing may be run at all: the search then returns the best draft that it has, honest about what it does not know. It
may
still yield a few attempts to confirm what it found: these are tried within a small grace, or answered by None again."""


class Recipe(Protocol):
    """One way to write tests for a gap. Both methods are pure; `offer` is quick (well below a millisecond)."""

    @property
    def name(self) -> str:
        """The recipe's word in `--recipe` and in settings."""
        ...

    def offer(self, target: Target, style: Style) -> Offer | None:
        """What the recipe would do for this gap; None where it does not fit."""
        ...

    def search(self, target: Target, knowledge: Knowledge) -> Search:
        """Write the tests."""
        ...
