"""Whether a function is pure and typed, and what its name and its neighbours promise."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from testlens.domain.expressions import mark
from testlens.scaffold.names import ModuleNames
from testlens.scaffold.recipes.property_names import same_as, settles, undone_by
from testlens.scaffold.recipes.reading import (
    Functions,
    below,
    called_name,
    last_name,
    module_names,
    own_below,
    parameters,
)
from testlens.scaffold.recipes.samples import Samples
from testlens.scaffold.recipes.strategies import Strategies
from testlens.scaffold.target import FunctionNode, Target

_EFFECTS = frozenset({"network", "storage", "data write", "batch", "retry", "model", "auth"})
_OUTSIDE = frozenset(
    {"time", "random", "os", "sys", "socket", "subprocess", "shutil", "requests", "logging", "threading", "asyncio"}
)
_EFFECTFUL = frozenset({"print", "open", "input", "exit", "quit", "exec", "eval", "globals", "setattr", "delattr"})
_DOCUMENTED = re.compile(r"[Rr]aises?:?\s+[`~:a-z]*([A-Z]\w*(?:Error|Exception|Warning))")


@dataclass(frozen=True, slots=True)
class PureFunction:
    """A function without effects. `callee` is it in marked source, `inputs` its required parameters with their
    annotations. `pair` are the functions (does, undoes) that it is one of; `twin` does the same; `is_settled`: a second
    time changes nothing. `raises` are the exceptions that its text names, in marked source.
    """

    node: FunctionNode
    module: str
    owner: str
    names: ModuleNames
    inputs: tuple[ast.arg, ...]
    pair: tuple[FunctionNode, FunctionNode] | None
    twin: FunctionNode | None
    is_settled: bool
    raises: tuple[str, ...]

    def callee(self, node: FunctionNode) -> str:
        """A function of the module or the class in marked source."""
        return mark(self.module, f"{self.owner}.{node.name}" if self.owner else node.name)

    @property
    def pieces(self) -> tuple[str, ...]:
        """The texts that the function, what undoes it and what does the same name in their code."""
        functions = [self.node, *(self.pair or ()), *([self.twin] if self.twin is not None else [])]
        constants = (inner for function in functions for inner in below(function) if isinstance(inner, ast.Constant))
        return tuple(constant.value for constant in constants if isinstance(constant.value, str))

    @property
    def is_special(self) -> bool:
        """Whether more is promised than that nothing goes wrong."""
        return self.pair is not None or self.twin is not None or self.is_settled

    @property
    def promise(self) -> str:
        """What is to be tested, in words."""
        if self.pair is not None:
            return f"that `{self.pair[1].name}` undoes `{self.pair[0].name}`"
        if self.twin is not None:
            return f"that `{self.node.name}` does the same as `{self.twin.name}`"
        if self.is_settled:
            return f"that `{self.node.name}` changes nothing the second time"
        return f"`{self.node.name}` on whatever its types allow"


def pure_function(target: Target, module: str) -> PureFunction | None:
    """The function of a target, if it is pure and typed."""
    node = target.function
    inputs = _inputs(node, target)
    if target.inner or not inputs or any(parameter.annotation is None for parameter in inputs):
        return None
    if not _is_plain(node, target) or not _is_pure(node, target):
        return None
    names = module_names(target.tree, module)
    strategies, samples = Strategies(names), Samples(())
    annotations = [parameter.annotation for parameter in inputs]
    if any(strategies.of(one) is None or samples.of(one) is None for one in annotations):
        return None
    siblings = {sibling.name: sibling for sibling in _siblings(target)}
    pair = undone_by(node.name, siblings)
    twin = same_as(node.name, siblings)
    return PureFunction(
        node, module,
        target.name.rpartition(".")[0], names, inputs,
        (siblings[pair[0]], siblings[pair[1]]) if pair is not None and _fits(siblings, pair, target) else None,
        siblings[twin] if twin is not None and len(_inputs(siblings[twin], target)) == len(inputs) else None,
        settles(node.name) and len(inputs) == 1,
        tuple(dict.fromkeys(_raised(target, names))),
    )  # fmt: skip


def required(function: FunctionNode) -> tuple[ast.arg, ...]:
    """The parameters without defaults."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    named = [p for p, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if default is None]
    return (*positional[: len(positional) - len(arguments.defaults)], *named)


def _inputs(function: FunctionNode, target: Target) -> tuple[ast.arg, ...]:
    found = required(function)
    return found[1:] if target.owner is not None and not _is_static(function) else found


def _is_static(function: FunctionNode) -> bool:
    return any(last_name(decorator) == "staticmethod" for decorator in function.decorator_list)


def _is_plain(node: FunctionNode, target: Target) -> bool:
    """Whether it can be called with values alone: no instance, no coroutine, no generator."""
    if isinstance(node, ast.AsyncFunctionDef) or node.name.startswith("__"):
        return False
    decorators = {last_name(decorator) for decorator in node.decorator_list}
    if target.owner is not None and not decorators & {"staticmethod", "classmethod"}:
        return False
    if decorators - {"staticmethod", "classmethod", "cache", "lru_cache", "override"}:
        return False
    return not any(isinstance(inner, ast.Yield | ast.YieldFrom) for inner in own_below(node))


def _is_pure(node: FunctionNode, target: Target) -> bool:
    if any(marker.kind in _EFFECTS for marker in target.markers):
        return False
    own = {parameter.arg for parameter in parameters(node)}
    for inner in below(node):
        match inner:
            case ast.Global() | ast.Nonlocal():
                return False
            case ast.Attribute(value=ast.Name(id=root)) if root in _OUTSIDE and root not in own:
                return False
            case ast.Call() if called_name(inner) in _EFFECTFUL:
                return False
            case ast.Assign(targets=[ast.Attribute() | ast.Subscript() as changed]):
                if any(isinstance(part, ast.Name) and part.id in own for part in below(changed)):
                    return False
    return True


def _siblings(target: Target) -> Iterator[FunctionNode]:
    body = target.owner.body if target.owner is not None else target.tree.body
    for node in body:
        if isinstance(node, ast.FunctionDef):
            yield node


def _fits(siblings: dict[str, FunctionNode], pair: tuple[str, str], target: Target) -> bool:
    """Whether one takes what the other gives: one required argument each."""
    return all(len(_inputs(siblings[name], target)) == 1 for name in pair)


def _raised(target: Target, names: ModuleNames) -> Iterator[str]:
    """The exceptions that the function and those that it calls raise by name or speak of."""
    for function in Functions(target).scope:
        for node in below(function):
            if isinstance(node, ast.Raise) and node.exc is not None:
                kind = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
                origin = names.origin(ast.unparse(kind)) if isinstance(kind, ast.Name | ast.Attribute) else None
                if origin is not None:
                    yield mark(origin.module, origin.qualname)
    for name in _DOCUMENTED.findall(ast.get_docstring(target.function) or ""):
        origin = names.origin(name)
        if origin is not None:
            yield mark(origin.module, origin.qualname)
