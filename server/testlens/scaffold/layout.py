"""Lays out text that may be broken into lines: Wadler's pretty printer, as Prettier, Black and Ruff have it.

A document is text, a sequence of documents, or one of the classes here. A `Group` stays on one line where it fits and
is broken as a whole where it does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """Where a broken group goes on in a new line; `flat` stands there instead where it is not broken."""

    flat: str = " "


@dataclass(frozen=True, slots=True)
class IfBroken:
    """`broken` where the group around it is broken, `flat` where it is not."""

    broken: Doc
    flat: Doc = ""


@dataclass(frozen=True, slots=True)
class Indent:
    """One level deeper, for the lines that begin within."""

    content: Doc


@dataclass(frozen=True, slots=True)
class Group:
    """Broken as a whole, or not at all."""

    content: Doc


@dataclass(frozen=True, slots=True)
class Bracketed(Group):
    """A group whose first and last characters are brackets, so that lines may end anywhere within."""


Doc = str | tuple["Doc", ...] | Line | IfBroken | Indent | Group

SOFT = Line("")
SPACE = Line(" ")


@dataclass(frozen=True, slots=True)
class Margins:
    """How wide a line may be, in characters, and what one level of indentation is."""

    width: int
    unit: str = "    "

    def measure(self, text: str) -> int:
        """How wide a line is; a tab counts as four characters."""
        return len(text.expandtabs(4)) if "\t" in text else len(text)


def separated(items: Iterable[Doc], separator: Doc = (",", SPACE)) -> Doc:
    """The items with `separator` between them."""
    parts: list[Doc] = []
    for item in items:
        parts.extend((separator, item) if parts else (item,))
    return tuple(parts)


def unbroken_outside(doc: Doc) -> Doc:
    """The document with all lines joined that are outside of brackets."""
    match doc:
        case Bracketed() | str():
            return doc
        case tuple():
            return tuple(unbroken_outside(part) for part in doc)
        case Line(flat):
            return flat
        case IfBroken(_, flat):
            return unbroken_outside(flat)
        case Indent(content) | Group(content):
            return unbroken_outside(content)


def flat_text(doc: Doc) -> str:
    """The document on one line, whatever its length."""
    match doc:
        case str():
            return doc
        case tuple():
            return "".join(flat_text(part) for part in doc)
        case Line(flat):
            return flat
        case IfBroken(_, flat):
            return flat_text(flat)
        case Indent(content) | Group(content):
            return flat_text(content)


def lay_out(doc: Doc, margins: Margins, indent: str = "") -> list[str]:
    """The lines of the document, the first and the others indented by `indent`; a line may be too long where no
    group can be broken any more."""
    return _Layout(margins).lines(doc, indent)


_Entry = tuple[str, bool, Doc]
"""What is still to be written: its indentation, whether the group around it is broken, and the document."""


class _Layout:
    """Writes one document; the stack holds what is still to come, next last."""

    def __init__(self, margins: Margins) -> None:
        self._margins = margins
        self._lines: list[str] = []
        self._current = ""

    def lines(self, doc: Doc, indent: str) -> list[str]:
        self._current = indent
        stack: list[_Entry] = [(indent, True, doc)]
        while stack:
            self._write(stack.pop(), stack)
        return [*self._lines, self._current]

    def _write(self, entry: _Entry, stack: list[_Entry]) -> None:
        indent, broken, doc = entry
        match doc:
            case str():
                self._text(doc)
            case tuple():
                stack.extend((indent, broken, part) for part in reversed(doc))
            case Line(flat):
                if broken:
                    self._lines.append(self._current.rstrip(" "))
                    self._current = indent
                else:
                    self._current += flat
            case IfBroken():
                stack.append((indent, broken, doc.broken if broken else doc.flat))
            case Indent(content):
                stack.append((indent + self._margins.unit, broken, content))
            case Group(content):
                stack.append((indent, not self._fits((indent, False, content), stack), content))

    def _text(self, text: str) -> None:
        # Only a string literal in triple quotes has lines of its own, and they are not to be indented.
        *whole, last = text.split("\n")
        for line in whole:
            self._lines.append(self._current + line)
            self._current = ""
        self._current += last

    def _fits(self, entry: _Entry, rest: list[_Entry]) -> bool:
        """Whether the entry fits on the current line together with what follows it up to the next possible break."""
        room = self._margins.width - self._margins.measure(self._current)
        for text in _texts_up_to_break(entry, rest):
            first, newline, _ = text.partition("\n")
            room -= len(first)
            if room < 0:
                return False
            if newline:
                return True
        return True


def _texts_up_to_break(entry: _Entry, rest: list[_Entry]) -> Iterator[str]:
    stack, position = [entry], len(rest)
    while stack or position:
        if not stack:
            position -= 1
            stack.append(rest[position])
        indent, broken, doc = stack.pop()
        match doc:
            case str():
                yield doc
            case tuple():
                stack.extend((indent, broken, part) for part in reversed(doc))
            case Line(flat):
                if broken:
                    return
                yield flat
            case IfBroken():
                stack.append((indent, broken, doc.broken if broken else doc.flat))
            case Indent(content) | Group(content):
                stack.append((indent, broken, content))
