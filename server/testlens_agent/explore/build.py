"""Builds instances of classes by their own constructors, recursively."""

from __future__ import annotations

import inspect
import itertools
import re
import typing
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any, Callable, NamedTuple

from testlens_agent.explore.evaluation import Evaluator, Value
from testlens_agent.explore.hints import hints_of
from testlens_agent.explore.ordinary import any_function, stand_in
from testlens_agent.import_paths import import_path, mark

_MOST = 8
_MOST_TRIED = 3
_MOST_SUBCLASSES = 3
_MOST_ATTEMPTS = 40
_MOST_VALUES = 8
_MAKERS = ("__init__", "__new__", "__post_init__", "__attrs_post_init__")
_ANYTHING = Value(f"{mark('unittest.mock', 'MagicMock')}()", origin="mock")
_ONE, _NAME = Value("1", (), "name"), Value('"name"', (), "name")
_BY_NAME = (
    (r"(^|_)(path|file|filename|folder|directory|dir)s?$", Value('tmp_path / "name"', ("tmp_path",), "name")),
    (r"(^|_)(n|num|number|count|size|length|limit|index|idx|depth|width|height|port|start|stop|offset|level)$", _ONE),
    (r"(^|_)(seconds|timeout|interval|version)$", _ONE),
    (r"^(is|has|use|allow|with|no|should|enable)_", Value("True", (), "name")),
    (r"(^|_)(name|key|text|title|label|prefix|suffix|msg|message|word|string|id|url|uri|encoding|mode)$", _NAME),
    (r"(^|_)(secret|token|salt|pattern)$", _NAME),
    (r"(^|_)(data|content|payload|raw|blob)$", Value('b"data"', (), "name")),
    (r"(^|_)(func|function|fn|f|callback|callable|handler|hook|factory|predicate)$",
     any_function(Value("None"))._replace(origin="name")),
    (r"(^|_)(items|values|args|names|lines|records|rows|elements|sequence|list)$", Value('["name"]', (), "name")),
    (r"(^|_)(options|opts|kwargs|config|settings|mapping|headers|attrs|context|extra|dict)$", Value("{}", (), "name")),
)  # fmt: skip
_Invent = Callable[[Any, int], "list[Value]"]
_Given = list[tuple[inspect.Parameter, Value]]


class _Maker(NamedTuple):
    """Something that makes instances: how to call it, at which depth its arguments are invented, and with what."""

    path: str
    signature: inspect.Signature
    hints: dict[str, Any]
    literals: list[Any]
    depth: int


