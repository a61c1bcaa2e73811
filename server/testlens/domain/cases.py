"""Tests before they are written down: what they do and claim, apart from any project's style.

All code is marked source (see expressions.py), one statement an entry; a compound statement is one entry of several
lines, indented by four spaces.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Step:
    """One of Given, When and Then: the sentence that follows that word, and the statements that carry it out."""

    text: str
    code: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """One test. `name` is in snake case without `test_`; `fixtures` are the arguments it asks pytest for.

    `decorators` are marked source without the `@`. `records_today` says that an assertion of `then` states what the
    code does now and nobody has confirmed that it should: the renderer adds the one comment that says so. `todo` is
    what is left for the developer; the renderer then ends the test with `pytest.fail(todo)`.
    """

    name: str
    given: Step
    when: Step
    then: Step
    fixtures: tuple[str, ...] = ()
    decorators: tuple[str, ...] = ()
    is_async: bool = False
    records_today: bool = False
    todo: str | None = None


@dataclass(frozen=True, slots=True)
class Helper:
    """A fixture or function that cases need: complete marked source of one definition, decorators included.

    `place` says where it belongs; it is written only where no helper of that name is in reach yet.
    """

    name: str
    code: str
    place: Literal["conftest", "module"] = "conftest"


@dataclass(frozen=True, slots=True)
class Draft:
    """The tests that one recipe writes for one gap.

    `group` names what the cases are about (`SaveHealthData`), for projects or recipes that put tests into a class;
    `needs` are the distributions that the project lacks and the tests import.
    """

    recipe: str
    group: str
    cases: tuple[Case, ...]
    helpers: tuple[Helper, ...] = ()
    needs: tuple[str, ...] = ()
