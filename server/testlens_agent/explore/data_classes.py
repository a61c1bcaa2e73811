"""What a class that holds data is made of, whichever library it is one of."""

from __future__ import annotations

import contextlib
import dataclasses
import typing
from collections.abc import Callable
from typing import Any, Optional

from testlens_agent.import_paths import import_path

_Fields = Optional[tuple[list[str], list[str]]]


def data_class(hint: Any) -> dict[str, Any] | None:
    """The class that an annotation names, or the one that it names beside None; None where that holds no data."""
    kinds = [kind for kind in (hint, *typing.get_args(hint)) if isinstance(kind, type) and kind is not type(None)]
    if len(kinds) != 1:
        return None
    # The metadata of a class may be made when it is asked for, by code that may raise anything.
    with contextlib.suppress(Exception):
        return _data_class(kinds[0])
    return None


def _data_class(kind: type) -> dict[str, Any] | None:
    path = import_path(kind)
    for library, read in _READERS:
        found = read(kind)
        if found is not None and path is not None:
            fields, required = found
            return {"name": path, "library": library, "fields": fields, "required": required}
    return None


def _of_dataclass(kind: Any) -> _Fields:
    if not dataclasses.is_dataclass(kind):
        return None
    fields = [field for field in dataclasses.fields(kind) if field.init]
    missing = dataclasses.MISSING
    required = [one.name for one in fields if one.default is missing and one.default_factory is missing]
    return [field.name for field in fields], required


def _of_attrs(kind: Any) -> _Fields:
    fields = getattr(kind, "__attrs_attrs__", None)
    if fields is None:
        return None
    taken = [field for field in fields if field.init]
    names = {field: getattr(field, "alias", None) or field.name.lstrip("_") for field in taken}
    required = [names[field] for field in taken if repr(field.default) == "NOTHING"]
    return list(names.values()), required


def _of_pydantic(kind: Any) -> _Fields:
    if not any(base.__module__.partition(".")[0] == "pydantic" for base in kind.__mro__[1:]):
        return None
    fields = getattr(kind, "model_fields", None) or getattr(kind, "__fields__", {})
    required = [name for name, field in fields.items() if _is_needed(field)]
    return list(fields), required


def _is_needed(field: Any) -> bool:
    asked = getattr(field, "is_required", None)
    return bool(asked()) if callable(asked) else bool(getattr(field, "required", False))


def _of_sqlalchemy(kind: Any) -> _Fields:
    mapper = getattr(kind, "__mapper__", None)
    if mapper is None:
        return None
    columns = {name: mapper.columns[name] for name in mapper.columns.keys()}  # noqa: SIM118  (no dict of its own)
    required = [
        name
        for name, column in columns.items()
        if not (column.nullable or column.primary_key or column.default is not None or column.server_default)
    ]
    return list(columns), required


def _of_django(kind: Any) -> _Fields:
    meta = getattr(kind, "_meta", None)
    if meta is None or not any(base.__module__ == "django.db.models.base" for base in kind.__mro__):
        return None
    fields = [field for field in meta.fields if not field.auto_created and not field.is_relation]
    return [field.name for field in fields], [one.name for one in fields if not one.has_default() and not one.null]


_READERS: tuple[tuple[str, Callable[[Any], _Fields]], ...] = (
    ("dataclasses", _of_dataclass), ("attrs", _of_attrs), ("pydantic", _of_pydantic), ("sqlalchemy", _of_sqlalchemy),
    ("django", _of_django),
)  # fmt: skip
