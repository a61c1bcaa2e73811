"""The failing tests first, for code that goes to the outside and gives up at the first failure."""

from __future__ import annotations

import ast
from collections.abc import Generator, Sequence
from dataclasses import replace
from textwrap import indent

from testlens.domain.cases import Case, Draft, Step
from testlens.domain.expressions import Expression, mark
from testlens.domain.trials import Trial
from testlens.scaffold.names import ModuleNames
from testlens.scaffold.recipe import Attempt, Knowledge, Offer, Search
from testlens.scaffold.recipes.answers import answers, seen_answers
from testlens.scaffold.recipes.fails import FAILS, failing, fails_helper
from testlens.scaffold.recipes.finishing import group_of
from testlens.scaffold.recipes.items import filled, items_for
from testlens.scaffold.recipes.patience import patiently
from testlens.scaffold.recipes.reading import own_below
from testlens.scaffold.recipes.retry_errors import Fault
from testlens.scaffold.recipes.retry_probe import number, raised_type
from testlens.scaffold.recipes.retry_sites import find_site, goes_out, operations_in
from testlens.scaffold.recipes.stand_ins import StandIn, stand_ins
from testlens.scaffold.scene import Patch
from testlens.scaffold.search import first_scenes
from testlens.scaffold.staging import Staged, stage, without_result
from testlens.scaffold.style import Style
from testlens.scaffold.target import Target
from testlens.scaffold.words import camel, test_name

_FITS = 10
_MOST_SCENES = 2
_MOST_PLACES = 8
_ATTEMPTS = 3
# What a library raises when the outside does not answer, by the name it is imported under.
_ERRORS = (
    ("boto3", mark("botocore.exceptions", "ClientError"),
     '({"Error": {"Code": "ThrottlingException", "Message": "boom"}}, "Operation")'),
    ("requests", mark("requests", "ConnectionError"), '("boom")'),
    ("httpx", mark("httpx", "ConnectError"), '("boom")'),
    ("urllib", mark("urllib.error", "URLError"), '("boom")'),
)  # fmt: skip


class TddRetry:
    """The recipe for code that should retry and does not yet."""

    name = "tdd-retry"

    def offer(self, target: Target, style: Style) -> Offer | None:
        """Offered where the function goes to the outside, and nothing in it or around it tries again."""
        if not goes_out(target) or not _operations(target) or find_site(target) is not None:
            return None
        title = f"Write the failing test first: `{target.function.name}` retries with exponential backoff"
        return Offer(self.name, title, _FITS)

    def search(self, target: Target, knowledge: Knowledge) -> Search:
        """Write tests that fail today, and say in their messages what is to be built."""
        places = _places(target, knowledge)
        group = group_of(target, "Retries")
        if not places:
            todo = f"say which call of `{target.function.name}` is to be tried again, and let it fail"
            return Draft(self.name, group, (_open(target, todo),))
        fault = _fault(target, knowledge)
        reds = [_Red(place, fault, target, knowledge) for place in places]
        trials = yield from patiently(Attempt(tuple(red.probe() for red in reds), fails_helper(knowledge.style)))
        red, raised = (reds[0], fault.kind) if trials is None else _reached(reds, trials)
        if red is None:
            todo = f"call `{target.function.name}` so that it comes to `{places[0].noun}`, and let that fail"
            return Draft(self.name, group, (_open(target, todo),))
        cases = yield from _red_today(red.cases(raised), knowledge)
        return Draft(self.name, group, cases, fails_helper(knowledge.style))


def _operations(target: Target) -> tuple[ast.Call, ...]:
    return operations_in(target.function.body, target)


def _places(target: Target, knowledge: Knowledge) -> list[StandIn]:
    items = items_for(target, knowledge)
    scenes = [filled(scene, items) for scene in first_scenes(target, knowledge)[:_MOST_SCENES]]
    placed = [
        stand_in
        for call in _operations(target)[:2]
        for scene in scenes
        for stand_in in stand_ins(call, scene, (), target, knowledge)
    ]
    return placed[:_MOST_PLACES]


