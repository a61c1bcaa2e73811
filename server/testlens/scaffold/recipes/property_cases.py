"""Writes the properties of a pure function as tests, each in the ways in which it may hold."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from textwrap import indent

from testlens.domain.cases import Case, Step
from testlens.domain.expressions import mark
from testlens.scaffold.recipes.property_facts import PureFunction, required
from testlens.scaffold.recipes.reading import last_name
from testlens.scaffold.recipes.samples import CHANCE, Samples
from testlens.scaffold.recipes.strategies import Strategies
from testlens.scaffold.target import FunctionNode
from testlens.scaffold.words import snake

_GIVEN = mark("hypothesis", "given")
_SETTINGS = f"{mark('hypothesis', 'settings')}(deadline=None, derandomize=True)"
_SUPPRESS = mark("contextlib", "suppress")
CLAIMED = "claimed"
_SAMPLES = 200
_CHECKED = {"str", "int", "float", "bool", "bytes", "list", "dict", "tuple", "set", "frozenset"}


class Properties:
    """The properties of one function."""

    def __init__(self, function: PureFunction) -> None:
        self._function = function

    def alternatives(self) -> list[list[Way]]:
        """For each property the ways to write it, the strictest first; that nothing goes wrong comes last."""
        writers = (self._round_trip, self._same, self._settled, self._sound)
        return [ways for ways in (list(writer()) for writer in writers) if ways]

    def _round_trip(self) -> Iterator[Way]:
        if self._function.pair is None:
            return
        does, undoes = self._function.pair
        forward, back = self._function.callee(does), self._function.callee(undoes)
        (subject,) = required(does)[-1:]
        name = _variable(subject.arg)
        body = f"assert {back}({forward}({name})) == {name}"
        yield from self._ways(
            [subject], f"{snake(undoes.name)} undoes {snake(does.name)}", f"any {_word(subject)}",
            f"it goes through `{does.name}` and `{undoes.name}`", "it is what it was", body,
        )  # fmt: skip

    def _same(self) -> Iterator[Way]:
        twin = self._function.twin
        if twin is None:
            return
        node = self._function.node
        given = ", ".join(_variable(parameter.arg) for parameter in self._function.inputs)
        body = f"assert {self._function.callee(node)}({given}) == {self._function.callee(twin)}({given})"
        yield from self._ways(
            self._function.inputs, f"{snake(node.name)} does the same as {snake(twin.name)}", "any arguments",
            f"`{node.name}` and `{twin.name}` get them", "both give the same", body,
        )  # fmt: skip

    def _settled(self) -> Iterator[Way]:
        if not self._function.is_settled:
            return
        (subject,) = self._function.inputs
        node = self._function.node
        callee = self._function.callee(node)
        body = f"once = {callee}({_variable(subject.arg)})\nassert {callee}(once) == once"
        yield from self._ways(
            [subject], f"{snake(node.name)} twice is as once", f"any {_word(subject)}",
            f"`{node.name}` is called again with what it gave", "nothing changes", body,
        )  # fmt: skip

    def _sound(self) -> Iterator[Way]:
        node = self._function.node
        given = ", ".join(_argument(node, parameter) for parameter in self._function.inputs)
        call = f"{self._function.callee(node)}({given})"
        kind = _checked_kind(node, self._function)
        body = f"assert isinstance({call}, {kind})" if kind is not None else f"{call}"
        if kind is None:
            # Without a type to hold it to, the same result twice is what a pure function promises.
            body = f"assert {call} == {call}"
        raised = [_plain(name) for name in self._function.raises]
        refusal = f", or {' or '.join(raised)} is raised" if raised else ""
        promise = f"the result is of type {_plain(kind)}" if kind is not None else "the result is the same each time"
        yield from self._ways(
            self._function.inputs, f"{snake(node.name)} gets any arguments", "any arguments that the types allow",
            f"`{node.name}` is called", f"{promise}{refusal}", body,
        )  # fmt: skip

    def _ways(self, inputs: Sequence[ast.arg], name: str, given: str, when: str, then: str, body: str) -> Iterator[Way]:
        """The test for all that the types allow, then for what the code is likelier made for."""
        seen: set[str] = set()
        for is_narrow in (False, True):
            strategies = Strategies(self._function.names, is_narrow=is_narrow)
            samples = Samples(self._function.pieces, is_narrow=is_narrow)
            drawn = [(_variable(p.arg), strategies.of(p.annotation), samples.of(p.annotation)) for p in inputs]
            arguments = ", ".join(f"{variable}={strategy}" for variable, strategy, _ in drawn)
            if arguments in seen or any(None in parts for parts in drawn):
                continue
            seen.add(arguments)
            case = Case(
                snake(name),
                Step(given),
                Step(when),
                Step(then),
                tuple(variable for variable, *_ in drawn),
                (_SETTINGS, f"{_GIVEN}({arguments})"),
            )
            draws = tuple(f"{variable} = {sample}" for variable, _, sample in drawn)
            yield Way(case, draws, tuple(body.split("\n")), self._function.raises)


@dataclass(frozen=True, slots=True)
class Way:
    """One way to write a property. `draws` make samples for its variables, `claims` are its statements.

    `raises` are the exceptions, in marked source, that are answers as well.
    """

    bare: Case
    draws: tuple[str, ...]
    claims: tuple[str, ...]
    raises: tuple[str, ...]

    @property
    def case(self) -> Case:
        """The test."""
        return replace(self.bare, then=replace(self.bare.then, code=self._leniently(self.claims)))

    @property
    def probe(self) -> Case:
        """A case that tries samples, and counts in a variable those that came to the claim."""
        body = indent("\n".join([*self.draws, *self._leniently((*self.claims, f"{CLAIMED} += 1"))]), "    ")
        given = (f"{CHANCE} = {mark('random', 'Random')}(0)", f"{CLAIMED} = 0")
        return Case("probe", Step("", given), Step(""), Step("", (f"for _ in range({_SAMPLES}):\n{body}",)))

    def suppressing(self, raised: str) -> Way:
        """The same with one more exception that is an answer."""
        return replace(self, raises=(*self.raises, raised))

    def _leniently(self, lines: tuple[str, ...]) -> tuple[str, ...]:
        if not self.raises:
            return lines
        return (f"with {_SUPPRESS}({', '.join(self.raises)}):\n{indent(chr(10).join(lines), '    ')}",)


def _checked_kind(node: FunctionNode, function: PureFunction) -> str | None:
    """The class that the result has to be of, in marked source."""
    returned = node.returns
    if isinstance(returned, ast.Constant) and isinstance(returned.value, str):
        returned = ast.parse(returned.value, mode="eval").body if returned.value.isidentifier() else None
    base = returned.value if isinstance(returned, ast.Subscript) else returned
    if not isinstance(base, ast.Name):
        return None
    if base.id in _CHECKED:
        return base.id if base.id != "float" else "(int, float)"
    origin = function.names.origin(base.id)
    if origin is None or origin.module in ("typing", "builtins", "collections.abc") or not base.id[:1].isupper():
        return None
    return mark(origin.module, origin.qualname)


def _argument(node: FunctionNode, parameter: ast.arg) -> str:
    variable = _variable(parameter.arg)
    return f"{parameter.arg}={variable}" if parameter in node.args.kwonlyargs else variable


def _variable(name: str) -> str:
    return name.strip("_") or "value"


def _word(parameter: ast.arg) -> str:
    word = _variable(parameter.arg).replace("_", " ")
    return word if len(word) > 1 else last_name(parameter.annotation or ast.Constant(None)) or "value"


def _plain(marked: str) -> str:
    return marked.strip("\x02").rpartition(":")[2].rpartition(".")[2] or marked
