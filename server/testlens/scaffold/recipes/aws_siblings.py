"""What else the code offers beside the function under test: to put something there first, and to look afterwards."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from testlens.domain.expressions import Expression, mark
from testlens.domain.trials import FunctionDescription
from testlens.scaffold.recipes.aws_code import Operation
from testlens.scaffold.recipes.aws_world import Stage, World, access, replace_module
from testlens.scaffold.recipes.module_map import Place, entry_target
from testlens.scaffold.recipes.phrases import passive
from testlens.scaffold.recipes.scenarios import RECEIVER, ref
from testlens.scaffold.scene import Scene
from testlens.scaffold.values import arguments_for, static_description
from testlens.scaffold.words import word_set

_WRITES = frozenset({"put_item", "send_message", "put_object", "batch_write_item", "send_message_batch"})
_READS = word_set(
    "get_item query scan update_item delete_item batch_get_item receive_message delete_message get_object "
    "head_object list_objects_v2 delete_object batch_writer"
)
_PAGE = re.compile(r"(^|_)(page_?size|limit|per_page|batch_size|max_(items|results|keys))$")


_ANYTHING = Expression('{"name": 1}', origin="literal")


@dataclass(frozen=True, slots=True)
class Preparation:
    """What is there before the call: `code` puts it there, `arguments` are those that the call then takes."""

    given: str
    special: str
    code: tuple[str, ...]
    fixtures: tuple[str, ...] = ()
    arguments: Mapping[str, Expression] = field(default_factory=dict)


def prepared(stage: Stage, world: World) -> Iterator[Preparation]:
    """What the code itself may have put there before."""
    is_conditional = any(operation.argument("ConditionExpression") is not None for operation in stage.operations)
    if is_conditional and _writes(stage.operations):
        again = _call_code(stage, world.scene)
        yield Preparation(f"{passive(stage.entry.node)} already", "again", again)
    if is_conditional or any(operation.method in _READS for operation in stage.operations):
        writer = _writer(stage)
        if writer is not None:
            yield from _written(stage, world, writer)


def _writes(operations: Sequence[Operation]) -> bool:
    return any(operation.method in _WRITES for operation in operations)


def _writer(stage: Stage) -> Place | None:
    """The simplest other public function that writes to the same service."""
    services = {operation.handle.service for operation in stage.operations}
    candidates = []
    for place in stage.functions.places.values():
        if place.owner is not stage.entry.owner or not place.is_public or place.name == stage.entry.name:
            continue
        operations = stage.code.operations(stage.functions.reachable(place.name))
        if _writes(operations) and {operation.handle.service for operation in operations} <= services:
            is_single = any(operation.method in ("put_item", "send_message", "put_object") for operation in operations)
            is_creating = not re.search(r"(^|_)(update|delete|remove|batch|put_aside|process)", place.name)
            is_seen = bool(stage.knowledge.seen.get((stage.target.path, place.name)))
            candidates.append((not is_creating, not is_single, not is_seen, place.node.lineno, place))
    return min(candidates, key=lambda one: one[:-1])[-1] if candidates else None


def _written(stage: Stage, world: World, writer: Place) -> Iterator[Preparation]:
    description, calls = _calls_of(stage, world, writer)
    codes = [_call_code(stage, replace(world.scene, description=description, arguments=call)) for call in calls]
    fixtures = [tuple(name for value in call.values() for name in value.fixtures) for call in calls]
    given = passive(writer.node)
    produced = _produced(stage)
    if produced is not None:
        name, code = produced
        argument = Expression(name, origin="fixture")
        yield Preparation(given, f"after {given}", (*codes[0], code), fixtures[0], {name: argument})
        return
    for statements, needed in zip(codes[:2], fixtures, strict=False):
        yield Preparation(given, f"after {given}", statements, needed)
    page = next((p.name for p in stage.knowledge.description.parameters if _PAGE.search(p.name)), None)
    if page is not None and len(codes) > 1:
        yield Preparation(
            "more than fits one page", "with more than one page", (*codes[0], *codes[1]), (*fixtures[0], *fixtures[1]),
            {page: Expression("1", origin="literal")},
        )  # fmt: skip


def _calls_of(stage: Stage, world: World, function: Place) -> tuple[FunctionDescription, list[dict[str, Expression]]]:
    """Arguments for calls of another function: as the tests call it, else likely ones; each call different."""
    there = entry_target(stage.target, function)
    description = replace_module(static_description(there), stage.module)
    values = arguments_for(there, replace(stage.knowledge, description=description))
    required = {
        parameter.name: world.scene.arguments.get(parameter.name, values[parameter.name][0])
        for parameter in description.parameters
        if not parameter.has_default and parameter.kind not in ("variadic", "keywords")
    }
    found: dict[str, dict[str, Expression]] = {}
    for call in stage.knowledge.seen.get((stage.target.path, function.name), ()):
        given = {name: value for name, value in call.arguments.items() if value is not None}
        if call.raised is None and required.keys() <= given.keys():
            found.setdefault(repr(given), given)
    if not found:
        found["likely"] = required
        guessed = {name: _ANYTHING for name, value in required.items() if value.code.startswith(("b", "\x01unittest"))}
        if guessed:
            found["any"] = {**required, **guessed}
    return description, list(found.values())


def _call_code(stage: Stage, scene: Scene) -> tuple[str, ...]:
    """The statement that makes a call on the receiver that is there already."""
    description = scene.description
    inline = replace(scene, settings={}, patches=())
    parts = [_argument(description, name, value) for name, value in inline.arguments.items()]
    awaited = "await " if description.is_async else ""
    if scene.receiver is None:
        return (f"{awaited}{description.callee}({', '.join(parts)})",)
    method = description.name.rpartition(".")[2]
    return (f"{awaited}{ref(RECEIVER)}.{method}({', '.join(parts)})",)


def _argument(description: FunctionDescription, name: str, value: Expression) -> str:
    parameter = next((p for p in description.parameters if p.name == name), None)
    is_named = parameter is None or parameter.kind == "keyword only" or parameter.has_default
    return f"{name}={value.code}" if is_named else value.code


def _produced(stage: Stage) -> tuple[str, str] | None:
    """A statement that gets the argument of a parameter from another method which gives values of its class."""
    for parameter in stage.knowledge.description.parameters:
        wanted = parameter.annotation.rpartition(".")[2].strip("'\"")
        if not wanted[:1].isupper() or parameter.has_default:
            continue
        for place in stage.functions.places.values():
            if place.owner is not stage.entry.owner or not place.is_public or place.node.returns is None:
                continue
            returned = ast.unparse(place.node.returns)
            if place.name == stage.entry.name or not re.search(rf"\b{re.escape(wanted)}\b", returned):
                continue
            if not any(o.method in _READS for o in stage.code.operations((place,))) or _required(place):
                continue
            call = f"{ref(RECEIVER)}.{place.node.name}()"
            several = re.match(r"(list|List|Sequence|tuple|Tuple|Iterable|Iterator)\[", returned)
            name = parameter.name
            return name, f"[{name}] = {call}" if several else f"{name} = {call}"
    return None


def _required(place: Place) -> bool:
    arguments = place.node.args
    skipped = 1 if place.owner is not None else 0
    return len(arguments.args) - len(arguments.defaults) > skipped or None in arguments.kw_defaults


def looked_at(stage: Stage, world: World) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Statements that look at what is in AWS after a write, and the fixtures that they use."""
    for operation in stage.operations:
        looking = _LOOKS.get(operation.handle.service)
        if looking is None or operation.method not in _WRITES | _CHANGES or operation.place != stage.entry:
            continue
        way = access(stage, world, operation)
        if way is None or way.first:
            continue
        code = looking(stage, world, operation, way.code)
        if code is not None:
            return (code,), way.fixtures
    return (), ()


