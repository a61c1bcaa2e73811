"""One case as the lines of a test function, in the project's style."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from testlens.scaffold.expression_layout import Spelling, loosely_bracketed
from testlens.scaffold.layout import Margins, lay_out
from testlens.scaffold.marked import Fragment
from testlens.scaffold.statement_layout import Statements
from testlens.scaffold.style import Style

RECORDED = "# Recorded from today's behaviour: confirm that it is meant."
_WORDS = ("Given", "When", "Then")
_SHORT_BODY = 4
"""Statements; a body that has more is parted by blank lines."""


@dataclass(frozen=True, slots=True)
class Section:
    """Given, When or Then of a case: its sentence, and its statements as they are to be written."""

    text: str
    fragment: Fragment
    body: Sequence[ast.stmt]


@dataclass(frozen=True, slots=True)
class CaseFunction:
    """A case whose name is settled and whose code is parsed. `parameters` are its fixtures, `self` before them in a
    class; `closing` is what ends the test apart from its sections; `records_today` as in the case. `runner` is what
    runs the coroutine function `scenario`, where the test itself cannot be one."""

    name: str
    parameters: Sequence[str]
    decorators: Sequence[Fragment]
    sections: tuple[Section, Section, Section]
    closing: Fragment
    is_async: bool
    records_today: bool
    runner: Fragment | None = None

    @property
    def extras(self) -> tuple[Fragment, ...]:
        """The code that the case itself does not have."""
        return (*self.decorators, *([self.runner] if self.runner else []))


@dataclass(frozen=True, slots=True)
class Draftsman:
    """Writes test functions: `names` is the final text of each placeholder, `is_scenario` says that people are to read
    Given, When and Then in the body."""

    style: Style
    names: Mapping[str, str]
    margins: Margins
    is_scenario: bool

    def function(self, function: CaseFunction, indent: str) -> list[str]:
        """The lines of the test function."""
        lines: list[str] = []
        for decorator in function.decorators:
            statement = decorator.body[0]
            assert isinstance(statement, ast.Expr)
            lines += self._writer(decorator).decorator(statement.value, indent)
        inner = indent + self.margins.unit
        word = "async def" if function.is_async and not function.runner else "def"
        lines += self._signature(word, function.name, function.parameters, indent)
        lines += self._docstring(function, inner)
        if not function.runner:
            return lines + self._body(function, inner)
        lines += [""] if lines[-1].endswith('"""') else []
        lines += self._signature("async def", "scenario", (), inner)
        lines += self._body(function, inner + self.margins.unit)
        return [*lines, "", *self._writer(function.runner).lines(function.runner.body, inner)]

    def helper(self, fragment: Fragment) -> list[str]:
        """The lines of a helper."""
        writer = self._writer(fragment)
        return writer.lines(fragment.body, "") + writer.comments_after("")

    def _writer(self, fragment: Fragment, notes: Mapping[ast.stmt, Sequence[str]] | None = None) -> Statements:
        spelling = Spelling(self.names, fragment.literals, fragment.enclosed, self.style.quotes)
        return Statements(fragment.source, fragment.comments, spelling, self.margins, notes)

    def _signature(self, word: str, name: str, parameters: Sequence[str], indent: str) -> list[str]:
        returns = " -> None:" if self.style.annotated else ":"
        head = (f"{word} {name}", loosely_bracketed(parameters), returns)
        return lay_out(head, self.margins, indent)

    def _docstring(self, function: CaseFunction, indent: str) -> list[str]:
        texts = [section.text for section in function.sections]
        sentences = [_escaped(f"{word} {text}") for word, text in zip(_WORDS, texts, strict=True) if text]
        if self.style.docstrings == "given-when-then" and sentences:
            lines = [line for sentence in sentences for line in self._wrapped(sentence, indent, "    ")]
            return [f'{indent}"""', *lines, f'{indent}"""']
        if self.style.docstrings == "sentence" and (texts[1] or texts[2]):
            return self._sentence(texts[1], texts[2], indent)
        return []

    def _sentence(self, when: str, then: str, indent: str) -> list[str]:
        text = f"When {when}, {then}" if when and then else when or then
        text = _escaped(text[:1].upper() + text[1:].rstrip(".") + ".")
        line = f'{indent}"""{text}"""'
        if len(line) <= self.margins.width:
            return [line]
        return [f'{indent}"""', *self._wrapped(text, indent), f'{indent}"""']

    def _wrapped(self, text: str, indent: str, hanging: str = "") -> list[str]:
        wrapper = textwrap.TextWrapper(
            max(self.margins.width, len(indent) + 20),
            initial_indent=indent,
            subsequent_indent=indent + hanging,
            break_long_words=False,
            break_on_hyphens=False,
        )
        return wrapper.wrap(text)

    def _body(self, function: CaseFunction, indent: str) -> list[str]:
        recorded = _first_assertion(function.sections) if function.records_today else None
        notes = {recorded: [RECORDED]} if recorded is not None else {}
        blocks = [
            self._section_comment(word, section, indent)
            + self._writer(section.fragment, notes).lines(section.body, indent)
            for word, section in zip(_WORDS, function.sections, strict=True)
        ]
        closing = self._writer(function.closing)
        blocks.append(closing.lines(function.closing.body, indent))
        if function.records_today and recorded is None:
            blocks[2].append(indent + RECORDED)
        return self._joined([block for block in blocks if block], function)

    def _joined(self, blocks: Sequence[list[str]], function: CaseFunction) -> list[str]:
        statements = sum(len(section.body) for section in function.sections)
        parted = self.is_scenario or self.style.docstrings == "comments" or statements > _SHORT_BODY
        lines: list[str] = []
        for block in blocks:
            lines += ["", *block] if lines and parted else block
        return lines

    def _section_comment(self, word: str, section: Section, indent: str) -> list[str]:
        if self.style.docstrings == "given-when-then":
            return [f"{indent}# {word}"] if self.is_scenario and section.body else []
        if not self.is_scenario and self.style.docstrings != "comments":
            return []
        if not section.text:
            return [f"{indent}# {word}"] if section.body else []
        return self._wrapped(f"{word} {section.text}", f"{indent}# ")


def _first_assertion(sections: Sequence[Section]) -> ast.stmt | None:
    """The statement that holds the first recorded assertion: one of Then's, or the block that expects an exception."""
    for section in reversed(sections):
        for statement in section.body:
            if any(isinstance(node, ast.Assert) for node in ast.walk(statement)):
                return statement
    for section in reversed(sections):
        for statement in section.body:
            if isinstance(statement, ast.With | ast.AsyncWith):
                return statement
    return sections[2].body[0] if sections[2].body else None


def _escaped(text: str) -> str:
    """A sentence that can stand in a docstring: on one line, without what would end or change it."""
    text = " ".join(text.split()).replace("\\", "\\\\").replace('"""', "'''")
    return text[:-1] + "'" if text.endswith('"') else text
