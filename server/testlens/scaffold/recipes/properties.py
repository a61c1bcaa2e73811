"""Property-based tests of pure functions: round trip, idempotence, equivalence, and nothing undocumented raised."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

from testlens.domain.cases import Case, Draft
from testlens.domain.trials import Trial
from testlens.scaffold.recipe import Attempt, Knowledge, Offer, Search
from testlens.scaffold.recipes.finishing import completed, finished, group_of
from testlens.scaffold.recipes.patience import patiently
from testlens.scaffold.recipes.property_cases import CLAIMED, Properties, Way
from testlens.scaffold.recipes.property_facts import PureFunction, pure_function
from testlens.scaffold.recipes.retry_probe import number
from testlens.scaffold.style import Style
from testlens.scaffold.target import Target

_HYPOTHESIS = "hypothesis"
_FITS = 35
_FITS_PAIR = 38
_MOST_ROUNDS = 3
Tried = tuple[Case, Trial]


class Property:
    """The recipe for pure functions with types."""

    name = "property"

    def offer(self, target: Target, style: Style) -> Offer | None:
        """Offered for functions without effects whose parameters all have types that Hypothesis can make."""
        function = pure_function(target, target.module)
        if function is None:
            return None
        needs = () if _HYPOTHESIS in style.libraries else (_HYPOTHESIS,)
        title = f"Test {function.promise} with Hypothesis"
        if needs:
            title += " (which the project would have to install)"
        return Offer(self.name, title, _FITS_PAIR if function.is_special else _FITS, needs)

    def search(self, target: Target, knowledge: Knowledge) -> Search:
        """Try what the names and types promise, and keep what holds."""
        group = group_of(target, "Properties")
        function = pure_function(target, knowledge.description.module)
        if function is None:
            return (yield from finished(self.name, group, (), (), target, knowledge))
        needs = () if _HYPOTHESIS in knowledge.style.libraries else (_HYPOTHESIS,)
        held = yield from _held(function)
        draft = Draft(self.name, group, tuple(case for case, _ in held), needs=needs)
        return (yield from completed(draft, [trial for _, trial in held], target, knowledge))


def _held(function: PureFunction) -> Generator[Attempt, tuple[Trial, ...] | None, tuple[Tried, ...]]:
    """For each property the first way to write it that no sample refutes, and of which samples come to the claim."""
    properties = Properties(function).alternatives()
    tried = [way for ways in properties for way in ways]
    trials = yield from patiently(Attempt(tuple(way.probe for way in tried)))
    if trials is None:
        return ()
    found = {id(way): trial for way, trial in zip(tried, trials, strict=True)}
    kept: list[Tried] = []
    for ways in properties:
        good = [way for way in ways if _is_held(found[id(way)])]
        kept += [(way.case, found[id(way)]) for way in good[:1]]
    if kept or not properties:
        return tuple(kept)
    last = properties[-1][-1]
    return (yield from _as_it_is(last, found[id(last)]))


def _is_held(trial: Trial) -> bool:
    return trial.outcome == "passed" and bool(number(trial.local_values.get(CLAIMED)))


def _as_it_is(way: Way, trial: Trial) -> Generator[Attempt, tuple[Trial, ...] | None, tuple[Tried, ...]]:
    """The test with what the function raises today allowed; nothing where that does not come to an end."""
    allowed: list[str] = []
    for _ in range(_MOST_ROUNDS):
        raised = trial.raised.type if trial.raised is not None else "AssertionError"
        if raised in (*allowed, "AssertionError"):
            return ()
        allowed.append(raised)
        way = way.suppressing(raised)
        trials = yield Attempt((way.probe,))
        if trials is None:
            return ()
        trial = trials[0]
        if _is_held(trial):
            return ((replace(way.case, records_today=True), trial),)
    return ()
