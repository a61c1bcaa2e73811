"""The steps that there are: one sentence, one function. What has both in common with another is shared."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from testlens.scaffold.host import parse_module
from testlens.scaffold.step_split import RawStep
from testlens.scaffold.step_words import Kind, Value, Wording, plain, values_of, with_values

_KINDS: dict[str, tuple[Kind, ...]] = {"given": ("given",), "when": ("when",), "then": ("then",)}
_ALL: tuple[Kind, ...] = ("given", "when", "then")
_JOINTS: dict[Kind, str] = {"given": ", made with", "when": " with", "then": ""}


@dataclass(frozen=True, slots=True)
class Told:
    """A step with its final sentence. `code` is equal for steps that do the same."""

    raw: RawStep
    wording: Wording
    code: str


class KnownSteps:
    """Gives steps their sentences. `texts` are modules whose steps are in reach already: no sentence may fit two."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._others = [found for text in texts for found in _decorated(text)]
        self._told: list[Told] = []

    def tell(self, raw: RawStep) -> tuple[Told, bool]:
        """The step, and whether it is a new one; its code has parameters in place of the values that it names."""
        taken = frozenset({*raw.needs, raw.gives, "result", "context", "self"})
        values = values_of(raw.body, taken)
        wordings = self._wordings(raw, values)
        for wording in wordings:
            code = _code_of(raw, wording)
            same = next(
                (told for told in self._told if told.code == code and told.wording.pattern == wording.pattern), None
            )
            if same is not None:
                _put_names(raw, wording.values)
                return Told(same.raw, wording, code), False
            if self._is_free(raw.kind, wording):
                _put_names(raw, wording.values)
                told = Told(raw, wording, code)
                self._told.append(told)
                return told, True
        raise AssertionError(raw)

    def _wordings(self, raw: RawStep, values: tuple[Value, ...]) -> Iterator[Wording]:
        if values:
            yield with_values(raw.text, _JOINTS[raw.kind], values)
        yield plain(raw.text)
        number = 1
        while True:
            number += 1
            if values:
                yield with_values(f"{raw.text} (case {number})", _JOINTS[raw.kind], values)
            yield plain(f"{raw.text} (case {number})")

    def _is_free(self, kind: Kind, wording: Wording) -> bool:
        own = [told.wording for told in self._told if told.raw.kind == kind]
        others = [other for other_kind, other in self._others if other_kind == kind]
        return not any(known.is_met_by(wording) or wording.is_met_by(known) for known in [*own, *others])


def _code_of(raw: RawStep, wording: Wording) -> str:
    places = {id(value.node): value.name for value in wording.values}
    body = "\n".join(_dump(statement, places) for statement in raw.body)
    return f"{raw.kind} {raw.gives} {sorted(raw.needs)} {raw.records_today}\n{body}"


def _dump(statement: ast.stmt, places: dict[int, str]) -> str:
    # Nodes are compared by what they say; those that become parameters by their parameter.
    names = [places[id(node)] for node in ast.walk(statement) if id(node) in places]
    kept = {id(node): node.value for node in ast.walk(statement) if isinstance(node, ast.Constant)}
    for node in ast.walk(statement):
        if isinstance(node, ast.Constant) and id(node) in places:
            node.value = places[id(node)]
    text = ast.dump(statement)
    for node in ast.walk(statement):
        if isinstance(node, ast.Constant):
            node.value = kept[id(node)]
    return f"{names} {text}"


class _Names(ast.NodeTransformer):
    def __init__(self, values: tuple[Value, ...]) -> None:
        self._values = {id(value.node): value.name for value in values}

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        name = self._values.get(id(node))
        return node if name is None else ast.copy_location(ast.Name(name, ast.Load()), node)


def _put_names(raw: RawStep, values: tuple[Value, ...]) -> None:
    for statement in raw.body:
        _Names(values).visit(statement)


def _decorated(text: str) -> Iterator[tuple[Kind, Wording]]:
    """The sentences of the steps in a module, by their kind."""
    tree = parse_module(text)
    for node in ast.walk(tree) if tree is not None else ():
        for decorator in getattr(node, "decorator_list", ()):
            match decorator:
                case ast.Call(func=ast.Name(word) | ast.Attribute(attr=word), args=[sentence, *_]):
                    kinds = _ALL if word == "step" else _KINDS.get(word, ())
                    pattern = _text_in(sentence)
                    yield from ((kind, Wording(pattern, pattern)) for kind in kinds if pattern)


def _text_in(sentence: ast.expr) -> str:
    match sentence:
        case ast.Constant(value=str(text)):
            return text
        case ast.Call(args=[ast.Constant(value=str(text)), *_]):
            return text
    return ""
