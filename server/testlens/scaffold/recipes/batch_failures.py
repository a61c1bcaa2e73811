"""Ways in which a part of a batch fails: what the service did not take, and requests that fail altogether."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from testlens.domain.expressions import Expression, mark
from testlens.scaffold.faults import exception_expression
from testlens.scaffold.names import ModuleNames
from testlens.scaffold.recipe import Knowledge
from testlens.scaffold.recipes.answers import answers
from testlens.scaffold.recipes.batch_arrangements import Arrangement
from testlens.scaffold.recipes.batch_sites import Chunks
from testlens.scaffold.recipes.batch_words import Nouns
from testlens.scaffold.recipes.fails import failing
from testlens.scaffold.recipes.reading import Functions, below, called_name
from testlens.scaffold.recipes.retry_sites import operations_in
from testlens.scaffold.recipes.stand_ins import StandIn, stand_ins
from testlens.scaffold.target import FunctionNode, Target
from testlens.scaffold.words import camel

_MOCK = mark("unittest.mock", "Mock")
_FAILURES = re.compile(r"fail|unprocessed|unsuccess|reject|error", re.IGNORECASE)
_MOST = 4


@dataclass(frozen=True, slots=True)
class Failure:
    """One way in which a part fails: `stand_in` with this `behaviour`, in source, has a part fail. `words` say how."""

    stand_in: StandIn
    behaviour: str
    words: str
    special: str


def failures(chunks: Chunks, arrangement: Arrangement, target: Target, knowledge: Knowledge) -> tuple[Failure, ...]:
    """What to try, the most telling first."""
    found = [
        *_not_taken(chunks, arrangement, Nouns.of(chunks, target)),
        *_refused(arrangement, target, knowledge),
        *_refused_below(chunks, arrangement, target, knowledge),
    ]
    return tuple(found)[:_MOST]


def _not_taken(chunks: Chunks, arrangement: Arrangement, nouns: Nouns) -> Iterator[Failure]:
    """Answers that name what was not taken, as the code reads them."""
    call = arrangement.stand_in.call
    for node in below(chunks.loop):
        key = _asked_key(node)
        if key is None or not _FAILURES.search(key):
            continue
        words = f"of which the first is not taken (`{key}`)"
        if key.startswith("Unprocessed"):
            named = next((keyword.arg for keyword in call.keywords if keyword.arg), None)
            if named is not None:
                echo = f"{{name: entries[:1] for name, entries in {named}.items()}}"
                behaviour = f'{_MOCK}(side_effect=lambda {named}: {{"{key}": {echo}}})'
                yield Failure(arrangement.stand_in, behaviour, words, f"the first {nouns.one} stays unprocessed")
        else:
            entry = _entry(node, chunks.loop)
            # Only the first request: what fails in it must not be taken for what fails in the next.
            behaviour = f'{_MOCK}(side_effect=[{{"{key}": [{entry}]}}, {{}}])'
            yield Failure(arrangement.stand_in, behaviour, words, f"the first {nouns.one} is not taken")


def _asked_key(node: ast.AST) -> str | None:
    match node:
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str(key)), *_]):
            return key
        case ast.Subscript(slice=ast.Constant(value=str(key))):
            return key
    return None


def _entry(asked: ast.AST, loop: ast.AST) -> str:
    """One entry of a list of failures, with the keys that the code takes from it."""
    names: set[str] = set()
    for node in below(loop):
        if isinstance(node, ast.For | ast.comprehension) and asked in below(node.iter):
            names |= {part.id for part in below(node.target) if isinstance(part, ast.Name)}
    keys = [
        key
        for node in below(loop)
        if isinstance(node, ast.Subscript | ast.Call)
        and isinstance(
            base := node.value if isinstance(node, ast.Subscript) else getattr(node.func, "value", None), ast.Name
        )
        and base.id in names
        and (key := _asked_key(node)) is not None
    ]
    return "{" + ", ".join(f'"{key}": {_told(key)}' for key in dict.fromkeys(keys)) + "}"


def _told(key: str) -> str:
    if key.lower().endswith("id"):
        return '"0"'
    if "fault" in key.lower():
        return "True"
    return "0" if key.lower() in ("index", "position") else '"boom"'


def _refused(arrangement: Arrangement, target: Target, knowledge: Knowledge) -> Iterator[Failure]:
    """A request that fails where the code has a handler for it."""
    answer = arrangement.answer.code if arrangement.answer is not None else "{}"
    yield from _failing(arrangement.stand_in, target.function, answer, target, knowledge)


def _refused_below(chunks: Chunks, arrangement: Arrangement, target: Target, knowledge: Knowledge) -> Iterator[Failure]:
    """A request that fails in a function which the code hands its chunks to."""
    functions = Functions(target)
    for request in chunks.requests:
        function = functions.named(called_name(request))
        if function is None or function is target.function:
            continue
        tried = [statement for node in below(function) if isinstance(node, ast.Try) for statement in node.body]
        for call in operations_in(tried, target)[:1]:
            answer = answers(call, function)[0].code
            for stand_in in list(stand_ins(call, arrangement.bare_scene, (), target, knowledge))[:1]:
                yield from _failing(stand_in, function, answer, target, knowledge)


def _failing(
    stand_in: StandIn, function: FunctionNode, answer: str, target: Target, knowledge: Knowledge
) -> Iterator[Failure]:
    names = ModuleNames(target.tree, knowledge.description.module)
    for node in below(function):
        if not isinstance(node, ast.Try) or not any(stand_in.call in below(statement) for statement in node.body):
            continue
        for handler in node.handlers:
            error = exception_expression(handler.type, names)
            if error is not None:
                operation = _named(error, stand_in)
                kind = ast.unparse(handler.type) if handler.type is not None else "an error"
                yield Failure(
                    stand_in, failing(operation, 1, answer), f"of which the first `{stand_in.noun}` raises {kind}",
                    f"the first {stand_in.noun} fails",
                )  # fmt: skip


def _named(error: Expression, stand_in: StandIn) -> str:
    return error.code.replace('"Operation"', f'"{camel(stand_in.noun)}"')
