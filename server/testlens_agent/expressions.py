"""From a live value to Python source that a test can hold, with every name that has to be imported marked.

What is written is exact: it gives an equal value of the same type. What cannot be written so, looks like a secret, or
means something on this machine only, has no expression. No code of the project runs meanwhile: no `__repr__`, no
`__eq__`, no property.
"""

from __future__ import annotations

import enum
import functools
import operator
import re
import types
from collections.abc import Iterable
from typing import Any, Callable, NamedTuple, Optional

from testlens_agent.import_paths import class_attribute, constant_name, import_path, is_ordinary, nearest_class
from testlens_agent.mock_values import is_stand_in, write_stand_in
from testlens_agent.plain_values import InexpressibleError, call, is_plain, write_named, write_plain
from testlens_agent.record_values import Field, Record, as_record, own_namespace
from testlens_agent.secret_values import Places, is_secret_text

_DEEPEST = 20
_LITERALS = frozenset({type(None), bool, int, float, type(...)})
_TEXTS = frozenset({str, bytes})
# What may be followed by `.name` as it stands.
_ATOM = re.compile(r"[\x01\x02\w.:]+(?:\(.*\))?", re.DOTALL)


class Expr(NamedTuple):
    """A value in marked source, and the pytest fixtures that it names."""

    code: str
    fixtures: tuple[str, ...] = ()


Known = Callable[[object], Optional[Expr]]
Rebuild = Callable[[type, "dict[str, Any]"], object]


def nothing_known(_value: object) -> Expr | None:
    """Knows of no value how it came to be."""
    return None


class ExpressionWriter:
    """Writes values as marked source of at most `longest` characters, marks included.

    `known` says how the project's tests have come by an object, and is asked first. `rebuild` builds an instance of a
    class from named arguments, to see whether that gives the same: it runs code of the project, so by default classes
    that would need it have no expression.
    """

    def __init__(self, known: Known = nothing_known, longest: int = 400, rebuild: Rebuild | None = None) -> None:
        self._known = known
        self._longest = longest
        self._rebuild = rebuild
        self._places = Places()

    def write(self, value: object) -> Expr | None:
        """The expression for `value`, None where there is none."""
        if value is None or value is True or value is False:
            return Expr(repr(value))
        writing = _Writing(self._known, self._longest, self.may_write, self._rebuild)
        try:
            code = writing.write(value)
        except Exception:  # noqa: BLE001  (what the project's metaclasses and descriptors do to us is not our failure)
            return None
        return Expr(code, tuple(sorted(writing.fixtures)))

    def may_write(self, text: str) -> bool:
        """Whether the text neither looks like a secret nor names what only this machine or run knows."""
        return not is_secret_text(text) and not self._places.are_in(text)

    def type_name(self, value: object) -> str:
        """The class of `value` in marked source; where it cannot be imported, the nearest base class that can."""
        return nearest_class(type(value))


