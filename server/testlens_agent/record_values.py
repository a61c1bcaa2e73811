"""Instances of generated classes (dataclass, attrs, pydantic, namedtuple) as calls of their class.

Only what the generated constructor stores is read, straight from the instance: nothing of the project's code runs.
"""

from __future__ import annotations

import dataclasses
import dis
import functools
import sys
from collections.abc import Iterable
from types import CodeType, FunctionType, MemberDescriptorType
from typing import Any, NamedTuple

from testlens_agent.import_paths import class_attribute, class_name, class_order

_MISSING = object()
_GENERATED = ("<string>", "<attrs generated")
# Converters that leave alone what they have made.
_IDEMPOTENT = (bool, int, float, str, bytes, tuple, list, dict, set, frozenset)


class Field(NamedTuple):
    """One argument of a generated constructor. `default` is what it has where the call leaves it out, if anything."""

    name: str
    value: object
    default: object = _MISSING

    @property
    def has_default(self) -> bool:
        """Whether a call may leave it out and get the same value each time."""
        return self.default is not _MISSING


class Record(NamedTuple):
    """An instance as its class's arguments.

    `certain`: no code of the project takes part in building it again. `derived` is what the constructor worked out.
    """

    fields: tuple[Field, ...]
    certain: bool
    derived: tuple[object, ...] = ()


def as_record(value: Any) -> Record | None:
    """The record that `value` is, None if it is none or holds more than its constructor was given."""
    cls = type(value)
    if class_attribute(cls, "__dataclass_fields__") is not None:
        return _dataclass(value, cls)
    if class_attribute(cls, "__attrs_attrs__") is not None:
        return _attrs(value, cls)
    if issubclass(cls, tuple) and class_attribute(cls, "_fields") is not None:
        return _namedtuple(value, cls)
    pydantic = sys.modules.get("pydantic")
    if pydantic is not None and any(class_name(base) == "BaseModel" for base in class_order(cls)):
        return _pydantic(value, cls)
    return None


def _dataclass(value: Any, cls: type) -> Record | None:
    fields = class_attribute(cls, "__dataclass_fields__").values()
    plain = [field for field in fields if field._field_type is dataclasses._FIELD]  # type: ignore[attr-defined]
    variables = any(field._field_type is dataclasses._FIELD_INITVAR for field in fields)  # type: ignore[attr-defined]
    if variables or not _is_generated(cls, "__init__") or _has_more(value, cls, {field.name for field in plain}):
        return None
    arguments = tuple(
        Field(field.name, _stored(value, cls, field.name), _known_default(field.default, dataclasses.MISSING))
        for field in plain
        if field.init
    )
    derived = tuple(_stored(value, cls, field.name) for field in plain if not field.init)
    return Record(arguments, not derived and not _may_store(cls, "__post_init__"), derived)


def _attrs(value: Any, cls: type) -> Record | None:
    attributes = class_attribute(cls, "__attrs_attrs__")
    if not _is_generated(cls, "__init__") or _has_more(value, cls, {attribute.name for attribute in attributes}):
        return None
    nothing = sys.modules["attr"].NOTHING
    given = [attribute for attribute in attributes if attribute.init]
    derived = tuple(_stored(value, cls, attribute.name) for attribute in attributes if not attribute.init)
    arguments = tuple(
        Field(
            getattr(attribute, "alias", None) or attribute.name.lstrip("_"),
            _stored(value, cls, attribute.name),
            _MISSING if hasattr(attribute.default, "factory") else _known_default(attribute.default, nothing),
        )
        for attribute in given
    )
    certain = not derived and not _may_store(cls, "__attrs_post_init__")
    return Record(arguments, certain and all(map(_keeps_value, given, arguments)), derived)


def _keeps_value(attribute: Any, argument: Field) -> bool:
    converter = attribute.converter
    return converter is None or (converter in _IDEMPOTENT and type(argument.value) is converter)


