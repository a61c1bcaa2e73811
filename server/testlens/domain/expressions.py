"""Python source that a test can hold, in which every name that has to be imported is marked.

A mark is `\\x01module:qualname\\x02`, so that a renderer can write `HealthRecord` or `models.HealthRecord`, as the
project's tests do. No literal contains these two characters: `repr` escapes them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

_MARK = re.compile("\x01([^\x01\x02:]*):([^\x01\x02:]*)\x02")

Origin = Literal["seen", "fixture", "default", "literal", "type", "name", "mock"]
"""Where a value comes from, most telling first: seen in the project's own tests, a fixture of theirs, the parameter's
default, a literal that the code compares with, the annotated type, the parameter's name, a stand-in."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Something to import: `qualname` is dotted where it is nested in a class, empty for the module itself."""

    module: str
    qualname: str


def mark(module: str, qualname: str) -> str:
    """The text that stands for a name of a module in marked source; `builtins` need no mark."""
    return qualname if module == "builtins" else f"\x01{module}:{qualname}\x02"


def references(code: str) -> tuple[Reference, ...]:
    """The names that marked source needs, in the order of their first use."""
    return tuple(dict.fromkeys(Reference(found[1], found[2]) for found in _MARK.finditer(code)))


def resolve(code: str, write: Callable[[Reference], str]) -> str:
    """Marked source as plain source, each mark as `write` has it."""
    return _MARK.sub(lambda found: write(Reference(found[1], found[2])), code)


@dataclass(frozen=True, slots=True)
class Expression:
    """A value in marked source. `fixtures` are the pytest fixtures that `code` names and the test has to ask for."""

    code: str
    fixtures: tuple[str, ...] = ()
    origin: Origin = "literal"

    @classmethod
    def from_json(cls, fields: Mapping[str, Any], origin: Origin = "seen") -> Expression:
        """What the agent says of a value; ValueError or KeyError if it is not that."""
        code, fixtures = fields["code"], tuple(fields.get("fixtures", ()))
        if not isinstance(code, str) or not all(isinstance(name, str) for name in fixtures):
            raise ValueError(fields)
        return cls(code, fixtures, fields.get("origin", origin))
