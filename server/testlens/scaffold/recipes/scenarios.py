"""Behaviours that a recipe knows in advance: tried as scenes with a few statements around, kept where they hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from textwrap import indent
from typing import TypeVar

from testlens.domain.cases import Case, Helper, Step
from testlens.domain.expressions import mark
from testlens.domain.trials import Trial
from testlens.scaffold.assertions import Circumstance, Strictness, about, calls_of, conclude, trying
from testlens.scaffold.recipe import Attempt
from testlens.scaffold.recipes.phrases import in_words, spaced, with_article, with_the
from testlens.scaffold.recipes.relations import related
from testlens.scaffold.scene import Scene
from testlens.scaffold.staging import RESULT, stage, subject_name, uses_mocker
from testlens.scaffold.style import Style
from testlens.scaffold.target import Target
from testlens.scaffold.words import is_plural, snake, test_name

T = TypeVar("T")
Trying = Generator[Attempt, tuple[Trial, ...] | None, T]

RECEIVER = "receiver"
# Set in a trial once everything is given, so that a failure of the call can be told from one on the way to it.
_READY = "testlens_is_ready"
_MISUSE = ("TypeError", "AttributeError", "NameError", "AssertionError", "RecursionError", "ParamValidationError")
_COUNT = "testlens_calls_of_{}"
_LENGTH = "testlens_length_of_{}"
_SIZED = "(list, tuple, dict, set, frozenset)"
_PLACE = re.compile("\x03([^\x04]+)\x04")
_ASSIGNED = re.compile(r"(\w+) = ")
_DIRECT = re.compile(r"\x01unittest\.mock:call\x02\((?!\)\()")
_ATTRIBUTE = re.compile("[\\w.\x03\x04]+")


def ref(subject: str) -> str:
    """Stands, in the statements of a scenario, for the variable of the receiver or of a parameter."""
    return f"\x03{subject}\x04"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One behaviour. `given`, `when` and `special` are its words (see `Circumstance`), `outcome` what comes of it if
    that is known in advance.

    `first` is done before the scene is set up, `before` after that and before the call, `after` behind the call: the
    variables that it makes are claimed with the values that they have. `claims` are assertions that hold by
    construction; `counted` are stand-ins of which it is claimed how often they were called, `watched` those variables
    of which it is claimed with what. `fixtures` are those that these statements use.
    """

    scene: Scene
    given: str
    when: str
    special: str
    outcome: str = ""
    first: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    counted: tuple[str, ...] = ()
    watched: tuple[str, ...] = ()
    fixtures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """A scenario and what came of it."""

    scenario: Scenario
    trial: Trial

    @property
    def has_happened(self) -> bool:
        """Whether the call was made and came to an end, with a result or an exception."""
        values = self.trial.local_values
        return self.trial.outcome == "passed" or (
            self.trial.outcome == "failed" and self.trial.raised is not None and (_READY in values)
        )

    @property
    def is_usable(self) -> bool:
        """Whether it shows something of the code rather than of how it was called."""
        return self.has_happened and not self.is_misuse

    @property
    def _plays_answers(self) -> bool:
        """Whether a stand-in answers instead of the real thing."""
        return bool(self.scenario.counted or self.scenario.watched or self.scenario.scene.patches)

    @property
    def is_misuse(self) -> bool:
        """Whether it ended as calls end that were not meant so."""
        raised = self.trial.raised
        # A key that a stand-in's answer lacks says nothing of what AWS or a model would answer.
        lacking = ("KeyError", "IndexError", "StopIteration") if self._plays_answers else ()
        last = raised.type.strip("\x02").rpartition(":")[2].rpartition(".")[2] if raised is not None else ""
        return last in (*_MISUSE, *lacking)


