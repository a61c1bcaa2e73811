"""The key schema of a DynamoDB table, read from how the code asks for its items."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from testlens.scaffold.recipes.aws_code import Operation, called_name, local_values, parameter_named
from testlens.scaffold.recipes.module_map import ModuleMap, Place

_DEEPEST = 6
_NUMBERS = frozenset({"int", "float", "Decimal"})
_PART = re.compile(r"(#?\w+)\s*(=|<|>|BETWEEN\b)|begins_with\(\s*(#?\w+)", re.IGNORECASE)
_USUAL_KEYS = ("pk", "id", "PK", "Id", "ID")


@dataclass(frozen=True, slots=True)
class Schema:
    """`keys` are the hash key and the range key if there is one; `numbers` are those attributes that hold numbers.

    `indexes` are the global secondary indexes that are asked for, with their keys and kinds.
    """

    keys: tuple[str, ...]
    numbers: frozenset[str] = frozenset()
    indexes: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()

    @property
    def key_kinds(self) -> tuple[tuple[str, str], ...]:
        """The keys as AWS wants them, with `HASH` and `RANGE`."""
        return tuple(zip(self.keys, ("HASH", "RANGE"), strict=False))

    @property
    def attributes(self) -> tuple[tuple[str, str], ...]:
        """Every attribute that is a key somewhere, with its type."""
        names = dict.fromkeys([*self.keys, *(key for _, keys in self.indexes for key, _ in keys)])
        return tuple((name, "N" if name in self.numbers else "S") for name in names)


def schema_of(tree: ast.Module, functions: ModuleMap, operations: Sequence[Operation]) -> Schema:
    """The schema that these operations, and the rest of the module, suppose; `id` alone where nothing tells."""
    reader = _Reader(tree, functions)
    keys = list(reader.keys(operations))
    if not keys:
        keys = [key for key in _USUAL_KEYS if key in reader.item_attributes(operations)][:1] or (
            list(reader.item_attributes(operations))[:1]
        )
    indexes = tuple(dict(reader.indexes(operations)).items())
    return Schema(tuple(dict.fromkeys(keys))[:2] or ("id",), frozenset(reader.numbers), indexes)


class _Reader:
    def __init__(self, tree: ast.Module, functions: ModuleMap) -> None:
        self._tree = tree
        self._functions = functions
        self.numbers: set[str] = set()

    def keys(self, operations: Sequence[Operation]) -> Iterator[str]:
        """The attributes by which items are asked for, hash key first."""
        for operation in operations:
            found = operation.argument("Key")
            display = self._display(found, operation.place, 0) if found is not None else None
            if display is not None:
                yield from self._names(display, operation.place)
        yield from self._all_keys()
        for operation in operations:
            if operation.argument("IndexName") is None:
                yield from self._condition(operation)

    def _all_keys(self) -> Iterator[str]:
        """Those of every `Key=` in the module: another function may name the whole key."""
        for place in self._functions.places.values():
            for node in ast.walk(place.node):
                if isinstance(node, ast.keyword) and node.arg == "Key":
                    display = self._display(node.value, place, 0)
                    if display is not None:
                        yield from self._names(display, place)

    def indexes(self, operations: Sequence[Operation]) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
        """The indexes that are named in requests, with the keys that the request's condition has."""
        for operation in operations:
            name = operation.argument("IndexName")
            keys = list(dict.fromkeys(self._condition(operation)))[:2]
            if isinstance(name, ast.Constant) and keys:
                yield str(name.value), tuple(zip(keys, ("HASH", "RANGE"), strict=False))

    def item_attributes(self, operations: Sequence[Operation]) -> dict[str, None]:
        """The attributes of the items that are stored."""
        found: dict[str, None] = {}
        for operation in operations:
            item = operation.argument("Item")
            display = self._display(item, operation.place, 0) if item is not None else None
            if display is not None:
                found.update(dict.fromkeys(self._names(display, operation.place)))
        return found

    def _condition(self, operation: Operation) -> Iterator[str]:
        condition = operation.argument("KeyConditionExpression")
        if condition is None:
            return
        if isinstance(condition, ast.Constant) and isinstance(condition.value, str):
            yield from self._written(condition.value, operation)
            return
        nodes = [condition]
        if isinstance(condition, ast.Name):
            nodes += list(local_values(operation.place.node, condition.id))
            nodes += [node.value for node in ast.walk(operation.place.node) if isinstance(node, ast.AugAssign)]
        for node in nodes:
            for call in ast.walk(node):
                if isinstance(call, ast.Call) and called_name(call) == "Key" and call.args:
                    first = call.args[0]
                    if isinstance(first, ast.Constant) and isinstance(first.value, str):
                        yield first.value

    def _written(self, text: str, operation: Operation) -> Iterator[str]:
        aliases = operation.argument("ExpressionAttributeNames")
        names = {}
        if isinstance(aliases, ast.Dict):
            for key, value in zip(aliases.keys, aliases.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(value, ast.Constant):
                    names[key.value] = str(value.value)
        for found in _PART.finditer(text):
            name = found[1] or found[3]
            if name and name.upper() not in ("AND", "BETWEEN"):
                yield names.get(name, name)

    def _display(self, node: ast.expr, place: Place, depth: int) -> ast.Dict | None:
        """The dict display that an expression comes from: itself, a local, or what a function gives back."""
        if depth > _DEEPEST:
            return None
        match node:
            case ast.Dict():
                return node
            case ast.Name(id=name):
                for value in [*local_values(place.node, name), *local_values(self._tree, name)]:
                    found = self._display(value, place, depth + 1)
                    if found is not None:
                        return found
            case ast.Call():
                return self._returned(node, place, depth)
        return None

    def _returned(self, call: ast.Call, place: Place, depth: int) -> ast.Dict | None:
        prefix = place.name.rpartition(".")[0]
        name = called_name(call)
        function = self._functions.places.get(f"{prefix}.{name}") or self._functions.places.get(name)
        if function is None:
            return None
        for node in ast.walk(function.node):
            if isinstance(node, ast.Return) and node.value is not None:
                found = self._display(node.value, function, depth + 1)
                if found is not None:
                    return found
        return None

    def _names(self, display: ast.Dict, place: Place) -> Iterator[str]:
        for key, value in zip(display.keys, display.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                if self._is_number(value, place):
                    self.numbers.add(key.value)
                yield key.value

    def _is_number(self, value: ast.expr, place: Place) -> bool:
        match value:
            case ast.Constant(value=int() | float()):
                return not isinstance(value.value, bool)
            case ast.Call(func=ast.Name(id="int" | "float" | "Decimal")):
                return True
            case ast.Dict(keys=[ast.Constant(value="N")]):
                return True
            case ast.Name(id=name):
                parameter = parameter_named(place, name)
                annotation = ast.unparse(parameter.annotation) if parameter and parameter.annotation else ""
                return annotation in _NUMBERS
        return False
