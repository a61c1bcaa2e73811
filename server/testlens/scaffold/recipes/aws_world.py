"""What stands around one call of a function that uses AWS: moto, what exists there, and how the test gets at it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from testlens.domain.cases import Helper
from testlens.domain.expressions import Expression, mark
from testlens.domain.trials import FunctionDescription
from testlens.scaffold.recipe import Knowledge
from testlens.scaffold.recipes.aws_code import (
    AwsCode,
    Handle,
    Operation,
    attribute_values,
    local_values,
    parameter_named,
    region_of,
)
from testlens.scaffold.recipes.aws_things import Thing, Things
from testlens.scaffold.recipes.module_map import ModuleMap, Place, entry_target
from testlens.scaffold.recipes.scenarios import RECEIVER, ref, stand_in
from testlens.scaffold.recipes.variations import enlarged, size
from testlens.scaffold.scene import Patch, Scene
from testlens.scaffold.search import first_scenes
from testlens.scaffold.style import Style
from testlens.scaffold.target import Target
from testlens.scaffold.values import any_value, arguments_for, static_description

_BOTO3 = mark("boto3", "")
_MOST_SEEN = 3
_ENTRIES = 3


@dataclass(frozen=True, slots=True)
class Access:
    """How a test names the object that an operation is called on: `code`, after the statements `first`."""

    code: str
    first: tuple[str, ...] = ()
    fixtures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class World:
    """A call of the function with AWS around it. `fixtures` are those that have to be asked for to make it exist.

    `first` sets up what has to be there before anything else; `replaced` are the globals of the module in whose place
    the test puts clients and tables of its own.
    """

    scene: Scene
    helpers: tuple[Helper, ...] = ()
    fixtures: tuple[str, ...] = ()
    first: tuple[str, ...] = ()
    replaced: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Stage:
    """The function that is called, which may lead to the target's, and what is known of it."""

    target: Target
    knowledge: Knowledge
    entry: Place
    code: AwsCode
    functions: ModuleMap
    operations: tuple[Operation, ...]

    @property
    def style(self) -> Style:
        """The project's style."""
        return self.knowledge.style

    @property
    def module(self) -> str:
        """The module under test as it is imported."""
        return self.knowledge.description.module


def stage_at(target: Target, knowledge: Knowledge, entry: Place, code: AwsCode, functions: ModuleMap) -> Stage:
    """The stage on which `entry` is called, to reach the target."""
    operations = code.operations(functions.reachable(entry.name))
    if entry.name == target.name:
        return Stage(target, knowledge, entry, code, functions, operations)
    there = entry_target(target, entry)
    description = replace_module(static_description(there), knowledge.description.module)
    return Stage(there, replace(knowledge, description=description), entry, code, functions, operations)


def replace_module(description: FunctionDescription, module: str) -> FunctionDescription:
    """The description of a function of a module that is imported under another name than its path suggests."""
    old, new = f"\x01{description.module}:", f"\x01{module}:"
    receivers = tuple(replace(one, code=one.code.replace(old, new)) for one in description.receivers)
    return replace(description, module=module, callee=description.callee.replace(old, new), receivers=receivers)


def worlds(stage: Stage) -> list[World]:
    """The likeliest first: as the project's tests have it, then with fixtures of our own."""
    scenes = [scene for scene in first_scenes(stage.target, stage.knowledge) if _is_real(scene) and _is_set_up(scene)]
    found = [World(filled(stage, scene)) for scene in scenes[:_MOST_SEEN]]
    if "moto" in stage.style.libraries:
        own = _own_world(stage)
        found.append(replace(own, scene=filled(stage, own.scene)))
    return found


def filled(stage: Stage, scene: Scene) -> Scene:
    """The scene with a few elements in each list: an empty one shows little."""
    values = arguments_for(stage.target, stage.knowledge)
    for name, value in scene.arguments.items():
        full = next((v for v in values.get(name, ()) if size(v.code)), value) if value.code in ("[]", "()") else value
        if size(full.code):
            scene = scene.with_argument(name, replace(full, code=enlarged(full.code, _ENTRIES)))
    return scene


