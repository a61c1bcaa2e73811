"""Tests of code that tells libraries how to try again: urllib3's `Retry` and botocore's `Config(retries=...)`."""

from __future__ import annotations

import ast
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from textwrap import indent
from typing import Literal

from testlens.domain.cases import Case, Step
from testlens.domain.expressions import mark
from testlens.domain.trials import Trial
from testlens.scaffold.recipe import Attempt, Knowledge
from testlens.scaffold.recipes.patience import patiently
from testlens.scaffold.recipes.reading import below, called_name, module_names
from testlens.scaffold.recipes.retry_botocore import client_cases
from testlens.scaffold.recipes.retry_cases import numbers, pattern_of
from testlens.scaffold.recipes.retry_probe import literal, number
from testlens.scaffold.scene import Scene
from testlens.scaffold.search import first_scenes
from testlens.scaffold.staging import RESULT, stage
from testlens.scaffold.target import Target
from testlens.scaffold.words import test_name

_RAISES = mark("pytest", "raises")
_EXHAUSTED = mark("urllib3.exceptions", "MaxRetryError")
_FAILED = f'{mark("urllib3.exceptions", "ConnectTimeoutError")}("boom")'
_BUSY = (429, 500, 502, 503, 504)
_MOST = 40
_MOST_SCENES = 2
# Where what is made holds the policy, as source that follows the object itself.
_PLACES = {
    "urllib3": ("", ".max_retries", '.get_adapter("https://localhost").max_retries', '.connection_pool_kw["retries"]'),
    "botocore": (".retries", ".meta.config.retries", ".meta.client.meta.config.retries"),
}
Trials = Generator[Attempt, tuple[Trial, ...] | None, tuple[Case, ...]]


@dataclass(frozen=True, slots=True)
class Policy:
    """What the code makes: a policy of this library; `attributes` may hold what is made, for a constructor."""

    library: Literal["urllib3", "botocore"]
    attributes: tuple[str, ...]

    @property
    def words(self) -> str:
        """The policy as its library calls it."""
        return "urllib3's `Retry`" if self.library == "urllib3" else "botocore's `Config(retries=...)`"


def find_policy(target: Target) -> Policy | None:
    """The policy that the function of a target makes, if it makes one."""
    for node in below(target.function):
        if not isinstance(node, ast.Call) or called_name(node) not in ("Retry", "Config"):
            continue
        library = _library(node, target)
        if library is not None:
            return Policy(library, tuple(_attributes(target)))
    return None


def policy_cases(policy: Policy, target: Target, knowledge: Knowledge) -> Trials:
    """The tests of a policy; none where what is made could not be made or holds no policy in a known place."""
    writer = _Writer(policy, target, knowledge)
    if policy.library == "botocore":
        clients = [f"{holder}{way}" for holder in writer.holders() for way in ("", ".meta.client")]
        cases = yield from client_cases(clients, target, knowledge)
        if cases:
            return cases
    tried = [(scene, place) for scene in first_scenes(target, knowledge)[:_MOST_SCENES] for place in writer.places()]
    trials = yield from patiently(Attempt(tuple(writer.probe(scene, place) for scene, place in tried)))
    if trials is None:
        return ()
    for (scene, place), trial in zip(tried, trials, strict=True):
        if trial.outcome == "passed":
            return writer.cases(scene, place, trial)
    return ()


def _library(call: ast.Call, target: Target) -> Literal["urllib3", "botocore"] | None:
    if not isinstance(call.func, ast.Name | ast.Attribute):
        return None
    origin = module_names(target.tree, target.module).origin(ast.unparse(call.func))
    if origin is None:
        return None
    root = origin.module.partition(".")[0]
    if called_name(call) == "Retry" and root in ("urllib3", "requests"):
        return "urllib3"
    has_retries = any(keyword.arg == "retries" for keyword in call.keywords)
    return "botocore" if called_name(call) == "Config" and root == "botocore" and has_retries else None


def _attributes(target: Target) -> Sequence[str]:
    return [
        node.attr
        for node in below(target.function)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and _is_self(node.value)
    ]


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


