"""A table of boundary values: one row on each side of each condition, and what came of it."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from testlens.domain.cases import Case, Draft
from testlens.domain.expressions import Expression
from testlens.domain.trials import Trial
from testlens.scaffold.assertions import Circumstance, trying
from testlens.scaffold.recipe import Attempt, Knowledge, Offer, Search
from testlens.scaffold.recipes.beyond import beyond, named_apart, remaining
from testlens.scaffold.recipes.boundary import boundaries, has_boundaries
from testlens.scaffold.recipes.phrases import called
from testlens.scaffold.recipes.scenarios import Trying, reached
from testlens.scaffold.recipes.table import Row, table_cases
from testlens.scaffold.scene import Scene
from testlens.scaffold.search import first_scenes
from testlens.scaffold.style import Style
from testlens.scaffold.target import Target
from testlens.scaffold.values import arguments_for
from testlens.scaffold.words import camel, circumstance, class_words, subject_in_words

_FITS_MANY, _FITS_ONE = 63, 57
# The way to the gap is decided by something else: a table of the parameters' boundaries leads past it.
_FITS_ELSEWHERE = 35
_MOST_BASES = 6
_MOST_ROWS = 14
_MOST_COLUMNS = 3
_MISUSE = ("TypeError", "AttributeError", "NameError", "RecursionError", "UnboundLocalError")


class Parametrize:
    """The recipe for branches on comparisons and literals."""

    name = "parametrize"

    def offer(self, target: Target, style: Style) -> Offer | None:
        """Offered where conditions of the function are about its parameters."""
        if target.inner or any(guard.kind == "except" for guard in target.guards[-1:]):
            return None
        count = has_boundaries(target.function, _parameters(target))
        if not count:
            return None
        title = f"Test `{target.function.name}` on each side of its conditions"
        if not _is_decided_by_parameters(target):
            return Offer(self.name, title, _FITS_ELSEWHERE)
        return Offer(self.name, title, _FITS_MANY if count > 1 else _FITS_ONE)

    def search(self, target: Target, knowledge: Knowledge) -> Search:
        """Find a call that works, vary it around each condition, and write down what came of each."""
        base = yield from _base(target, knowledge)
        rows = (yield from _rows(target, knowledge, base)) if base is not None else []
        cases, trials = yield from _confirmed(table_cases(rows, target, knowledge), rows, target, knowledge)
        left = remaining(target, trials)
        if left is not None and not any(reached(target, trial) for trial in trials):
            cases = ()  # a table that leads past the gap is not what was asked for
        if left is not None:
            cases += yield from beyond(left, knowledge, _words(left), are_wanted=not cases)
        name = target.function.name.strip("_") or target.function.name
        is_constructor = name in ("init", "post_init", "new") and target.owner is not None
        group = class_words(target.owner.name) if is_constructor and target.owner is not None else camel(name)
        return Draft(self.name, group, named_apart(cases))


def _parameters(target: Target) -> frozenset[str]:
    """The parameters of the function; of a class that checks its fields, those."""
    arguments = target.function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    names = {argument.arg for argument in every} - {"self", "cls"}
    if target.function.name == "__post_init__" and target.owner is not None:
        fields = [node.target for node in target.owner.body if isinstance(node, ast.AnnAssign)]
        names |= {field.id for field in fields if isinstance(field, ast.Name)}
    return frozenset(names)


def _is_decided_by_parameters(target: Target) -> bool:
    """Whether nothing but parameters and constants stands in the last condition on the way to the gap."""
    if not target.guards or target.guards[-1].test is None:
        return True
    nodes = list(ast.walk(target.guards[-1].test))
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    if target.function.name == "__post_init__":
        names |= {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    local = {node.id for node in ast.walk(target.function) if isinstance(node, ast.Name) and _is_bound(node)}
    return not names & (local - _parameters(target)) and not names.isdisjoint(_parameters(target))


def _is_bound(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store)


def _base(target: Target, knowledge: Knowledge) -> Trying[Scene | None]:
    """A call that comes back, or at least ends as the code means it; None where there is none."""
    scenes = [scene for scene in first_scenes(target, knowledge) if not scene.patches][:_MOST_BASES]
    trials = (yield Attempt(tuple(trying(scene, knowledge.style) for scene in scenes))) if scenes else None
    if trials is None:
        return None
    shown = list(zip(scenes, trials, strict=True))
    good = [scene for scene, trial in shown if trial.outcome == "passed"]
    fair = [scene for scene, trial in shown if _is_answer(trial)]
    return next(iter([*good, *fair]), None)


def _is_answer(trial: Trial) -> bool:
    """Whether the call came back, or was refused by the code rather than by Python."""
    if trial.outcome == "passed":
        return True
    return trial.outcome == "failed" and trial.raised is not None and trial.raised.type not in _MISUSE


def _rows(target: Target, knowledge: Knowledge, base: Scene, is_last: bool = False) -> Trying[list[Row]]:
    """The call as it is, and around each condition, with what came of it."""
    scenes = _scenes(target, knowledge, base)
    trials = yield Attempt(tuple(trying(scene, knowledge.style) for scene in scenes))
    if trials is None:
        return []
    shown = [(scene, trial) for scene, trial in zip(scenes, trials, strict=True) if _is_answer(trial)]
    better = next((scene for scene, trial in shown if trial.outcome == "passed"), None)
    if better is not None and shown[0][1].outcome != "passed" and not is_last:
        # From a call that comes back each condition can be seen by itself.
        return (yield from _rows(target, knowledge, better, is_last=True))
    columns = _columns([scene for scene, _ in shown])
    rows = [Row(scene, trial, columns) for scene, trial in shown if _fits_table(scene, columns)]
    return rows if columns else []


def _scenes(target: Target, knowledge: Knowledge, base: Scene) -> list[Scene]:
    values = arguments_for(target, knowledge)
    given = {name: base.arguments.get(name, known[0]) for name, known in values.items()}
    is_class = knowledge.description.kind == "class"
    fields = frozenset(given) if is_class else frozenset()
    found = boundaries(target, knowledge.description.module, given, fields)
    asked = " ".join(_condition_words(target))
    found.sort(key=lambda one: one.parameter not in asked)
    found = found[:_MOST_COLUMNS]
    for one in found:
        if one.parameter not in base.arguments and given[one.parameter].origin == "default":
            base = base.with_argument(one.parameter, given[one.parameter])
    scenes = {base.key: base}
    for one in found:
        for code in one.codes:
            scene = base.with_argument(one.parameter, Expression(code, origin="literal"))
            scenes.setdefault(scene.key, scene)
    return list(scenes.values())[:_MOST_ROWS]


def _condition_words(target: Target) -> list[str]:
    return [ast.unparse(guard.test) for guard in target.guards if guard.test is not None]


def _columns(scenes: Sequence[Scene]) -> tuple[str, ...]:
    """The parameters that differ between the calls, in the order of the function's."""
    names = [parameter.name for scene in scenes[:1] for parameter in scene.description.parameters]
    return tuple(name for name in names if len({scene.arguments.get(name) for scene in scenes}) > 1)