def stand_in(owner: str, attribute: str, behaviour: str, style: Style, name: str = "") -> tuple[tuple[str, ...], str]:
    """Statements that put a stand-in of this behaviour in place of an attribute, and the fixture that they use.

    With a `name` the stand-in is kept in that variable.
    """
    if uses_mocker(style):
        kept = f"{name} = " if name else ""
        arguments = f", {behaviour}" if behaviour else ""
        return (f'{kept}mocker.patch.object({owner}, "{attribute}"{arguments})',), "mocker"
    made = f"{mark('unittest.mock', 'MagicMock')}({behaviour})"
    if not name:
        return (f'monkeypatch.setattr({owner}, "{attribute}", {made})',), "monkeypatch"
    return (f"{name} = {made}", f'monkeypatch.setattr({owner}, "{attribute}", {name})'), "monkeypatch"


def free_name(name: str, scene: Scene) -> str:
    """A variable that clashes with none of the scene's own."""
    taken = {*scene.arguments, RESULT, subject_name(scene.description)}
    while name in taken:
        name += "_"
    return name


def tried(scenarios: Sequence[Scenario], style: Style, helpers: tuple[Helper, ...] = ()) -> Trying[list[Shown] | None]:
    """Try scenarios together; None where nothing may be run any more."""
    if not scenarios:
        return []
    trials = yield Attempt(tuple(_trying(scenario, style) for scenario in scenarios), helpers)
    if trials is None:
        return None
    return [_mended(Shown(scenario, trial)) for scenario, trial in zip(scenarios, trials, strict=True)]


def _mended(shown: Shown) -> Shown:
    """Without what was to be looked at, where looking at it failed after the call had come back."""
    trial = shown.trial
    if trial.raised is None or RESULT not in trial.local_values:
        return shown
    return Shown(replace(shown.scenario, after=()), replace(trial, outcome="passed", raised=None))


def _trying(scenario: Scenario, style: Style) -> Case:
    case = trying(scenario.scene, style)
    names = _names(scenario, style)
    given = (*scenario.first, *case.given.code, *scenario.before, f"{_READY} = True")
    return replace(
        case,
        given=Step("", _placed(given, names)),
        when=Step("", _counting(case.when.code, scenario.counted)),
        then=Step("", (*_measured(case.when.code[-1:]), *_measured(_placed(scenario.after, names)))[1:]),
        fixtures=_fixtures(case, scenario),
    )


def concluded(shown: Shown, style: Style, strictness: Strictness = "exact") -> Case:
    """The test that a scenario and its trial make."""
    scenario, trial = shown.scenario, shown.trial
    names = _names(scenario, style)
    case = conclude(
        scenario.scene, trial, Circumstance(scenario.given, scenario.when, scenario.special), style, strictness
    )
    checks = tuple(related(check, trial.local_values) for check in case.then.code if not _is_about_result(check))
    if trial.raised is None and RESULT in trial.local_values:
        checks = (*_about(RESULT, trial, strictness), *checks)
    looked_at = _looked_at(scenario, trial, strictness)
    watched = [check for name in scenario.watched for check in _watched(name, trial)]
    if checks == (f"assert {RESULT} is None",) and (looked_at or watched):
        checks = ()  # what was changed says more than that nothing came back
    claims = _placed((*looked_at, *scenario.claims), names) if trial.raised is None else ()
    then = (*checks, *claims, *watched, *_counts(scenario, trial))
    given = _placed((*scenario.first, *case.given.code, *scenario.before), names)
    when = case.when.code
    if trial.raised is None and any(map(_is_about_result, then)):
        when = stage(scenario.scene, style).when
    case = replace(
        case,
        given=replace(case.given, code=given),
        when=replace(case.when, code=when),
        then=replace(case.then, code=then),
        fixtures=_fixtures(case, scenario),
        todo=None if then or trial.raised is not None else case.todo,
    )
    return _with_outcome(case, scenario, trial)


def _is_about_result(check: str) -> bool:
    return re.search(rf"\b{RESULT}\b", check) is not None