class Builder:
    """Builds instances; `invent` gives values for an annotation at a depth of recursion."""

    def __init__(self, evaluator: Evaluator, invent: _Invent) -> None:
        self._evaluator = evaluator
        self._invent = invent
        self._under_way: set[type] = set()

    def instances(self, kind: type, depth: int = 0) -> list[Value]:
        """Expressions that give an instance, the most faithful first; a stand-in at the end."""
        if kind in self._under_way:
            return [stand_in(kind)]
        self._under_way.add(kind)
        try:
            made = self._made(kind, depth)
        finally:
            self._under_way.discard(kind)
        return [*made[:_MOST], stand_in(kind)]

    def classes_of(self, metaclass: type) -> list[Value]:
        """The classes that this is the class of, which its methods are called on."""
        paths = (import_path(one) for one in _subclasses(object) if type(one) is metaclass)
        return [Value(path) for path in itertools.islice((path for path in paths if path is not None), _MOST)]

    def for_parameter(self, parameter: inspect.Parameter, hint: Any, depth: int) -> list[Value]:
        """Values for a parameter that has to be given: by its annotation, else by its name."""
        values = self._invent(hint, depth) if hint is not inspect.Parameter.empty else []
        return values or [*_by_name(parameter.name), _ANYTHING]

    def _made(self, kind: type, depth: int) -> list[Value]:
        is_abstract = inspect.isabstract(kind) or getattr(kind, "_is_protocol", False)
        made = [] if is_abstract else self._constructed(kind, depth) or list(self._by_other_ways(kind, depth))
        if made:
            return made
        below = (one for one in _subclasses(kind) if not inspect.isabstract(one) and import_path(one) is not None)
        return [value for one in itertools.islice(below, _MOST_SUBCLASSES) for value in self._constructed(one, depth)]

    def _constructed(self, kind: type, depth: int) -> list[Value]:
        path = import_path(kind)
        if path is None:
            return []
        signature = signature_of(kind)
        if issubclass(kind, BaseException) and _takes_anything(signature):
            return [call for call in (Value(f'{path}("name")'), Value(f"{path}()")) if self._evaluator.works(call)]
        if signature is None:
            return [call for call in (Value(f"{path}()"),) if self._evaluator.works(call)]
        hints = {**hints_of(kind), **_constructor_hints(kind)}
        return self._calls(_Maker(path, signature, hints, _literals_of(kind), depth + 1))

    def _calls(self, maker: _Maker) -> list[Value]:
        """Calls that give something: with what must be given, then with another value or one argument more."""
        parameters = maker.signature.parameters.values()
        required = [one for one in parameters if _is_required(one)]
        variadic = [one for one in parameters if one.kind is one.VAR_POSITIONAL]
        helpers = [(_by_keyword(one), _ANYTHING) for one in parameters if _may_be_helper(one, maker.hints)]
        found = self._calls_with(maker, required, [])
        if not found and variadic:
            found = self._calls_with(maker, [*required, *variadic], [])
        # What the class would otherwise get for itself, and what may be out of reach here.
        for more in [*([helper] for helper in helpers), *([helpers] if len(helpers) > 1 else [])]:
            found = found or self._calls_with(maker, required, more)
        # A constructor may insist on one of several arguments that may each be left out.
        for one in (one for one in parameters if one.default is None):
            plain = [value for value in self._column(maker, one) if value.origin != "mock"]
            for value in [*plain, Value('"name"')][:_MOST_TRIED]:
                found = found or self._calls_with(maker, required, [(_by_keyword(one), value)])
        return found

    def _calls_with(self, maker: _Maker, parameters: list[inspect.Parameter], more: _Given) -> list[Value]:
        columns = [self._column(maker, one) for one in parameters]
        for row in _rows(columns):
            given = [*zip(parameters, row), *more]
            call = _call(maker.path, given)
            if self._evaluator.works(call):
                return [call, *self._varied(maker, given, columns), *self._with_more(maker, given)]
        return []

    def _column(self, maker: _Maker, parameter: inspect.Parameter) -> list[Value]:
        hint = maker.hints.get(parameter.name, inspect.Parameter.empty)
        first, *others = self.for_parameter(parameter, hint, maker.depth)
        return [first, *_fitting(maker.literals, hint), *others][:_MOST_VALUES]

    def _varied(self, maker: _Maker, given: _Given, columns: list[list[Value]]) -> Iterator[Value]:
        """The same call with another value for one of its arguments."""
        for at, (column, (one, value)) in enumerate(zip(columns, given)):
            for other in column[:_MOST_TRIED]:
                call = _call(maker.path, [*given[:at], (one, other), *given[at + 1 :]])
                if other != value and other.origin != "mock" and self._evaluator.works(call):
                    yield call
                    break

    def _with_more(self, maker: _Maker, given: _Given) -> Iterator[Value]:
        """The same call with one optional argument more."""
        names = {one.name for one, _ in given}
        for one in maker.signature.parameters.values():
            hint = maker.hints.get(one.name)
            if one.name in names or hint is None or one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD):
                continue
            named = _by_keyword(one)
            for value in self._invent(hint, maker.depth)[:_MOST_TRIED]:
                call = _call(maker.path, [*given, (named, value)])
                if value.origin != "mock" and not self._is_default(value, one) and self._evaluator.works(call):
                    yield call
                    break

    def _is_default(self, value: Value, parameter: inspect.Parameter) -> bool:
        default, held = parameter.default, self._evaluator.result(value)
        return held is default or (type(held) is type(default) and repr(held) == repr(default))

    def _by_other_ways(self, kind: type, depth: int) -> Iterator[Value]:
        """Class methods that say that they return an instance."""
        path = import_path(kind)
        if path is None:
            return
        for name, member in list(vars(kind).items()):
            if not isinstance(member, (classmethod, staticmethod)) or name.startswith("_"):
                continue
            hints = hints_of(member.__func__, kind)
            signature = signature_of(getattr(kind, name))
            if signature is not None and _returns(hints.get("return"), kind):
                yield from self._calls(_Maker(f"{path}.{name}", signature, hints, [], depth + 1))[:1]


def signature_of(function: Any) -> inspect.Signature | None:
    """How it may be called; None where Python cannot tell."""
    try:
        return inspect.signature(function)
    except (ValueError, TypeError):
        return None


