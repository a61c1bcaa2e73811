"""Where retrying code pauses and draws lots, and how a test sees that without waiting."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from testlens.domain.expressions import Expression, mark
from testlens.domain.trials import FunctionDescription
from testlens.scaffold.names import ModuleNames
from testlens.scaffold.recipes.reading import called_name, dotted, parameters
from testlens.scaffold.recipes.retry_sites import Site, is_sleep
from testlens.scaffold.scene import Patch, Scene
from testlens.scaffold.target import FunctionNode, Target

_ASYNC_MOCK = mark("unittest.mock", "AsyncMock")
# Where libraries wait, and what waits in code whose text was not read.
_EVERYWHERE = (("time", "sleep", False), ("asyncio", "sleep", True))


@dataclass(frozen=True, slots=True)
class Wait:
    """One way in which the code pauses. `place` puts a recorder (source of a callable) in its place."""

    words: str
    is_awaited: bool
    place: Callable[[Scene, Expression], Scene]

    def recorded(self, scene: Scene, recorder: str) -> Scene:
        """The scene in which the pauses are recorded instead of waited for."""
        code = f"{_ASYNC_MOCK}(side_effect={recorder})" if self.is_awaited else recorder
        return self.place(scene, Expression(code))


def waits(site: Site, target: Target, description: FunctionDescription) -> tuple[Wait, ...]:
    """The ways in which the code may pause, those that a test is handed first."""
    found: dict[str, Wait] = {}
    for wait in (*_parameters(target, description), *waits_in(site.scope, target, description), *_usual()):
        found.setdefault(wait.words, wait)
    return tuple(found.values())


@dataclass(frozen=True, slots=True)
class Lot:
    """A function of `random` that the pauses may depend on, and what stands in for it, in source."""

    name: str
    code: str

    def placed(self, scene: Scene, code: str) -> Scene:
        """The scene with `code` in the place of the function."""
        return scene.with_patch(Patch(mark("random", ""), self.name, Expression(code)))


LONGEST = (
    Lot("uniform", "lambda shortest, longest: longest"),
    Lot("random", "lambda: 1.0"),
    Lot("randint", "lambda lowest, highest: highest"),
)
SHORTEST = (
    Lot("uniform", "lambda shortest, longest: shortest"),
    Lot("random", "lambda: 0.0"),
    Lot("randint", "lambda lowest, highest: lowest"),
)


def _parameters(target: Target, description: FunctionDescription) -> Iterator[Wait]:
    for parameter in description.parameters:
        if "sleep" in parameter.name:
            awaited = _is_awaited(target, parameter.name)
            yield Wait(parameter.name, awaited, _argument(parameter.name))


def _argument(name: str) -> Callable[[Scene, Expression], Scene]:
    return lambda scene, recorder: scene.with_argument(name, recorder)


def _patched(owner: str, attribute: str) -> Callable[[Scene, Expression], Scene]:
    return lambda scene, recorder: scene.with_patch(Patch(owner, attribute, recorder))


def waits_in(scope: Sequence[FunctionNode], target: Target, description: FunctionDescription) -> Iterator[Wait]:
    """The pauses that the text of these functions shows."""
    names = ModuleNames(target.tree, description.module)
    own = {parameter.arg for parameter in parameters(target.function)}
    for function in scope:
        awaited = {id(node.value) for node in ast.walk(function) if isinstance(node, ast.Await)}
        for call in ast.walk(function):
            if not isinstance(call, ast.Call) or not is_sleep(call):
                continue
            path = dotted(call.func)
            place = _place(path, names, description, own)
            if place is not None:
                yield Wait(".".join(path), id(call) in awaited, place)


def _place(
    path: tuple[str, ...], names: ModuleNames, description: FunctionDescription, own: set[str]
) -> Callable[[Scene, Expression], Scene] | None:
    if not path or (path[0] in own and path[0] not in ("self", "cls")):
        return None
    *base, attribute = path
    if path[0] == "self" and description.kind in ("method", "property"):
        return _patched(".".join(["receiver", *base[1:]]), attribute) if base else None
    if not base:
        return _patched(mark(description.module, ""), attribute) if names.owns(attribute) else None
    origin = names.origin(".".join(base))
    if origin is None:
        return None
    return _patched(mark(origin.module, origin.qualname), attribute)


def _usual() -> Iterator[Wait]:
    for module, attribute, awaited in _EVERYWHERE:
        yield Wait(f"{module}.{attribute}", awaited, _patched(mark(module, ""), attribute))


def _is_awaited(target: Target, name: str) -> bool:
    return any(
        isinstance(node, ast.Await) and isinstance(node.value, ast.Call) and called_name(node.value) == name
        for node in ast.walk(target.function)
    )