def _namedtuple(value: Any, cls: type) -> Record | None:
    names = class_attribute(cls, "_fields")
    has_own_init = type(class_attribute(cls, "__init__")) is FunctionType
    if type(names) is not tuple or has_own_init or not _is_generated(cls, "__new__") or _has_more(value, cls, set()):
        return None
    defaults = class_attribute(cls, "_field_defaults") or {}
    held = tuple.__iter__(value)
    fields = (Field(name, item, defaults.get(name, _MISSING)) for name, item in zip(names, held))
    return Record(tuple(fields), certain=True)


def _pydantic(value: Any, cls: type) -> Record | None:
    tables = (class_attribute(cls, name) for name in ("__pydantic_fields__", "model_fields", "__fields__"))
    known = next((table for table in tables if type(table) is dict), None)
    own_init = class_attribute(cls, "__init__")
    if known is None or getattr(own_init, "__module__", "").partition(".")[0] != "pydantic":
        return None
    if _has_more(value, cls, set(known)) or _slot(value, "__pydantic_extra__") or _slot(value, "__pydantic_private__"):
        return None
    given = _slot(value, "__pydantic_fields_set__") or _slot(value, "__fields_set__") or set()
    fields = tuple(
        Field(
            _argument_name(field, name),
            vars(value)[name],
            _MISSING if name in given or field.default_factory is not None else field.default,
        )
        for name, field in known.items()
    )
    return Record(fields, certain=not _has_validators(cls, known.values()))


def _argument_name(field: Any, name: str) -> str:
    alias: object = getattr(field, "validation_alias", None) or getattr(field, "alias", None) or name
    if type(alias) is not str or not alias.isidentifier():
        raise ValueError(alias)
    return alias


def _has_validators(cls: type, fields: Iterable[Any]) -> bool:
    annotations = (note for field in fields for note in getattr(field, "metadata", ()))
    if any(type(note).__module__ == "pydantic.functional_validators" for note in annotations):
        return True
    decorators = class_attribute(cls, "__pydantic_decorators__")
    if decorators is None:
        return any(class_attribute(cls, name) for name in ("__validators__", "__pre_root_validators__"))
    kinds = ("validators", "field_validators", "root_validators", "model_validators")
    return any(getattr(decorators, kind, None) for kind in kinds)


def _slot(value: Any, name: str) -> Any:
    descriptor = class_attribute(type(value), name)
    try:
        return descriptor.__get__(value)
    except AttributeError:
        return None


def _stored(value: Any, cls: type, name: str) -> object:
    """What the instance itself holds under that name; AttributeError if it was deleted."""
    own = own_namespace(value)
    if name in own:
        return own[name]
    descriptor = class_attribute(cls, name)
    if type(descriptor) is not MemberDescriptorType:  # the project's own descriptor
        raise AttributeError(name)
    held: object = descriptor.__get__(value)
    return held


def _has_more(value: Any, cls: type, names: set[str]) -> bool:
    """Whether the instance holds what its constructor does not give it; what is only cached does not count."""
    extra = (name for name in own_namespace(value) if name not in names)
    return any(type(class_attribute(cls, name)) is not functools.cached_property for name in extra)


def own_namespace(value: Any) -> dict[str, Any]:
    """The instance's own attributes, straight from where Python keeps them; empty where it has no such place."""
    try:
        own: dict[str, Any] = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return own


def _is_generated(cls: type, name: str) -> bool:
    method = class_attribute(cls, name)
    code = getattr(getattr(method, "__func__", method), "__code__", None)
    return type(code) is CodeType and code.co_filename.startswith(_GENERATED)


def _may_store(cls: type, name: str) -> bool:
    """Whether the method that runs after the generated constructor may change what that one stored."""
    method = class_attribute(cls, name)
    if method is None:
        return False
    code = getattr(method, "__code__", None)
    if type(code) is not CodeType or {"setattr", "__setattr__", "__dict__", "update"} & set(code.co_names):
        return True
    return any(instruction.opname == "STORE_ATTR" for instruction in dis.get_instructions(code))


def _known_default(default: object, missing: object) -> object:
    return _MISSING if default is missing else default
