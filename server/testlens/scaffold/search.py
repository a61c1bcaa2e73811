"""Looks for calls that reach a gap: best first, led by the conditions on the way and by what went wrong.

The search is pure. It yields attempts, is sent their trials, and stops when the gap is reached or the budget is spent.
"""

from __future__ import annotations

import ast
import builtins
import heapq
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count

from testlens.domain.calls import SeenCall
from testlens.domain.coverage import Arc
from testlens.domain.expressions import Expression
from testlens.domain.trials import Trial
from testlens.scaffold.assertions import trying
from testlens.scaffold.changes import Change, changes_for, replacements, settings_for
from testlens.scaffold.faults import faults
from testlens.scaffold.recipe import Attempt, Knowledge
from testlens.scaffold.scene import Scene
from testlens.scaffold.target import FunctionNode, Guard, Target, inner_parameters
from testlens.scaffold.values import STAND_IN, arguments_for, receivers_for

_TOGETHER = 12
_MOST_CALLS_SEEN = 6
_MOST_RECEIVERS = 4
_MOST_ALTERNATIVES = 10
_MOST_SIMPLIFICATIONS = 4
_STOPPED = 0.5
_FAR = 1_000_000
_PLAIN = ('"name"', "1", '["name"]', '{"name": 1}')
# Scenes that are tried in vain before what was reached is taken for all that can be.
_MOST_EXTRA = 120
MISUSE = ("TypeError", "AttributeError", "NameError", "UnboundLocalError", "RecursionError", "AssertionError")
"""Exceptions that speak of mistakes in how a function was called rather than being answers of it."""


@dataclass(frozen=True, slots=True)
class Found:
    """A scene that reached something of the gap. `lines` and `arcs` are the gap's that it ran.

    `is_clumsy`: it was left by an exception that speaks of a wrong call and that the function does not raise itself.
    """

    scene: Scene
    trial: Trial
    lines: frozenset[int]
    arcs: frozenset[Arc]
    is_clumsy: bool = False


Reach = Generator[Attempt, tuple[Trial, ...] | None, tuple[Found, ...]]


def reach(target: Target, knowledge: Knowledge) -> Reach:
    """Scenes that together run as much of the gap as was found in the budget, the most telling first."""
    search = SceneSearch(target, knowledge)
    while not search.is_over:
        scenes = search.next_scenes()
        if not scenes:
            break
        trials = yield Attempt(tuple(trying(scene, knowledge.style) for scene in scenes))
        if trials is None:
            break
        for scene, trial in zip(scenes, trials, strict=True):
            search.learn(scene, trial)
    yield from _simplified(search, knowledge)
    return search.found()


def _simplified(search: SceneSearch, knowledge: Knowledge) -> Generator[Attempt, tuple[Trial, ...] | None, None]:
    """Try what was found with less, as long as that reaches as much."""
    for _ in range(_MOST_SIMPLIFICATIONS):
        found = search.found()
        scenes = [
            scene for one in found for scene in (*one.scene.simpler(), *plainer(one.scene)) if search.is_new(scene)
        ]
        if not scenes:
            return
        trials = yield Attempt(tuple(trying(scene, knowledge.style) for scene in scenes[:_TOGETHER]))
        if trials is None:
            return
        for scene, trial in zip(scenes, trials, strict=False):
            search.learn(scene, trial)


def plainer(scene: Scene) -> Iterator[Scene]:
    """The scene with plain values in place of stand-ins, of which little can be claimed."""
    names = [name for name, value in scene.arguments.items() if value == STAND_IN]
    inner_ones = any(value == STAND_IN for arguments in scene.inner for value in arguments)
    if not (names or inner_ones) or scene.settings:
        return
    for code in _PLAIN:
        plain = Expression(code, origin="literal")
        inner = tuple(tuple(plain if one == STAND_IN else one for one in arguments) for arguments in scene.inner)
        yield replace(scene, arguments={**scene.arguments, **dict.fromkeys(names, plain)}, inner=inner)
    if len(names) > 1:
        for name in names:
            for code in _PLAIN[:2]:
                yield scene.with_argument(name, Expression(code, origin="literal"))


