"""The end of a recipe's search: each test was seen to pass, and together they reach the gap."""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from dataclasses import replace

from testlens.domain.cases import Case, Draft, Helper
from testlens.domain.trials import Trial
from testlens.scaffold.assertions import Circumstance
from testlens.scaffold.recipe import Attempt, Knowledge, Search
from testlens.scaffold.recipes.patience import patiently
from testlens.scaffold.recipes.reaching import confirmed, reaching
from testlens.scaffold.search import reach
from testlens.scaffold.staging import RESULT
from testlens.scaffold.target import Target
from testlens.scaffold.words import camel, circumstance, subject_in_words

_RESULT = re.compile(rf"\b{RESULT}\b")


def group_of(target: Target, about: str) -> str:
    """The name for the tests of one function that are about one thing."""
    name = target.function.name.strip("_")
    if name == "init" and target.owner is not None:
        name = target.owner.name
    # `WithRetriesRetries` says nothing twice.
    return camel(name) if about.lower()[:4] in name else f"{camel(name)}{about}"


def usual_words(target: Target) -> Circumstance:
    """The words for a test that no recipe has better ones for."""
    special = circumstance(target)
    called = f"{target.function.name.strip('_').replace('_', ' ')} is called"
    return Circumstance(f"{subject_in_words(target)}, where {special}", called, special)


def finished(
    recipe: str,
    group: str,
    cases: Sequence[Case],
    helpers: tuple[Helper, ...],
    target: Target,
    knowledge: Knowledge,
) -> Search:
    """The draft of those cases that pass, with one more where none of them reaches the gap."""
    if not cases:
        return (yield from reaching(recipe, target, knowledge, usual_words))
    kept, trials = yield from passing(cases, helpers)
    if trials is None:
        return Draft(recipe, group, tuple(cases), helpers)
    return (yield from completed(Draft(recipe, group, kept, used(helpers, kept)), trials, target, knowledge))


def completed(draft: Draft, trials: Sequence[Trial], target: Target, knowledge: Knowledge) -> Search:
    """The draft, whose cases had these trials, with one more case where none of them reached the gap."""
    if any(reaches(target, trial) for trial in trials):
        return draft
    found = yield from reach(target, knowledge)
    if found:
        more = yield from confirmed(found[:1], usual_words(target), knowledge.style)
        # A TODO beside tests that are finished would spoil them.
        draft = replace(draft, cases=(*draft.cases, *(case for case in more if case.todo is None)))
    if not draft.cases:
        return (yield from reaching(draft.recipe, target, knowledge, usual_words))
    return draft


Passing = Generator[Attempt, tuple[Trial, ...] | None, tuple[tuple[Case, ...], tuple[Trial, ...] | None]]


def passing(cases: Sequence[Case], helpers: tuple[Helper, ...]) -> Passing:
    """The cases that pass twice, with their trials; one that fails is tried again without what it says of results."""
    trials = yield from patiently(Attempt((*cases, *cases), helpers))
    if trials is None:
        return tuple(cases), None
    first, second = trials[: len(cases)], trials[len(cases) :]
    good = {index: one for index, (one, other) in enumerate(zip(first, second, strict=True)) if _passed(one, other)}
    mended = {index: weaker for index, case in enumerate(cases) if index not in good and (weaker := _weaker(case))}
    if mended:
        again = yield Attempt(tuple(mended.values()), helpers)
        for (index, _), trial in zip(mended.items(), again or (), strict=False):
            if trial.outcome == "passed":
                good[index] = trial
    chosen = [mended.get(index, case) for index, case in enumerate(cases) if index in good]
    return tuple(chosen), tuple(good[index] for index in sorted(good))


def reaches(target: Target, trial: Trial) -> bool:
    """Whether a trial ran something of the gap."""
    if target.region.kind == "partial":
        return bool(frozenset(target.region.arcs) & trial.arcs)
    return bool(target.lines & trial.lines)


def used(helpers: tuple[Helper, ...], cases: Sequence[Case]) -> tuple[Helper, ...]:
    """The helpers that the cases ask for."""
    text = "\n".join(line for case in cases for step in (case.given, case.when, case.then) for line in step.code)
    return tuple(
        helper
        for helper in helpers
        if any(helper.name in case.fixtures for case in cases) or re.search(rf"\b{helper.name}\b", text)
    )


def _passed(*trials: Trial) -> bool:
    return all(trial.outcome == "passed" for trial in trials)


def _weaker(case: Case) -> Case | None:
    rest = tuple(check for check in case.then.code if not _RESULT.search(check))
    if not rest or len(rest) == len(case.then.code):
        return None
    when = tuple(line.removeprefix(f"{RESULT} = ") for line in case.when.code)
    return replace(case, when=replace(case.when, code=when), then=replace(case.then, code=rest))
