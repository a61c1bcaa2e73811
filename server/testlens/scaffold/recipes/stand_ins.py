"""Puts a stand-in, held by a variable of the test, in the place of a call of the code under test."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from testlens.domain.expressions import Expression, mark, references
from testlens.scaffold.changes import replacements
from testlens.scaffold.recipe import Knowledge
from testlens.scaffold.recipes.reading import called_name, last_name, parameters
from testlens.scaffold.scene import Patch, Scene
from testlens.scaffold.staging import RESULT, stage
from testlens.scaffold.style import Style
from testlens.scaffold.target import FunctionNode, Target

_MOCK = mark("unittest.mock", "MagicMock")
_ASYNC_MOCK = mark("unittest.mock", "AsyncMock")
_OWN_NAMES = frozenset({RESULT, "error", "slept", "answer", "raised", "attempts", "inner", "caught", "task"})


@dataclass(frozen=True, slots=True)
class StandIn:
    """A scene with a stand-in, held by `variable`, in the place of `call`.

    `noun` is what it stands for as a reader knows it; `is_given`: the test hands it to the code. `place` is where it is
    patched in, None where it is handed over or assigned.
    """

    scene: Scene
    variable: str
    noun: str
    is_given: bool
    call: ast.Call
    place: Patch | None = None


def stand_ins(
    call: ast.Call, scene: Scene, chain: Sequence[FunctionNode], target: Target, knowledge: Knowledge
) -> Iterator[StandIn]:
    """The scene with the stand-in in the places where `call` may find it; `chain` are inner functions to go through."""
    noun = called_name(call).strip("_")
    variable = _free(noun, scene, knowledge.style)
    if chain:
        stand_in = f"{_ASYNC_MOCK}(side_effect={variable})" if is_awaited(chain) else variable
        scene = replace(scene, inner=tuple(_inner(function, call, stand_in) for function in chain))
    if any(_takes(function, call) for function in chain):
        yield StandIn(scene, variable, noun, True, call)
        return
    is_given = _takes(target.function, call)
    for change in replacements(target, knowledge.description.module, call, f"side_effect={variable}", Expression("")):
        placed = _plain(change(scene), variable)
        new = [patch for patch in placed.patches if patch not in scene.patches]
        yield StandIn(placed, variable, noun, is_given, call, new[0] if len(new) == 1 else None)


def is_awaited(chain: Sequence[FunctionNode]) -> bool:
    """Whether the last of these inner functions is asynchronous."""
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
    return scene.rewritten(lambda code: code.replace(wrapped, variable))


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