def first_scenes(target: Target, knowledge: Knowledge) -> tuple[Scene, ...]:
    """The calls that a search begins with: one for each call that was seen, then those of the likeliest values."""
    return tuple(SceneSearch(target, knowledge).first_scenes())


class SceneSearch:
    """What was tried, what is to be tried, and what was found."""

    def __init__(self, target: Target, knowledge: Knowledge) -> None:
        self._target = target
        self._module = knowledge.description.module
        self._knowledge = knowledge
        self._arguments = arguments_for(target, knowledge)
        self._receivers = receivers_for(target, knowledge)
        self._queue: list[tuple[float, int, Scene]] = []
        self._order = count()
        self._known: set[str] = set()
        self._tried: set[str] = set()
        self._found: list[Found] = []
        self._extra = _MOST_EXTRA
        for rank, scene in enumerate(self.first_scenes()):
            self._push(scene, rank * 0.5)

    @property
    def is_over(self) -> bool:
        """Whether good calls reach all of the gap, or nothing was gained for long after something was reached."""
        return self._reached(self._good()) or (bool(self._found) and self._extra <= 0)

    def next_scenes(self, most: int = _TOGETHER) -> list[Scene]:
        """The likeliest scenes that were not tried."""
        chosen: list[Scene] = []
        while self._queue and len(chosen) < most:
            chosen.append(heapq.heappop(self._queue)[2])
        return chosen

    def learn(self, scene: Scene, trial: Trial) -> None:
        """Take in what came of a scene, and think of what to change in it."""
        self._tried.add(scene.key)
        self._extra -= 1
        found = self._judge(scene, trial)
        if found is not None:
            if self._gains(found):
                self._extra = _MOST_EXTRA
            self._found.append(found)
        score = self._progress(trial)
        if trial.outcome in ("timeout", "crashed", "blocked"):
            # What it ran, it ran because it was stopped: handlers that saw the sandbox's refusal, for one.
            score = min(score, 1.0) - _STOPPED
        for rank, change in enumerate(self._changes(scene, trial)):
            self._push(change(scene), rank * 0.25 - score * 10 + scene.cost * 0.1)

    def is_new(self, scene: Scene) -> bool:
        """Whether a scene was not thought of before; it counts as known from now on."""
        is_new = scene.key not in self._tried
        self._tried.add(scene.key)
        return is_new

    def found(self) -> tuple[Found, ...]:
        """The fewest of the found scenes that reach all that was reached, good and simple ones first."""
        chosen: list[Found] = []
        lines: set[int] = set()
        arcs: set[Arc] = set()
        # To show how the function fails when it is called wrongly is better than nothing, and than nothing else.
        ranked = sorted(self._good() or self._found, key=lambda f: (-len(f.lines) - len(f.arcs), f.scene.cost))
        for found in ranked:
            if not (found.lines <= lines and found.arcs <= arcs):
                chosen.append(found)
                lines |= found.lines
                arcs |= found.arcs
        return tuple(chosen)

    def _gains(self, new: Found) -> bool:
        """Whether it reaches what nothing as good has reached."""
        known = self._good() if not new.is_clumsy else self._found
        lines = {line for found in known for line in found.lines}
        arcs = {arc for found in known for arc in found.arcs}
        return not (new.lines <= lines and new.arcs <= arcs)

    def _good(self) -> list[Found]:
        return [found for found in self._found if not found.is_clumsy]

    def _reached(self, found: list[Found]) -> bool:
        if self._target.region.kind == "partial":
            return any(one.arcs for one in found)
        return self._target.lines <= {line for one in found for line in one.lines}

    def _judge(self, scene: Scene, trial: Trial) -> Found | None:
        if trial.outcome in ("error", "timeout", "crashed", "blocked", "skipped"):
            return None
        region = self._target.region
        lines = frozenset(region.statements) & trial.lines
        arcs = frozenset(region.arcs) & trial.arcs
        if not lines and not arcs:
            return None
        return Found(scene, trial, lines, arcs, self._is_misuse(trial))

    def _is_misuse(self, trial: Trial) -> bool:
        if trial.raised is None or trial.raised.type not in MISUSE:
            return False
        raising = {node.lineno for node in ast.walk(self._target.function) if isinstance(node, ast.Raise)}
        return trial.raised.line is None or trial.raised.line not in raising

    def _push(self, scene: Scene, priority: float) -> None:
        if scene.key not in self._known and len(self._known) < 5_000:
            self._known.add(scene.key)
            heapq.heappush(self._queue, (priority, next(self._order), scene))

    def first_scenes(self) -> Iterator[Scene]:
        """As the project's tests call it; then with the likeliest value for each parameter that needs one."""
        description = self._knowledge.description
        plain = Scene(description, arguments=self._required())
        receivers = self._receivers[:_MOST_RECEIVERS] if description.kind in ("method", "property") else ()
        seen = self._knowledge.seen.get((self._target.path, self._target.name), ())
        calls = sorted(seen, key=self._way_to_gap)[:_MOST_CALLS_SEEN]
        for call in calls:
            given = {name: value for name, value in call.arguments.items() if value is not None}
            known = frozenset(parameter.name for parameter in description.parameters)
            arguments = {**self._required(), **{name: value for name, value in given.items() if name in known}}
            receiver = (call.receiver or receivers[0]) if receivers else None
            if receiver is not None or description.kind not in ("method", "property"):
                yield self._finished(replace(plain, receiver=receiver, arguments=arguments))
        for receiver in receivers or (None,):
            yield self._finished(replace(plain, receiver=receiver))

    def _way_to_gap(self, call: SeenCall) -> int:
        """How many lines lie between the gap and the one on which a call ended: what was seen nearest comes first."""
        return _FAR if call.left is None else abs(call.left - self._target.region.first)

    def _required(self) -> dict[str, Expression]:
        return {
            parameter.name: self._arguments[parameter.name][0]
            for parameter in self._knowledge.description.parameters
            if not parameter.has_default and parameter.kind not in ("variadic", "keywords")
        }

    def _finished(self, scene: Scene) -> Scene:
        """With arguments for inner functions, where the gap lies in one that the call gives back."""
        inner = tuple(tuple(_inner_arguments(function)) for function in self._target.inner)
        return replace(scene, inner=inner) if inner else scene

    def _progress(self, trial: Trial) -> float:
        """How far on the way the trial came: guards reached, and the share of the gap that ran."""
        reached = sum(guard.line in trial.lines for guard in self._target.guards)
        entered = bool(trial.lines & self._own_lines())
        share = len(self._target.lines & trial.lines) / len(self._target.lines)
        return reached + entered + 2 * share

    def _own_lines(self) -> frozenset[int]:
        function = self._target.function
        return frozenset(range(function.body[0].lineno, (function.end_lineno or function.lineno) + 1))

    def _changes(self, scene: Scene, trial: Trial) -> Iterator[Change]:
        if trial.raised is not None or trial.outcome in ("error", "timeout", "blocked", "crashed"):
            yield from self._mending(trial)
        yield from self._passing(trial)
        yield from self._varying(scene)

    def _passing(self, trial: Trial) -> Iterator[Change]:
        """Changes that should get past the last guard that was reached, then past the others."""
        guards = self._target.guards
        reached = [index for index, guard in enumerate(guards) if guard.line in trial.lines]
        first = reached[-1] if reached else 0
        for guard in (*guards[first : first + 1], *guards[:first][::-1], *guards[first + 1 :]):
            yield from self._past(guard)

    def _past(self, guard: Guard) -> list[Change]:
        match guard.kind:
            case "except":
                return faults(self._target, self._module, guard)
            case "for":
                values = ('["name"]', '{"name": 1}', '[("name", 1)]', "[1, 2]") if guard.wanted else ("[]", "{}")
                return self._given(guard.test, values)
            case "case":
                return self._given(guard.test, _matching(guard.pattern))
            case _:
                if guard.test is None:
                    return []
                return changes_for(self._target, self._module, guard.test, guard.wanted, guard.line)

    def _given(self, subject: ast.expr | None, values: Iterable[str]) -> list[Change]:
        if subject is None:
            return []
        return [
            change
            for value in values
            for change in settings_for(self._target, self._module, subject, Expression(value))
        ]

    def _mending(self, trial: Trial) -> Iterator[Change]:
        """Changes to what the line that failed uses, or to the last calls where something was refused."""
        line = trial.raised.line if trial.raised is not None else None
        if trial.blocked is not None:
            if "in the working folder" in trial.blocked:
                yield _apart
            yield from self._standing_in(trial)
        nodes = [node for node in ast.walk(self._target.function) if getattr(node, "lineno", None) == line]
        names = [node.id for node in nodes if isinstance(node, ast.Name)]
        for name in dict.fromkeys(names):
            values = self._arguments.get(name, ())
            for value in (*values[:_MOST_ALTERNATIVES], *(STAND_IN for _ in values[:1])):
                yield _argument(name, value)
        for condition in [node for node in nodes if isinstance(node, ast.If | ast.While)]:
            # A stand-in cannot be compared: it needs a value there.
            for wanted in (True, False):
                yield from changes_for(self._target, self._module, condition.test, wanted, condition.lineno)
        for call in [node for node in nodes if isinstance(node, ast.Call) and not _is_builtin(node.func)][:3]:
            yield from replacements(self._target, self._module, call, "", STAND_IN)
        for receiver in self._receivers[:_MOST_RECEIVERS]:
            yield _receiver(receiver)

    def _standing_in(self, trial: Trial) -> Iterator[Change]:
        """Stand-ins for what the function called last, the later the likelier."""
        calls = [
            node
            for node in ast.walk(self._target.function)
            if isinstance(node, ast.Call) and node.lineno in trial.lines
        ]
        outward = [call for call in calls if isinstance(call.func, ast.Attribute) or not _is_builtin(call.func)]
        for call in sorted(outward, key=lambda call: (not isinstance(call.func, ast.Attribute), -call.lineno))[:8]:
            yield from replacements(self._target, self._module, call, "", STAND_IN)

    def _varying(self, scene: Scene) -> Iterator[Change]:
        """One parameter after the other with its next values."""
        for index in range(_MOST_ALTERNATIVES):
            for parameter in self._knowledge.description.parameters:
                values = self._arguments[parameter.name]
                if index < len(values):
                    yield _argument(parameter.name, values[index])
        for receiver in self._receivers[1:]:
            yield _receiver(receiver)


