"""Marked source as syntax trees, in which a placeholder name stands for each thing to import."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from keyword import iskeyword

from testlens.domain.expressions import Reference, mark, resolve
from testlens.scaffold.binding import operands
from testlens.scaffold.statement_layout import Comments

# `repr` of a time says `datetime.timezone.utc`, for which there is a shorter name today.
_TIMEZONE_UTC = re.compile(
    "|".join(
        re.escape(text)
        for text in (
            mark("datetime", "timezone.utc"),
            mark("datetime", "timezone") + ".utc",
            mark("datetime", "") + ".timezone.utc",
        )
    )
)
_PLACEHOLDER = "testlens_reference_{}_"


class UnwritableError(ValueError):
    """A draft that is no Python, or that imports what cannot be imported by name."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """Statements of a draft. `literals` has the source text of each literal of `body`, `enclosed` the operands that
    have parentheses, needed or not."""

    source: str
    body: list[ast.stmt]
    comments: Comments
    literals: Mapping[ast.AST, str]
    enclosed: frozenset[ast.AST] = frozenset()


class Placeholders:
    """Parses the marked source of one draft, to be run by `python` or later; the same reference has the same
    placeholder everywhere."""

    def __init__(self, python: tuple[int, int]) -> None:
        self._has_utc = python >= (3, 11)
        self._names: dict[Reference, str] = {}

    def parse(self, code: Sequence[str]) -> Fragment:
        """Statements of marked source; UnwritableError where they are no Python."""
        marked = "\n".join(code)
        if self._has_utc:
            marked = _TIMEZONE_UTC.sub(mark("datetime", "UTC"), marked)
        source = resolve(marked, self.name) + "\n"
        try:
            tree = ast.parse(source)
            comments = Comments.of(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise UnwritableError(f"This is no Python: {source!r}") from error
        return Fragment(source, tree.body, comments, dict(_literals(tree, source)), frozenset(_enclosed(tree, source)))

    def name(self, reference: Reference) -> str:
        """The placeholder of a reference."""
        if not _is_importable(reference):
            raise UnwritableError(f"{reference.module}:{reference.qualname} cannot be imported by name")
        return self._names.setdefault(reference, _PLACEHOLDER.format(len(self._names)))

    def references(self) -> Mapping[str, Reference]:
        """The references met so far by their placeholders, in the order of their first use."""
        return {name: reference for reference, name in self._names.items()}


def _is_importable(reference: Reference) -> bool:
    parts = [*reference.module.split("."), *(reference.qualname.split(".") if reference.qualname else ())]
    return all(part.isidentifier() and not iskeyword(part) for part in parts)


def _literals(tree: ast.Module, source: str) -> Iterator[tuple[ast.AST, str]]:
    lines = [line.encode() for line in source.split("\n")]
    for node in ast.walk(tree):
        if isinstance(node, (ast.Constant, ast.JoinedStr)):
            yield node, _segment(node, lines)


def _enclosed(tree: ast.Module, source: str) -> Iterator[ast.AST]:
    """The operations that are operands of another and have parentheses around them."""
    lines = [line.encode() for line in source.split("\n")]
    for node in ast.walk(tree):
        if not isinstance(node, ast.expr):
            continue
        for operand in operands(node):
            before = lines[operand.lineno - 1][: operand.col_offset].rstrip()
            starts_later = (operand.lineno, operand.col_offset) > (node.lineno, node.col_offset)
            if operands(operand) and starts_later and before.endswith(b"("):
                yield operand


def _segment(node: ast.expr, lines: Sequence[bytes]) -> str:
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    if first == last:
        return lines[first][node.col_offset : node.end_col_offset].decode()
    parts = [lines[first][node.col_offset :], *lines[first + 1 : last], lines[last][: node.end_col_offset]]
    return b"\n".join(parts).decode()