def _is_real(scene: Scene) -> bool:
    """Whether no stand-in takes the place of what talks to AWS."""
    return not any("Mock" in expression.code or "mocker" in expression.fixtures for expression in scene.expressions)


def _is_set_up(scene: Scene) -> bool:
    """Whether the project's tests have built something for it."""
    return any(expression.fixtures for expression in scene.expressions)


def _own_world(stage: Stage) -> World:
    things = Things(stage.code, stage.functions, stage.target.tree, stage.entry, stage.style)
    found = things.things(stage.entry, stage.operations)
    fixtures = tuple(thing.fixture for thing in found) or (things.base(),)
    description = stage.knowledge.description
    scene = Scene(description, arguments=_arguments(stage, found))
    if description.kind in ("method", "property"):
        scene = scene.with_receiver(own_receiver(stage, found))
    first: list[str] = []
    for thing in found:
        value = Expression(thing.value, (thing.fixture,), "fixture")
        if thing.source.kind == "global":
            scene = scene.with_patch(Patch(mark(stage.module, ""), thing.source.text, value))
        elif thing.source.kind == "attribute":
            scene = scene.with_setting(f"{RECEIVER}.{thing.source.text}", value)
        elif thing.source.kind == "environment":
            first.append(f'monkeypatch.setenv("{thing.source.text}", {thing.value})')
            fixtures = (*fixtures, "monkeypatch")
    own = dict(_global_handles(stage))
    for name, handle in own.items():
        # A client that was made when the module was imported knows neither moto nor the credentials of the test.
        scene = scene.with_patch(Patch(mark(stage.module, ""), name, _made(handle, found)))
    return World(scene, things.helpers, tuple(dict.fromkeys(fixtures)), tuple(first), frozenset(own))


def _global_handles(stage: Stage) -> Iterator[tuple[str, Handle]]:
    """The globals of the module that operations go through, with what they are."""
    for operation in stage.operations:
        root = operation.owner
        while isinstance(root, ast.Attribute):
            root = root.value
        if not isinstance(root, ast.Name) or parameter_named(operation.place, root.id) is not None:
            continue
        if next(local_values(operation.place.node, root.id), None) is None:
            handle = stage.code.handle(root, None)
            if handle is not None:
                yield root.id, handle


def _made(handle: Handle, things: Sequence[Thing]) -> Expression:
    """A handle of the test's own."""
    region = region_of(handle)
    where = f', region_name="{region}"' if region else ""
    if handle.kind == "Table":
        table = next((thing for thing in things if thing.service == "dynamodb"), None)
        if table is not None:
            return Expression(table.fixture, (table.fixture,), "fixture")
    maker = "resource" if handle.kind != "client" else "client"
    return Expression(f'{_BOTO3}.{maker}("{handle.service}"{where})', origin="fixture")


def _arguments(stage: Stage, things: Sequence[Thing]) -> dict[str, Expression]:
    values = arguments_for(stage.target, stage.knowledge)
    given: dict[str, Expression] = {}
    for parameter in stage.knowledge.description.parameters:
        thing = next((thing for thing in things if _is(thing, "argument", parameter.name)), None)
        handle = _handle_argument(stage, stage.entry, parameter.name, things)
        if thing is not None:
            given[parameter.name] = Expression(thing.value, (thing.fixture,), "fixture")
        elif handle is not None and not parameter.has_default:
            given[parameter.name] = handle
        elif not parameter.has_default and parameter.kind not in ("variadic", "keywords"):
            given[parameter.name] = _plain(parameter.name, values[parameter.name])
    return given


