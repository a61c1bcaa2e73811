"""What the items of a batch, and numbers of them, are called."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from testlens.scaffold.recipes.batch_sites import Chunks
from testlens.scaffold.recipes.items import kind_of_item
from testlens.scaffold.recipes.reading import parameters
from testlens.scaffold.target import Target
from testlens.scaffold.words import snake

_NUMBERS = ("no", "one", "two", "three")
_PLAIN = frozenset({"", "str", "int", "float", "bytes", "dict", "tuple", "object", "Any", "bool"})


@dataclass(frozen=True, slots=True)
class Nouns:
    """One item and several of them, in words."""

    one: str
    several: str

    @classmethod
    def of(cls, chunks: Chunks, target: Target) -> Nouns:
        """The words that the parameter's name gives, or the class of one item."""
        name = chunks.parameter.strip("_").replace("_", " ")
        if name.endswith("s") and not name.endswith("ss"):
            return cls(f"{name[:-3]}y" if name.endswith("ies") else name[:-1], name)
        annotation = next((p.annotation for p in parameters(target.function) if p.arg == chunks.parameter), None)
        kind = kind_of_item(ast.unparse(annotation)) if annotation is not None else ""
        one = "item" if kind in _PLAIN else snake(kind).replace("_", " ")
        return cls(one, f"{one}s")


def counted(count: int, nouns: Nouns) -> str:
    """A number of items."""
    number = _NUMBERS[count] if count < len(_NUMBERS) else str(count)
    return f"{number} {nouns.one if count == 1 else nouns.several}"


def circumstance(count: int, size: int | None, nouns: Nouns) -> str:
    """A number of items as what is special about a test."""
    if size is not None and count == size:
        return f"{counted(count, nouns)} fill one chunk"
    return f"there {'is' if count == 1 else 'are'} {counted(count, nouns)}"


def given(count: int, size: int | None, nouns: Nouns) -> str:
    """A number of items as what a test begins with."""
    if size is not None and count == size:
        return f"{counted(count, nouns)}, as many as fill one chunk"
    if size is not None and count == size + 1:
        return f"{counted(count, nouns)}, one more than fill one chunk"
    return counted(count, nouns)


def requests_made(count: int) -> str:
    """How many requests were made, as a sentence."""
    requests = Nouns("request", "requests")
    if count == 0:
        return "no request is made"
    return f"{counted(count, requests)} {'is' if count == 1 else 'are'} made"