def _takes_anything(signature: inspect.Signature | None) -> bool:
    return signature is None or all(one.kind is one.VAR_POSITIONAL for one in signature.parameters.values())


def _by_keyword(parameter: inspect.Parameter) -> inspect.Parameter:
    """The parameter as one that is given by its name, where that is possible."""
    return parameter if parameter.kind is parameter.POSITIONAL_ONLY else parameter.replace(kind=parameter.KEYWORD_ONLY)


def _may_be_helper(parameter: inspect.Parameter, hints: dict[str, Any]) -> bool:
    """Whether it is a collaborator that the class gets for itself where it is not given one."""
    hint = hints.get(parameter.name, Any)
    # Before Python 3.11, `Any = None` counts as optional.
    return parameter.default is None and Any in (hint, *typing.get_args(hint))


def _is_required(parameter: inspect.Parameter) -> bool:
    optional = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    return parameter.default is parameter.empty and not optional


def _by_name(name: str) -> list[Value]:
    return [value for pattern, value in _BY_NAME if re.search(pattern, name)][:1]


def _rows(columns: list[list[Value]]) -> Iterator[tuple[Value, ...]]:
    """Combinations of a value from each column, those first that stay near the beginnings."""
    sizes = [len(column) for column in columns]
    places = (place for far in range(sum(sizes) + 1) for place in _places(sizes, far))
    rows = (tuple(column[at] for column, at in zip(columns, place)) for place in places)
    return itertools.islice(rows, _MOST_ATTEMPTS)


def _places(sizes: list[int], far: int) -> Iterator[tuple[int, ...]]:
    """The places in a table of these sizes that lie so many steps from its corner."""
    if not sizes:
        if far == 0:
            yield ()
        return
    for first in range(min(far, sizes[0] - 1) + 1):
        yield from ((first, *rest) for rest in _places(sizes[1:], far - first))


def _call(path: str, given: _Given) -> Value:
    pieces = [f"{one.name}={value.code}" if one.kind is one.KEYWORD_ONLY else value.code for one, value in given]
    fixtures = tuple(dict.fromkeys(name for _, value in given for name in value.fixtures))
    return Value(f"{path}({', '.join(pieces)})", fixtures)


def _constructor_hints(kind: type) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in ("__new__", "__init__"):
        maker = inspect.getattr_static(kind, name, None)
        if isinstance(maker, (FunctionType, staticmethod)):
            found.update(hints_of(maker.__func__ if isinstance(maker, staticmethod) else maker, kind))
    found.pop("return", None)
    return found


def _literals_of(kind: type) -> list[Any]:
    """Numbers and words that the constructor compares with or looks for, and what lies between two numbers."""
    found: list[Any] = []
    for name in _MAKERS:
        code = getattr(inspect.getattr_static(kind, name, None), "__code__", None)
        for constant in code.co_consts if isinstance(code, CodeType) else ():
            found += constant if isinstance(constant, (tuple, frozenset)) else [constant]
    amounts: list[float] = sorted({one for one in found if isinstance(one, (int, float)) and type(one) is not bool})
    between = [(low + high) / 2 for low, high in zip(amounts, amounts[1:])]
    words = [one for one in found if isinstance(one, str) and one.isidentifier()]
    return [*between, *amounts, *words]


def _fitting(literals: list[Any], hint: Any) -> Iterator[Value]:
    """Those of the literals that suit the annotation, as source."""
    kinds = (hint, *typing.get_args(hint))
    for literal in literals:
        is_number = isinstance(literal, (int, float))
        if is_number and float in kinds:
            yield Value(repr(float(literal)), (), "literal")
        elif is_number and (int in kinds or hint is inspect.Parameter.empty):
            yield Value(repr(int(literal)), (), "literal")
        elif isinstance(literal, str) and (str in kinds or hint is inspect.Parameter.empty):
            yield Value(repr(literal), (), "literal")


def _subclasses(kind: type) -> Iterator[type]:
    queue, seen = [kind], {kind}
    while queue:
        below: list[type] = type.__subclasses__(queue.pop(0))
        for one in below:
            if one not in seen:
                seen.add(one)
                queue.append(one)
                yield one


def _returns(hint: Any, kind: type) -> bool:
    if hint is kind or getattr(hint, "_name", None) == "Self":
        return True
    bound = getattr(hint, "__bound__", None)
    return bound is kind or getattr(bound, "__forward_arg__", None) == kind.__name__