def _reached(reds: Sequence[_Red], trials: Sequence[Trial]) -> tuple[_Red | None, str | None]:
    """The first place where the stand-in was called once, and the class of what left the code then, if anything did."""
    for red, trial in zip(reds, trials, strict=True):
        if trial.outcome == "passed" and number(trial.local_values.get("attempts")) == 1:
            return red, raised_type(trial)
    return None, None


def _red_today(
    cases: Sequence[Case], knowledge: Knowledge
) -> Generator[Attempt, tuple[Trial, ...] | None, tuple[Case, ...]]:
    """Those of the tests that fail by their own claims."""
    trials = yield from patiently(Attempt(tuple(cases), fails_helper(knowledge.style)))
    if trials is None:
        return tuple(cases)
    red = [
        case
        for case, trial in zip(cases, trials, strict=True)
        if trial.outcome == "failed" and trial.raised is not None and trial.raised.type == "AssertionError"
    ]
    return tuple(red or cases[:1])


def _fault(target: Target, knowledge: Knowledge) -> Fault:
    names = ModuleNames(target.tree, knowledge.description.module)
    for library, kind, arguments in _ERRORS:
        if any(node.id == library or _comes_from(node.id, library, names) for node in _names(target)):
            return Fault(f"{kind}{arguments}", kind)
    return Fault('ConnectionError("boom")', "ConnectionError")


def _names(target: Target) -> list[ast.Name]:
    around: ast.AST = target.owner if target.owner is not None else target.function
    return [node for node in ast.walk(around) if isinstance(node, ast.Name)]


def _comes_from(name: str, library: str, names: ModuleNames) -> bool:
    origin = names.origin(name)
    return origin is not None and origin.module.partition(".")[0] == library


def _open(target: Target, todo: str) -> Case:
    return Case(
        test_name("it fails at first", "todo"),
        Step("a collaborator that fails at first"),
        Step(f"`{target.function.name}` is called"),
        Step("TODO"),
        todo=todo,
    )


