"""What can happen to a function that uses AWS: it works, nothing is there, the request is refused, a part is left."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from testlens.domain.expressions import mark
from testlens.scaffold.recipes.aws_answers import AGAIN, Answer, partial_answers, plain_answer
from testlens.scaffold.recipes.aws_code import Operation, error_codes, handles_client_errors
from testlens.scaffold.recipes.aws_names import ANY_OTHER, applies_to, error_in_words, is_throttling, refusal_code
from testlens.scaffold.recipes.aws_siblings import looked_at, prepared
from testlens.scaffold.recipes.aws_world import Access, Stage, World, access
from testlens.scaffold.recipes.led import led_scenes, suites
from testlens.scaffold.recipes.module_map import Place
from testlens.scaffold.recipes.phrases import called, with_article
from testlens.scaffold.recipes.scenarios import RECEIVER, Scenario, free_name, ref, stand_in
from testlens.scaffold.recipes.variations import size
from testlens.scaffold.target import Target
from testlens.scaffold.words import circumstance, snake

_BOTO_ERRORS = {
    "EndpointConnectionError": ('(endpoint_url="http://localhost")', "AWS cannot be reached"),
    "NoCredentialsError": ("()", "there are no credentials"),
    "ReadTimeoutError": ('(endpoint_url="http://localhost")', "AWS does not answer in time"),
    "ConnectTimeoutError": ('(endpoint_url="http://localhost")', "AWS does not answer in time"),
    "ConnectionClosedError": ('(endpoint_url="http://localhost")', "AWS ends the connection"),
    "BotoCoreError": ("()", "AWS cannot be used"),
    "ParamValidationError": ('(report="boom")', "the request is not valid"),
}


_EMPTY = {"dynamodb": "empty table", "sqs": "empty queue", "sns": "topic", "s3": "empty bucket"}


@dataclass(frozen=True, slots=True)
class Pauses:
    """Statements that keep the code from waiting, and the fixture that they use."""

    code: tuple[str, ...] = ()
    fixtures: tuple[str, ...] = ()


def ordinary(stage: Stage, world: World) -> Scenario:
    """The call as such, with AWS empty."""
    return _looking(
        stage,
        world,
        Scenario(
            world.scene,
            given=_nothing_there(stage),
            when=called(stage.target),
            special=called(stage.target),
            first=world.first,
            fixtures=world.fixtures,
        ),
    )


def further(stage: Stage, world: World) -> list[Scenario]:
    """What else can happen, the most telling first."""
    usual = ordinary(stage, world)
    found = [
        *_prepared(stage, world, usual),
        *_partial(stage, world, usual),
        *_refused(stage, world, usual),
        *_unreachable(stage, world, usual),
    ]
    return _each_once(found)


def led(stage: Stage, world: World, target: Target) -> list[Scenario]:
    """The call as the conditions on the way to the gap want it, with something there already where that can be."""
    if stage.entry.name != target.name:
        return []
    usual = ordinary(stage, world)
    bases = (*list(_prepared(stage, world, usual))[-1:], usual)
    found = []
    for suite in suites(target):
        special = circumstance(suite)
        for base in bases:
            for scene in led_scenes(suite, stage.knowledge, base.scene):
                given = f"{base.given}, and {special}"
                found.append(replace(base, scene=scene, given=given, special=special, after=()))
    return _each_once(found)


def _each_once(found: Iterable[Scenario]) -> list[Scenario]:
    return list({(one.special, one.before, one.scene.key): one for one in reversed(list(found))}.values())[::-1]


def _nothing_there(stage: Stage) -> str:
    things = dict.fromkeys(
        with_article(_EMPTY[operation.handle.service])
        for operation in stage.operations
        if operation.handle.service in _EMPTY
    )
    return " and ".join(things) or "AWS as moto plays it"


def _looking(stage: Stage, world: World, scenario: Scenario) -> Scenario:
    """With a look at what is in AWS after the call."""
    after, fixtures = looked_at(stage, world)
    return replace(scenario, after=after, fixtures=(*scenario.fixtures, *fixtures))


def _prepared(stage: Stage, world: World, usual: Scenario) -> Iterator[Scenario]:
    """With something there already: what the same function or another one of the code has put there."""
    for preparation in prepared(stage, world):
        scene = usual.scene
        for name, value in preparation.arguments.items():
            scene = scene.with_argument(name, value)
        yield replace(
            usual,
            scene=scene,
            given=preparation.given,
            special=f"{usual.special} {preparation.special}".strip(),
            before=preparation.code,
            fixtures=(*usual.fixtures, *preparation.fixtures),
        )


def _partial(stage: Stage, world: World, usual: Scenario) -> Iterator[Scenario]:
    for operation in stage.operations:
        way = access(stage, world, operation)
        if way is not None:
            for answer in partial_answers(operation, _count(world)):
                yield _answered(stage, usual, operation, way, answer)


def _count(world: World) -> int:
    """How many entries the call sends: the elements of its longest list."""
    return max((size(value.code) for value in world.scene.arguments.values()), default=0) or 1


def _answered(stage: Stage, usual: Scenario, operation: Operation, way: Access, answer: Answer) -> Scenario:
    """With the answers of one operation played by a stand-in."""
    pauses = _without_pauses(stage) if answer.is_temporary else Pauses()
    name = free_name(operation.method, usual.scene)
    code, fixture = stand_in(way.code, operation.method, answer.behaviour, stage.style, name)
    return replace(
        usual,
        given=answer.given,
        special=answer.given,
        outcome=answer.outcome,
        first=(*usual.first, *way.first),
        before=(*answer.first, *pauses.code, *code),
        after=(),
        counted=(name,),
        fixtures=(*usual.fixtures, fixture, *way.fixtures, *pauses.fixtures),
    )


def _refused(stage: Stage, world: World, usual: Scenario) -> Iterator[Scenario]:
    """With errors of AWS: one of each kind that the code tells apart, and one that it does not know."""
    reachable = stage.functions.reachable(stage.entry.name)
    if not handles_client_errors(reachable):
        return
    codes = [group[0] for group in error_codes(reachable, stage.target.tree)]
    operations = [operation for operation in stage.operations if operation.method != "batch_writer"]
    for code in (*dict.fromkeys(codes), ANY_OTHER):
        for operation in operations[:2]:
            way = access(stage, world, operation)
            if way is None or not applies_to(code, operation.method):
                continue
            said = error_in_words(code, operation.handle.service)
            error = f"refusal = {refusal_code(code, said, operation.method)}"
            passes = is_throttling(code)
            yield _answered(stage, usual, operation, way, Answer(said, "side_effect=refusal", (error,), passes))
            if passes:
                behaviour = f"side_effect=[refusal, {plain_answer(operation)}]"
                recovering = Answer(f"{said} once", behaviour, (error,), passes, AGAIN)
                yield _answered(stage, usual, operation, way, recovering)


def _unreachable(stage: Stage, world: World, usual: Scenario) -> Iterator[Scenario]:
    """With failures of the connection that handlers name."""
    named = [name for name in _handled(stage.functions.reachable(stage.entry.name)) if name in _BOTO_ERRORS]
    for name in dict.fromkeys(named):
        built, said = _BOTO_ERRORS[name]
        for operation in stage.operations[:1]:
            way = access(stage, world, operation)
            if way is not None:
                error = f"side_effect={mark('botocore.exceptions', name)}{built}"
                yield _answered(stage, usual, operation, way, Answer(said, error, is_temporary=True))


def _handled(places: Sequence[Place]) -> Iterator[str]:
    """The last names of the exceptions that handlers name."""
    for place in places:
        for node in ast.walk(place.node):
            if isinstance(node, ast.ExceptHandler) and node.type is not None:
                kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
                yield from (ast.unparse(kind).rpartition(".")[2] for kind in kinds)


def _without_pauses(stage: Stage) -> Pauses:
    """Whatever the code waits with, replaced."""
    for place in stage.functions.reachable(stage.entry.name):
        for node in ast.walk(place.node):
            if isinstance(node, ast.Call) and "sleep" in snake(ast.unparse(node.func)).split("_"):
                found = _pause_replaced(stage, node.func)
                if found is not None:
                    return found
    return Pauses()


def _pause_replaced(stage: Stage, function: ast.expr) -> Pauses | None:
    match function:
        case ast.Attribute(value=ast.Name(id="self"), attr=attribute):
            owner = ref(RECEIVER)
        case ast.Attribute(value=ast.Name(id="time"), attr=attribute):
            owner = mark("time", "")
        case ast.Name(id=attribute):
            owner = mark(stage.module, "")
        case _:
            return None
    code, fixture = stand_in(owner, attribute, "", stage.style)
    return Pauses(code, (fixture,))
