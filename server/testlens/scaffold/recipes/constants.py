"""Numbers that the text of the code fixes: constants of the module and of the class, and defaults."""

from __future__ import annotations

import ast

from testlens.scaffold.recipes.reading import below, default_of, module_constants
from testlens.scaffold.target import FunctionNode, Target


class Constants:
    """Follows names in the function of a target to the numbers that they stand for."""

    def __init__(self, target: Target) -> None:
        self._function = target.function
        self._owner = target.owner
        self._constants = module_constants(target.tree)

    def number(self, node: ast.expr | None) -> int | None:
        """The whole number that an expression comes to; None where the text does not say."""
        match node:
            case ast.Constant(value=int(number)):
                return number
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as op, right=right):
                one, other = self.number(left), self.number(right)
                if one is None or other is None:
                    return None
                return one + other if isinstance(op, ast.Add) else one - other
            case ast.Name(id=name):
                return self.number(default_of(self._function, name) or self._constants.get(name))
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name):
                return self.number(self._attribute(name))
        return None

    def _attribute(self, name: str) -> ast.expr | None:
        """What a class sets an attribute to: in its body, or in `__init__` from a parameter's default."""
        for node in self._owner.body if self._owner is not None else ():
            match node:
                case ast.Assign(targets=[ast.Name(id=bound)], value=value) if bound == name:
                    return value
                case ast.AnnAssign(target=ast.Name(id=bound), value=ast.expr() as value) if bound == name:
                    return value
                case ast.FunctionDef(name="__init__"):
                    given = _set_in(node, name)
                    if given is not None:
                        return given
        return None


def _set_in(init: FunctionNode, name: str) -> ast.expr | None:
    for node in below(init):
        match node:
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self"), attr=bound)], value=value) if (
                bound == name
            ):
                return default_of(init, value.id) if isinstance(value, ast.Name) else value
    return None