def _with_outcome(case: Case, scenario: Scenario, trial: Trial) -> Case:
    if trial.raised is not None:
        return case
    outcome = scenario.outcome or next(filter(None, map(_outcome, case.then.code)), "")
    if not outcome:
        return case
    return replace(case, name=test_name(scenario.special, outcome), then=replace(case.then, text=outcome))


def _outcome(check: str) -> str:
    """What an assertion about the result says in words; empty where the general words are as good."""
    state = re.fullmatch(r"assert \w+\.(?:is|has)_(\w+) is (True|False)", check)
    if state is not None:
        return f"it is {'' if state[2] == 'True' else 'not '}{in_words(state[1])}"
    found = re.fullmatch(rf"assert {RESULT} == (.+)", check, re.DOTALL)
    if found is None:
        return ""
    value = found[1]
    if value.isidentifier() and value[:1].islower():
        return f"{with_the(value)} come back" if is_plural(value) else f"{with_the(value)} comes back"
    picked = re.fullmatch(r"\[?(\w+)\[[\d:]+\].*", value)
    if picked is not None:
        several = value.startswith("[") or ":" in value
        return f"{'some' if several else 'one'} of {with_the(picked[1])} {'come' if several else 'comes'} back"
    made = re.match("\x01[^:]*:([\\w.]+)\x02\\(", value)
    return f"{with_article(spaced(made[1]))} comes back" if made is not None else ""


def _looked_at(scenario: Scenario, trial: Trial, strictness: Strictness) -> list[str]:
    """The statements of `after`, and claims of what their variables had."""
    if trial.raised is not None:
        return []
    lines: list[str] = []
    for statement in scenario.after:
        made = _ASSIGNED.match(statement)
        seen = trial.local_values.get(made[1]) if made is not None else None
        if made is None or seen is None:
            lines.append(statement)
            continue
        checks = list(_about(made[1], trial, strictness))
        if _ATTRIBUTE.fullmatch(statement[made.end() :]):
            # A plain attribute needs no variable.
            lines += [re.sub(rf"\b{made[1]}\b", statement[made.end() :], check, count=1) for check in checks]
        elif checks:
            lines += [statement, *checks]
    return lines


def _counting(when: tuple[str, ...], counted: tuple[str, ...]) -> tuple[str, ...]:
    """The call, and how often stand-ins were called by it, whether it comes back or raises."""
    if not counted:
        return when
    body = indent("\n".join(when), "    ")
    counts = "\n".join(f"    {_COUNT.format(snake(name))} = {name}.call_count" for name in counted)
    return (f"try:\n{body}\nfinally:\n{counts}",)


def _measured(statements: Sequence[str]) -> Iterator[str]:
    """The statements, and the length of what each of them assigns: claimed where a value is too long to be."""
    for statement in statements:
        yield statement
        made = _ASSIGNED.match(statement)
        if made is not None:
            yield f"{_LENGTH.format(made[1])} = len({made[1]}) if isinstance({made[1]}, {_SIZED}) else None"


def _about(name: str, trial: Trial, strictness: Strictness) -> Iterator[str]:
    """What is claimed of a variable: its value in terms of the others, else its kind and length."""
    seen = trial.local_values[name]
    checks = [related(check, trial.local_values) for check in about(name, seen, strictness)]
    yield from checks
    length = trial.local_values.get(_LENGTH.format(name))
    is_exact = any(re.match(rf"assert {name} (==|is) ", check) for check in checks)
    if not is_exact and length is not None and length.code not in (None, "None"):
        yield f"assert len({name}) == {length.code}"


def _watched(name: str, trial: Trial) -> Iterator[str]:
    seen = trial.local_values.get(name)
    if seen is None or trial.raised is not None:
        return
    if any("__" in call for call in seen.calls):
        # What was done to what the stand-in gave would say more of Python than of the code.
        direct = [call for call in seen.calls if _DIRECT.match(call)]
        yield f"assert {name}.call_args_list == [{', '.join(direct)}]"
    else:
        yield from calls_of(name, seen)


