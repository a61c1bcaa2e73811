"""Who calls whom inside one module, so that a private function is tested through the public one that uses it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from testlens.domain.gaps import Region
from testlens.scaffold.target import FunctionNode, Target, find_target

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True)
class Place:
    """One function of the module: its dotted name, its node, and the class of a method."""

    name: str
    node: FunctionNode
    owner: ast.ClassDef | None

    @property
    def is_public(self) -> bool:
        """Whether a caller from outside is meant to use it."""
        return not any(part.startswith("_") for part in self.name.split("."))


class ModuleMap:
    """The functions and methods of a module by dotted name, inner functions left out."""

    def __init__(self, tree: ast.Module) -> None:
        self._tree = tree
        self.places: Mapping[str, Place] = {place.name: place for place in _places(tree.body, "", None)}

    @cached_property
    def _callees(self) -> Mapping[str, tuple[str, ...]]:
        return {name: tuple(dict.fromkeys(self._called_by(place))) for name, place in self.places.items()}

    def reachable(self, name: str) -> tuple[Place, ...]:
        """The function and those that it calls, directly or not, nearest first."""
        found = [name]
        for one in found:
            found += [callee for callee in self._callees.get(one, ()) if callee not in found]
        return tuple(self.places[one] for one in found if one in self.places)

    def callers(self, name: str) -> tuple[Place, ...]:
        """The functions that lead to this one, nearest first, without itself."""
        found = [name]
        for one in found:
            found += [caller for caller, called in self._callees.items() if one in called and caller not in found]
        return tuple(self.places[one] for one in found[1:])

    def methods(self, owner: ast.ClassDef) -> tuple[Place, ...]:
        """The methods that a class defines itself, in order."""
        return tuple(place for place in self.places.values() if place.owner is owner)

    def _called_by(self, place: Place) -> Iterator[str]:
        prefix = place.name.rpartition(".")[0]
        for node in ast.walk(place.node):
            name = ""
            match node:
                case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=attribute) if place.owner is not None:
                    name = f"{prefix}.{attribute}"
                case ast.Attribute(value=ast.Name(id=owner), attr=attribute):
                    name = f"{owner}.{attribute}"
                case ast.Name(id=called):
                    name = called
            if name in self.places and name != place.name:
                yield name


def _places(body: list[ast.stmt], prefix: str, owner: ast.ClassDef | None) -> Iterator[Place]:
    for node in body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield Place(prefix + node.name, node, owner)
            case ast.ClassDef():
                yield from _places(node.body, f"{prefix}{node.name}.", node)
            case ast.If() | ast.Try():
                yield from _places([*node.body, *node.orelse], prefix, owner)


def entry_target(target: Target, place: Place) -> Target:
    """The gap's file as seen from another function of it, which is to be called in the target's place."""
    first, last = place.node.body[0], place.node.end_lineno or place.node.lineno
    region = Region("uncovered", place.name, place.node.lineno, first.lineno, last, (first.lineno,), (), "")
    found = find_target(target.path, target.module, target.tree, region, target.markers)
    return found if isinstance(found, Target) else target
