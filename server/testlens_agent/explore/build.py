"""Builds instances of classes by their own constructors, recursively."""

from __future__ import annotations

import inspect
import itertools
import re
import typing
from collections.abc import Iterable, Iterator
from types import CodeType, FunctionType
from typing import Any, Callable

from testlens_agent.explore.evaluation import Evaluator, Value
from testlens_agent.explore.hints import hints_of
from testlens_agent.explore.ordinary import any_function, stand_in
from testlens_agent.import_paths import import_path, mark

_MOST = 8
_MOST_TRIED = 3
_MOST_ATTEMPTS = 40
_MOST_VALUES = 8
_MAKERS = ("__init__", "__new__", "__post_init__", "__attrs_post_init__")
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
            made = [value for one in self._concrete(kind) for value in self._constructed(one, depth)]
            if not made:
                made = list(itertools.islice(self._by_other_ways(kind, depth), _MOST))
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
        return values or [*_by_name(parameter.name), Value(f"{mark('unittest.mock', 'MagicMock')}()", origin="mock")]

    def _concrete(self, kind: type) -> Iterator[type]:
        if not inspect.isabstract(kind) and not getattr(kind, "_is_protocol", False):
            yield kind
            return
        known = (one for one in _subclasses(kind) if not inspect.isabstract(one) and import_path(one) is not None)
        yield from itertools.islice(known, 3)

    def _constructed(self, kind: type, depth: int) -> list[Value]:
        path = import_path(kind)
        signature = signature_of(kind)
        if path is None or signature is None:
            return []
        hints = {**hints_of(kind), **_constructor_hints(kind)}
        return self._calls(path, signature, hints, depth, _literals_of(kind))

    def _calls(
        self, path: str, signature: inspect.Signature, hints: dict[str, Any], depth: int, literals: list[Value]
    ) -> list[Value]:
        """Calls of `path` that give something: with what must be given, then with one optional argument more each."""
        required = [one for one in signature.parameters.values() if _is_required(one)]
        columns = {}
        for one in required:
            hint = hints.get(one.name, inspect.Parameter.empty)
            fitting = [value for value in literals if _suits(value, hint)]
            columns[one.name] = [*self.for_parameter(one, hint, depth + 1), *fitting][:_MOST_VALUES]
        found: list[Value] = []
        for row in _rows(list(columns.values())):
            call = _call(path, list(zip(required, row)))
            if self._evaluator.works(call):
                found.append(call)
                found += self._varied(path, list(zip(required, row)), columns)
                found += self._with_more(path, signature, hints, depth, list(zip(required, row)))
                break
        return found

    def _varied(
        self, path: str, given: list[tuple[inspect.Parameter, Value]], columns: dict[str, list[Value]]
    ) -> Iterator[Value]:
        """The same call with another value for one of its arguments."""
        for at, (one, value) in enumerate(given):
            for other in columns[one.name][:_MOST_TRIED]:
                call = _call(path, [*given[:at], (one, other), *given[at + 1 :]])
                if other != value and other.origin != "mock" and self._evaluator.works(call):
                    yield call
                    break

    def _with_more(
        self,
        path: str,
        signature: inspect.Signature,
        hints: dict[str, Any],
        depth: int,
        given: list[tuple[inspect.Parameter, Value]],
    ) -> Iterator[Value]:
        for one in signature.parameters.values():
            hint = hints.get(one.name)
            if _is_required(one) or hint is None or one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD):
                continue
            named = one.replace(kind=one.KEYWORD_ONLY) if one.kind is not one.POSITIONAL_ONLY else one
            for value in self._invent(hint, depth + 1)[:_MOST_TRIED]:
                call = _call(path, [*given, (named, value)])
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
                yield from self._calls(f"{path}.{name}", signature, hints, depth, [])[:1]


def signature_of(function: Any) -> inspect.Signature | None:
    """How it may be called; None where Python cannot tell."""
    try:
        return inspect.signature(function)
    except (ValueError, TypeError):
        return None


def _is_required(parameter: inspect.Parameter) -> bool:
    optional = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    return parameter.default is parameter.empty and not optional


def _by_name(name: str) -> list[Value]:
    return [value for pattern, value in _BY_NAME if re.search(pattern, name)][:1]


def _rows(columns: list[list[Value]]) -> Iterator[tuple[Value, ...]]:
    """Combinations, those first that stay near the beginning of each column."""
    if not all(columns):
        return iter(())
    together: Iterable[tuple[Value, ...]] = itertools.islice(zip(*columns), 3) if columns else [()]
    single = (
        tuple(other if at == index else column[0] for at, column in enumerate(columns))
        for index, values in enumerate(columns)
        for other in values[1:]
    )
    return itertools.islice(_distinct(itertools.chain(together, single, itertools.product(*columns))), _MOST_ATTEMPTS)


def _distinct(rows: Iterable[tuple[Value, ...]]) -> Iterator[tuple[Value, ...]]:
    seen: set[tuple[Value, ...]] = set()
    for row in rows:
        if row not in seen:
            seen.add(row)
            yield row


def _call(path: str, given: list[tuple[inspect.Parameter, Value]]) -> Value:
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


def _literals_of(kind: type) -> list[Value]:
    """Numbers and words that the constructor compares with or looks for, and what lies between two numbers."""
    found: list[Any] = []
    for name in _MAKERS:
        maker = inspect.getattr_static(kind, name, None)
        code = getattr(maker, "__code__", None)
        if isinstance(code, CodeType) and not name.startswith("<"):
            found += [one for one in code.co_consts if isinstance(one, (int, float, str)) and type(one) is not bool]
    amounts: list[float] = sorted({one for one in found if isinstance(one, (int, float))})
    between = [(low + high) / 2 for low, high in zip(amounts, amounts[1:])]
    words = [one for one in found if isinstance(one, str) and one.isidentifier()]
    whole = [int(one) for one in between]
    return [Value(repr(one), (), "literal") for one in dict.fromkeys([*whole, *between, *amounts, *words])]


def _suits(value: Value, hint: Any) -> bool:
    kinds = [one for one in (hint, *typing.get_args(hint)) if isinstance(one, type)]
    if hint is inspect.Parameter.empty:
        return True
    literal = float if "." in value.code and value.code[0] not in "'\"" else str if value.code[0] in "'\"" else int
    return any(kind is literal or (kind is float and literal is int) for kind in kinds)


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
