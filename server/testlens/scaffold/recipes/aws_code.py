"""Which AWS services a module uses, through which of its names, and what it does with their answers.

Read from the source text alone. A *handle* is a boto3 client or resource, or the table, queue, topic or bucket that a
resource gave.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from testlens.scaffold.recipes.aws_names import (
    OPERATIONS,
    SERVICES,
    kind_by_name,
    service_by_annotation,
    service_of_operation,
)
from testlens.scaffold.recipes.module_map import ModuleMap, Place

_CHILDREN = {"Table": "dynamodb", "Queue": "sqs", "Topic": "sns", "Bucket": "s3", "Object": "s3"}
_DEEPEST = 12


@dataclass(frozen=True, slots=True)
class Handle:
    """`kind` is `client`, `resource`, `Table`, `Queue`, `Topic`, `Bucket` or `Object`; `name` the expression that
    names the table, queue, topic or bucket, with the function that it stands in.

    `region` is the region as the code writes it, where it does. `is_made` says that the code makes it from boto3
    itself; `is_asynchronous` that it comes from aioboto3.
    """

    service: str
    kind: str
    name: ast.expr | None = None
    place: Place | None = None
    region: ast.expr | None = None
    is_made: bool = True
    is_asynchronous: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One request to AWS: `owner` is the expression that the method is called on, in the function `place`."""

    handle: Handle
    method: str
    owner: ast.expr
    call: ast.Call
    place: Place

    def argument(self, name: str) -> ast.expr | None:
        """The value of a keyword argument; those of `**request` where `request` is a dict display as well."""
        for keyword in self.call.keywords:
            if keyword.arg == name:
                return keyword.value
        for keyword in self.call.keywords:
            if keyword.arg is None and isinstance(keyword.value, ast.Name):
                found = _item_of_local(self.place, keyword.value.id, name)
                if found is not None:
                    return found
        return None


class AwsCode:
    """Finds handles and operations of one module."""

    def __init__(self, tree: ast.Module, functions: ModuleMap) -> None:
        self._tree = tree
        self._functions = functions
        self._makers = dict(_imported_makers(tree))

    def maker(self, call: ast.Call) -> str:
        """What a call makes: `client`, `resource`, or whatever else is called, by its last name."""
        if isinstance(call.func, ast.Name) and call.func.id in self._makers:
            return self._makers[call.func.id]
        return called_name(call)

    def operations(self, places: Sequence[Place]) -> tuple[Operation, ...]:
        """The requests that these functions make themselves, in their order."""
        return tuple(found for place in places for found in self._operations_in(place))

    def _operations_in(self, place: Place) -> Iterator[Operation]:
        calls = [node for node in ast.walk(place.node) if isinstance(node, ast.Call)]
        for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
            if isinstance(call.func, ast.Attribute):
                handle = self._handle_of(call.func, call, place)
                if handle is not None:
                    yield Operation(handle, call.func.attr, call.func.value, call, place)

    def _handle_of(self, function: ast.Attribute, call: ast.Call, place: Place) -> Handle | None:
        handle = self.handle(function.value, place)
        if handle is not None:
            return handle if function.attr in OPERATIONS or _is_request(function.attr, handle) else None
        guessed = service_of_operation(function.attr, frozenset(keyword.arg or "" for keyword in call.keywords))
        is_own = isinstance(function.value, ast.Name) and function.value.id in ("self", "cls")
        return Handle(*guessed, is_made=False) if guessed is not None and not is_own else None

    def handle(self, node: ast.expr, place: Place | None, depth: int = 0) -> Handle | None:
        """What an expression of a function (None: of the module) is, if it is a handle."""
        if depth > _DEEPEST:
            return None
        match node:
            case ast.Name(id=name):
                return self._named(name, place, depth + 1)
            case ast.Attribute():
                return self._attribute(node, place, depth + 1)
            case ast.Call():
                return self._made(node, place, depth + 1)
        return self._first(_alternatives(node), place, depth + 1)

    def _first(self, nodes: Iterable[ast.expr], place: Place | None, depth: int) -> Handle | None:
        """The first of these expressions that is a handle."""
        return next((found for node in nodes if (found := self.handle(node, place, depth)) is not None), None)

    def _attribute(self, node: ast.Attribute, place: Place | None, depth: int) -> Handle | None:
        match node.value:
            case ast.Name(id="self" | "cls") if place is not None and place.owner is not None:
                return self._attribute_of(place.owner, node.attr, depth)
        inner = self.handle(node.value, place, depth)
        if inner is None:
            return kind_handle(node.attr)
        return replace(inner, kind="client") if node.attr == "client" else inner

    def _named(self, name: str, place: Place | None, depth: int) -> Handle | None:
        if place is not None:
            found = self._first(local_values(place.node, name), place, depth)
            if found is not None:
                return found
            parameter = parameter_named(place, name)
            if parameter is not None:
                return _of_parameter(parameter)
        return self._first(local_values(self._tree, name), None, depth)

    def _attribute_of(self, owner: ast.ClassDef, attribute: str, depth: int) -> Handle | None:
        for method in self._functions.methods(owner):
            if method.node.name == attribute:
                return self._given_back(method, depth)
            found = self._first(attribute_values(method, attribute), method, depth)
            if found is not None:
                return found
        return self._first(local_values(owner, attribute), None, depth)

    def _made(self, call: ast.Call, place: Place | None, depth: int) -> Handle | None:
        name = self.maker(call)
        service = _service_argument(call)
        if name in ("client", "resource", "create_client") and service in SERVICES:
            kind = "resource" if name == "resource" else "client"
            region = next((keyword.value for keyword in call.keywords if keyword.arg == "region_name"), None)
            return Handle(service, kind, None, place, region, True, self._is_asynchronous())
        if name in _CHILDREN and isinstance(call.func, ast.Attribute):
            base = self.handle(call.func.value, place, depth)
            first = call.args[0] if call.args else next((keyword.value for keyword in call.keywords), None)
            service = base.service if base is not None else _CHILDREN[name]
            made = base or Handle(service, name, is_made=False)
            return replace(made, service=service, kind=name, name=first, place=place)
        function = self._function_called(call, place)
        return self._given_back(function, depth) if function is not None else None

    def _function_called(self, call: ast.Call, place: Place | None) -> Place | None:
        match call.func:
            case ast.Name(id=name):
                return self._functions.places.get(name)
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name) if place is not None:
                return self._functions.places.get(f"{place.name.rpartition('.')[0]}.{name}")
        return None

    def _given_back(self, function: Place, depth: int) -> Handle | None:
        given = [node.value for node in ast.walk(function.node) if isinstance(node, ast.Return | ast.Yield)]
        return self._first((value for value in given if value is not None), function, depth + 1)

    def _is_asynchronous(self) -> bool:
        modules = [alias.name for node in ast.walk(self._tree) if isinstance(node, ast.Import) for alias in node.names]
        modules += [node.module or "" for node in ast.walk(self._tree) if isinstance(node, ast.ImportFrom)]
        return any(name.partition(".")[0] in ("aioboto3", "aiobotocore") for name in modules)


