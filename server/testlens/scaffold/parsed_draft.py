"""A draft as syntax trees: its statements tidied, its imports known."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from testlens.domain.cases import Case, Draft, Helper, Step
from testlens.domain.expressions import Reference, mark
from testlens.scaffold.marked import Fragment, Placeholders, UnwritableError
from testlens.scaffold.tidy import bound_names, tidy
from testlens.scaffold.unused import without_unused

_MESSAGE_WIDTH = 60
"""Characters; a longer message is made of several literals, which the layout may put on lines of their own."""
_EMPTY = "write what is to happen"


@dataclass(frozen=True, slots=True)
class Section:
    """Given, When or Then of a case: its sentence, and its statements as they are to be written."""

    text: str
    fragment: Fragment
    body: Sequence[ast.stmt]


@dataclass(frozen=True, slots=True)
class ParsedCase:
    """A case with its code parsed. `closing` is what ends it after its sections: the TODO, if there is one."""

    case: Case
    decorators: tuple[Fragment, ...]
    sections: tuple[Section, Section, Section]
    closing: Fragment

    @property
    def local_names(self) -> set[str]:
        """The names that the test gives a meaning of its own."""
        return {name for section in self.sections for name in bound_names(section.body)} | set(self.case.fixtures)


@dataclass(frozen=True, slots=True)
class ParsedHelper:
    """A helper with its code parsed."""

    helper: Helper
    fragment: Fragment


@dataclass(frozen=True, slots=True)
class ParsedDraft:
    """A draft with its code parsed; `references` are by the placeholder that stands for them in the code."""

    recipe: str
    group: str
    cases: tuple[ParsedCase, ...]
    helpers: tuple[ParsedHelper, ...]
    placeholders: Placeholders

    def used(self, suites: Iterable[Sequence[ast.stmt]]) -> Mapping[str, Reference]:
        """The references that the statements need, by their placeholders."""
        found = {name for suite in suites for name in _names_in(suite)}
        return {name: reference for name, reference in self.placeholders.references().items() if name in found}


def parse_draft(draft: Draft, python: tuple[int, int]) -> ParsedDraft:
    """The draft with its code parsed and tidied, for this version of Python; UnwritableError where it is no Python."""
    placeholders = Placeholders(python)
    helpers = tuple(ParsedHelper(helper, placeholders.parse([helper.code])) for helper in draft.helpers)
    cases = tuple(_parse_case(case, placeholders) for case in draft.cases)
    return ParsedDraft(draft.recipe, draft.group, cases, helpers, placeholders)


def _parse_case(case: Case, placeholders: Placeholders) -> ParsedCase:
    given, when, then = _parse_steps((case.given, case.when, case.then), placeholders)
    is_empty = not (given.body or when.body or then.body)
    todo = _EMPTY if case.todo is None and is_empty else case.todo
    decorators = tuple(placeholders.parse([decorator]) for decorator in case.decorators)
    if not all(len(decorator.body) == 1 and isinstance(decorator.body[0], ast.Expr) for decorator in decorators):
        raise UnwritableError(f"A decorator is one expression: {case.decorators}")
    return ParsedCase(case, decorators, (given, when, then), placeholders.parse(_todo_code(todo)))


def _parse_steps(steps: Sequence[Step], placeholders: Placeholders) -> list[Section]:
    fragments = [placeholders.parse(step.code) for step in steps]
    bodies = without_unused(tidy([fragment.body for fragment in fragments], placeholders.references()))
    parsed = zip(steps, fragments, bodies, strict=True)
    return [Section(step.text, fragment, body) for step, fragment, body in parsed]


def _todo_code(todo: str | None) -> list[str]:
    if todo is None:
        return []
    message = " ".join(todo.split())
    message = message if message.startswith("TODO") else f"TODO: {message}"
    parts = textwrap.wrap(
        message, _MESSAGE_WIDTH, break_long_words=False, break_on_hyphens=False, drop_whitespace=False
    )
    literals = "".join(f"    {part!r}\n" for part in parts)
    comments = [f"# {line}" for line in textwrap.wrap(message, 2 * _MESSAGE_WIDTH // 2 + 12, break_long_words=False)]
    return [*comments, f"{mark('pytest', 'fail')}(\n{literals})"]


def _names_in(suite: Sequence[ast.stmt]) -> Iterator[str]:
    for statement in suite:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name):
                yield node.id