def variants(stage: Stage, world: World) -> list[World]:
    """The world with other values for those arguments that are no more than guesses."""
    values = arguments_for(stage.target, stage.knowledge)
    found = []
    for name, value in world.scene.arguments.items():
        if value.origin in _GUESSED:
            others = [*_SHAPES, *(other for other in values.get(name, ()) if other.origin != "mock")]
            found += [replace(world, scene=world.scene.with_argument(name, other)) for other in others[:_MOST_VARIANTS]]
    return found


_GUESSED = ("name", "literal", "type", "mock")
_SHAPES = tuple(Expression(code, origin="literal") for code in ('{"name": 1}', '"name"', "1", '["name"]'))
_MOST_VARIANTS = 8


def _plain(name: str, values: Sequence[Expression]) -> Expression:
    """The likeliest value that AWS can store: what goes into a request must not be a stand-in."""
    first = values[0]
    if first.origin != "mock" and first.code not in ('"name"', "'name'", '""', "''"):
        return first
    return Expression(any_value(name), origin="name")


def _is(thing: Thing, kind: str, name: str) -> bool:
    return thing.source.kind == kind and thing.source.text == name


def _handle_argument(stage: Stage, place: Place, name: str, things: Sequence[Thing]) -> Expression | None:
    """A client, resource or table for a parameter that takes one."""
    handle = stage.code.handle(ast.Name(name, ast.Load()), place)
    if handle is None:
        return None
    return _made(handle, things)


def own_receiver(stage: Stage, things: Sequence[Thing]) -> Expression:
    """An instance that is given these things, and plain values for the rest."""
    owner = stage.knowledge.description.callee
    parts = list(_constructor_arguments(stage, things))
    fixtures = tuple(name for _, value in parts for name in value.fixtures)
    return Expression(f"{owner}({', '.join(f'{name}{value.code}' for name, value in parts)})", fixtures, "fixture")


def _constructor_arguments(stage: Stage, things: Sequence[Thing]) -> Iterator[tuple[str, Expression]]:
    """The arguments of the constructor, each with the `name=` that it needs."""
    prefix = stage.entry.name.rpartition(".")[0]
    constructor = stage.functions.places.get(f"{prefix}.__init__")
    if constructor is None:
        # The fields of a dataclass and its like, as far as they name something of AWS.
        for thing in things:
            if thing.source.kind == "constructor":
                yield f"{thing.source.text}=", Expression(thing.value, (thing.fixture,), "fixture")
        return
    there = entry_target(stage.target, constructor)
    description = static_description(there)
    values = arguments_for(there, replace(stage.knowledge, description=description))
    for parameter in description.parameters:
        if parameter.kind in ("variadic", "keywords"):
            continue
        given = next((one for one in things if _is(one, "constructor", parameter.name)), None)
        value = Expression(given.value, (given.fixture,), "fixture") if given is not None else None
        if value is None and parameter.has_default:
            continue
        if value is None:
            value = _handle_argument(stage, constructor, parameter.name, things) or _plain(
                parameter.name, values[parameter.name]
            )
        is_named = parameter.kind == "keyword only" or parameter.has_default
        yield f"{parameter.name}=" if is_named else "", value


def access(stage: Stage, world: World, operation: Operation) -> Access | None:
    """How the test gets at what the operation is called on; None where it cannot."""
    return _access(stage, world, operation.owner, operation.place, operation)


def _access(stage: Stage, world: World, node: ast.expr, place: Place, operation: Operation) -> Access | None:
    match node:
        case ast.Attribute(value=ast.Name(id="self"), attr=attribute) if world.scene.receiver is not None:
            return _attribute_access(stage, world, place, attribute)
        case ast.Attribute(value=inner, attr=attribute):
            base = _access(stage, world, inner, place, operation)
            return None if base is None else replace(base, code=f"{base.code}.{attribute}")
        case ast.Name(id=name):
            return _named_access(stage, world, name, place, operation)
        case ast.BoolOp(values=values):
            # `client or boto3.client("sqs")`: a client that is not given is made.
            found = (_access(stage, world, value, place, operation) for value in values[::-1])
            return next((one for one in found if one is not None), None)
        case ast.Call():
            return _call_access(stage, operation, node)
    return None


