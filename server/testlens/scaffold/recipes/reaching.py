"""What the recipes that search have in common: reach the gap, claim what was seen, and confirm it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace

from testlens.domain.cases import Case, Draft, Step
from testlens.domain.trials import Trial
from testlens.scaffold.assertions import Circumstance, conclude, trying, watching, without_call, without_idle
from testlens.scaffold.recipe import Attempt, Knowledge, Search
from testlens.scaffold.search import Found, first_scenes, reach
from testlens.scaffold.style import Style
from testlens.scaffold.target import Target
from testlens.scaffold.words import camel, circumstance, class_words, test_name

MOST_CASES = 4
_MOST_CALLS = 6

Words = Callable[[Target], Circumstance]


def reaching(recipe: str, target: Target, knowledge: Knowledge, words: Words) -> Search:
    """Tests that reach the gap, or one that says what is left to find out."""
    found = yield from reach(target, knowledge)
    group = camel(target.function.name.strip("_") or target.function.name)
    if target.function.name == "__init__" and target.owner is not None:
        group = class_words(target.owner.name)
    if not found:
        return Draft(recipe, group, ((yield from to_be_finished(target, knowledge, words(target))),))
    cases = yield from confirmed(found[:MOST_CASES], words(target), knowledge.style)
    return Draft(recipe, group, cases)


def confirmed(
    found: Sequence[Found], words: Circumstance, style: Style
) -> Generator[Attempt, tuple[Trial, ...] | None, tuple[Case, ...]]:
    """Cases that claim what was seen, and of which each claim held when it was made again."""
    others = tuple(case for one in found for case in (without_call(one.scene, style), watching(one.scene, style)))
    seen = yield Attempt(others)
    cases = []
    for index, plain in enumerate(found):
        before = seen[2 * index] if seen is not None and seen[2 * index].outcome == "passed" else None
        one = plain if seen is None else _watched(plain, seen[2 * index + 1])
        case = conclude(one.scene, one.trial, words, style, before=before)
        trials = yield Attempt((case, case))
        if trials is not None and not _all_passed(trials):
            case = yield from _weaker(one, words, style, case)
        cases.append(without_idle(case, one.scene, style))
    return _named_apart(cases)


def _watched(one: Found, trial: Trial) -> Found:
    """With what its collaborators were seen to be called with, unless looking at them changed what it does."""
    is_same = trial.outcome == one.trial.outcome and trial.lines >= one.lines
    return replace(one, trial=trial) if is_same else one


def _weaker(
    one: Found, words: Circumstance, style: Style, case: Case
) -> Generator[Attempt, tuple[Trial, ...] | None, Case]:
    """A claim about the shape, or about the kind of exception alone, where the values change from run to run."""
    raised = one.trial.raised
    trial = one.trial if raised is None else replace(one.trial, raised=replace(raised, message=""))
    shape = conclude(one.scene, trial, words, style, "shape")
    trials = yield Attempt((shape, shape))
    if trials is None or _all_passed(trials):
        return shape
    # Each assertion by itself: one that fails must not take the others with it.
    kept = []
    for check in case.then.code:
        alone = replace(case, then=replace(case.then, code=(check,)))
        trials = yield Attempt((alone, alone))
        if trials is not None and _all_passed(trials):
            kept.append(check)
    if kept:
        return replace(case, then=replace(case.then, code=tuple(kept)))
    return replace(shape, todo="this call does not come out the same twice: say what should be true after it")


def _all_passed(trials: Sequence[Trial]) -> bool:
    return all(trial.outcome == "passed" for trial in trials)


def _named_apart(cases: Sequence[Case]) -> tuple[Case, ...]:
    known: dict[str, int] = {}
    named = []
    for case in cases:
        number = known[case.name] = known.get(case.name, 0) + 1
        named.append(case if number == 1 else replace(case, name=f"{case.name}_{number}"))
    return tuple(named)


def to_be_finished(
    target: Target, knowledge: Knowledge, words: Circumstance
) -> Generator[Attempt, tuple[Trial, ...] | None, Case]:
    """A test that calls the function as well as is known, and says what is left to find out."""
    scenes = first_scenes(target, knowledge)[:_MOST_CALLS]
    line = f"line {target.region.first}"
    if knowledge.description.unreachable is not None or not scenes:
        reason = knowledge.description.unreachable or "nothing is known of how to call it"
        todo = f"reach {line} of {target.path}: {reason}"
        return Case(test_name(words.special, "todo"), Step(words.given), Step(words.when), Step("TODO"), todo=todo)
    cases = tuple(trying(scene, knowledge.style) for scene in scenes)
    trials = yield Attempt(cases)
    if trials is None:  # the search was told that its time is over; a confirmation has time of its own
        trials = yield Attempt(cases)
    case = cases[0] if trials is None else _coming_back(cases, trials)
    hindrance = "" if trials is None else _hindrance(trials)
    return replace(
        case,
        name=test_name(words.special, "todo"),
        given=replace(case.given, text=words.given),
        when=replace(case.when, text=words.when),
        then=Step("TODO"),
        todo=f"find arguments with which {line} of {target.path} runs ({circumstance(target)}), and say what it does"
        f"{hindrance}",
    )


def _hindrance(trials: Sequence[Trial]) -> str:
    """What all calls that were tried met with, in words; empty where they came to an end."""
    if all(trial.outcome == "timeout" for trial in trials):
        return "; the calls that were tried did not end"
    if all(trial.outcome == "crashed" for trial in trials):
        return "; the calls that were tried ended the process"
    if all(trial.blocked is not None for trial in trials):
        return f"; the sandbox refused the calls that were tried: {trials[0].blocked}"
    return ""


def _coming_back(cases: Sequence[Case], trials: Sequence[Trial]) -> Case:
    """The first call that comes back; one that raises or never ends would hide what is left to do."""
    good = (case for case, trial in zip(cases, trials, strict=True) if trial.outcome == "passed")
    return next(good, replace(cases[0], given=Step(""), when=Step(""), fixtures=(), is_async=False))
