"""Ways to make retrying code try again: which call fails, with what, and how the code is reached."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice

from testlens.domain.expressions import Expression
from testlens.scaffold.recipe import Knowledge
from testlens.scaffold.recipes.items import filled, items_for
from testlens.scaffold.recipes.retry_errors import Fault, asked_errors, faults_to_retry
from testlens.scaffold.recipes.retry_sites import Site
from testlens.scaffold.recipes.stand_ins import StandIn, is_awaited, stand_ins
from testlens.scaffold.scene import Scene
from testlens.scaffold.search import first_scenes
from testlens.scaffold.target import Target
from testlens.scaffold.words import camel

_MOST_SCENES = 3
_MOST_WAYS = 36


@dataclass(frozen=True, slots=True)
class Way:
    """The code called with a stand-in, held by `variable`, in the place of what it tries again.

    `noun` is what fails as a reader knows it; `is_given`: the test hands it to the code, and patches nothing for it.
    `call` is the call that it stands for, `fault` what it raises.
    """

    scene: Scene
    variable: str
    noun: str
    is_given: bool
    call: ast.Call
    fault: Fault
    is_async: bool = False

    def with_fault(self, fault: Fault) -> Way:
        """The same way with another error, which names the operation of AWS that the call asks for."""
        operation = "Operation" if self.is_given else camel(self.noun)
        return replace(self, fault=replace(fault, code=fault.code.replace('"Operation"', f'"{operation}"')))

    @property
    def key(self) -> str:
        """Equal for ways that do the same."""
        return f"{self.scene.key} {self.fault}"


def ways(site: Site, target: Target, knowledge: Knowledge) -> tuple[Way, ...]:
    """The ways to try, the likeliest first."""
    module = knowledge.description.module
    faults = faults_to_retry(site, target, module)
    asked = asked_errors(site, target)
    ranked: list[tuple[int, Way]] = []
    items = items_for(target, knowledge)
    is_async = is_awaited(site.chain) or knowledge.description.is_async
    for scene_rank, scene in enumerate(first_scenes(target, knowledge)[:_MOST_SCENES]):
        start = _asking(filled(scene, items), asked)
        for call_rank, call in enumerate(site.operations):
            for place_rank, stand_in in enumerate(stand_ins(call, start, site.chain, target, knowledge)):
                way = _way(stand_in, is_async=is_async)
                for fault_rank, fault in enumerate(faults):
                    rank = 3 * scene_rank + 2 * call_rank + 2 * place_rank + fault_rank
                    ranked.append((rank, way.with_fault(fault)))
    ranked.sort(key=lambda entry: entry[0])
    distinct = {way.key: way for _, way in ranked}
    return tuple(islice(distinct.values(), _MOST_WAYS))


def _asking(scene: Scene, asked: Mapping[str, str]) -> Scene:
    """The scene in which the code is told to try again after connection errors, where it has to be told."""
    for name, errors in asked.items():
        scene = scene.with_argument(name, Expression(errors))
    return scene


def _way(stand_in: StandIn, *, is_async: bool) -> Way:
    return Way(
        stand_in.scene, stand_in.variable, stand_in.noun, stand_in.is_given, stand_in.call, Fault("", ""), is_async
    )