def _call_access(stage: Stage, operation: Operation, call: ast.Call) -> Access | None:
    match call.func:
        case ast.Name(id=name) if name in stage.functions.places and not call.args and not call.keywords:
            return _made_anew(stage, operation, mark(stage.module, ""), name)
        case ast.Name(id=name) if stage.code.maker(call) in ("client", "resource"):
            return _made_anew(stage, operation, mark(stage.module, ""), name)
        case ast.Attribute(value=ast.Name(id="boto3"), attr="client" | "resource" as name):
            return _made_anew(stage, operation, _BOTO3, name)
    return None


def _named_access(stage: Stage, world: World, name: str, place: Place, operation: Operation) -> Access | None:
    for value in local_values(place.node, name):
        return _access(stage, world, value, place, operation)
    if parameter_named(place, name) is not None:
        return Access(ref(name)) if name in world.scene.arguments else None
    if name in world.replaced:
        return Access(f"{mark(stage.module, '')}.{name}")
    if next(local_values(stage.target.tree, name), None) is not None:
        return Access(mark(stage.module, name))
    return None


def _attribute_access(stage: Stage, world: World, place: Place, attribute: str) -> Access | None:
    """An attribute of the receiver, or what the test itself has given to the constructor for it."""
    given = _given_to_constructor(stage, world, place, attribute)
    if given is not None:
        return Access(given)
    prefix = place.name.rpartition(".")[0]
    function = stage.functions.places.get(f"{prefix}.{attribute}")
    if function is not None and not any("property" in ast.unparse(d) for d in function.node.decorator_list):
        return None
    return Access(f"{ref(RECEIVER)}.{attribute}")


def _given_to_constructor(stage: Stage, world: World, place: Place, attribute: str) -> str | None:
    receiver = world.scene.receiver
    constructor = stage.functions.places.get(f"{place.name.rpartition('.')[0]}.__init__")
    if receiver is None or constructor is None:
        return None
    passed = _passed_fixtures(receiver)
    for value in attribute_values(constructor, attribute):
        names = [node.id for node in ast.walk(value) if isinstance(node, ast.Name)]
        plain = isinstance(value, ast.Name | ast.BoolOp)
        return next((passed[name] for name in names if name in passed), None) if plain else None
    return None


def _passed_fixtures(receiver: Expression) -> Mapping[str, str]:
    """The fixtures that a constructor call is given by keyword, by the keyword."""
    _, separator, call = receiver.code.partition("\x02(")
    if not separator or "\x01" in call:
        return {}
    try:
        tree = ast.parse(f"_({call}", mode="eval").body
    except (SyntaxError, ValueError):
        return {}
    if not isinstance(tree, ast.Call):
        return {}
    return {
        keyword.arg: keyword.value.id
        for keyword in tree.keywords
        if keyword.arg and isinstance(keyword.value, ast.Name) and keyword.value.id in receiver.fixtures
    }


def _made_anew(stage: Stage, operation: Operation, owner: str, name: str) -> Access | None:
    """A client of the test's own, which the code is given where it would make one."""
    handle = operation.handle
    if handle.kind not in ("client", "resource"):
        return None
    maker = "resource" if handle.kind == "resource" else "client"
    variable = maker if handle.kind == "resource" else f"{handle.service.replace('-', '_')}_client"
    replaced, fixture = stand_in(owner, name, f"return_value={variable}", stage.style)
    made = f'{variable} = {_BOTO3}.{maker}("{handle.service}"{_region(operation)})'
    return Access(variable, (made, *replaced), (fixture,))


def _region(operation: Operation) -> str:
    region = region_of(operation.handle)
    return f', region_name="{region}"' if region else ""
