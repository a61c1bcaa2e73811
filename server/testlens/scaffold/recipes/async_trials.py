"""Sees by trial what asynchronous code does with an answer, without one, and when it is cancelled; writes the tests."""

from __future__ import annotations

import ast
import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from textwrap import indent

from testlens.domain.cases import Case, Step
from testlens.domain.expressions import Expression, mark
from testlens.domain.trials import Trial
from testlens.scaffold.assertions import claims
from testlens.scaffold.changes import settings_for
from testlens.scaffold.recipe import Attempt, Knowledge
from testlens.scaffold.recipes.answers import answers, seen_answers
from testlens.scaffold.recipes.async_awaits import awaited_calls, careful_calls, cleaning_calls, time_limit
from testlens.scaffold.recipes.items import filled, items_for
from testlens.scaffold.recipes.patience import patiently
from testlens.scaffold.recipes.retry_probe import literal, raised_type
from testlens.scaffold.recipes.stalls import STALLS, stalls_helper
from testlens.scaffold.recipes.stand_ins import StandIn, stand_ins
from testlens.scaffold.scene import Scene
from testlens.scaffold.search import first_scenes
from testlens.scaffold.staging import RESULT, Staged, stage, without_result
from testlens.scaffold.target import Target
from testlens.scaffold.words import outcome_of, test_name

_ASYNC_MOCK = mark("unittest.mock", "AsyncMock")
_STAND_IN = f"{mark('unittest.mock', 'MagicMock')}()"
_RAISES = mark("pytest", "raises")
_CANCELLED = mark("asyncio", "CancelledError")
_TIMEOUT = mark("asyncio", "TimeoutError")
_WAIT_FOR = mark("asyncio", "wait_for")
_TASK = mark("asyncio", "create_task")
# Seconds: long enough for the code to come to where it waits, and short enough for nobody to notice.
_SOON = "0.05"
_THREADS = frozenset({"to_thread", "run_sync", "run_in_executor"})
_MOST_SCENES = 2
_MOST_ANSWERS = 3
Trials = Generator[Attempt, tuple[Trial, ...] | None, tuple[Case, ...]]


@dataclass(frozen=True, slots=True)
class _Try:
    """A way to see the code with an answer: `probe` tries it."""

    stand_in: StandIn
    answer: Expression