def _counts(scenario: Scenario, trial: Trial) -> Iterator[str]:
    for name in scenario.counted:
        seen = trial.local_values.get(_COUNT.format(snake(name)))
        if seen is not None and seen.code is not None:
            yield f"assert {name}.call_count == {seen.code}"


def confirmed(
    found: Sequence[Shown], style: Style, helpers: tuple[Helper, ...] = ()
) -> Trying[tuple[tuple[Shown, Case], ...]]:
    """The tests of these scenarios, each with only what held when it was made again; what never held is left out."""
    left = list(found)
    kept: dict[int, Case] = {}
    for strictness in _STRICTNESSES:
        cases = {id(one): concluded(one, style, strictness) for one in left}
        trials = (yield Attempt(tuple(cases.values()), helpers)) if cases else ()
        if trials is None:
            kept.update(cases)
            break
        good = {id(one) for one, trial in zip(left, trials, strict=True) if trial.outcome == "passed"}
        kept.update({key: case for key, case in cases.items() if key in good and case.todo is None})
        left = [one for one in left if id(one) not in kept]
    return tuple((one, kept[id(one)]) for one in found if id(one) in kept)


_STRICTNESSES: tuple[Strictness, ...] = ("exact", "shape")


def chosen(found: Sequence[Shown], target: Target, most: int) -> list[Shown]:
    """The fewest scenarios that reach what all of them reach of the gap, then those that add most beside it, then those
    that come out in another way.

    No more than `most` are taken in all. The first one shows the usual case: where that lies in the gap it is taken,
    though others may run its lines as well.
    """
    usable = [one for one in found if one.is_usable and reached(target, one.trial)]
    picked: list[Shown] = [one for one in usable[:1] if one is found[0]]
    for wanted in (lambda trial: reached(target, trial), lambda trial: trial.lines | trial.arcs):
        _pick(usable, picked, most, wanted)
    told = {one.scenario.special for one in picked}
    others = [one for one in usable if one in picked or one.scenario.special not in told]
    _pick(others, picked, most, _outcome_of)
    return [one for one in usable if one in picked]


def _outcome_of(trial: Trial) -> frozenset[object]:
    """How a call came out: the kind of its exception, else its result."""
    result = trial.local_values.get(RESULT)
    return frozenset({trial.raised.type if trial.raised is not None else result.code if result is not None else None})


def _pick(usable: list[Shown], picked: list[Shown], most: int, wanted: Callable[[Trial], frozenset[object]]) -> None:
    """Take, one after the other, the scenario that has most of what is wanted and not there yet."""
    known: set[object] = set().union(*(wanted(one.trial) for one in picked))
    while len(picked) < most:
        best = max(usable, key=lambda one: len(wanted(one.trial) - known), default=None)
        if best is None or not wanted(best.trial) - known:
            return
        picked.append(best)
        known |= wanted(best.trial)


def reached(target: Target, trial: Trial) -> frozenset[object]:
    """What a trial ran of the gap: its statements, or for a branch its arcs."""
    if target.region.kind == "partial":
        return frozenset(target.region.arcs) & trial.arcs
    return target.lines & trial.lines


def _names(scenario: Scenario, style: Style) -> Mapping[str, str]:
    """What stands for the receiver and for each parameter: its variable, else its value."""
    scene = scenario.scene
    values = {name: value.code for name, value in scene.arguments.items()}
    if scene.receiver is not None:
        values[RECEIVER] = scene.receiver.code
    return {**values, **stage(scene, style).names}


def _placed(statements: Sequence[str], names: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(_PLACE.sub(lambda found: names.get(found[1], found[1]), line) for line in statements)


def _fixtures(case: Case, scenario: Scenario) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*case.fixtures, *scenario.fixtures)))
