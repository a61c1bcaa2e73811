"""One case as the lines of a test function, in the project's style."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from testlens.scaffold.case_function import SCENARIO, CaseFunction
from testlens.scaffold.expression_layout import Spelling, loosely_bracketed
from testlens.scaffold.layout import Doc, Margins, lay_out
from testlens.scaffold.marked import Fragment
from testlens.scaffold.parsed_draft import ParsedCase, Section
from testlens.scaffold.statement_layout import Statements
from testlens.scaffold.style import Style

RECORDED = "# Recorded from today's behaviour: confirm that it is meant."
_WORDS = ("Given", "When", "Then")
_SHORT_BODY = 4
"""Statements; a body that has more is parted by blank lines."""


@dataclass(frozen=True, slots=True)
class StepFunction:
    """A step of a scenario in a feature file: the function behind one sentence. `parts` are its statements in order."""

    name: str
    parameters: Sequence[str]
    decorator: Fragment
    parts: Sequence[Section]
    records_today: bool = False

    @property
    def text(self) -> str:
        """What it does in words."""
        return self.parts[0].text


@dataclass(frozen=True, slots=True)
class _Block:
    """Lines that belong together, and the statements in them."""

    lines: list[str]
    statements: Sequence[ast.stmt]


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
        lines = [line for decorator in function.decorators for line in self._decorator(decorator, indent)]
        parameters = [self._parameter(name, function.types.get(name)) for name in function.parameters]
        word = "async def" if function.is_coroutine else "def"
        lines += self._signature(word, function.name, parameters, indent)
        inner = indent + self.margins.unit
        docstring = self._docstring(function.parsed, inner)
        body = (
            self._run_body(function.parsed, function.runner, inner)
            if function.runner
            else self._body(function.parsed, inner)
        )
        if docstring and _is_definition(body[0].statements):
            docstring.append("")
        return [*lines, *docstring, *self._joined(body, function.parsed)]

    def _run_body(self, parsed: ParsedCase, runner: Fragment, indent: str) -> list[_Block]:
        """The body as a coroutine function, and the call that runs it."""
        lines = self._signature("async def", SCENARIO, (), indent)
        inner = self._body(parsed, indent + self.margins.unit)
        definition = _Block([*lines, *self._joined(inner, parsed)], ast.parse(f"def {SCENARIO}(): ...").body)
        return [definition, _Block(self._code(runner, runner.body, indent), runner.body)]

    def _decorator(self, fragment: Fragment, indent: str) -> list[str]:
        return self._writer(fragment).decorator(_expression(fragment), indent)

    def step(self, function: StepFunction) -> list[str]:
        """The lines of a step function."""
        decorator = self._decorator(function.decorator, "")
        indent = self.margins.unit
        recorded = _first_assertion(function.parts) if function.records_today else None
        notes = {recorded: [RECORDED]} if recorded is not None else {}
        body = [line for part in function.parts for line in self._code(part.fragment, part.body, indent, notes)]
        if not any(part.body for part in function.parts):
            body = self._sentence(function.text, "", indent) + body
        return [*decorator, *self._signature("def", function.name, function.parameters, ""), *body]

    def recorded(self, fragment: Fragment, indent: str) -> list[str]:
        """The lines of statements that claim what the code does today, which is said above the first of them."""
        return self._code(fragment, fragment.body, indent, {fragment.body[0]: [RECORDED]})

    def helper(self, fragment: Fragment) -> list[str]:
        """The lines of a helper."""
        return self._code(fragment, fragment.body, "")

    def _writer(self, fragment: Fragment, notes: Mapping[ast.stmt, Sequence[str]] | None = None) -> Statements:
        spelling = Spelling(self.names, fragment.literals, fragment.enclosed, self.style.quotes, self.style.python)
        return Statements(fragment.source, fragment.comments, spelling, self.margins, notes)

    def _parameter(self, name: str, annotation: Fragment | None) -> Doc:
        if annotation is None:
            return name
        return (name, ": ", self._writer(annotation).expression(_expression(annotation)))

    def _signature(self, word: str, name: str, parameters: Sequence[Doc], indent: str) -> list[str]:
        returns = " -> None:" if self.style.annotated else ":"
        head = (f"{word} {name}", loosely_bracketed(parameters), returns)
        return lay_out(head, self.margins, indent)

    def _docstring(self, parsed: ParsedCase, indent: str) -> list[str]:
        texts = [section.text for section in parsed.sections]
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

    def _body(self, parsed: ParsedCase, indent: str) -> list[_Block]:
        recorded = _first_assertion(parsed.sections) if parsed.case.records_today else None
        notes = {recorded: [RECORDED]} if recorded is not None else {}
        blocks = [
            _Block(
                self._section_comment(word, section, indent)
                + self._code(section.fragment, section.body, indent, notes),
                section.body,
            )
            for word, section in zip(_WORDS, parsed.sections, strict=True)
        ]
        if parsed.case.records_today and recorded is None:
            blocks[2].lines.append(indent + RECORDED)
        blocks.append(_Block(self._code(parsed.closing, parsed.closing.body, indent), parsed.closing.body))
        return [block for block in blocks if block.lines]

    def _code(
        self,
        fragment: Fragment,
        body: Sequence[ast.stmt],
        indent: str,
        notes: Mapping[ast.stmt, Sequence[str]] | None = None,
    ) -> list[str]:
        writer = self._writer(fragment, notes)
        return writer.lines(body, indent) + writer.comments_after(indent)

    def _joined(self, blocks: Sequence[_Block], parsed: ParsedCase) -> list[str]:
        statements = sum(len(section.body) for section in parsed.sections)
        parted = self.is_scenario or self.style.docstrings == "comments" or statements > _SHORT_BODY
        lines: list[str] = []
        previous: Sequence[ast.stmt] = ()
        for block in blocks:
            needs_blank = parted or _is_definition(block.statements) or _is_definition(previous[-1:])
            lines += ["", *block.lines] if lines and needs_blank else block.lines
            previous = block.statements
        return lines

    def _section_comment(self, word: str, section: Section, indent: str) -> list[str]:
        if self.style.docstrings == "given-when-then":
            return [f"{indent}# {word}"] if self.is_scenario and section.body else []
        if not self.is_scenario and self.style.docstrings != "comments":
            return []
        if not section.text:
            return [f"{indent}# {word}"] if section.body else []
        return self._wrapped(f"{word} {section.text}", f"{indent}# ")


def _expression(fragment: Fragment) -> ast.expr:
    statement = fragment.body[0]
    assert isinstance(statement, ast.Expr), fragment.source
    return statement.value


def _is_definition(statements: Sequence[ast.stmt]) -> bool:
    """Whether the first of the statements is one that blank lines part from others."""
    return bool(statements) and isinstance(statements[0], ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)


def _first_assertion(sections: Sequence[Section]) -> ast.stmt | None:
    """The statement that holds the first recorded assertion: one of the last section's, or the block that expects an
    exception."""
    for section in reversed(sections):
        for statement in section.body:
            if any(isinstance(node, ast.Assert) for node in ast.walk(statement)):
                return statement
    for section in reversed(sections):
        for statement in section.body:
            if isinstance(statement, ast.With | ast.AsyncWith):
                return statement
    return sections[-1].body[0] if sections[-1].body else None


def _escaped(text: str) -> str:
    """A sentence that can stand in a docstring: on one line, without what would end or change it."""
    text = " ".join(text.split())
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    text = text.replace("\\", "\\\\").replace('"""', "'''")
    return text[:-1] + "'" if text.endswith('"') else text