class Asynchronous:
    """Writes the tests of one asynchronous function."""

    def __init__(self, target: Target, knowledge: Knowledge) -> None:
        self._target = target
        self._knowledge = knowledge
        self._style = knowledge.style
        self._function = target.function.name

    def cases(self) -> Trials:
        """The tests that trials allow; none where no call that the function waits for can be replaced."""
        ways = self._ways()
        if not ways:
            return ()
        trials = yield from patiently(Attempt(tuple(self._answered_probe(way) for way in ways)))
        if trials is None:
            return ()
        good = [(way, trial) for way, trial in zip(ways, trials, strict=True) if _came_to_an_end(trial)]
        plain = [self._plain(way, trial) for way, trial in good[:1]]
        silent = yield from self._silent(self._waited_for([way for way, _ in good] or ways))
        return (*(case for case in plain if case is not None), *silent)

    def _ways(self) -> list[_Try]:
        items = items_for(self._target, self._knowledge)
        found = []
        scenes = [filled(scene, items) for scene in first_scenes(self._target, self._knowledge)[:_MOST_SCENES]]
        for scene in _with_asynchronous(scenes):
            for call in awaited_calls(self._target):
                placed = stand_ins(call, scene, (), self._target, self._knowledge)
                for stand_in in list(placed)[:1]:
                    noun = "thread" if stand_in.noun in _THREADS else stand_in.noun
                    bare = replace(stand_in, scene=_bare(stand_in), noun=noun)
                    known = seen_answers(call, self._target, self._knowledge.seen)
                    possible = (*known, *answers(call, self._target.function))[:_MOST_ANSWERS]
                    found += [_Try(bare, answer) for answer in possible]
        return found

    def _waited_for(self, ways: Sequence[_Try]) -> StandIn:
        """What never answers: what the code waits for where it would clean up, if there is such a place."""
        careful = careful_calls(self._target)
        return min((way.stand_in for way in ways), key=lambda stand_in: stand_in.call not in careful)

    def _silent(self, stand_in: StandIn) -> Trials:
        """The tests in which the answer never comes."""
        cleaning = [
            replace(cleaner, scene=_bare(cleaner))
            for call in cleaning_calls(self._target)
            for cleaner in list(stand_ins(call, stand_in.scene, (), self._target, self._knowledge))[:1]
        ]
        limited = self._limited(stand_in)
        probes = [self._cancelled_probe(stand_in, cleaning[:1])]
        probes += [self._late_probe(scene, stand_in) for scene in limited]
        trials = yield from patiently(Attempt(tuple(probes), stalls_helper(self._style)))
        if trials is None:
            return ()
        cases = [self._cancelled(stand_in, cleaning[:1], trials[0])]
        if limited:
            cases.append(self._late(limited[0], stand_in, trials[1]))
        elif cases[0] is not None:
            cases.append(self._left(stand_in))
        return tuple(case for case in cases if case is not None)

    def _limited(self, stand_in: StandIn) -> list[Scene]:
        """The scene in which the function's own time limit is over soon."""
        limit = time_limit(self._target.function)
        if limit is None or isinstance(limit, ast.Constant):
            return []
        changes = settings_for(self._target, self._knowledge.description.module, limit, Expression(_SOON))
        return [change(stand_in.scene) for change in changes[:1]]

    def _answered_probe(self, way: _Try) -> Case:
        staged = stage(way.stand_in.scene, self._style)
        before = (f"{way.stand_in.variable} = {_answering(way.answer)}", *staged.given, f"{RESULT} = raised = None")
        after = (f"awaited = {way.stand_in.variable}.await_count",)
        return _case(before, (_attempt(staged.when),), after, staged.fixtures)

    def _cancelled_probe(self, stand_in: StandIn, cleaning: Sequence[StandIn]) -> Case:
        staged = stage(cleaning[0].scene if cleaning else stand_in.scene, self._style)
        before = (*self._stalled(stand_in), *self._cleaners(cleaning), *staged.given, f"{RESULT} = raised = None")
        act = (*self._started(staged), f"task.cancel()\n{_attempt((f'{RESULT} = await task',))}")
        after = tuple(f"cleaned = {cleaner.variable}.call_count" for cleaner in cleaning)
        return _case(before, act, after, (*staged.fixtures, STALLS))

    def _late_probe(self, scene: Scene, stand_in: StandIn) -> Case:
        staged = stage(scene, self._style)
        before = (*self._stalled(stand_in), *staged.given, f"{RESULT} = raised = None")
        return _case(before, (_attempt(staged.when),), (), (*staged.fixtures, STALLS))

    def _stalled(self, stand_in: StandIn) -> tuple[str, ...]:
        return (f"{stand_in.variable}, asked = {STALLS}()",)

    def _cleaners(self, cleaning: Sequence[StandIn]) -> tuple[str, ...]:
        return tuple(f"{cleaner.variable} = {self._cleaner(cleaner)}" for cleaner in cleaning)

    def _cleaner(self, cleaner: StandIn) -> str:
        awaited = any(
            isinstance(node, ast.Await) and node.value is cleaner.call for node in ast.walk(self._target.function)
        )
        return f"{_ASYNC_MOCK}()" if awaited else f"{mark('unittest.mock', 'Mock')}()"

    def _started(self, staged: Staged) -> tuple[str, ...]:
        """The statements that bring the function to where it waits."""
        call = _call(staged)
        return (f"task = {_TASK}({call})", f"await {_WAIT_FOR}(asked.wait(), 1)")

    def _plain(self, way: _Try, trial: Trial) -> Case | None:
        """The test of the answer that comes."""
        staged = stage(way.stand_in.scene, self._style)
        variable = way.stand_in.variable
        seen = trial.local_values.get(RESULT)
        claimed = claims(RESULT, seen) if seen is not None and seen.code != "None" else ()
        awaited = literal(trial.local_values.get("awaited"))
        check = f"{variable}.assert_awaited_once()" if awaited == 1 else f"assert {variable}.await_count == {awaited}"
        outcome = _returned(seen.code if seen is not None and claimed else None)
        return Case(
            test_name(f"{way.stand_in.noun} answers", outcome),
            Step(f"a `{way.stand_in.noun}` that answers", (f"{variable} = {_answering(way.answer)}", *staged.given)),
            Step(f"`{self._function}` is awaited", staged.when if claimed else without_result(staged.when)),
            Step(outcome, (*claimed, check)),
            staged.fixtures,
            is_async=True,
            records_today=bool(claimed),
        )

    def _cancelled(self, stand_in: StandIn, cleaning: Sequence[StandIn], trial: Trial) -> Case | None:
        """The test of a cancellation while the function waits."""
        if trial.outcome != "passed":
            return None
        staged = stage(cleaning[0].scene if cleaning else stand_in.scene, self._style)
        cleaned = [cleaner for cleaner in cleaning if literal(trial.local_values.get("cleaned"))]
        if not cleaned:
            staged = stage(stand_in.scene, self._style)
        raised = raised_type(trial)
        seen = trial.local_values.get(RESULT)
        act: tuple[str, ...] = ("task.cancel()",)
        claimed = tuple(f"assert {cleaner.variable}.call_count == 1" for cleaner in cleaned)
        if raised is not None:
            act = (*act, f"with {_RAISES}({_CANCELLED if 'CancelledError' in raised else raised}):\n    await task")
            outcome = "it is cancelled" if "CancelledError" in raised else f"it {outcome_of(None, raised)}"
        else:
            claimed = (*claims(RESULT, seen), *claimed) if seen is not None else claimed
            act = (*act, f"{RESULT} = await task" if claimed else "await task")
            outcome = "it ends all the same"
        if cleaned:
            outcome += f" and calls {cleaned[0].noun.replace('_', ' ')}"
        given = (*self._stalled(stand_in), *self._cleaners(cleaned), *staged.given, *self._started(staged))
        return Case(
            test_name(f"cancelled while {stand_in.noun} is awaited", outcome),
            Step(f"`{self._function}` waiting for a `{stand_in.noun}` that never answers", given),
            Step("it is cancelled", act),
            Step(outcome, claimed),
            (*staged.fixtures, STALLS),
            is_async=True,
            records_today=raised is None or "CancelledError" not in raised or bool(cleaned),
        )

    def _late(self, scene: Scene, stand_in: StandIn, trial: Trial) -> Case | None:
        """The test of the function's own time limit."""
        if trial.outcome != "passed":
            return None
        staged = stage(scene, self._style)
        raised = raised_type(trial)
        seen = trial.local_values.get(RESULT)
        claimed = claims(RESULT, seen) if seen is not None and raised is None else ()
        act = staged.when if claimed else without_result(staged.when)
        if raised is not None:
            kind = _TIMEOUT if raised.strip("\x02").endswith("TimeoutError") else raised
            act = (f"with {_RAISES}({kind}):\n{indent(chr(10).join(without_result(staged.when)), '    ')}",)
        outcome = f"it {outcome_of(None, raised)}" if raised is not None else _returned(seen.code if seen else None)
        return Case(
            test_name(f"{stand_in.noun} takes too long", outcome),
            Step(f"a `{stand_in.noun}` that never answers", (self._unwatched(stand_in), *staged.given)),
            Step(f"`{self._function}` is awaited", act),
            Step(outcome, claimed),
            (*staged.fixtures, STALLS),
            is_async=True,
            records_today=True,
        )

    def _left(self, stand_in: StandIn) -> Case:
        """The test of a caller that does not wait for ever."""
        staged = stage(stand_in.scene, self._style)
        act = f"with {_RAISES}({_TIMEOUT}):\n    await {_WAIT_FOR}({_call(staged)}, {_SOON})"
        return Case(
            test_name(f"{stand_in.noun} never answers", "the caller can stop waiting"),
            Step(f"a `{stand_in.noun}` that never answers", (*self._stalled(stand_in), *staged.given)),
            Step(f"a caller waits for `{self._function}` for a moment", (act,)),
            Step("it can stop waiting", ("assert asked.is_set()",)),
            (*staged.fixtures, STALLS),
            is_async=True,
        )

    def _unwatched(self, stand_in: StandIn) -> str:
        return f"{stand_in.variable}, _ = {STALLS}()"


