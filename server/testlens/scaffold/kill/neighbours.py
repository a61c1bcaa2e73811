"""Inputs to go on with from one that was tried: each kind of reason for an input is a source of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from random import Random
from typing import Literal

from testlens.domain.expressions import Expression, mark
from testlens.scaffold.kill.aim import Aim
from testlens.scaffold.kill.boundaries import boundary_changes, texts_of, with_entries
from testlens.scaffold.kill.performance import Probe
from testlens.scaffold.kill.probes import probes
from testlens.scaffold.kill.turns import alternately
from testlens.scaffold.kill.typed import literal, random_values
from testlens.scaffold.kill.variants import variants
from testlens.scaffold.recipe import Knowledge
from testlens.scaffold.scene import Scene
from testlens.scaffold.search import SceneSearch
from testlens.scaffold.values import arguments_for, receivers_for

Source = Literal["seen", "boundary", "near", "probe", "typed"]
"""Why an input is tried: a test of the project made it; the changed expression asks for it; it is one of these with a
thing in it changed; it asks afterwards for the state that was left; it is of the right kind and otherwise random."""

SHARES: dict[Source, int] = {"seen": 6, "boundary": 5, "near": 7, "probe": 3, "typed": 3}
"""How many of each source are tried at a time, as long as there are any."""

FIRST_SHARES: dict[Source, int] = {"seen": 4, "near": 2}
"""The same as long as no call has come to a good end: then a way to call the function at all is looked for."""

_MOST_SEEN = 40
_MOST_VALUES = 12
_MOST_VARIANTS = 36
_MOST_CHANGES = 60
_MOST_BASES = 8
_MOST_VARIED = 40
_MOST_NEAR, _FEW_NEAR = 160, 12
_MOST_REQUIRED = 10
_RANDOM_EACH = 12

_MAPPING = re.compile(r"\b(Mutable)?Mapping\b|\b[dD]ict\b")
# A stand-in that raises each time.
_FAILING = re.compile(r"(\x01unittest\.mock:\w+\x02)\(side_effect=([^\[].*)\)")
_DEFAULT = mark("unittest.mock", "DEFAULT")
_Other = tuple[Scene, Probe | None]


class Neighbours:
    """Thinks of inputs for one aim."""

    def __init__(self, aim: Aim, knowledge: Knowledge) -> None:
        self._aim = aim
        self._knowledge = knowledge
        self._arguments = arguments_for(aim.target, knowledge)
        self._receivers = receivers_for(aim.target, knowledge)
        self._probes = probes(aim.target, knowledge)
        self._chance = Random(aim.mutant.name)  # noqa: S311  (values to try, the same ones each time)
        self._bases = 0

    def seen(self) -> Iterator[Scene]:
        """The calls that the project's tests made, then those that a search for any gap begins with."""
        first = list(SceneSearch(self._aim.target, self._knowledge).first_scenes())
        yield from first
        calls = self._knowledge.seen.get((self._aim.target.path, self._aim.target.name), ())
        known = {parameter.name for parameter in self._knowledge.description.parameters}
        for call in calls[:_MOST_SEEN] if first else ():
            given = {name: value for name, value in call.arguments.items() if value is not None and name in known}
            scene = replace(first[0], arguments={**first[0].arguments, **given})
            has_other = call.receiver is not None and scene.receiver is not None
            yield replace(scene, receiver=call.receiver) if has_other else scene
        yield from self._with_other_required(first)

    def _with_other_required(self, first: list[Scene]) -> Iterator[Scene]:
        """The first call with other values for what has no default: of none of these a good value may be known."""
        required = [one.name for one in self._knowledge.description.parameters if not one.has_default]
        for scene in first[-1:]:  # the one with nothing else
            yield from alternately([self._other_arguments(scene, name) for name in required])

    def _other_arguments(self, scene: Scene, name: str) -> Iterator[Scene]:
        return (scene.with_argument(name, value) for value in self._arguments[name][1:_MOST_REQUIRED])

    def of(self, scene: Scene, is_good: bool) -> Iterator[tuple[Source, Iterator[_Other]]]:
        """The inputs of each source that this one leads to, the likeliest first."""
        self._bases += is_good
        yield "seen", ((other, None) for other in failing_once(scene))
        if is_good and self._bases <= _MOST_BASES:
            yield "boundary", ((other, None) for other in self._at_boundaries(scene))
            yield "probe", ((scene, probe) for probe in self._probes)
            yield "typed", ((other, None) for other in self._at_random(scene))
        if self._bases <= _MOST_VARIED:
            yield "near", ((other, None) for other in islice(self._near(scene), _MOST_NEAR if is_good else _FEW_NEAR))

    def _at_boundaries(self, scene: Scene) -> Iterator[Scene]:
        changes = boundary_changes(self._aim, self._knowledge.description.module)
        changed = (constructed(change(scene)) for change in islice(changes, _MOST_CHANGES))
        return alternately([self._with_keys(scene), changed])

    def _with_keys(self, scene: Scene) -> Iterator[Scene]:
        """With an entry more in each mapping that is given.

        Its key is a text of the changed expression, or one that is given as another argument.
        """
        given = [plain for value in scene.arguments.values() if isinstance(plain := literal(value.code), str) and plain]
        keys = (*(text for text in texts_of(self._aim) if " " not in text), *given)  # no sentence is a key
        annotations = {one.name: one.annotation for one in self._knowledge.description.parameters}
        for name, value in scene.arguments.items():
            is_mapping = _MAPPING.search(annotations.get(name, "")) is not None
            base = "{}" if is_mapping and not value.code.startswith("{") else value.code
            for code in with_entries(base, keys):
                yield scene.with_argument(name, Expression(code, value.fixtures))

    def _at_random(self, scene: Scene) -> Iterator[Scene]:
        """With other values for all that is given, and now and then for what has a default."""
        parameters = self._knowledge.description.parameters
        streams = {one.name: random_values(one, scene.arguments.get(one.name), self._chance) for one in parameters}
        for _ in range(_RANDOM_EACH):
            other = scene
            for name, stream in streams.items():
                if name in scene.arguments or self._chance.random() < 0.3:
                    value = next(stream, None)
                    other = other if value is None else other.with_argument(name, value)
            yield other

    def _near(self, scene: Scene) -> Iterator[Scene]:
        """The scene with one thing less, then with one value changed, each parameter in turn."""
        yield from scene.simpler()
        streams = [self._with_argument(scene, name) for name in self._arguments]
        if scene.receiver is not None:
            streams.append(self._with_receiver(scene, scene.receiver))
        yield from alternately(streams)

    def _with_argument(self, scene: Scene, name: str) -> Iterator[Scene]:
        given = scene.arguments.get(name) or self._arguments[name][0]
        near = [replace(given, code=code) for code in _near_to(given)]
        for value in alternately([iter(near), iter(self._arguments[name][:_MOST_VALUES]), iter([Expression("None")])]):
            yield scene.with_argument(name, value)

    def _with_receiver(self, scene: Scene, receiver: Expression) -> Iterator[Scene]:
        near = [replace(receiver, code=code) for code in _near_to(receiver)]
        for value in alternately([iter(self._receivers[:_MOST_VALUES]), iter(near)]):
            yield scene.with_receiver(value)