def _is_builtin(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and hasattr(builtins, node.id) and node.id not in ("open", "input")


def _apart(scene: Scene) -> Scene:
    return replace(scene, is_apart=True)


def _argument(name: str, value: Expression) -> Change:
    return lambda scene: scene.with_argument(name, value)


def _receiver(value: Expression) -> Change:
    return lambda scene: scene.with_receiver(value)


def _inner_arguments(function: FunctionNode) -> Iterator[Expression]:
    for name in inner_parameters(function):
        is_function = name in ("f", "fn", "func", "function", "method", "callback", "wrapped", "cls")
        yield Expression("lambda *args, **kwargs: None", origin="name") if is_function else STAND_IN


_INSTANCES = {"str": '"name"', "int": "1", "float": "0.5", "list": "[]", "dict": "{}", "bool": "True"}


def _matching(pattern: ast.pattern | None) -> Iterator[str]:
    """Values that a `case` pattern takes."""
    match pattern:
        case ast.MatchValue(value=value):
            yield ast.unparse(value)
        case ast.MatchSingleton(value=constant):
            yield repr(constant)
        case ast.MatchSequence(patterns=patterns):
            parts = [next(_matching(part), '"name"') for part in patterns if not isinstance(part, ast.MatchStar)]
            yield f"[{', '.join(parts)}]"
        case ast.MatchMapping(keys=keys, patterns=patterns):
            pairs = zip(keys, patterns, strict=True)
            items = [f"{ast.unparse(key)}: {next(_matching(part), '1')}" for key, part in pairs]
            yield f"{{{', '.join(items)}}}"
        case ast.MatchOr(patterns=patterns):
            for part in patterns:
                yield from _matching(part)
        case ast.MatchClass(cls=ast.Name(id=name)):
            yield {"str": '"name"', "int": "1", "float": "0.5", "list": "[]", "dict": "{}", "bool": "True"}.get(
                name, "None"
            )
        case ast.MatchAs(pattern=ast.pattern() as inner):
            yield from _matching(inner)
        case _:
            yield '"name"'
