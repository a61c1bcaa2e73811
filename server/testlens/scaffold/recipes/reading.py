"""Small questions to syntax trees that several recipes ask."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache

from testlens.scaffold.names import ModuleNames
from testlens.scaffold.target import FunctionNode, Target

_DEEPEST = 2
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def below(root: ast.AST) -> Iterator[ast.AST]:
    """The node and all nodes below it, in the order of the text."""
    pending = [root]
    while pending:
        node = pending.pop()
        yield node
        pending += reversed(list(ast.iter_child_nodes(node)))


def own_below(root: ast.AST) -> Iterator[ast.AST]:
    """The nodes below, those of inner functions and classes left out; lambdas count as their function's own."""
    pending = list(ast.iter_child_nodes(root))[::-1]
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, _SCOPES):
            pending += reversed(list(ast.iter_child_nodes(node)))


def called_name(call: ast.Call) -> str:
    """The last name of what is called: `b` in `a.b()`; empty where a call or a subscript is called."""
    return last_name(call.func)


def last_name(node: ast.AST) -> str:
    """The last name of a dotted expression; empty for anything else."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def root_name(node: ast.AST) -> str:
    """The first name of a dotted expression; empty for anything else."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def dotted(node: ast.AST) -> tuple[str, ...]:
    """The names of a dotted expression from its root; empty for anything else."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return (node.id, *reversed(names)) if isinstance(node, ast.Name) else ()


def parameters(function: FunctionNode) -> tuple[ast.arg, ...]:
    """All parameters of a function, `*args` and `**kwargs` last."""
    arguments = function.args
    rest = [parameter for parameter in (arguments.vararg, arguments.kwarg) if parameter is not None]
    return (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *rest)


def default_of(function: FunctionNode, name: str) -> ast.expr | None:
    """The default of a parameter."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    with_default = positional[len(positional) - len(arguments.defaults) :]
    for parameter, default in [
        *zip(with_default, arguments.defaults, strict=True),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]:
        if parameter.arg == name:
            return default
    return None


class Functions:
    """The functions of a module that the one under test works through, by what their names in calls mean."""

    def __init__(self, target: Target) -> None:
        methods = target.owner.body if target.owner is not None else []
        self._named = {node.name: node for node in (*target.tree.body, *methods) if isinstance(node, FunctionNode)}
        self._function = target.function

    @cached_property
    def scope(self) -> tuple[FunctionNode, ...]:
        """The function and those that it works through, as far as two calls away."""
        return tuple(self._reached(self._function))

    def named(self, name: str) -> FunctionNode | None:
        """The function or method of that name: a method where the target's class has one."""
        return self._named.get(name)

    def _reached(self, function: FunctionNode) -> list[FunctionNode]:
        reached = [function]
        edge = [function]
        for _ in range(_DEEPEST):
            edge = [other for one in edge for other in self._used(one) if other not in reached]
            reached += dict.fromkeys(edge)
        return reached

    def _used(self, function: FunctionNode) -> Iterator[FunctionNode]:
        for node in ast.walk(function):
            name = _used_name(node)
            if name in self._named and self._named[name] is not function:
                yield self._named[name]


def _used_name(node: ast.AST) -> str:
    match node:
        case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name):
            return name
        case ast.Name(id=name):
            return name
    return ""


def derived(loop: ast.AST, names: frozenset[str]) -> frozenset[str]:
    """The variables that are made of others in a loop."""
    found = set(names)
    for node in own_below(loop):
        match node:
            case ast.Assign(targets=[ast.Name(id=bound)], value=value):
                if any(isinstance(part, ast.Name) and part.id in found for part in below(value)):
                    found.add(bound)
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=value):
                if any(isinstance(part, ast.Name) and part.id in found for part in below(value)):
                    found |= {last_name(bound) for bound in targets}
    return frozenset(found)


def handled_lines(functions: Iterable[FunctionNode]) -> frozenset[int]:
    """The lines of the bodies of handlers."""
    handlers = (node for function in functions for node in below(function) if isinstance(node, ast.ExceptHandler))
    return frozenset(
        line
        for handler in handlers
        for line in range(handler.body[0].lineno, (handler.end_lineno or handler.lineno) + 1)
    )


@lru_cache(maxsize=4)  # the recipes that look at one gap ask for the same names
def module_names(tree: ast.Module, module: str) -> ModuleNames:
    """What the names of a module mean."""
    return ModuleNames(tree, module)


def module_constants(tree: ast.Module) -> dict[str, ast.expr]:
    """What the names that a module assigns once at its top level stand for."""
    constants: dict[str, ast.expr] = {}
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                constants[name] = value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                constants[name] = value
    return constants