def failing_once(scene: Scene) -> Iterator[Scene]:
    """With each stand-in that raises an exception doing so the first time alone: what follows a failure may go well."""
    for index, patch in enumerate(scene.patches):
        value = _once(patch.value)
        if value is not None:
            yield replace(
                scene, patches=(*scene.patches[:index], replace(patch, value=value), *scene.patches[index + 1 :])
            )
    for path, given in scene.settings.items():
        value = _once(given)
        if value is not None:
            yield replace(scene, settings={**scene.settings, path: value})


def _once(value: Expression) -> Expression | None:
    failing = _FAILING.fullmatch(value.code)
    return replace(value, code=f"{failing[1]}(side_effect=[{failing[2]}, {_DEFAULT}])") if failing else None


def constructed(scene: Scene) -> Scene:
    """A constructor's scene with arguments in the place of attributes: there is no instance yet to set them on."""
    if scene.receiver is not None:
        return scene
    names = {parameter.name for parameter in scene.description.parameters}
    kept: dict[str, Expression] = {}
    for path, value in scene.settings.items():
        owner, _, attribute = path.partition(".")
        if owner != "receiver":
            kept[path] = value
        elif attribute in names:
            scene = replace(scene, arguments={**scene.arguments, attribute: value})
    return replace(scene, settings=kept, patches=tuple(p for p in scene.patches if not p.owner.startswith("receiver")))


def _near_to(value: Expression) -> Iterator[str]:
    return islice(variants(value.code), _MOST_VARIANTS)