class _Writer:
    def __init__(self, policy: Policy, target: Target, knowledge: Knowledge) -> None:
        self._policy = policy
        self._name = target.function.name
        self._style = knowledge.style
        self._is_constructor = knowledge.description.kind == "class"

    def places(self) -> list[str]:
        """Where the policy may be, as source."""
        return [f"{holder}{place}" for holder in self.holders() for place in _PLACES[self._policy.library]]

    def holders(self) -> list[str]:
        """What is made, as source."""
        return [f"{RESULT}.{name}" for name in self._policy.attributes] if self._is_constructor else [RESULT]

    def probe(self, scene: Scene, place: str) -> Case:
        """A case that claims nothing and leaves in its variables what the policy does."""
        staged = stage(scene, self._style)
        if self._policy.library == "botocore":
            after: tuple[str, ...] = (f"settings = dict({place})",)
        else:
            step = indent(self._step, "        ")
            after = (
                f"policy = {place}",
                "total = policy.total",
                f"busy = [code for code in {list(_BUSY)} if policy.is_retry('GET', code)]",
                "waits = []",
                f"try:\n    while len(waits) < {_MOST}:\n{step}\nexcept {_EXHAUSTED}:\n    pass",
            )
        return Case(
            "probe", Step("", staged.given), Step("", staged.when), Step("", after), staged.fixtures,
            is_async=staged.is_async,
        )  # fmt: skip

    def cases(self, scene: Scene, place: str, trial: Trial) -> tuple[Case, ...]:
        """The tests of what a trial showed."""
        values = trial.local_values
        if self._policy.library == "botocore":
            settings = values.get("settings")
            code = settings.code if settings is not None else None
            return (self._settings(scene, place, code),) if code is not None else ()
        waits, busy = literal(values.get("waits")), literal(values.get("busy"))
        found = []
        if isinstance(waits, list) and 0 < len(waits) < _MOST and number(values.get("total")) is not None:
            found.append(self._gives_up(scene, place, waits))
        if isinstance(busy, list) and busy:
            found.append(self._statuses(scene, place, busy))
        return tuple(found)

    @property
    def _step(self) -> str:
        return f'policy = policy.increment("GET", "/", error={_FAILED})\nwaits.append(policy.get_backoff_time())'

    def _gives_up(self, scene: Scene, place: str, waits: Sequence[float]) -> Case:
        # One step more than there are waits: a policy that changes must not make the test go on for ever.
        loop = f"with {_RAISES}({_EXHAUSTED}):\n    for _ in range({len(waits) + 1}):\n{indent(self._step, '        ')}"
        pattern = pattern_of(waits) if len(waits) > 1 else "it waits in between"
        return self._case(
            scene, test_name("the connection always fails", f"it gives up after {len(waits)} retries"),
            "a connection that always fails", f"it gives up after {len(waits)} retries, and {pattern}",
            (f"policy = {place}", "waits = []", loop), (f"assert waits == {numbers(waits)}",),
        )  # fmt: skip

    def _statuses(self, scene: Scene, place: str, busy: Sequence[int]) -> Case:
        tried_again = [code for code in (*busy, 404) if code in busy]
        checks = [f'assert policy.is_retry("GET", {code})' for code in tried_again]
        return self._case(
            scene, test_name("the server is busy", "it is asked again"), "answers of a server",
            "those that say that it is busy are asked for again, others are not",
            (f"policy = {place}",), (*checks, 'assert not policy.is_retry("GET", 404)'),
        )  # fmt: skip

    def _settings(self, scene: Scene, place: str, code: str) -> Case:
        return self._case(
            scene, test_name(f"{self._name} is called", "retries are configured"), "no settings of its own",
            "botocore is told how often to try again", (), (f"assert {place} == {code}",),
        )  # fmt: skip

    def _case(self, scene: Scene, name: str, given: str, then: str, act: Sequence[str], checks: Sequence[str]) -> Case:
        staged = stage(scene, self._style)
        return Case(
            name,
            Step(given, (*staged.given, *staged.when) if act else staged.given),
            Step(
                f"what `{self._name}` makes is used" if act else f"`{self._name}` is called", tuple(act) or staged.when
            ),
            Step(then, tuple(checks)),
            staged.fixtures,
            is_async=staged.is_async,
            records_today=True,
        )
