"""Values of the kinds that were seen, made at random from a seed: what no variation of a seen value would come upon."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from random import Random

from testlens.domain.expressions import Expression
from testlens.domain.trials import ParameterFacts

_WORDS = ("name", "a", "X", "id", "é", "0", " ", "-", "_", ".", "=", "/", "\n", "ß", "Zz", "%s", "{}")
_NUMBERS = (0, 1, -1, 2, 3, 7, 10, 24, 25, 26, 50, 60, 99, 100, 101, 255, 256, 1000)
_LARGEST = 8
_DEEPEST = 3


def random_values(parameter: ParameterFacts, known: Expression | None, chance: Random) -> Iterator[Expression]:
    """Endless values of the kind of `known`, or of what the annotation says; none where neither is a plain kind."""
    example = literal(known.code) if known is not None else None
    kind = type(example).__name__ if known is not None else _annotated(parameter.annotation)
    if example is None and kind not in _KINDS:
        return
    while True:
        value = _like(example, chance, 0) if example is not None else _KINDS[kind](chance)
        yield Expression(repr(value), origin="type")


def literal(code: str) -> object:
    """The value of plain source, None for any other."""
    try:
        return ast.literal_eval(code)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None


def _annotated(annotation: str) -> str:
    return annotation.strip("'\"").partition("[")[0].partition(" ")[0].rpartition(".")[2]


def _text(chance: Random) -> str:
    return "".join(chance.choice(_WORDS) for _ in range(chance.randrange(_LARGEST)))


def _content(chance: Random) -> bytes:
    if chance.random() < 0.5:
        return _text(chance).encode("ascii", "ignore")
    return bytes(chance.randrange(256) for _ in range(chance.randrange(2 * _LARGEST)))


def _number(chance: Random) -> int:
    return chance.choice(_NUMBERS) * chance.choice((1, 1, 1, -1))


def _fraction(chance: Random) -> float:
    return round(_number(chance) * chance.choice((0.1, 0.5, 1.0, 1.01)), 3)


_KINDS: dict[str, Callable[[Random], object]] = {
    "str": _text,
    "bytes": _content,
    "int": _number,
    "float": _fraction,
    "bool": lambda chance: chance.random() < 0.5,
}


def _like(example: object, chance: Random, depth: int) -> object:
    """A value of the same shape, other lengths included."""
    match example:
        case list() | tuple() if example and depth < _DEEPEST:
            items = [_like(chance.choice(example), chance, depth + 1) for _ in range(chance.randrange(_LARGEST))]
            return tuple(items) if isinstance(example, tuple) else items
        case dict() if example and depth < _DEEPEST:
            kept = [key for key in example if chance.random() < 0.8]
            return {key: _like(example[key], chance, depth + 1) for key in kept}
        case _:
            make = _KINDS.get(type(example).__name__)
            return example if make is None else make(chance)
