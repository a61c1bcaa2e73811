"""Drafts to write down, in one line each."""

from __future__ import annotations

from typing import Any

from testlens.domain.cases import Case, Draft, Helper, Step
from testlens.domain.expressions import mark


def case(
    *then: str, name: str = "it_works", given: tuple[str, ...] = (), when: tuple[str, ...] = (), **rest: Any
) -> Case:
    """A case with these statements; the sentences say nothing of interest."""
    return Case(name, Step("a thing", given), Step("it is used", when), Step("it works", then), **rest)


def draft(*cases: Case, recipe: str = "error-path", group: str = "Thing", helpers: tuple[Helper, ...] = ()) -> Draft:
    """A draft of these cases."""
    return Draft(recipe, group, cases, helpers)


def asserting(value: str, **rest: Any) -> Draft:
    """A draft of one case that asserts one expression."""
    return draft(case(f"assert {value}", **rest))


RECORD = mark("shop.models", "Record")
RAISES = mark("pytest", "raises")