def _imported_makers(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """`from boto3 import client as boto3_client`: the names that clients and resources are made by."""
    for node in tree.body:
        match node:
            case ast.ImportFrom(module="boto3", names=names):
                yield from ((alias.asname or alias.name, alias.name) for alias in names)


def _alternatives(node: ast.expr) -> Sequence[ast.expr]:
    """The expressions of which one is the value of another."""
    match node:
        case ast.BoolOp(values=values):
            return values[::-1]  # `client or boto3.client("sqs")`: the last one tells what it is
        case ast.IfExp(body=body, orelse=orelse):
            return body, orelse
        case ast.Await(value=value) | ast.NamedExpr(value=value):
            return (value,)
    return ()


def kind_handle(name: str) -> Handle | None:
    """The handle that a name alone speaks of (`sqs_client`, `table`), None for most names."""
    found = kind_by_name(name)
    return Handle(*found, is_made=False) if found is not None else None


def _of_parameter(parameter: ast.arg) -> Handle | None:
    if parameter.annotation is not None:
        found = service_by_annotation(ast.unparse(parameter.annotation))
        if found is not None:
            return Handle(*found, is_made=False)
    return kind_handle(parameter.arg)


def _is_request(method: str, handle: Handle) -> bool:
    if handle.kind == "resource" and method in _CHILDREN:
        return False
    return method not in ("client", "resource", "meta", "get", "close", "__enter__") and not method[:1].isupper()


def _service_argument(call: ast.Call) -> str:
    values = [*call.args[:1], *(keyword.value for keyword in call.keywords if keyword.arg == "service_name")]
    return next((value.value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str)),
                "")  # fmt: skip


def called_name(call: ast.Call) -> str:
    """The last name of what is called."""
    return getattr(call.func, "attr", None) or getattr(call.func, "id", None) or ""


def parameter_named(place: Place, name: str) -> ast.arg | None:
    """The parameter of a function with this name."""
    arguments = place.node.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return next((argument for argument in every if argument.arg == name), None)


