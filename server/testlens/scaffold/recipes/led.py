"""Scenes that the conditions on the way to a gap ask for, in a surrounding that a recipe has built."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice, product

from testlens.domain.expressions import Expression
from testlens.scaffold.changes import changes_for
from testlens.scaffold.faults import faults
from testlens.scaffold.recipe import Knowledge
from testlens.scaffold.scene import Scene
from testlens.scaffold.target import Guard, Target, find_target
from testlens.scaffold.values import arguments_for

_MOST_VALUES = 4
_MOST_SCENES = 8
_MOST_SUITES = 6


def suites(target: Target) -> tuple[Target, ...]:
    """The target, and for each further suite inside the gap one that leads there."""
    found = {_way(target): target}
    region = target.region
    for line in region.statements[1:]:
        later = tuple(other for other in region.statements if other >= line)
        smaller = replace(region, first=line, statements=later)
        inner = find_target(target.path, target.module, target.tree, smaller, target.markers)
        if isinstance(inner, Target):
            found.setdefault(_way(inner), inner)
    return tuple(found.values())[:_MOST_SUITES]


def _way(target: Target) -> tuple[tuple[int, bool], ...]:
    return tuple((guard.line, guard.wanted) for guard in target.guards)


def led_scenes(target: Target, knowledge: Knowledge, scene: Scene) -> list[Scene]:
    """The scene as the last condition on the way to the gap wants it, the likeliest first."""
    if not target.guards:
        return []
    guard = target.guards[-1]
    if guard.kind == "except":
        changes = faults(target, knowledge.description.module, guard)
        found = [change(scene) for change in changes]
    else:
        found = list(_with_other_arguments(target, knowledge, scene, guard))
        if guard.kind in ("if", "while") and guard.test is not None:
            changes = changes_for(target, knowledge.description.module, guard.test, guard.wanted, guard.line)
            found += [change(scene) for change in changes]
    return list({one.key: one for one in found if one.key != scene.key}.values())[:_MOST_SCENES]


def _with_other_arguments(target: Target, knowledge: Knowledge, scene: Scene, guard: Guard) -> Iterator[Scene]:
    """With other likely values for the parameters that the condition is about."""
    if guard.test is None:
        return
    values = arguments_for(target, knowledge)
    for earlier in target.guards[:-1]:
        scene = _past(earlier, scene, values)
    asked = [node.id for node in ast.walk(guard.test) if isinstance(node, ast.Name) and node.id in values]
    names = list(dict.fromkeys(asked))[:2]
    choices = [list(islice(_fitting(name, values[name], guard), _MOST_VALUES)) for name in names]
    for chosen in product(*choices) if names else ():
        changed = scene
        for name, value in zip(names, chosen, strict=True):
            changed = changed.with_argument(name, value)
        yield changed


def _past(guard: Guard, scene: Scene, values: Mapping[str, tuple[Expression, ...]]) -> Scene:
    """With None, or something else, for a parameter of which an earlier condition asks just that."""
    for name in _compared_with_none(guard):
        fitting = list(_fitting(name, values.get(name, ()), guard))
        if fitting and scene.arguments.get(name) not in fitting:
            scene = scene.with_argument(name, fitting[0])
    return scene


def _fitting(name: str, values: tuple[Expression, ...], guard: Guard) -> Iterator[Expression]:
    """The values that the condition does not rule out at once: None where something else than None is asked for."""
    wants_none = _compared_with_none(guard).get(name)
    for value in values:
        if value.origin != "mock" and (wants_none is None or (value.code == "None") is wants_none):
            yield value


def _compared_with_none(guard: Guard) -> dict[str, bool]:
    """The names that have to be None (True), or must not be (False), for the condition to come out as wanted."""
    parts: list[ast.expr] = [guard.test] if guard.test is not None else []
    match guard.test:
        case ast.BoolOp(op=operator, values=several):
            # Of alternatives each one alone would do.
            parts = several if isinstance(operator, ast.And) is guard.wanted else []
    found = {}
    for part in parts:
        match part:
            case ast.Compare(left=ast.Name(id=name), ops=[ast.Is() | ast.IsNot() as op], comparators=[right]) if (
                isinstance(right, ast.Constant) and right.value is None
            ):
                found[name] = isinstance(op, ast.Is) is guard.wanted
    return found