_CHANGES = frozenset({"update_item", "delete_item", "delete_object", "upload_file", "upload_fileobj", "copy_object"})


def _items(_stage: Stage, _world: World, operation: Operation, owner: str) -> str | None:
    if operation.handle.kind != "Table":
        return None
    return f'stored = {owner}.scan()["Items"]'


def _messages(stage: Stage, world: World, operation: Operation, owner: str) -> str | None:
    url = _test_side(stage, world, operation.argument("QueueUrl"))
    if url is None:
        return None
    return (
        f'queued = [message["Body"] for message in '
        f'{owner}.receive_message(QueueUrl={url}, MaxNumberOfMessages=10).get("Messages", [])]'
    )


def _objects(stage: Stage, world: World, operation: Operation, owner: str) -> str | None:
    bucket = _test_side(stage, world, operation.argument("Bucket"))
    if bucket is None or operation.handle.kind != "client":
        return None
    return f'stored_keys = [found["Key"] for found in {owner}.list_objects_v2(Bucket={bucket}).get("Contents", [])]'


_LOOKS = {"dynamodb": _items, "sqs": _messages, "s3": _objects}


def _test_side(stage: Stage, world: World, node: ast.expr | None) -> str | None:
    """What the test calls an expression of the code."""
    match node:
        case ast.Constant(value=str() as text):
            return f'"{text}"'
        case ast.Name(id=name) if name in world.scene.arguments:
            return ref(name)
        case ast.Name(id=name):
            return mark(stage.module, name)
        case ast.Attribute(value=ast.Name(id="self"), attr=attribute) if world.scene.receiver is not None:
            given = [
                name for name in world.scene.receiver.fixtures if name in attribute or attribute.strip("_") in name
            ]
            return given[0] if given else f"{ref(RECEIVER)}.{attribute}"
    return None