def region_of(handle: Handle) -> str:
    """The region that the code names for a handle, directly or by a parameter's default; empty where it names none."""
    region = handle.region
    if isinstance(region, ast.Name) and handle.place is not None:
        region = default_of(handle.place, region.id)
    return region.value if isinstance(region, ast.Constant) and isinstance(region.value, str) else ""


def default_of(place: Place, name: str) -> ast.expr | None:
    """The default of a parameter, None where it has none."""
    arguments = place.node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = dict(zip([one.arg for one in positional[len(positional) - len(arguments.defaults) :]],
                        arguments.defaults, strict=True))  # fmt: skip
    for parameter, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if default is not None:
            defaults[parameter.arg] = default
    return defaults.get(name)


def local_values(scope: ast.AST, name: str) -> Iterator[ast.expr]:
    """What a name is bound to in a function, or at the top of a module or class, first binding first."""
    nodes = ast.walk(scope) if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef) else _top(scope)
    for node in nodes:
        match node:
            case ast.Assign(targets=targets, value=value):
                if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                    yield value
            case ast.AnnAssign(target=ast.Name(id=bound), value=ast.expr() as value) if bound == name:
                yield value
            case ast.NamedExpr(target=ast.Name(id=bound), value=value) if bound == name:
                yield value
            case ast.withitem(context_expr=value, optional_vars=ast.Name(id=bound)) if bound == name:
                yield value


def attribute_values(method: Place, attribute: str) -> Iterator[ast.expr]:
    """What a method assigns to an attribute of `self`."""
    for node in ast.walk(method.node):
        match node:
            case ast.Assign(targets=targets, value=value):
                pairs: list[tuple[ast.expr, ast.expr]] = [(target, value) for target in targets]
                for target in targets:
                    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                        pairs += zip(target.elts, value.elts, strict=False)
                yield from (one for target, one in pairs if _is_own_attribute(target, attribute))
            case ast.AnnAssign(target=target, value=ast.expr() as value) if _is_own_attribute(target, attribute):
                yield value


def _is_own_attribute(target: ast.expr, attribute: str) -> bool:
    match target:
        case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name):
            return name == attribute
    return False


def _top(scope: ast.AST) -> Iterator[ast.AST]:
    for node in getattr(scope, "body", []):
        yield node
        if isinstance(node, ast.If | ast.Try | ast.With):
            yield from _top(node)


def _item_of_local(place: Place, name: str, key: str) -> ast.expr | None:
    for value in local_values(place.node, name):
        if isinstance(value, ast.Dict):
            for found, item in zip(value.keys, value.values, strict=True):
                if isinstance(found, ast.Constant) and found.value == key:
                    return item
    for node in ast.walk(place.node):
        match node:
            case ast.Assign(
                targets=[ast.Subscript(value=ast.Name(id=subject), slice=ast.Constant(value=named))], value=item
            ) if subject == name and named == key:
                return item
    return None


_CODE = re.compile(r"[A-Z][A-Za-z]+(\.[A-Za-z]+)*|\d{3}")


def error_codes(places: Sequence[Place], tree: ast.Module) -> tuple[tuple[str, ...], ...]:
    """The codes of AWS errors that these functions tell apart, those together that one comparison takes together."""
    found: dict[tuple[str, ...], int] = {}
    for place in places:
        for node in ast.walk(place.node):
            if isinstance(node, ast.Compare) and "ode" in ast.unparse(node):
                codes = tuple(code for side in (node.left, *node.comparators) for code in _codes(side, tree))
                if codes:
                    found.setdefault(codes, node.lineno)
    return tuple(found)


def _codes(node: ast.expr, tree: ast.Module) -> Iterator[str]:
    match node:
        case ast.Constant(value=str() as value):
            if _CODE.fullmatch(value):
                yield value
        case ast.Tuple(elts=elements) | ast.List(elts=elements) | ast.Set(elts=elements):
            for element in elements:
                yield from _codes(element, tree)
        case ast.Name(id=name):
            for bound in local_values(tree, name):
                yield from _codes(bound, tree)
        case ast.Call(func=ast.Name(id="frozenset" | "set" | "tuple" | "list"), args=[inner]):
            yield from _codes(inner, tree)


def handles_client_errors(places: Sequence[Place]) -> bool:
    """Whether one of these functions has a handler for what AWS refuses."""
    handlers = [node for place in places for node in ast.walk(place.node) if isinstance(node, ast.ExceptHandler)]
    caught = [ast.unparse(handler.type) for handler in handlers if handler.type is not None]
    return any("ClientError" in name or "exceptions." in name for name in caught)
