"""Ways to make retrying code try again: which call fails, with what, and how the code is reached."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice

from testlens.domain.expressions import Expression, mark, references
from testlens.scaffold.changes import replacements
from testlens.scaffold.recipe import Knowledge
from testlens.scaffold.recipes.items import filled, items_for
from testlens.scaffold.recipes.reading import called_name, last_name, parameters
from testlens.scaffold.recipes.retry_errors import Fault, asked_errors, faults_to_retry
from testlens.scaffold.recipes.retry_sites import Site
from testlens.scaffold.scene import Scene
from testlens.scaffold.search import first_scenes
from testlens.scaffold.staging import RESULT, stage
from testlens.scaffold.style import Style
from testlens.scaffold.target import FunctionNode, Target
from testlens.scaffold.words import camel

_MOCK = mark("unittest.mock", "MagicMock")
_ASYNC_MOCK = mark("unittest.mock", "AsyncMock")
_OWN_NAMES = frozenset({RESULT, "error", "slept", "answer", "raised", "attempts", "inner", "caught", "task"})
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
    for scene_rank, scene in enumerate(first_scenes(target, knowledge)[:_MOST_SCENES]):
        start = _asking(filled(scene, items), asked)
        for call_rank, call in enumerate(site.operations):
            for place_rank, way in enumerate(_placed(call, start, site, target, knowledge)):
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


def _placed(call: ast.Call, scene: Scene, site: Site, target: Target, knowledge: Knowledge) -> Iterator[Way]:
    """The scene with the stand-in in the places where `call` may find it."""
    noun = called_name(call).strip("_")
    variable = _free(noun, scene, knowledge.style)
    nothing = Fault("", "")
    is_async = _is_async(site.chain) or knowledge.description.is_async
    if site.chain:
        stand_in = f"{_ASYNC_MOCK}(side_effect={variable})" if _is_async(site.chain) else variable
        scene = replace(scene, inner=tuple(_inner(f, call, stand_in) for f in site.chain))
    if any(_takes(f, call) for f in site.chain):
        yield Way(scene, variable, noun, True, call, nothing, is_async)
        return
    is_given = _takes(target.function, call)
    for change in replacements(target, knowledge.description.module, call, f"side_effect={variable}", Expression("")):
        yield Way(_plain(change(scene), variable), variable, noun, is_given, call, nothing, is_async)


def _is_async(chain: tuple[FunctionNode, ...]) -> bool:
    return bool(chain) and isinstance(chain[-1], ast.AsyncFunctionDef)


def _takes(function: FunctionNode, call: ast.Call) -> bool:
    name = last_name(call.func) if isinstance(call.func, ast.Name) else ""
    return any(parameter.arg == name for parameter in parameters(function))


def _inner(function: FunctionNode, call: ast.Call, stand_in: str) -> tuple[Expression, ...]:
    """Arguments for one inner function: the stand-in where it is asked for, something else that has to be given."""
    arguments = function.args
    required = [*arguments.posonlyargs, *arguments.args]
    required = required[: len(required) - len(arguments.defaults)]
    name = last_name(call.func)
    return tuple(Expression(stand_in if p.arg == name else f"{_MOCK}()") for p in required)


def _plain(scene: Scene, variable: str) -> Scene:
    """The scene in which the stand-in stands for itself, where it was wrapped into another one only for safety."""
    wrapped = f"{_MOCK}(side_effect={variable})"

    def bare(value: Expression) -> Expression:
        return replace(value, code=value.code.replace(wrapped, variable))

    return replace(
        scene,
        arguments={name: bare(value) for name, value in scene.arguments.items()},
        settings={path: bare(value) for path, value in scene.settings.items()},
        patches=tuple(replace(patch, value=bare(patch.value)) for patch in scene.patches),
    )


def _free(noun: str, scene: Scene, style: Style) -> str:
    """A variable that hides nothing which the test uses."""
    staged = stage(scene, style)
    code = "\n".join([*staged.given, *staged.when])
    taken = {*_OWN_NAMES, *staged.names.values(), *staged.fixtures}
    for reference in references(code):
        taken |= {
            reference.qualname.partition(".")[0],
            reference.module.rpartition(".")[2],
            reference.module.partition(".")[0],
        }
    name = noun or "operation"
    return f"failing_{name}" if name in taken else name
