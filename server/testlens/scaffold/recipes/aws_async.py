"""Asynchronous clients of AWS: moto does not play for them, so a stand-in answers whatever is awaited."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from testlens.domain.expressions import Expression, mark
from testlens.scaffold.recipes.aws_answers import Answer, partial_answers, plain_answer
from testlens.scaffold.recipes.aws_code import Operation, error_codes, handles_client_errors, parameter_named
from testlens.scaffold.recipes.aws_names import ANY_OTHER, THINGS, applies_to, error_in_words, refusal_code
from testlens.scaffold.recipes.aws_world import Stage, filled, own_receiver
from testlens.scaffold.recipes.phrases import called
from testlens.scaffold.recipes.scenarios import RECEIVER, Scenario, ref, stand_in
from testlens.scaffold.recipes.variations import size
from testlens.scaffold.scene import Scene
from testlens.scaffold.search import first_scenes
from testlens.scaffold.values import any_value

_ASYNC_MOCK = mark("unittest.mock", "AsyncMock")
_MOCK = mark("unittest.mock", "MagicMock")
_PACKAGES = frozenset({"aioboto3", "aiobotocore"})
_CLIENT = ("client = {}()",)
_SESSION = ("session = {}()", "session.client.return_value.__aenter__.return_value = client")


def is_asynchronous(tree: ast.Module) -> bool:
    """Whether a module uses AWS through clients that are awaited."""
    for node in tree.body:
        match node:
            case ast.Import(names=names) if any(alias.name.partition(".")[0] in _PACKAGES for alias in names):
                return True
            case ast.ImportFrom(module=str() as module) if module.partition(".")[0] in _PACKAGES:
                return True
    return False


def asynchronous_scenarios(stage: Stage) -> list[Scenario]:
    """The call with a client that answers, that answers in part, and that refuses."""
    asked = [operation for operation in stage.operations if operation.place == stage.entry] or list(stage.operations)
    if not asked:
        return []
    scene = next(iter(first_scenes(stage.target, stage.knowledge)), None)
    placed = None if scene is None else _placed(stage, asked[0], filled(stage, _with_texts(stage, scene)))
    if placed is None:
        return []
    base, client = placed
    return [_usual(asked, base, client), *_partial(asked[0], base, client), *_refused(stage, asked[0], base, client)]


def _with_texts(stage: Stage, scene: Scene) -> Scene:
    """With texts for what nothing is known of: a stand-in in a request says nothing."""
    for name, value in scene.arguments.items():
        if value.origin == "mock":
            scene = scene.with_argument(name, Expression(any_value(name), origin="name"))
    if scene.receiver is not None and "MagicMock" in scene.receiver.code:
        return scene.with_receiver(own_receiver(stage, ()))
    return scene


def _placed(stage: Stage, operation: Operation, scene: Scene) -> tuple[Scenario, str] | None:
    """The call with a stand-in where its client comes from, and what the test calls that."""
    base = Scenario(scene, "", called(stage.target), called(stage.target), first=(_CLIENT[0].format(_ASYNC_MOCK),))
    match operation.owner:
        case ast.Name(id=name):
            session = _session_of(operation, name)
            if session is not None:
                return _session_placed(stage, base, session)
            if parameter_named(operation.place, name) is not None and name in scene.arguments:
                return _given(base, name, "client"), "client"
        case ast.Attribute(value=ast.Name(id="self"), attr=attribute):
            return replace(base, before=(f"{ref(RECEIVER)}.{attribute} = client",)), "client"
    return None


def _session_of(operation: Operation, name: str) -> ast.expr | None:
    """What `async with X.client("s3") as name` asks for a client."""
    for node in ast.walk(operation.place.node):
        match node:
            case ast.withitem(
                context_expr=ast.Call(func=ast.Attribute(value=session)), optional_vars=ast.Name(id=bound)
            ) if bound == name:
                return session
    return None


def _session_placed(stage: Stage, base: Scenario, session: ast.expr) -> tuple[Scenario, str] | None:
    base = replace(base, first=(*base.first, _SESSION[0].format(_MOCK), _SESSION[1]))
    match session:
        case ast.Attribute(value=ast.Name(id="self"), attr=attribute):
            return replace(base, before=(f"{ref(RECEIVER)}.{attribute} = session",)), "client"
        case ast.Name(id=name) if name in base.scene.arguments:
            return _given(base, name, "session"), "client"
        case ast.Name(id=name) if _is_global(stage, name):
            code, fixture = stand_in(mark(stage.module, ""), name, "", stage.style, "session")
            first = (base.first[0], *code, _SESSION[1])
            return replace(base, first=first, fixtures=(fixture,)), "client"
    # A session that the function makes itself.
    code, fixture = stand_in(mark("aioboto3", ""), "Session", "return_value=session", stage.style)
    return replace(base, first=(*base.first, *code), fixtures=(fixture,)), "client"


def _given(base: Scenario, name: str, variable: str) -> Scenario:
    return replace(base, scene=base.scene.with_argument(name, Expression(variable, origin="fixture")))


def _is_global(stage: Stage, name: str) -> bool:
    return any(
        isinstance(node, ast.Assign) and any(isinstance(one, ast.Name) and one.id == name for one in node.targets)
        for node in stage.target.tree.body
    )


def _usual(asked: list[Operation], base: Scenario, client: str) -> Scenario:
    answers = tuple(
        f"{client}.{operation.method}.return_value = {plain_answer(operation)}"
        for operation in {one.method: one for one in asked}.values()
    )
    thing = THINGS.get(asked[0].handle.service, "service")
    return replace(
        base,
        given=f"a {thing} that takes everything",
        first=(*base.first, *answers, f"asked = {client}.{asked[0].method}"),
        watched=("asked",),
    )


def _partial(operation: Operation, base: Scenario, client: str) -> Iterator[Scenario]:
    count = max((size(value.code) for value in base.scene.arguments.values()), default=0) or 1
    for answer in partial_answers(operation, count):
        yield _answered(operation, base, client, answer)


def _refused(stage: Stage, operation: Operation, base: Scenario, client: str) -> Iterator[Scenario]:
    reachable = stage.functions.reachable(stage.entry.name)
    if not handles_client_errors(reachable):
        return
    codes = [group[0] for group in error_codes(reachable, stage.target.tree)]
    for code in (*dict.fromkeys(codes), ANY_OTHER):
        if applies_to(code, operation.method):
            said = error_in_words(code, operation.handle.service)
            error = f"refusal = {refusal_code(code, said, operation.method)}"
            yield _answered(operation, base, client, Answer(said, "side_effect=refusal", (error,)))


def _answered(operation: Operation, base: Scenario, client: str, answer: Answer) -> Scenario:
    key, _, value = answer.behaviour.partition("=")
    played = f"{client}.{operation.method}.{key} = {value}"
    return replace(
        base,
        given=answer.given,
        special=answer.given,
        first=(*base.first, *answer.first, played),
        counted=(f"{client}.{operation.method}",),
    )
