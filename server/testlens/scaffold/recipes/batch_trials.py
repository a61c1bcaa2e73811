"""Sees by trial how many requests code makes for how many items, and writes the tests of that."""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from textwrap import indent

from testlens.domain.cases import Case, Step
from testlens.domain.expressions import Expression, mark
from testlens.domain.trials import Seen, Trial
from testlens.scaffold.assertions import claims
from testlens.scaffold.recipe import Attempt, Knowledge
from testlens.scaffold.recipes.batch_arrangements import Arrangement, arrangements, still, with_items
from testlens.scaffold.recipes.batch_failures import Failure, failures
from testlens.scaffold.recipes.batch_sites import Chunks
from testlens.scaffold.recipes.batch_words import Nouns, circumstance, given, requests_made
from testlens.scaffold.recipes.fails import FAILS, fails_helper
from testlens.scaffold.recipes.items import items_for, several
from testlens.scaffold.recipes.patience import patiently
from testlens.scaffold.recipes.reading import Functions, handled_lines
from testlens.scaffold.recipes.retry_probe import literal, number, raised_type
from testlens.scaffold.recipes.retry_waits import Wait, waits_in
from testlens.scaffold.staging import RESULT, Staged, without_result
from testlens.scaffold.style import Style
from testlens.scaffold.target import Target
from testlens.scaffold.words import outcome_of, test_name