def _returned(code: str | None) -> str:
    """What was returned, as a sentence."""
    built = re.match(r"\x01[^:]*:(?:\w+\.)*(\w+)\x02\(", code or "")
    if built is not None:
        return f"it returns {'an' if built[1][:1] in 'AEIOU' else 'a'} {built[1]}"
    outcome = outcome_of(code, None)
    return outcome if outcome.startswith("it ") else f"it {outcome}"


def _came_to_an_end(trial: Trial) -> bool:
    return trial.outcome == "passed" and raised_type(trial) is None and bool(literal(trial.local_values.get("awaited")))


def _answering(answer: Expression) -> str:
    return f"{_ASYNC_MOCK}()" if answer.code == "None" else f"{_ASYNC_MOCK}(return_value={answer.code})"


def _with_asynchronous(scenes: Sequence[Scene]) -> Iterator[Scene]:
    """The scenes, before each the same with collaborators whose methods can be awaited."""
    for scene in scenes:
        if any(_STAND_IN in value.code for value in scene.expressions):
            yield scene.rewritten(lambda code: code.replace(_STAND_IN, f"{_ASYNC_MOCK}()"))
        yield scene


def _bare(stand_in: StandIn) -> Scene:
    """The scene in which the stand-in, asynchronous itself, is in no other one."""
    wrapped = f"{_ASYNC_MOCK}(side_effect={stand_in.variable})"
    return stand_in.scene.rewritten(lambda code: code.replace(wrapped, stand_in.variable))


def _call(staged: Staged) -> str:
    """The call without its `await`."""
    return staged.when[-1].removeprefix(f"{RESULT} = ").removeprefix("await ")


def _attempt(statements: Sequence[str]) -> str:
    body = indent("\n".join(statements), "    ")
    return f"try:\n{body}\nexcept ({_CANCELLED}, Exception) as problem:\n    raised = problem"


def _case(before: Sequence[str], act: Sequence[str], after: Sequence[str], fixtures: Sequence[str]) -> Case:
    return Case(
        "probe", Step("", tuple(before)), Step("", tuple(act)), Step("", tuple(after)), tuple(fixtures), is_async=True
    )
