"""Factories for the data classes that a function takes: the project's own where it has them, else new ones."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace

from testlens.domain.cases import Draft, Helper
from testlens.domain.expressions import Expression, mark, references, resolve
from testlens.domain.trials import DataClass, FunctionDescription, ParameterFacts
from testlens.scaffold.assertions import Circumstance
from testlens.scaffold.recipe import Knowledge, Offer, Search
from testlens.scaffold.recipes.phrases import called, spaced, with_article
from testlens.scaffold.recipes.reaching import reaching
from testlens.scaffold.style import Style
from testlens.scaffold.target import Target
from testlens.scaffold.values import any_value, arguments_for
from testlens.scaffold.words import circumstance, word_set

_FITS = 30
_BASES = {"django": ("factory.django", "DjangoModelFactory")}
_NO_DATA = word_set(
    "Any Callable Iterator Iterable Sequence Mapping MutableMapping Optional Union List Dict Tuple Set FrozenSet Type "
    "Path PurePath Session Connection Client Logger Request Response Generator Awaitable Coroutine Literal Self IO "
    "TextIO BinaryIO Pattern Match Decimal UUID None"
)
_CAPITAL = re.compile(r"(?<![.\w])(?:\w+\.)*([A-Z]\w*)")


class Factory:
    """The recipe for dataclasses, attrs, pydantic, SQLAlchemy and Django models as arguments."""

    name = "factory"

    def offer(self, target: Target, style: Style) -> Offer | None:
        """Offered where a parameter is annotated with what may be a data class."""
        named = next(iter(_annotated(target)), None)
        if named is None:
            return None
        known = "the project's factory" if named in style.factories else "a factory"
        title = f"Test `{target.function.name}` with {known} for `{named}`"
        if "factory" not in style.libraries:
            return Offer(self.name, f"{title} (adds factory_boy)", _FITS, ("factory_boy",))
        return Offer(self.name, title, _FITS)

    def search(self, target: Target, knowledge: Knowledge) -> Search:
        """Reach the gap with what the factory builds in the place of that parameter."""
        helpers: dict[str, Helper] = {}
        parameters = []
        for parameter in knowledge.description.parameters:
            values = list(_built(parameter, target, knowledge, helpers))
            parameters.append(replace(parameter, values=tuple(values)) if values else parameter)
        description = replace(knowledge.description, parameters=tuple(parameters))
        made = frozenset(one.name for one in parameters if one not in knowledge.description.parameters)
        search = reaching(self.name, target, _without_others(knowledge, description, made), _words)
        draft = yield from _with_helpers(search, tuple(helpers.values()))
        used = "".join(code for case in draft.cases for code in (*case.given.code, *case.when.code))
        kept = tuple(helper for name, helper in helpers.items() if name in used)
        needs = () if "factory" in knowledge.style.libraries or not kept else ("factory_boy",)
        return replace(draft, helpers=(*kept, *draft.helpers), needs=needs)


def _annotated(target: Target) -> Iterator[str]:
    """The class names in the annotations of the parameters that may stand for data."""
    arguments = target.function.args
    for argument in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]:
        if argument.annotation is not None and argument.arg not in ("self", "cls"):
            text = ast.unparse(argument.annotation).strip("'\"")
            yield from (name for name in _CAPITAL.findall(text) if name not in _NO_DATA and not name.isupper())


def _with_helpers(search: Search, helpers: tuple[Helper, ...]) -> Search:
    """The same search, whose attempts find these helpers beside them."""
    attempt = next(search)
    while True:
        trials = yield replace(attempt, helpers=(*helpers, *attempt.helpers))
        try:
            attempt = search.send(trials)
        except StopIteration as stop:
            draft: Draft = stop.value
            return draft


def _without_others(knowledge: Knowledge, description: FunctionDescription, made: frozenset[str]) -> Knowledge:
    """What is known, but for other values of the parameters that a factory makes."""
    seen = {
        function: tuple(
            replace(call, arguments={name: value for name, value in call.arguments.items() if name not in made})
            for call in calls
        )
        for function, calls in knowledge.seen.items()
    }
    fixtures = {name: fixture for name, fixture in knowledge.style.fixtures.items() if name not in made}
    gone = {parameter.annotation for parameter in description.parameters if parameter.name in made}
    fixtures = {name: fixture for name, fixture in fixtures.items() if fixture.returns not in gone}
    return Knowledge(replace(knowledge.style, fixtures=fixtures), description, seen)


def _built(
    parameter: ParameterFacts, target: Target, knowledge: Knowledge, helpers: dict[str, Helper]
) -> Iterator[Expression]:
    """What a factory builds for a parameter, as it is and with the values that the function compares fields with."""
    data = parameter.data
    if data is None:
        return
    own = next((reference.qualname for reference in references(data.name)), data.name).rpartition(".")[2]
    existing = knowledge.style.factories.get(own)
    factory = existing or f"{own}Factory"
    if existing is None:
        example = _example(parameter, data, target, knowledge)
        if example is None:
            return
        helpers[factory] = Helper(factory, _definition(factory, data, example), "module")
    builds = f"{factory}.build" if data.library == "django" else factory
    yield Expression(f"{builds}()", origin="type")
    for field, code in _compared(parameter.name, data, target):
        yield Expression(f"{builds}({field}={code})", origin="type")


def _example(parameter: ParameterFacts, data: DataClass, target: Target, knowledge: Knowledge) -> dict[str, str] | None:
    """A value for each field, from an instance that was seen or built; None where a required one has none."""
    values = arguments_for(target, knowledge)[parameter.name]
    for value in (*values, *parameter.values):
        found = _fields_of(value, data)
        if found is not None and set(data.required) <= found.keys():
            return found
    if data.library in ("sqlalchemy", "django", "pydantic"):
        return {name: any_value(name) for name in data.required}
    return None


def _fields_of(value: Expression, data: DataClass) -> dict[str, str] | None:
    """The arguments of a constructor call by field; None for any other expression."""
    if value.fixtures or not value.code.startswith(f"{data.name}("):
        return None
    marks = {f"_mark{index}_": reference for index, reference in enumerate(references(value.code))}
    names = {reference: name for name, reference in marks.items()}
    try:
        call = ast.parse(resolve(value.code, lambda reference: names[reference]), mode="eval").body
    except (SyntaxError, ValueError):
        return None
    if not isinstance(call, ast.Call) or len(call.args) > len(data.fields):
        return None
    pairs = [*zip(data.fields, call.args, strict=False), *((one.arg or "", one.value) for one in call.keywords)]
    found = {name: ast.unparse(node) for name, node in pairs if name}
    for name, reference in marks.items():
        found = {field: code.replace(name, mark(reference.module, reference.qualname)) for field, code in found.items()}
    return found


def _definition(name: str, data: DataClass, example: dict[str, str]) -> str:
    own = spaced(name.removesuffix("Factory"))
    base = mark(*_BASES.get(data.library, ("factory", "Factory")))
    lines = [
        f"class {name}({base}):",
        f'    """Builds {with_article(own)} that is fit for any test; name the fields that a test is about."""',
        "",
        "    class Meta:",
        f"        model = {data.name}",
        "",
    ]
    return "\n".join([*lines, *(f"    {field} = {_declared(code)}" for field, code in example.items())])


def _declared(code: str) -> str:
    """A field's value: what can be changed is made anew for each instance."""
    if code.startswith(("[", "{")):
        return f"{mark('factory', 'LazyFunction')}(lambda: {code})"
    return code


def _compared(name: str, data: DataClass, target: Target) -> Iterator[tuple[str, str]]:
    """The fields that the function compares with constants, and values on each side."""
    for node in ast.walk(target.function):
        match node:
            case ast.Compare(
                left=ast.Attribute(value=ast.Name(id=subject), attr=field), comparators=[ast.Constant(value=value)]
            ) if subject == name and field in data.fields:
                if isinstance(value, int | float) and not isinstance(value, bool):
                    yield from ((field, repr(value + step)) for step in (0, 1, -1))
                else:
                    yield field, repr(value)
            case ast.If(test=ast.Attribute(value=ast.Name(id=subject), attr=field)) if subject == name:
                yield from ((field, code) for code in ("True", "False") if field in data.fields)


def _words(target: Target) -> Circumstance:
    special = circumstance(target)
    named = next(iter(_annotated(target)), "value")
    return Circumstance(f"{with_article(spaced(named))} of a factory, and {special}", called(target), special)