_MOST_ARRANGEMENTS = 10
_RAISES = mark("pytest", "raises")
# A copy is no fixture, so the trial writes it out.
_COPY = mark("copy", "copy")
# What a stand-in's answer leads to that the code was not made for.
_MISUSE = frozenset({"StopIteration", "TypeError", "AttributeError", "KeyError", "IndexError", "ValueError"})
Trials = Generator[Attempt, tuple[Trial, ...] | None, tuple[Case, ...]]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of a collection: `items` is it, in source; `calls` the requests, `sizes` of what they held.

    `length` is that of the result, where it has one. `was_handled`: a handler of the code ran.
    """

    items: str
    calls: int
    sizes: tuple[int, ...] | None
    result: Seen | None
    length: int | None
    raised: str | None
    was_handled: bool
    has_slept: bool

    @property
    def claims(self) -> tuple[str, ...]:
        """What can be said of the result."""
        if self.result is None or self.result.code == "None":
            return ()
        if self.result.code is None and self.length is not None:
            return (f"assert len({RESULT}) == {self.length}",)
        return claims(RESULT, self.result)


class Batches:
    """Writes the tests of one function."""

    def __init__(self, chunks: Chunks, target: Target, knowledge: Knowledge) -> None:
        self._chunks = chunks
        self._target = target
        self._knowledge = knowledge
        self._style: Style = knowledge.style
        self._nouns = Nouns.of(chunks, target)
        scope = Functions(target).scope
        self._handlers = handled_lines(scope)
        self._waits: tuple[Wait, ...] = tuple(waits_in(scope, target, knowledge.description))
        self._fixtures: tuple[str, ...] = ()

    def cases(self) -> Trials:
        """The tests, or none where no way was found to see the requests."""
        possible = items_for(self._target, self._knowledge).get(self._chunks.parameter, ())
        chosen = arrangements(self._chunks, self._target, self._knowledge)[:_MOST_ARRANGEMENTS]
        if not possible or not chosen:
            return ()
        item = possible[0]
        self._fixtures = item.fixtures
        code = f"[{item.code}]"
        probes = tuple(self._probe(one, code, first=item) for one in chosen)
        trials = yield from patiently(Attempt(probes, fails_helper(self._style)))
        if trials is None:
            return ()
        outcomes = [self._outcome(trial, code) for trial in trials]
        good = [
            index
            for index, outcome in enumerate(outcomes)
            if outcome is not None and outcome.calls == 1 and outcome.raised is None
        ]
        if not good:
            return ()
        # A real service that refuses says less than a stand-in that does not.
        best = min(good, key=lambda index: (outcomes[index] or _NOTHING).was_handled)
        return (yield from self._written(chosen[best], _rebuilt(item, trials[best])))

    def _written(self, arrangement: Arrangement, item: Expression) -> Trials:
        """The tests for one arrangement and an item to make others of."""
        size = arrangement.size
        counts = (0, 1, size, size + 1) if size is not None and size > 1 else (0, 1, 3)
        tried = [(count, code) for count in counts for code in several(item.code, count)]
        many = next(several(item.code, counts[-1]))
        broken = failures(self._chunks, arrangement, self._target, self._knowledge)
        probes = [self._probe(arrangement, code) for _, code in tried]
        probes += [self._probe(arrangement, many, failure) for failure in broken]
        trials = yield from patiently(Attempt(tuple(probes), fails_helper(self._style)))
        if trials is None:
            return ()
        outcomes = [self._outcome(trial, code) for (_, code), trial in zip(tried, trials, strict=False)]
        cases = []
        for count in counts:
            fitting = (
                outcome
                for (counted, _), outcome in zip(tried, outcomes, strict=True)
                if counted == count and outcome is not None and _is_expected(outcome, count, size)
            )
            best = min(fitting, key=lambda outcome: outcome.was_handled, default=None)
            if best is not None:
                cases.append(self._counted(arrangement, count, best))
        failed = [self._outcome(trial, many) for trial in trials[len(tried) :]]
        return (*cases, *self._partial(arrangement, list(zip(broken, failed, strict=True)), cases))

    def _partial(
        self, arrangement: Arrangement, tried: Sequence[tuple[Failure, _Outcome | None]], others: Sequence[Case]
    ) -> list[Case]:
        """The tests for parts that fail, those left out in which nothing is to be seen of that."""
        known = [case.then.code[:-1] for case in others]
        cases = []
        for failure, outcome in tried:
            if outcome is None or (outcome.raised or "") in _MISUSE:
                continue
            case = self._broken(arrangement, failure, outcome)
            if case.then.code and case.then.code not in known:
                known.append(case.then.code)
                cases.append(case)
        return cases

    def _probe(
        self, arrangement: Arrangement, items: str, failure: Failure | None = None, first: Expression | None = None
    ) -> Case:
        """A case that claims nothing and leaves in its variables what there is to know."""
        before = ["slept = []", *([f"item = {_COPY}({first.code})"] if first is not None else [])]
        given, staged = self._given(arrangement, items, failure, self._waits)
        body = indent("\n".join(staged.when), "    ")
        carried = self._chunks.carried(arrangement.stand_in.call)
        variable = (arrangement.stand_in if failure is None else failure.stand_in).variable
        after = [f"calls = {variable}.call_count"]
        after.append(f"length = len({RESULT}) if isinstance({RESULT}, (list, tuple, dict, set)) else None")
        if carried is not None and failure is None:
            after.append(f"sizes = [len(request{carried}) for request in {arrangement.variable}.call_args_list]")
        return Case(
            "probe",
            Step("", (*before, *given, f"{RESULT} = raised = None")),
            Step("", (f"try:\n{body}\nexcept Exception as problem:\n    raised = problem",)),
            Step("", tuple(after)),
            self._asked(arrangement, staged, failure),
            is_async=staged.is_async,
        )

    def _given(
        self, arrangement: Arrangement, items: str, failure: Failure | None, waits: Sequence[Wait]
    ) -> tuple[tuple[str, ...], Staged]:
        fixtures = tuple(name for name in self._fixtures if re.search(rf"\b{name}\b", items))
        stand_in = arrangement.stand_in if failure is None else failure.stand_in
        scene = with_items(stand_in.scene, self._chunks.parameter, items, fixtures)
        scene = still(scene, waits, "slept.append")
        if failure is None:
            return arrangement.given(scene, self._style)
        return Arrangement(stand_in, arrangement.answer, arrangement.size).given(scene, self._style, failure.behaviour)

    def _asked(self, arrangement: Arrangement, staged: Staged, failure: Failure | None) -> tuple[str, ...]:
        if failure is None:
            return arrangement.fixtures(staged, self._style)
        return (*staged.fixtures, FAILS) if failure.behaviour.startswith(f"{FAILS}(") else staged.fixtures

    def _outcome(self, trial: Trial, items: str) -> _Outcome | None:
        values = trial.local_values
        if trial.outcome != "passed":
            return None
        sizes = literal(values.get("sizes"))
        return _Outcome(
            items,
            number(values.get("calls")) or 0,
            tuple(sizes) if isinstance(sizes, list) else None,
            values.get(RESULT),
            number(values.get("length")),
            raised_type(trial),
            was_handled=bool(trial.lines & self._handlers),
            has_slept=literal(values.get("slept")) != [],
        )

    def _counted(self, arrangement: Arrangement, count: int, outcome: _Outcome) -> Case:
        """The test for a number of items."""
        before, staged = self._given(arrangement, outcome.items, None, self._waits if outcome.has_slept else ())
        claimed = outcome.claims
        carried = self._chunks.carried(arrangement.stand_in.call)
        requests = f"{arrangement.variable}.call_count == {outcome.calls}"
        if outcome.sizes and len(outcome.sizes) > 1 and carried is not None:
            held = f"[len(request{carried}) for request in {arrangement.variable}.call_args_list]"
            requests = f"{held} == {list(outcome.sizes)}"
        made = requests_made(outcome.calls)
        return Case(
            test_name(circumstance(count, arrangement.size, self._nouns), made),
            Step(given(count, arrangement.size, self._nouns), self._without_sleep(before)),
            Step(f"`{self._target.function.name}` is called", staged.when if claimed else without_result(staged.when)),
            Step(made, (*claimed, f"assert {requests}")),
            arrangement.fixtures(staged, self._style),
            is_async=staged.is_async,
            records_today=bool(claimed),
        )

    def _broken(self, arrangement: Arrangement, failure: Failure, outcome: _Outcome) -> Case:
        """The test for a part that fails."""
        before, staged = self._given(arrangement, outcome.items, failure, self._waits if outcome.has_slept else ())
        claimed = outcome.claims
        when = staged.when if claimed else without_result(staged.when)
        if outcome.raised is not None:
            body = indent("\n".join(without_result(staged.when)), "    ")
            when = (f"with {_RAISES}({outcome.raised}):\n{body}",)
            claimed = (f"assert {failure.stand_in.variable}.called",)
        came = "the result says so"
        if outcome.raised is not None or outcome.result is None or outcome.result.code == "None":
            came = f"it {outcome_of('None', outcome.raised)}"
        return Case(
            test_name(failure.special, came),
            Step(f"{self._nouns.several} {failure.words}", self._without_sleep(before)),
            Step(f"`{self._target.function.name}` is called", when),
            Step(came, claimed),
            self._asked(arrangement, staged, failure),
            is_async=staged.is_async,
            records_today=True,
        )

    def _without_sleep(self, given: Sequence[str]) -> tuple[str, ...]:
        """The statements with the record of pauses that they use, if they do."""
        if not any("slept.append" in line for line in given):
            return tuple(given)
        return ("slept: list[float] = []" if self._style.annotated else "slept = []", *given)


_NOTHING = _Outcome("", 0, None, None, None, None, was_handled=True, has_slept=False)


def _rebuilt(item: Expression, trial: Trial) -> Expression:
    """The item written out, where the trial saw what it is made of."""
    seen = trial.local_values.get("item")
    if seen is None or seen.code is None or "\x01unittest.mock:" in seen.code:
        return item
    return replace(item, code=seen.code)


def _is_expected(outcome: _Outcome, count: int, size: int | None) -> bool:
    """Whether as many requests were made as chunks are needed."""
    if outcome.raised is not None:
        return False
    return size is None or count == 0 or outcome.calls == -(-count // size)
