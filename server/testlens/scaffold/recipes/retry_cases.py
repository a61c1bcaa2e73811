"""The five tests of code that tries again, written from what trials showed of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from textwrap import indent

from testlens.domain.cases import Case, Step
from testlens.domain.expressions import Expression, mark
from testlens.domain.trials import Seen
from testlens.scaffold.assertions import claims
from testlens.scaffold.recipes.fails import FAILS, failing
from testlens.scaffold.recipes.retry_probe import Behaviour, acted
from testlens.scaffold.recipes.retry_waits import LONGEST, SHORTEST
from testlens.scaffold.recipes.retry_ways import Way
from testlens.scaffold.scene import Scene
from testlens.scaffold.staging import RESULT, Staged, stage, without_result
from testlens.scaffold.style import Style
from testlens.scaffold.words import test_name

_MOCK = mark("unittest.mock", "Mock")
_CALL = mark("unittest.mock", "call")
_RAISES = mark("pytest", "raises")
_APPROX = mark("pytest", "approx")
_ORDINALS = ("first", "second", "third", "fourth", "fifth")
_TIMES = {1: "once", 2: "twice"}
_INLINE = 44
_MOST_DELAYS = 12


@dataclass(frozen=True, slots=True)
class Answer:
    """What the stand-in answers when it does not fail, and what came of it.

    `is_same`: the code hands the answer itself on. `result` is None where nothing was tried.
    """

    code: Expression
    result: Seen | None = None
    is_same: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error after which the code did not try again; `raised` is what left the call, None where it returned."""

    way: Way
    raised: str | None
    is_same: bool
    result: Seen | None


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of code that tries again. `stated` is the number of attempts that its text names."""

    behaviour: Behaviour
    function: str
    answer: Answer | None
    refusal: Refusal | None
    stated: int | None
    style: Style


def retry_cases(facts: Facts) -> tuple[Case, ...]:
    """The tests that the facts allow, the most telling first."""
    writers = (_recovers, _waits, _gives_up, _refuses, _at_once)
    cases = (writer(facts) for writer in writers)
    return tuple(case for case in cases if case is not None)


def _recovers(facts: Facts) -> Case | None:
    if facts.answer is None:
        return None
    attempts = facts.behaviour.attempts
    failures = 2 if attempts is None else min(2, attempts - 1)
    which = _ORDINALS[failures]
    waits = [f"assert len(slept) == {failures}"] if facts.behaviour.slept is not None else []
    return _Test(facts, facts.behaviour.way).returning(
        when=f"{_noun(facts)} fails {_TIMES[failures]}",
        then=f"the {which} attempt succeeds",
        given=f"{_subject(facts)} that fails {_TIMES[failures]} with {facts.behaviour.way.fault.words} and then works",
        sentence=f"the {which} attempt succeeds",
        failures=failures,
        checks=[f"assert {facts.behaviour.way.variable}.call_count == {failures + 1}", *waits],
    )


def _waits(facts: Facts) -> Case | None:
    behaviour = facts.behaviour
    pauses = behaviour.slept if behaviour.slept is not None else tuple(max(draw) for draw in behaviour.draws if draw)
    shown = pauses[:_MOST_DELAYS]
    if not shown:
        return None
    pattern = pattern_of(shown)
    subject = "slept" if len(shown) == len(pauses) else f"slept[:{len(shown)}]"
    checks = [f"assert {subject} == {numbers(shown)}"]
    longest = ", and jitter at its longest" if behaviour.lots else ""
    if behaviour.slept is None:
        pattern = pattern.replace("it waits", "it may wait").replace("each wait is", "each wait may be")
        longest = ", and jitter that never waits"
        checks = [f"assert uniform.call_args_list == [{', '.join(_call(draw) for draw in behaviour.draws)}]"]
    return _Test(facts, behaviour.way, is_about_waits=True).failing(
        when=f"{_noun(facts)} keeps failing",
        then=pattern,
        given=f"{_subject(facts)} that always fails with {behaviour.way.fault.words}{longest}",
        sentence=pattern,
        checks=checks,
        records_today=True,
    )


def _call(arguments: Sequence[float]) -> str:
    return f"{_CALL}({', '.join(map(repr, arguments))})"


def _gives_up(facts: Facts) -> Case | None:
    behaviour = facts.behaviour
    attempts = behaviour.attempts
    if attempts is None:
        return None
    does = "raises the last error" if behaviour.is_same else "raises" if behaviour.raised else "gives up"
    if behaviour.raised and not behaviour.is_same:
        does = f"raises {_last(behaviour.raised)}"
    return _Test(facts, behaviour.way).failing(
        when=f"{_noun(facts)} always fails",
        then=f"{does} after {attempts} attempts",
        given=f"{_subject(facts)} that always fails with {behaviour.way.fault.words}",
        sentence=f"it {does} after {attempts} attempts",
        checks=[f"assert {behaviour.way.variable}.call_count == {attempts}"],
        records_today=facts.stated != attempts or not behaviour.raised,
    )


def _refuses(facts: Facts) -> Case | None:
    refusal = facts.refusal
    if refusal is None:
        return None
    way = refusal.way
    checks = [f"assert {way.variable}.call_count == 1"]
    if facts.behaviour.slept is not None:
        checks.append("assert not slept")
    behaviour = replace(facts.behaviour, way=way, raised=refusal.raised, is_same=refusal.is_same, result=refusal.result)
    error = way.fault.detail or way.fault.kind
    return _Test(replace(facts, behaviour=behaviour), way).failing(
        when=f"{_noun(facts)} fails with {error}",
        then="it is not tried again",
        given=f"{_subject(facts)} that fails with {way.fault.words}",
        sentence="the error is raised at once, and nothing is tried again"
        if refusal.raised
        else "it is not tried again",
        checks=checks,
        records_today=refusal.raised is None,
    )


def _at_once(facts: Facts) -> Case | None:
    if facts.answer is None:
        return None
    variable = facts.behaviour.way.variable
    slept = facts.behaviour.slept is not None
    return _Test(facts, facts.behaviour.way).returning(
        when=f"{_noun(facts)} works the first time",
        then="it never sleeps" if slept else "it is called once",
        given=f"{_subject(facts)} that works the first time",
        sentence="it is called once, and nothing sleeps" if slept else "it is called once",
        failures=0,
        checks=[f"assert {variable}.call_count == 1", *(["assert not slept"] if slept else [])],
    )


@dataclass(frozen=True, slots=True)
class _Test:
    facts: Facts
    way: Way
    is_about_waits: bool = False

    def returning(
        self, *, when: str, then: str, given: str, sentence: str, failures: int, checks: Sequence[str]
    ) -> Case:
        """A test in which the code comes to an end that is good."""
        answer = self.facts.answer
        assert answer is not None
        claimed = list(_claims(answer))
        is_named = answer.is_same and answer.code.origin == "mock"
        given_answer = [f"answer = {answer.code.code}"] if is_named else []
        code = None if answer.code.code == "None" else "answer" if is_named else answer.code.code
        if failures:
            given_error, error = self._error(is_named=False)
            stand_in = failing(error, failures, code)
        else:
            given_error = ()
            stand_in = f"{_MOCK}({'' if code is None else f'return_value={code}'})"
        staged = self._staged()
        before = [*self._recorder(), *given_answer, *given_error, f"{self.way.variable} = {stand_in}"]
        made, acts = acted(self.way, staged.when)
        looks = bool(claimed)
        return Case(
            name=test_name(when, then),
            given=Step(given, (*before, *staged.given, *made)),
            when=Step(f"`{self.facts.function}` is called", acts if looks else without_result(acts)),
            then=Step(sentence, (*claimed, *checks)),
            fixtures=self._fixtures(staged, uses_fails=failures > 0),
            is_async=self.way.is_async,
            records_today=looks and not answer.is_same,
        )

    def failing(
        self, *, when: str, then: str, given: str, sentence: str, checks: Sequence[str], records_today: bool
    ) -> Case:
        """A test in which the stand-in always fails."""
        behaviour = self.facts.behaviour
        before, error = self._error(is_named=behaviour.is_same)
        staged = self._staged()
        times = None if behaviour.attempts is not None else 6
        stand_in = f"{self.way.variable} = {failing(error, times)}"
        made, acts = acted(self.way, staged.when)
        claimed: list[str] = []
        if times is not None:
            acts = without_result(acts)
        elif behaviour.raised is not None:
            caught = " as caught" if behaviour.is_same else ""
            claimed = ["assert caught.value is error"] if behaviour.is_same else []
            body = indent("\n".join(without_result(acts)), "    ")
            acts = (f"with {_RAISES}({behaviour.raised}){caught}:\n{body}",)
        else:
            claimed = [] if self.is_about_waits or behaviour.result is None else list(claims(RESULT, behaviour.result))
            acts = acts if claimed else without_result(acts)
        return Case(
            name=test_name(when, then),
            given=Step(given, (*self._recorder(), *before, stand_in, *staged.given, *made)),
            when=Step(f"`{self.facts.function}` is called", acts),
            then=Step(sentence, (*claimed, *checks)),
            fixtures=self._fixtures(staged, uses_fails=True),
            is_async=self.way.is_async,
            records_today=records_today,
        )

    def _recorder(self) -> tuple[str, ...]:
        if self.facts.behaviour.wait is not None:
            return ("slept: list[float] = []",) if self.facts.style.annotated else ("slept = []",)
        return (f"uniform = {_MOCK}(return_value=0)",) if self._counts_draws else ()

    @property
    def _counts_draws(self) -> bool:
        """Whether the pauses show only in the lots that they are drawn by."""
        behaviour = self.facts.behaviour
        return self.is_about_waits and behaviour.slept is None and bool(behaviour.draws)

    def _error(self, *, is_named: bool) -> tuple[tuple[str, ...], str]:
        """The statements that make the error, and what it is called in the call that raises it."""
        fault = self.way.fault
        if not is_named and not fault.settings and len(fault.code) <= _INLINE:
            return (), fault.code
        return fault.given("error"), "error"

    def _staged(self) -> Staged:
        behaviour = self.facts.behaviour
        scene: Scene = self.way.scene
        if behaviour.wait is not None:
            scene = behaviour.wait.recorded(scene, "slept.append")
        lots = SHORTEST if behaviour.slept is None else LONGEST if self.is_about_waits else ()
        for lot in lots:
            if lot.name in behaviour.lots:
                scene = lot.placed(scene, "uniform" if self._counts_draws and lot.name == "uniform" else lot.code)
        return stage(scene, self.facts.style)

    def _fixtures(self, staged: Staged, *, uses_fails: bool) -> tuple[str, ...]:
        return (*staged.fixtures, FAILS) if uses_fails else staged.fixtures


def _claims(answer: Answer) -> Iterator[str]:
    if answer.is_same:
        yield f"assert {RESULT} is answer" if answer.code.origin == "mock" else f"assert {RESULT} == {answer.code.code}"
    elif answer.result is not None and answer.result.code != "None":
        yield from claims(RESULT, answer.result)


def _noun(facts: Facts) -> str:
    return facts.behaviour.way.noun.replace("_", " ")


def _subject(facts: Facts) -> str:
    """What fails, as the subject of a sentence."""
    way = facts.behaviour.way
    noun = _noun(facts)
    return f"{'an' if noun[:1] in 'aeiou' else 'a'} {noun}" if way.is_given else f"a `{way.noun}`"


def _last(marked: str) -> str:
    return marked.strip("\x02").rpartition(":")[2].rpartition(".")[2]


def numbers(values: Sequence[float]) -> str:
    """A list of numbers to compare with, in source: approximate where floats came out uneven."""
    if all(len(repr(value)) <= 8 for value in values):
        return repr(list(values))
    return f"{_APPROX}({[float(f'{value:.6g}') for value in values]!r})"


def pattern_of(delays: Sequence[float]) -> str:
    """What the pauses have in common, in words."""
    if len(delays) == 1:
        return f"it waits {delays[0]:g} s in between"
    pairs = list(pairwise(delays))
    if all(later == earlier for earlier, later in pairs):
        return f"it waits {delays[0]:g} s each time"
    if all(abs(later - 2 * earlier) < 1e-9 for earlier, later in pairs):
        return "each wait is twice the last"
    if all(later > earlier for earlier, later in pairs):
        return "each wait is longer than the last"
    if all(later >= earlier for earlier, later in pairs):
        return f"the waits grow up to {delays[-1]:g} s"
    return "it waits in between"