class _Writing:
    """One expression while it is written."""

    def __init__(self, known: Known, longest: int, may_write: Callable[[str], bool], rebuild: Rebuild | None) -> None:
        self.fixtures: set[str] = set()
        self._known = known
        self._may_write = may_write
        self._rebuild = rebuild
        self._left = longest
        self._depth = 0

    def write(self, value: object) -> str:
        """The source of `value`, on account of what is left of the length; raises if there is none."""
        # Each value costs at least one character, so that a cycle, or one list many times over, comes to an end too.
        self._spend(1)
        if not is_ordinary(type(value)):
            raise InexpressibleError
        if type(value) in _LITERALS:
            return self._counted(write_plain(value, self.write))
        self._depth += 1
        if self._depth > _DEEPEST:
            raise InexpressibleError
        code = self._known_code(value) or self._code(value)
        self._depth -= 1
        return code

    def _known_code(self, value: object) -> str | None:
        known = self._known(value)
        if known is None:
            return None
        self.fixtures.update(known.fixtures)
        return self._counted(known.code)

    def _code(self, value: Any) -> str:
        cls = type(value)
        if cls in _TEXTS:
            return self._text(value)
        if is_plain(value):
            return write_plain(value, self.write)
        path = import_path(value)
        if path is not None:
            return self._counted(path)
        for matches, write in _SPECIAL:
            if matches(cls):
                return write(self, value)
        return self._record(value)

    def _text(self, value: Any) -> str:
        if len(value) > self._left:
            raise InexpressibleError
        text = value if type(value) is str else value.decode("latin-1")
        if not self._may_write(text):
            raise InexpressibleError
        return self._counted(repr(value))

    def _record(self, value: Any) -> str:
        record = as_record(value)
        if record is None:
            return self._constant(value)
        if not record.certain and not self._is_rebuilt(value, record):
            return self._constant(value)
        cls = self._class(type(value))
        return self._counted(call(cls, **self._arguments(record.fields)))

    def _arguments(self, fields: Iterable[Field]) -> dict[str, str]:
        shown = [field for field in fields if not (field.has_default and self._same(field.value, field.default))]
        return write_named({field.name: field.value for field in shown}, self.write)

    def _is_rebuilt(self, value: Any, record: Record) -> bool:
        if self._rebuild is None:
            return False
        other = as_record(self._rebuild(type(value), {field.name: field.value for field in record.fields}))
        return other is not None and all(map(self._same, _content(record), _content(other)))

    def _same(self, one: object, other: object) -> bool:
        """Whether two values have one expression: as good as equal, and no `__eq__` of the project is asked."""
        if one is other:
            return True
        if type(one) is not type(other):
            return False
        writings = [_Writing(self._known, self._left, self._may_write, self._rebuild) for _ in range(2)]
        try:
            return writings[0].write(one) == writings[1].write(other)
        except InexpressibleError:
            return False

    def _constant(self, value: object) -> str:
        name = constant_name(value, lambda: bool(own_namespace(value)))
        if name is None:
            raise InexpressibleError
        return self._counted(name)

    def _class(self, cls: type) -> str:
        path = import_path(cls)
        if path is None:
            raise InexpressibleError
        return path

    def _enum(self, value: Any) -> str:
        cls = type(value)
        path = self._class(cls)
        members = cls.__dict__["_member_map_"]
        name = value._name_
        if members.get(name) is value:
            return self._counted(f"{path}.{name}" if name.isidentifier() else f"{path}[{name!r}]")
        # A combination of flags, or of bits that have no name.
        number = value._value_
        parts = [member for member in members.values() if member._value_ and member._value_ & number == member._value_]
        if functools.reduce(operator.or_, (part._value_ for part in parts), 0) == number and parts:
            single = [part for part in parts if part._value_ & (part._value_ - 1) == 0] or parts
            return self._counted(" | ".join(f"{path}.{part._name_}" for part in single))
        return self._counted(call(path, repr(number)))

    def _exception(self, value: Any) -> str:
        cls = type(value)
        own = [name for name in own_namespace(value) if name != "__notes__"]
        if own or any(type(class_attribute(cls, name)) is types.FunctionType for name in ("__init__", "__new__")):
            raise InexpressibleError
        arguments = BaseException.args.__get__(value)  # type: ignore[attr-defined]
        if issubclass(cls, OSError) and len(arguments) == 2 and value.filename is not None:
            arguments = (*arguments, value.filename)
        if issubclass(cls, ImportError) and (value.name is not None or value.path is not None):
            raise InexpressibleError
        return self._counted(call(self._class(cls), *map(self.write, arguments)))

    def _bound_method(self, value: Any) -> str:
        owner, name = value.__self__, value.__func__.__name__
        cls = owner if issubclass(type(owner), type) else type(owner)
        found = class_attribute(cls, name)
        if getattr(found, "__func__", found) is not value.__func__:
            raise InexpressibleError
        code = self.write(owner)
        if not _ATOM.fullmatch(code):
            raise InexpressibleError
        return f"{code}{self._counted('.' + name)}"

    def _bound_builtin(self, value: Any) -> str:
        owner, name = value.__self__, value.__name__
        if not issubclass(type(owner), type) or class_attribute(owner, name) is None:
            raise InexpressibleError
        return f"{self.write(owner)}{self._counted('.' + name)}"

    def _stand_in(self, value: Any) -> str:
        return self._counted(write_stand_in(value, self.write))

    def _counted(self, code: str) -> str:
        self._spend(len(code) - 1)
        return code

    def _spend(self, characters: int) -> None:
        self._left -= characters
        if self._left < 0:
            raise InexpressibleError


def _content(record: Record) -> Iterable[object]:
    return (*(field.value for field in record.fields), *record.derived)


_SPECIAL: tuple[tuple[Callable[[type], bool], Callable[[_Writing, Any], str]], ...] = (
    (lambda cls: issubclass(cls, enum.Enum), _Writing._enum),
    (lambda cls: issubclass(cls, BaseException), _Writing._exception),
    (lambda cls: cls is types.MethodType, _Writing._bound_method),
    (lambda cls: cls is types.BuiltinMethodType, _Writing._bound_builtin),
    (is_stand_in, _Writing._stand_in),
)
