"""Tests of code that tries again: that it does, how often, how long it waits, and when it does not."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace

from testlens.domain.cases import Case, Draft
from testlens.domain.expressions import Expression
from testlens.domain.trials import Trial
from testlens.scaffold.recipe import Attempt, Knowledge, Offer, Search
from testlens.scaffold.recipes.answers import answers, seen_answers
from testlens.scaffold.recipes.fails import fails_helper
from testlens.scaffold.recipes.finishing import finished, group_of
from testlens.scaffold.recipes.patience import patiently
from testlens.scaffold.recipes.retry_attempts import stated_attempts
from testlens.scaffold.recipes.retry_cases import Answer, Facts, Refusal, retry_cases
from testlens.scaffold.recipes.retry_errors import faults_to_refuse
from testlens.scaffold.recipes.retry_policies import find_policy, policy_cases
from testlens.scaffold.recipes.retry_probe import (
    NothingMayRunError,
    literal,
    number,
    observe,
    probe,
    raised_type,
    refused,
)
from testlens.scaffold.recipes.retry_sites import Site, find_site
from testlens.scaffold.recipes.retry_unproven import around, as_written
from testlens.scaffold.recipes.retry_waits import LONGEST, SHORTEST, waits
from testlens.scaffold.recipes.retry_ways import Way, ways
from testlens.scaffold.staging import RESULT
from testlens.scaffold.style import Style
from testlens.scaffold.target import Target

_FITS = {"loop": 80, "decorator": 75, "recursion": 70, "helper": 50}
_FITS_POLICY = 65
_MOST_ANSWERS = 5
_MOST_REFUSALS = 6


class Retry:
    """The recipe for code that retries."""

    name = "retry"

    def offer(self, target: Target, style: Style) -> Offer | None:
        """Offered where the function, a decorator of it or a helper that it uses tries something again."""
        site = find_site(target)
        if site is None or not site.operations:
            return self._offer_policy(target)
        title = f"Test that `{target.function.name}` retries"
        if site.means != "loop":
            title += f" (with {site.detail})" if site.means != "recursion" else ""
        return Offer(self.name, title, _FITS[site.means])

    def _offer_policy(self, target: Target) -> Offer | None:
        policy = find_policy(target)
        if policy is None:
            return None
        name = target.owner.name if target.owner is not None and target.function.name == "__init__" else None
        title = f"Test how `{name or target.function.name}` has {policy.words} try again"
        return Offer(self.name, title, _FITS_POLICY)

    def search(self, target: Target, knowledge: Knowledge) -> Search:
        """Make it try again, see what it does, and write that down as five tests."""
        site = find_site(target)
        cases: tuple[Case, ...] = ()
        group = group_of(target, "Retries")
        helpers = fails_helper(knowledge.style)
        if site is not None:
            try:
                facts = yield from _facts(site, target, knowledge)
            except NothingMayRunError:
                return Draft(self.name, group, as_written(site, target, knowledge), helpers)
            cases = retry_cases(facts) if facts is not None else ()
        policy = find_policy(target) if not cases else None
        if policy is not None:
            cases = yield from policy_cases(policy, target, knowledge)
        return (yield from finished(self.name, group, cases, helpers, target, knowledge))


def _facts(
    site: Site, target: Target, knowledge: Knowledge
) -> Generator[Attempt, tuple[Trial, ...] | None, Facts | None]:
    """What trials show of the code; None where no way was found to make it try again."""
    style = knowledge.style
    chosen_waits = waits(site, target, knowledge.description)
    behaviour = yield from observe(ways(site, target, knowledge), chosen_waits, style)
    if behaviour is None:
        return None
    way = behaviour.way
    known = seen_answers(way.call, target, knowledge.seen)
    possible = (*known, *answers(way.call, around(way.call, site)))[:_MOST_ANSWERS]
    others = refused(way, faults_to_refuse(site, target, knowledge.description.module))[:_MOST_REFUSALS]
    lots = SHORTEST if behaviour.slept is None else LONGEST
    probes = [probe(way, chosen_waits, style, lots, answer) for answer in possible]
    probes += [probe(other, chosen_waits, style, lots) for other in others]
    trials = yield from patiently(Attempt(tuple(probes), fails_helper(style)))
    facts = Facts(behaviour, target.function.name, None, None, stated_attempts(site, target), style)
    if trials is None:
        return facts
    answer = _answer(possible, trials[: len(possible)])
    return replace(facts, answer=answer, refusal=_refusal(others, trials[len(possible) :]))


def _answer(possible: Sequence[Expression], trials: Sequence[Trial]) -> Answer | None:
    """The first answer with which the code comes to a good end at once, or nothing if that does as well."""
    good = []
    for code, trial in zip(possible, trials, strict=True):
        values = trial.local_values
        if trial.outcome == "passed" and number(values.get("attempts")) == 1 and raised_type(trial) is None:
            good.append(Answer(code, values.get(RESULT), literal(values.get("is_answer")) is True))
    if not good or good[0].is_same:
        return good[0] if good else None
    nothing = [answer for answer in good if answer.code.code == "None" and answer.result == good[0].result]
    return nothing[0] if nothing else good[0]


def _refusal(others: Sequence[Way], trials: Sequence[Trial]) -> Refusal | None:
    """The first error after which the code did not try again."""
    for way, trial in zip(others, trials, strict=True):
        values = trial.local_values
        if trial.outcome == "passed" and number(values.get("attempts")) == 1:
            return Refusal(way, raised_type(trial), literal(values.get("is_same")) is True, values.get(RESULT))
    return None