class _Red:
    """Writes the failing tests for one place."""

    def __init__(self, place: StandIn, fault: Fault, target: Target, knowledge: Knowledge) -> None:
        self._place = place
        operation = "Operation" if place.is_given else camel(place.noun)
        self._fault = replace(fault, code=fault.code.replace('"Operation"', f'"{operation}"'))
        self._style: Style = knowledge.style
        self._is_async = knowledge.description.is_async
        self._name = f"{target.owner.name}.{target.function.name}" if target.owner is not None else target.function.name
        known = seen_answers(place.call, target, knowledge.seen)
        self._answer = (*known, *answers(place.call, target.function))[0].code
        self._is_used = not any(isinstance(n, ast.Expr) and n.value is place.call for n in own_below(target.function))

    def probe(self) -> Case:
        """A case that claims nothing and leaves in its variables whether the stand-in's error leaves the code."""
        given, staged = self._given(self._failing(None))
        after = (f"attempts = {self._place.variable}.call_count",)
        body = indent("\n".join(without_result(staged.when)), "    ")
        act = f"raised = None\ntry:\n{body}\nexcept Exception as problem:\n    raised = problem"
        return self._case("probe", "", "", given, (act,), after, staged)

    def cases(self, raised: str | None) -> tuple[Case, ...]:
        """The tests: that it succeeds in the end, how it waits, and that it gives up.

        `raised` is the class of what leaves the code today when the stand-in fails, in marked source.
        """
        return (self._succeeds(raised), self._waits(raised), self._gives_up(raised))

    def _succeeds(self, raised: str | None) -> Case:
        given, staged = self._given(self._failing(_ATTEMPTS - 1))
        checks = (
            f"retry_count = {self._place.variable}.call_count - 1",
            *([f"assert success, {self._message()}"] if raised is not None else []),
            f"assert retry_count == {_ATTEMPTS - 1}{'' if raised is not None else f', {self._message()}'}",
        )
        return self._case(
            test_name(f"{self._place.noun} fails twice", "the third attempt succeeds"),
            f"a `{self._place.noun}` that fails twice and then works", "the third attempt succeeds",
            given, self._tried(staged, raised), checks, staged,
        )  # fmt: skip

    def _waits(self, raised: str | None) -> Case:
        given, staged = self._given(self._failing(_ATTEMPTS - 1))
        message = f'"`{self._name}` does not wait between attempts yet: sleep longer before each further one"'
        checks = (
            f"assert len(slept) == {_ATTEMPTS - 1}, {message}",
            f"assert slept[1] > slept[0], {message}",
        )
        return self._case(
            test_name(f"{self._place.noun} fails twice", "it waits longer each time"),
            f"a `{self._place.noun}` that fails twice and then works", "it waits longer each time",
            given, self._tried(staged, raised), checks, staged,
        )  # fmt: skip

    def _gives_up(self, raised: str | None) -> Case:
        given, staged = self._given(self._failing(None))
        checks = (
            f"retry_count = {self._place.variable}.call_count - 1",
            *(["assert not success"] if raised is not None else []),
            f"assert retry_count == {_ATTEMPTS - 1}, {self._message()}",
        )
        return self._case(
            test_name(f"{self._place.noun} always fails", f"it gives up after {_ATTEMPTS} attempts"),
            f"a `{self._place.noun}` that always fails", f"it gives up after {_ATTEMPTS} attempts",
            given, self._tried(staged, raised), checks, staged,
        )  # fmt: skip

    def _message(self) -> str:
        kind = self._fault.kind.strip("\x02").rpartition(":")[2]
        return (
            f'"`{self._name}` does not retry yet: call `{self._place.noun}` again when it raises {kind}, "\n'
            f'"up to {_ATTEMPTS} times in all, waiting longer each time"'
        )

    def _failing(self, times: int | None) -> str:
        answer = self._answer if self._is_used and times is not None and self._answer != "None" else None
        return failing(self._fault.code, times, answer)

    def _given(self, stand_in: str) -> tuple[tuple[str, ...], Staged]:
        scene = self._place.scene.with_patch(self._pause())
        staged = stage(scene, self._style)
        recorder = "slept: list[float] = []" if self._style.annotated else "slept = []"
        return (recorder, f"{self._place.variable} = {stand_in}", *staged.given), staged

    def _pause(self) -> Patch:
        if self._is_async:
            recorder = f"{mark('unittest.mock', 'AsyncMock')}(side_effect=slept.append)"
            return Patch(mark("asyncio", ""), "sleep", Expression(recorder))
        return Patch(mark("time", ""), "sleep", Expression("slept.append"))

    def _tried(self, staged: Staged, raised: str | None) -> tuple[str, ...]:
        called = without_result(staged.when)
        if raised is None:
            return called
        body = indent("\n".join(called), "    ")
        return (f"try:\n{body}\nexcept {raised}:\n    success = False\nelse:\n    success = True",)

    def _case(
        self, name: str, given: str, then: str, before: Sequence[str], act: Sequence[str], checks: Sequence[str],
        staged: Staged,
    ) -> Case:  # fmt: skip
        return Case(
            name,
            Step(given, tuple(before)),
            Step(f"`{self._name}` is called", tuple(act)),
            Step(then, tuple(self._parenthesised(check) for check in checks)),
            (*staged.fixtures, FAILS),
            is_async=self._is_async,
        )

    def _parenthesised(self, check: str) -> str:
        """The check with a message of two lines in parentheses."""
        head, _, message = check.partition(', "')
        if "\n" not in message:
            return check
        body = indent(f'"{message}', "    ")
        return f"{head}, (\n{body}\n)"
