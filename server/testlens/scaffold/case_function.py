"""Cases as functions of one test file: with its fixtures' types, and run as the project runs what is asynchronous."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from testlens.domain.expressions import mark
from testlens.scaffold.annotations import fixture_types
from testlens.scaffold.host import Host
from testlens.scaffold.marked import Fragment, Placeholders
from testlens.scaffold.parsed_draft import ParsedCase
from testlens.scaffold.style import Style

SCENARIO = "scenario"
"""What the coroutine function is called that a plain test runs."""
_ASYNC_MARKS = {"strict": "asyncio", "anyio": "anyio"}


@dataclass(frozen=True, slots=True)
class CaseFunction:
    """A case whose name is settled.

    `parameters` are its fixtures, `self` before them in a class, `types` the annotations of some of them. `runner` is
    what runs the coroutine function `scenario`, where the test itself cannot be one.
    """

    name: str
    parsed: ParsedCase
    parameters: Sequence[str]
    types: Mapping[str, Fragment]
    decorators: Sequence[Fragment]
    runner: Fragment | None = None

    @property
    def is_coroutine(self) -> bool:
        """Whether the test is an `async def`."""
        return self.parsed.case.is_async and self.runner is None

    @property
    def local_names(self) -> set[str]:
        """The names that the test gives a meaning of its own."""
        return self.parsed.local_names | ({SCENARIO} if self.runner else set())

    def statements(self) -> Iterator[Sequence[ast.stmt]]:
        """All code of the test that is written."""
        for fragment in (*self.decorators, *self.types.values(), self.parsed.closing):
            yield fragment.body
        for section in self.parsed.sections:
            yield section.body
        if self.runner:
            yield self.runner.body


@dataclass(frozen=True, slots=True)
class FunctionMaker:
    """Makes functions of cases for one file; `in_class` says that they are methods."""

    placeholders: Placeholders
    style: Style
    texts: Mapping[str, str]
    host: Host
    in_class: bool

    def function(self, name: str, parsed: ParsedCase) -> CaseFunction:
        """The case as a function of this name."""
        case = parsed.case
        parameters = ("self", *case.fixtures) if self.in_class else case.fixtures
        types = fixture_types(case.fixtures, self.style, self.texts) if self.style.annotated else {}
        return CaseFunction(
            name,
            parsed,
            parameters,
            {fixture: self.placeholders.parse([code]) for fixture, code in types.items()},
            [*parsed.decorators, *map(self._mark, self._missing_marks(parsed))],
            self._runner() if case.is_async and self.style.asyncio == "none" else None,
        )

    def _runner(self) -> Fragment:
        return self.placeholders.parse([f"{mark('asyncio', 'run')}({SCENARIO}())"])

    def _mark(self, name: str) -> Fragment:
        return self.placeholders.parse([f"{mark('pytest', 'mark')}.{name}"])

    def _missing_marks(self, parsed: ParsedCase) -> list[str]:
        """The marks that the project's tests have, and that neither the case nor its file has yet."""
        wanted = list(self.style.marks)
        if parsed.case.is_async and self.style.asyncio in _ASYNC_MARKS:
            wanted.append(_ASYNC_MARKS[self.style.asyncio])
        present = " ".join([self.host.marks, *parsed.case.decorators])
        return [name for name in wanted if not re.search(rf"\b{name}\b", present)]