def _fits_table(scene: Scene, columns: tuple[str, ...]) -> bool:
    """Whether each column has a value that a table can hold: a parameter left out has none."""
    return all(name in scene.arguments and not scene.arguments[name].fixtures for name in columns)


def _confirmed(
    cases: tuple[Case, ...], rows: Sequence[Row], target: Target, knowledge: Knowledge
) -> Trying[tuple[tuple[Case, ...], list[Trial]]]:
    """The cases that hold when they are made again, and what they run; tables without the rows that do not."""
    if not cases:
        return (), []
    trials = yield Attempt(cases)
    if trials is None:
        return cases, [row.trial for row in rows]
    if any(trial.outcome != "passed" for trial in trials):
        again = yield Attempt(tuple(trying(row.scene, knowledge.style) for row in rows))
        steady = [row for row, trial in zip(rows, again or (), strict=False) if row.is_same(trial)]
        cases = table_cases(steady, target, knowledge)
        trials = (yield Attempt(cases)) if cases else ()
    kept = [(case, trial) for case, trial in zip(cases, trials or (), strict=False) if trial.outcome == "passed"]
    return tuple(case for case, _ in kept), [trial for _, trial in kept]


def _words(target: Target) -> Circumstance:
    special = circumstance(target)
    return Circumstance(f"{subject_in_words(target)}, and {special}", called(target), special)
