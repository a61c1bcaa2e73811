"""What came of trying a test in the project's interpreter, and what that interpreter knows of the code under test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from testlens.domain.calls import Raised
from testlens.domain.coverage import Arc
from testlens.domain.expressions import Expression

TrialOutcome = Literal["passed", "failed", "error", "skipped", "timeout", "crashed", "blocked"]
"""As pytest has it; `error` is a failure outside of the test's body, `blocked` an attempt to touch what the sandbox
guards (files outside of its folder, the network, processes), `crashed` the end of the whole process."""

CALLS_SEEN = 30
"""The explorer tells of no more calls of one stand-in than that."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A value that a local variable of the test had at the end of its body.

    `type` is its class in marked source, `code` the value itself, None where no source can rebuild it. `calls` are, for
    a stand-in of unittest.mock, the calls it got in marked source (`call.put(Item={'id': 1})`), in order. `attributes`
    are the public attributes of an instance that can be rebuilt, by name in marked source.
    """

    type: str
    code: str | None
    calls: tuple[str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    iterable: tuple[str, ...] | None = None
    """For an iterator or generator that has not been used: its first items in marked source."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of one test that was tried. `lines` and `arcs` (1-based) are those of the watched file that the test's
    own body ran, its import left out. `raised` is what left the test's body; `local_values` holds its variables, also
    where it raised. `blocked` says in words what the sandbox refused.
    """

    outcome: TrialOutcome
    lines: frozenset[int] = frozenset()
    arcs: frozenset[Arc] = frozenset()
    raised: Raised | None = None
    local_values: Mapping[str, Seen] = field(default_factory=dict)
    blocked: str | None = None
    message: str = ""
    seconds: float = 0.0


ParameterKind = Literal["positional only", "positional", "variadic", "keyword only", "keywords"]


DataLibrary = Literal["dataclasses", "attrs", "pydantic", "sqlalchemy", "django"]


@dataclass(frozen=True, slots=True)
class DataClass:
    """A class that holds data. `name` is marked source; `fields` are the names that its constructor takes, those of
    positional arguments in their order; `required` are those of them that have no default.
    """

    name: str
    library: DataLibrary
    fields: tuple[str, ...]
    required: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ParameterFacts:
    """One parameter as the interpreter sees it; `self` and `cls` are left out.

    `values` are expressions that suit the annotation and the default, simplest first; empty where nothing is known.
    `data` is the class that the annotation names, where that holds data.
    """

    name: str
    kind: ParameterKind
    has_default: bool
    annotation: str
    values: tuple[Expression, ...]
    data: DataClass | None = None


FunctionKind = Literal["function", "method", "class method", "static method", "property", "class", "unreachable"]


@dataclass(frozen=True, slots=True)
class FunctionDescription:
    """What the project's interpreter knows of one function.

    `name` is dotted as in the source file, `module` the name it is imported under. `callee` is marked source that can
    be called: the function itself (`Class.create` of a class or static method), the class for its constructor; for a
    method or property it is the class. `receivers` are expressions that build an instance, most faithful first.
    `unreachable` says why no test can call it (an inner function, a module that cannot be imported), else None.
    """

    name: str
    module: str
    kind: FunctionKind
    callee: str
    is_async: bool = False
    is_generator: bool = False
    is_context_manager: bool = False
    parameters: tuple[ParameterFacts, ...] = ()
    receivers: tuple[Expression, ...] = ()
    unreachable: str | None = None
