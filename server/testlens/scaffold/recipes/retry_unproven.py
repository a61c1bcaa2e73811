"""Tests of code that tries again, from its text alone, for when nothing may be run."""

from __future__ import annotations

import ast

from testlens.domain.cases import Case, Step
from testlens.scaffold.recipe import Knowledge
from testlens.scaffold.recipes.answers import answers
from testlens.scaffold.recipes.reading import below
from testlens.scaffold.recipes.retry_attempts import stated_attempts
from testlens.scaffold.recipes.retry_cases import Answer, Facts, retry_cases
from testlens.scaffold.recipes.retry_probe import Behaviour
from testlens.scaffold.recipes.retry_sites import Site
from testlens.scaffold.recipes.retry_waits import waits
from testlens.scaffold.recipes.retry_ways import Way, ways
from testlens.scaffold.target import FunctionNode, Target
from testlens.scaffold.words import test_name


def as_written(site: Site, target: Target, knowledge: Knowledge) -> tuple[Case, ...]:
    """What the text promises, and what it leaves open as a TODO."""
    possible = ways(site, target, knowledge)
    stated = stated_attempts(site, target)
    if not possible:
        return (_open(target, "something", stated),)
    way = possible[0]
    answer = Answer(answers(way.call, around(way.call, site))[0])
    behaviour = _promised(way, site, target, knowledge)
    facts = Facts(behaviour, target.function.name, answer, None, stated, knowledge.style)
    return (*retry_cases(facts), _open(target, way.noun, stated))


def around(call: ast.Call, site: Site) -> FunctionNode:
    """The function that a call of the site stands in."""
    functions = (*reversed(site.chain), *site.scope)
    return next((function for function in functions if call in below(function)), site.scope[0])


def _promised(way: Way, site: Site, target: Target, knowledge: Knowledge) -> Behaviour:
    possible = waits(site, target, knowledge.description)
    return Behaviour(way, None, (), possible[0] if possible else None, frozenset(), (), None, False, None)


def _open(target: Target, noun: str, stated: int | None) -> Case:
    times = f"{stated} times, as the code reads" if stated is not None else "and how often that is"
    return Case(
        test_name(f"{noun} always fails", "todo"),
        Step(f"a `{noun}` that always fails"),
        Step(f"`{target.function.name}` is called"),
        Step("TODO"),
        todo=f"say what `{target.function.name}` does when `{noun}` failed for the last time ({times})",
    )
