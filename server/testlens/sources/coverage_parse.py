"""Source text to what coverage.py's parser knows of it.

coverage.py offers this only together with a data file and a file on disk, so this module, alone in Testlens, uses its
private parser: the numbers have to be exactly coverage.py's, and a parse has to be kept by content.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from token import EXACT_TOKEN_TYPES, NEWLINE, OP

from coverage import parser as coverage_parser
from coverage.exceptions import NotPython
from coverage.parser import PythonParser
from coverage.phystokens import source_encoding

from testlens.domain.coverage import Arc, ParsedSource
from testlens.domain.problems import Problem


def decode(content: bytes) -> str:
    """The text of a source file as coverage.py reads it: declared encoding, `\\n` line ends, a last line end.

    A form feed becomes a space, as there, so that it never counts as a line end. Undecodable bytes are replaced, an
    unknown encoding falls back to UTF-8: a wrong letter in a comment must not hide the file.
    """
    normalised = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\f", b" ")
    try:
        text = normalised.decode(source_encoding(normalised), "replace")
    except (SyntaxError, LookupError):
        text = normalised.decode("utf-8-sig", "replace")
    return normalise(text)


def normalise(text: str) -> str:
    """The text of an open document in the form that `decode` gives, with the same lines."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").replace("\f", " ")
    return text if not text or text.endswith("\n") else text + "\n"


@dataclass(frozen=True, slots=True)
class Parsed:
    """A source text's facts, its syntax tree (so that nobody has to build it twice), and a way to name arcs."""

    source: ParsedSource
    tree: ast.Module
    describe: Callable[[Arc], str]


if sys.version_info[:2] == (3, 11):
    # On 3.11 the tokenizer of the standard library is written in Python and takes a third of a parse; from 3.12 on it
    # wraps CPython's own, which coverage.py's parser is given here.
    from _tokenize import TokenizerIter  # type: ignore[import-not-found]

    _Place = tuple[int, int]
    _OPERATORS = frozenset(EXACT_TOKEN_TYPES.values())

    def _generate_tokens(text: str) -> Iterator[tuple[int, str, _Place, _Place, str]]:
        """The tokens of `text` as the parser looks at them; it passes over comments, which are left out."""
        for string, kind, line, last_line, column, last_column, source in TokenizerIter(text):
            # This tokenizer hands over a comment at the end of a line as the text of the line end.
            shown = "" if kind == NEWLINE else string
            yield OP if kind in _OPERATORS else kind, shown, (line, column), (last_line, last_column), source

    coverage_parser.generate_tokens = _generate_tokens  # type: ignore[attr-defined]


# The fields in which statements, or clauses that wrap them, can stand; all others hold expressions.
_SUITES = frozenset({"body", "orelse", "finalbody", "handlers", "cases"})
_SUITE_FIELDS: dict[type[ast.AST], tuple[str, ...]] = {
    kind: tuple(field for field in kind._fields if field in _SUITES)
    for base in (ast.mod, ast.stmt, ast.excepthandler, ast.match_case)
    for kind in (base, *base.__subclasses__())
}


def _walk_statements(root: ast.AST) -> Iterator[ast.AST]:
    """The same nodes in the same order as coverage.py's own walk, which looks at every expression on its way."""
    pending = [root]
    while pending:
        node = pending.pop()
        yield node
        for field in _SUITE_FIELDS[node.__class__]:
            pending += getattr(node, field)


coverage_parser.walk_statement_nodes = _walk_statements


def parse(text: str, path: str, exclude: str, no_branch: str) -> Parsed | Problem:
    """Parse `text` (line ends already `\\n`) with coverage.py's `exclude` and partial-branch regexes.

    Text that is not Python for this interpreter gives a `Problem`.
    """
    if not text:
        return Parsed(_EMPTY, ast.Module([], []), lambda arc: "")
    parser = PythonParser(text=text, filename=path, exclude=exclude)
    try:
        parser.parse_source()
        # The parser lets go of the tree once the arcs are known.
        tree = parser._ast_root
        assert isinstance(tree, ast.Module)
        arcs = parser.arcs()
    except (NotPython, ValueError, RecursionError) as error:
        return _not_python(error, path)
    source = ParsedSource(
        statements=frozenset(parser.statements),
        excluded=frozenset(parser.excluded),
        no_branch=frozenset(parser.lines_matching(no_branch)) if no_branch else frozenset(),
        multiline=parser.multiline_map,
        arcs=frozenset(arcs),
        jump_fixes=dict(parser._with_jump_fixers),
        exit_counts=dict(parser.exit_counts()),
    )
    return Parsed(source, tree, lambda arc: _describe(parser, arc))


_EMPTY = ParsedSource(frozenset(), frozenset(), frozenset(), {}, frozenset(), {}, {})


def _not_python(error: Exception, path: str) -> Problem:
    line = re.search(r"at line (\d+)", str(error))
    return Problem(
        "This file is not valid Python for the interpreter that Testlens runs on, so it is left out.",
        "Mend the syntax, or run Testlens on the Python version that the project uses.",
        path,
        int(line[1]) if line else None,
    )


# What coverage.py's fragments become in a sentence of the form "line 34 never <action>: <cause>".
_ACTIONS = (
    (re.compile(r"^jump to line (-?\d+)$"), r"continued to line \1"),
    (re.compile(r"^jump to the function exit$"), "reached the end of the function"),
    (re.compile(r"^return from function '(.*)'$"), r"returned from `\1`"),
    (re.compile(r"^exit the module$"), "reached the end of the module"),
    (re.compile(r"^exit class '(.*)'$"), r"reached the end of class `\1`"),
    (re.compile(r"^except from function '(.*)'$"), r"raised out of `\1`"),
)
_CAUSES = (
    (re.compile(r" on line \{lineno\}"), ""),
    (re.compile(r"didn't complete"), "never ran to its end"),
)


def _describe(parser: PythonParser, arc: Arc) -> str:
    fragments = (parser._missing_arc_fragments or {}).get(arc) or [(None, None)]
    cause, action = fragments[0]
    text = parser._finish_action_msg(action, arc[1])
    for pattern, replacement in _ACTIONS:
        text, count = pattern.subn(replacement, text)
        if count:
            break
    else:
        text = f"could {text}"
    sentence = f"line {arc[0]} never {text}"
    if cause is None:
        return sentence
    for pattern, replacement in _CAUSES:
        cause = pattern.sub(replacement, cause)
    return f"{sentence}: {cause.format(lineno=arc[0])}"
