"""Invents values for annotated types: expressions in marked source, the simplest first."""

from __future__ import annotations

import collections
import collections.abc
import enum
import itertools
import sys
import types
import typing
from collections.abc import Iterable, Iterator
from typing import Any

from testlens_agent.explore.build import Builder
from testlens_agent.explore.evaluation import Evaluator, Value
from testlens_agent.explore.ordinary import ELEMENTLESS, PLAIN, SEVERAL, any_function, stand_in
from testlens_agent.explore.strategy_values import drawn_for
from testlens_agent.expressions import ExpressionWriter
from testlens_agent.import_paths import import_path

_MOST = 10
_DEEPEST = 3
_UNIONS = (typing.Union, getattr(types, "UnionType", typing.Union))


class Inventor:
    """Invents values, each of which `evaluator` has seen to be one."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator
        self._writer = ExpressionWriter()
        self._rebuilder = ExpressionWriter(rebuild=lambda cls, named: cls(**named))
        self.builder = Builder(evaluator, self.values)

    def values(self, annotation: Any, depth: int = 0) -> list[Value]:
        """Values that suit the annotation; none where it says nothing."""
        found: list[Value] = []
        for value in itertools.islice(_distinct(self._suggested(annotation, depth)), 3 * _MOST):
            if len(found) == _MOST or self._evaluator.is_late:
                break
            if self._evaluator.works(value):
                found.append(value)
        if depth == 0 and all(value.origin == "mock" for value in found):
            return [*self._drawn(annotation), *found]
        return found

    def _drawn(self, annotation: Any) -> list[Value]:
        """What Hypothesis makes of a type that nothing but a stand-in is known for."""
        if annotation is Any or not (isinstance(annotation, type) or typing.get_origin(annotation)):
            return []
        written = map(self._rebuilder.write, drawn_for(annotation))
        values = (
            Value(expression.code, tuple(expression.fixtures)) for expression in written if expression is not None
        )
        return [value for value in values if self._evaluator.works(value)]

    def _suggested(self, annotation: Any, depth: int) -> Iterable[Value]:
        origin = typing.get_origin(annotation)
        if origin is not None:
            return self._parametrized(origin, typing.get_args(annotation), depth)
        if isinstance(annotation, typing.TypeVar):
            return self._any_of(_choices(annotation), depth)
        if hasattr(annotation, "__supertype__"):  # NewType, whose values are those of the type below
            return self.values(annotation.__supertype__, depth)
        if annotation is None or annotation is type(None):
            return (Value("None"),)
        return self._of_class(annotation, depth) if isinstance(annotation, type) and annotation is not Any else ()

    def _parametrized(self, origin: Any, arguments: tuple[Any, ...], depth: int) -> Iterable[Value]:
        if origin in _UNIONS:
            return self._any_of(arguments, depth)
        if origin is typing.Literal:
            return self._written(arguments)
        if _is_transparent(origin):
            return self.values(arguments[0], depth)
        if origin in ELEMENTLESS:
            return PLAIN[ELEMENTLESS[origin]]
        return self._of_class(origin, depth, arguments) if isinstance(origin, type) else ()

    def _of_class(self, kind: type, depth: int, arguments: tuple[Any, ...] = ()) -> Iterable[Value]:
        special = self._special(kind, depth, arguments)
        if special is not None:
            return special
        if issubclass(kind, enum.Enum):
            return self._written(kind)
        if _is_typed_dict(kind):
            return self._typed_dicts(kind, depth)
        return self.builder.instances(kind, depth) if depth < _DEEPEST else (stand_in(kind),)

    def _special(self, kind: Any, depth: int, arguments: tuple[Any, ...]) -> Iterable[Value] | None:
        """Values of the types that Python brings, None for all others."""
        if kind is collections.abc.Callable:
            return self._functions(arguments, depth)
        if kind is type:
            return self._classes(arguments[0] if arguments else object)
        if kind is tuple:
            return self._tuples(arguments, depth)
        if kind in SEVERAL:
            return self._several(kind, arguments, depth)
        return PLAIN.get(kind)

    def _written(self, values: Iterable[object]) -> Iterator[Value]:
        expressions = map(self._writer.write, values)
        return (Value(expression.code) for expression in expressions if expression is not None)

    def _any_of(self, choices: Iterable[Any], depth: int) -> Iterator[Value]:
        """A value of each of the types in turn, None last of the first round."""
        ordered = sorted(choices, key=lambda choice: choice is type(None))
        rounds = itertools.zip_longest(*(self.values(choice, depth) for choice in ordered))
        return (value for one_round in rounds for value in one_round if value is not None)

    def _classes(self, kind: Any) -> Iterator[Value]:
        if isinstance(kind, typing.TypeVar):
            kind = typing.Union[_choices(kind)]
        for choice in typing.get_args(kind) or (kind,):
            if isinstance(choice, type):
                known = [choice, *choice.__subclasses__()] if choice is not object else [int, str]
                paths = (import_path(one) for one in known[:4])
                yield from (Value(path) for path in paths if path is not None)

    def _functions(self, arguments: tuple[Any, ...], depth: int) -> Iterator[Value]:
        result = arguments[-1] if arguments else None
        if typing.get_origin(result) in (collections.abc.Awaitable, collections.abc.Coroutine):
            yield Value("\x01unittest.mock:AsyncMock\x02()", origin="mock")
            return
        given = self.values(result, depth + 1) if result not in (None, type(None)) else []
        for value in given[:2]:
            yield any_function(value)
        yield any_function(Value("None"))

    def _tuples(self, arguments: tuple[Any, ...], depth: int) -> Iterator[Value]:
        if not arguments:
            yield from (Value("()"), Value("(1,)"))
        elif len(arguments) == 2 and arguments[1] is Ellipsis:
            yield Value("()")
            yield from (_wrapped("({},)", value) for value in self._elements(arguments[0], depth)[:2])
        else:
            columns = [self._elements(argument, depth) for argument in arguments if argument != ()]
            for row in itertools.islice(zip(*columns), 2) if columns else [()]:
                yield _joined("(", row, ",)" if len(row) == 1 else ")")

    def _several(self, kind: Any, arguments: tuple[Any, ...], depth: int) -> Iterator[Value]:
        empty, one = SEVERAL[kind]
        yield Value(empty)
        if "{key}" in one:
            keys = self._elements(arguments[0] if arguments else str, depth)
            items = self._elements(arguments[1] if len(arguments) > 1 else int, depth)
            for key, item in itertools.islice(zip(keys, items), 1):
                code = one.replace("{key}", key.code).replace("{item}", item.code)
                yield Value(code, _fixtures(key, item))
            return
        for item in self._elements(arguments[0] if arguments else str, depth)[:2]:
            yield Value(one.replace("{item}", item.code), item.fixtures)

    def _elements(self, annotation: Any, depth: int) -> list[Value]:
        return self.values(annotation, depth + 1) or [Value('"name"'), Value("1")]

    def _typed_dicts(self, kind: Any, depth: int) -> Iterator[Value]:
        from testlens_agent.explore.hints import hints_of

        required: frozenset[str] = getattr(kind, "__required_keys__", frozenset())
        pairs = [(name, self._elements(hint, depth)[0]) for name, hint in hints_of(kind).items() if name in required]
        body = ", ".join(f'"{name}": {value.code}' for name, value in pairs)
        yield Value(f"{{{body}}}", _fixtures(*(value for _, value in pairs)))


def _distinct(values: Iterable[Value]) -> Iterator[Value]:
    seen: set[str] = set()
    for value in values:
        if value.code not in seen:
            seen.add(value.code)
            yield value


def _choices(variable: typing.TypeVar) -> tuple[Any, ...]:
    """What a type variable may stand for."""
    bound = variable.__bound__
    if isinstance(bound, typing.ForwardRef):
        bound = getattr(sys.modules.get(variable.__module__), bound.__forward_arg__, None)
    return variable.__constraints__ or ((str, int) if bound is None else (bound,))


def _wrapped(pattern: str, value: Value) -> Value:
    return Value(pattern.replace("{}", value.code), value.fixtures, value.origin)


def _joined(start: str, values: tuple[Value, ...], end: str) -> Value:
    return Value(start + ", ".join(value.code for value in values) + end, _fixtures(*values))


def _fixtures(*values: Value) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for value in values for name in value.fixtures))


def _is_transparent(origin: Any) -> bool:
    """Whether the type is that of its first argument, as for `Annotated[int, ...]`."""
    wishes = ("Required", "NotRequired", "ReadOnly", "Final", "ClassVar", "Annotated")
    return getattr(origin, "_name", None) in wishes or origin is getattr(typing, "Annotated", None)


def _is_typed_dict(kind: Any) -> bool:
    return issubclass(kind, dict) and hasattr(kind, "__total__") and hasattr(kind, "__required_keys__")
