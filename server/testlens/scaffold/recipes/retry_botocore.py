"""Tests of a client of botocore that tries again by itself: what leaves it is caught before it reaches the network."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

from testlens.domain.cases import Case, Step
from testlens.domain.expressions import mark
from testlens.domain.trials import Trial
from testlens.scaffold.recipe import Attempt, Knowledge
from testlens.scaffold.recipes.patience import patiently
from testlens.scaffold.recipes.retry_probe import literal, number
from testlens.scaffold.scene import Scene
from testlens.scaffold.search import first_scenes, plainer
from testlens.scaffold.staging import RESULT, stage
from testlens.scaffold.target import Target
from testlens.scaffold.words import test_name

Trials = Generator[Attempt, tuple[Trial, ...] | None, tuple[Case, ...]]

_RAISES = mark("pytest", "raises")
_MOCK = mark("unittest.mock", "MagicMock")
_UNREACHABLE = mark("botocore.exceptions", "EndpointConnectionError")
_FAILURE = f'{_UNREACHABLE}(endpoint_url="https://localhost")'
_REFUSED = 'ValueError("boom")'
# What says "nothing" in the protocols of JSON, and in those of XML.
_BODIES = ('b"{}"', 'b"<Response/>"')
_MOST_SCENES = 2
_MOST_ATTEMPTS = 20
_LONGEST_WAIT = 20  # seconds, as botocore has it
_ENVIRONMENT = tuple(
    f'monkeypatch.setenv("{name}", "{value}")'
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "testing"),
        ("AWS_SECRET_ACCESS_KEY", "testing"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    )
)
_SLEEPING = ("slept = []", f'monkeypatch.setattr({mark("time", "")}, "sleep", slept.append)')
_AN_OPERATION = (
    f"operation = next({mark('botocore', 'xform_name')}(name) for name in client.meta.service_model.operation_names "
    "if not getattr(client.meta.service_model.operation_model(name).input_shape, 'required_members', ()))"
)


@dataclass(frozen=True, slots=True)
class _Client:
    """A call that makes a client: `holder` is the client in what came back, `operation` what can be asked of it."""

    scene: Scene
    holder: str
    operation: str


def client_cases(holders: Sequence[str], target: Target, knowledge: Knowledge) -> Trials:
    """The five tests of a client that one of the `holders` (source) is; none where none of them is one."""
    writer = _Writer(target, knowledge)
    first = first_scenes(target, knowledge)[:_MOST_SCENES]
    scenes = [*first, *(plain for scene in first[:1] for plain in plainer(scene))]
    tried = [(scene, holder) for scene in scenes for holder in holders]
    trials = yield from patiently(Attempt(tuple(writer.looking(scene, holder) for scene, holder in tried)))
    for (scene, holder), trial in zip(tried, trials or (), strict=False):
        operation = literal(trial.local_values.get("operation"))
        if trial.outcome == "passed" and isinstance(operation, str):
            return (yield from _observed(writer, _Client(scene, holder, operation)))
    return ()


def _observed(writer: _Writer, client: _Client) -> Trials:
    """Let requests fail in each way, and write down what came of it."""
    failing = writer.observing(client, f"side_effect={_FAILURE}", _UNREACHABLE)
    refused = writer.observing(client, f"side_effect={_REFUSED}", "ValueError")
    recovering = [writer.observing(client, f"side_effect={_after_two(body)}", _UNREACHABLE) for body in _BODIES]
    trials = yield from patiently(Attempt((failing, failing, refused, *recovering)))
    if trials is None:
        return ()
    once, again, no, *good = trials
    attempts, waits = number(once.local_values.get("attempts")), literal(once.local_values.get("slept"))
    if attempts is None or not 1 < attempts <= _MOST_ATTEMPTS or not isinstance(waits, list):
        return ()
    is_steady = waits == literal(again.local_values.get("slept"))
    body = next((body for body, trial in zip(_BODIES, good, strict=True) if _has_recovered(trial)), None)
    cases = []
    if body is not None and attempts > 2:
        cases.append(writer.recovers(client, body))
    cases.append(writer.waits(client, waits, is_steady))
    cases.append(writer.gives_up(client, int(attempts)))
    if number(no.local_values.get("attempts")) == 1:
        cases.append(writer.refuses(client))
    if body is not None:
        cases.append(writer.works_at_once(client, body))
    return tuple(cases)


def _has_recovered(trial: Trial) -> bool:
    values = trial.local_values
    return number(values.get("attempts")) == 3 and literal(values.get("is_done")) is True


def _after_two(body: str) -> str:
    return f"[{_FAILURE}, {_FAILURE}, {_answer(body)}]"


def _answer(body: str) -> str:
    return f"{_MOCK}(status_code=200, headers={{}}, content={body})"


class _Writer:
    def __init__(self, target: Target, knowledge: Knowledge) -> None:
        self._style = knowledge.style
        self._name = target.function.name

    def looking(self, scene: Scene, holder: str) -> Case:
        """A case that leaves in `operation` what the client can be asked for without arguments."""
        staged = stage(scene, self._style)
        when = (*staged.when, f"client = {holder}", "client.meta.events", _AN_OPERATION)
        return Case(
            "probe", Step("", (*_ENVIRONMENT, *staged.given)), Step("", when), Step(""), self._fixtures(scene),
            is_async=staged.is_async,
        )  # fmt: skip

    def observing(self, client: _Client, behaviour: str, error: str) -> Case:
        """A case that claims nothing and leaves in its variables how often the client tried, and when it slept."""
        ask = f"try:\n    client.{client.operation}()\n    is_done = True\nexcept {error}:\n    is_done = False"
        after = (ask, "attempts = send.call_count", "slept = [float(wait) for wait in slept]")
        return self._case(client, "probe", behaviour, "", "", after, ())

    def recovers(self, client: _Client, body: str) -> Case:
        return self._case(
            client, test_name("two requests fail", "the third attempt succeeds"), f"side_effect={_after_two(body)}",
            "two requests that do not arrive", "the third attempt succeeds",
            (f"client.{client.operation}()",), ("assert send.call_count == 3",),
        )  # fmt: skip

    def waits(self, client: _Client, waits: Sequence[float], is_steady: bool) -> Case:
        if is_steady:
            then = "it waits as it is configured to"
            checks: tuple[str, ...] = (f"assert slept == {list(waits)!r}",)
        else:
            bounds = [min(2**number, _LONGEST_WAIT) for number in range(len(waits))]
            pairs = "zip(slept, bounds, strict=True)"
            then = "each wait is drawn from a range twice as wide as the last"
            checks = (f"bounds = {bounds!r}", f"assert all(0 <= wait <= bound for wait, bound in {pairs})")
        return self._case(
            client, test_name("requests keep failing", "it waits longer each time"), f"side_effect={_FAILURE}",
            "requests that never arrive", then, (self._raising(client, _UNREACHABLE),), checks,
        )  # fmt: skip

    def gives_up(self, client: _Client, attempts: int) -> Case:
        return self._case(
            client, test_name("requests always fail", f"it gives up after {attempts} attempts"),
            f"side_effect={_FAILURE}", "requests that never arrive", f"the error is raised after {attempts} attempts",
            (self._raising(client, _UNREACHABLE),), (f"assert send.call_count == {attempts}",),
        )  # fmt: skip

    def refuses(self, client: _Client) -> Case:
        raising = f'with {_RAISES}(ValueError, match="boom"):\n    client.{client.operation}()'
        return self._case(
            client, test_name("a request fails with ValueError", "it is not tried again"), f"side_effect={_REFUSED}",
            "an error that no repetition helps", "it is raised at once", (raising,),
            ("assert send.call_count == 1", "assert slept == []"),
        )  # fmt: skip

    def works_at_once(self, client: _Client, body: str) -> Case:
        return self._case(
            client, test_name("the first request works", "it never sleeps"), f"return_value={_answer(body)}",
            "a request that works", "it is sent once and nothing waits", (f"client.{client.operation}()",),
            ("assert send.call_count == 1", "assert slept == []"),
        )  # fmt: skip

    def _raising(self, client: _Client, error: str) -> str:
        return f"with {_RAISES}({error}):\n    client.{client.operation}()"

    def _case(
        self,
        client: _Client,
        name: str,
        behaviour: str,
        given: str,
        then: str,
        act: Sequence[str],
        checks: Sequence[str],
    ) -> Case:
        staged = stage(client.scene, self._style)
        return Case(
            name,
            Step(given, (*_ENVIRONMENT, *_SLEEPING, *staged.given, *self._made(client, staged.when, behaviour))),
            Step(f"the client of `{self._name}` is used", tuple(act)),
            Step(then, tuple(checks)),
            self._fixtures(client.scene),
            is_async=staged.is_async,
            records_today=True,
        )

    def _made(self, client: _Client, when: Sequence[str], behaviour: str) -> Iterator[str]:
        if client.holder == RESULT:
            yield from (line.replace(f"{RESULT} = ", "client = ", 1) for line in when)
        else:
            yield from when
            yield f"client = {client.holder}"
        yield f"send = {_MOCK}({behaviour})"
        yield 'client.meta.events.register("before-send", send)'

    def _fixtures(self, scene: Scene) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*stage(scene, self._style).fixtures, "monkeypatch")))
