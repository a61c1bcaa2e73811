"""Statements as lines of text, as Ruff's formatter would write them; comments stay where they were."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from testlens.scaffold.binding import BINARY, Level, breaks_at_brackets, is_name_or_literal, may_be_parenthesized
from testlens.scaffold.expression_layout import Expressions, Spelling, loosely_bracketed, parenthesized
from testlens.scaffold.layout import (
    SOFT,
    Bracketed,
    Doc,
    IfBroken,
    Indent,
    Margins,
    flat_text,
    lay_out,
    separated,
    unbroken_outside,
)

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_With = ast.With | ast.AsyncWith


@dataclass(frozen=True, slots=True)
class Comments:
    """The comments of a source text by 1-based line: those with a line of their own (with their column), and those
    that follow code."""

    own: Mapping[int, tuple[int, str]] = field(default_factory=dict)
    trailing: Mapping[int, str] = field(default_factory=dict)

    @classmethod
    def of(cls, source: str) -> Comments:
        """The comments of a text that parses."""
        own, trailing = {}, {}
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type != tokenize.COMMENT:
                continue
            line, column = token.start
            if token.line[:column].strip():
                trailing[line] = token.string
            else:
                own[line] = (column, token.string)
        return cls(own, trailing)


class Statements:
    """Writes the statements of one source text; `notes` are comments to put above some of them."""

    def __init__(
        self,
        source: str,
        comments: Comments,
        spelling: Spelling,
        margins: Margins,
        notes: Mapping[ast.stmt, Sequence[str]] | None = None,
    ) -> None:
        self._source = source.split("\n")
        self._comments = comments
        self._spelling = spelling
        self._expressions = Expressions(spelling)
        self._margins = margins
        self._notes = notes or {}
        self._written: set[int] = set()

    def lines(self, body: Sequence[ast.stmt], indent: str) -> list[str]:
        """The lines of a suite of statements, blank lines between them kept, with all comments before and within."""
        lines: list[str] = []
        previous: ast.stmt | None = None
        for statement in body:
            first = _first_line(statement)
            before = self._comments_before(first, indent)
            before += [indent + note for note in self._notes.get(statement, ())]
            if previous is not None:
                lines += self._blank_between(previous, statement, bool(before))
            lines += before
            lines += self._statement(statement, indent)
            previous = statement
        return lines

    def comments_after(self, indent: str) -> list[str]:
        """The comments that no statement has taken along."""
        return self._comments_before(len(self._source) + 1, indent)

    def _comments_before(self, line: int, indent: str, column: int = 0) -> list[str]:
        found = [
            number
            for number in sorted(self._comments.own)
            if number < line and number not in self._written and self._comments.own[number][0] >= column
        ]
        self._written.update(found)
        return [indent + self._spelling.verbatim(self._comments.own[number][1]) for number in found]

    def _blank_between(self, previous: ast.stmt, following: ast.stmt, commented: bool) -> list[str]:
        if isinstance(previous, _Definition) or isinstance(following, _Definition):
            return [""]
        start = previous.end_lineno or previous.lineno
        between = self._source[start : _first_line(following) - 1]
        return [""] if any(not line.strip() for line in between) else []

    def _statement(self, node: ast.stmt, indent: str) -> list[str]:
        if self._has_inner_comment(node):
            return self._as_it_was(node, indent)
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                return self._definition(node, indent)
            case ast.If() | ast.For() | ast.AsyncFor() | ast.While() | ast.With() | ast.AsyncWith() | ast.Try():
                return self._compound(node, indent)
        if isinstance(node, (ast.Match, ast.TryStar)):
            return self._as_it_was(node, indent)
        lines = self._simple(node, indent)
        return self._with_trailing(lines, node.end_lineno or node.lineno)

    def _with_trailing(self, lines: list[str], line: int) -> list[str]:
        comment = self._comments.trailing.get(line)
        if comment is None or line in self._written:
            return lines
        self._written.add(line)
        return [*lines[:-1], f"{lines[-1]}  {comment}"]

    def _has_inner_comment(self, node: ast.stmt) -> bool:
        """Whether a comment stands between the first and the last line of the statement, or of a compound's head."""
        body = getattr(node, "body", None)
        last = (_first_line(body[0]) if isinstance(body, list) and body else node.end_lineno or node.lineno) - 1
        if isinstance(body, list) and body and last < node.lineno:
            return False
        head_end = _head_end(node)
        inside = range(node.lineno, head_end)
        return any(line in self._comments.own or line in self._comments.trailing for line in inside)

    def _as_it_was(self, node: ast.stmt, indent: str) -> list[str]:
        first, last = _first_line(node), node.end_lineno or node.lineno
        self._written.update(range(first, last + 1))
        lines = [self._spelling.verbatim(line) for line in self._source[first - 1 : last]]
        return [indent + line[node.col_offset :] if line.strip() else "" for line in lines]

    def _simple(self, node: ast.stmt, indent: str) -> list[str]:
        parts = _simple_parts(node, self._expressions)
        if parts is None:
            return [indent + self._spelling.verbatim(line) for line in ast.unparse(node).splitlines()]
        prefix, value, suffix = parts
        return self._value(prefix, value, suffix, indent)

    def _value(self, prefix: str, node: ast.expr, suffix: str, indent: str) -> list[str]:
        """A line that ends with an expression, which is broken or put in parentheses where it is too long."""
        doc = self._expressions.doc(node)
        bare = lay_out((prefix, unbroken_outside(doc), suffix), self._margins, indent)
        if not may_be_parenthesized(node):
            return bare
        if self._fit(bare) and (len(bare) == 1 or breaks_at_brackets(node)):
            return bare
        enclosed = lay_out((prefix, parenthesized(doc), suffix), self._margins, indent)
        return enclosed if self._fit(enclosed) or not is_name_or_literal(node) else bare

    def _fit(self, lines: Sequence[str]) -> bool:
        return all(len(line) <= self._margins.width for line in lines)

    def _suite(self, head: list[str], parent: ast.AST, body: Sequence[ast.stmt], indent: str) -> list[str]:
        inner = indent + self._margins.unit
        first = _first_line(body[0])
        head_line = max((line for line in self._comments.trailing if line < first), default=0)
        lines = self._with_trailing(head, head_line) if _starts(parent) <= head_line < first else head
        lines = lines + self.lines(body, inner)
        last = body[-1]
        rest = self._comments_before(
            _next_code_line(self._source, last.end_lineno or last.lineno), inner, last.col_offset
        )
        return lines + rest

    def decorator(self, node: ast.expr, indent: str) -> list[str]:
        """The lines of a decorator, its `@` included."""
        return self._value("@", node, "", indent)

    def _definition(self, node: _Definition, indent: str) -> list[str]:
        lines: list[str] = []
        for decorator in node.decorator_list:
            lines += self._with_trailing(self.decorator(decorator, indent), decorator.end_lineno or decorator.lineno)
        if isinstance(node, ast.ClassDef):
            bases = self._expressions.arguments(node.bases, node.keywords) if node.bases or node.keywords else ""
            head: Doc = (f"class {node.name}", bases, ":")
        else:
            head = self._signature(node)
        return lines + self._suite(lay_out(head, self._margins, indent), node, node.body, indent)

    def _signature(self, node: _Function) -> Doc:
        word = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
        parameters = loosely_bracketed(self._expressions.parameters(node.args))
        returns: Doc = (" -> ", flat_text(self._expressions.doc(node.returns))) if node.returns else ""
        return (f"{word} {node.name}", parameters, returns, ":")

    def _compound(self, node: ast.stmt, indent: str) -> list[str]:
        target = self._expressions.target
        match node:
            case ast.If():
                return self._if(node, "if ", indent)
            case ast.While(test, body, orelse):
                return self._suite(self._value("while ", test, ":", indent), node, body, indent) + self._else(
                    node, orelse, indent
                )
            case ast.For(variable, values, body, orelse) | ast.AsyncFor(variable, values, body, orelse):
                word = "async for " if isinstance(node, ast.AsyncFor) else "for "
                head = self._value(f"{word}{flat_text(target(variable))} in ", values, ":", indent)
                return self._suite(head, node, body, indent) + self._else(node, orelse, indent)
            case ast.With() | ast.AsyncWith():
                return self._suite(self._with_head(node, indent), node, node.body, indent)
            case ast.Try():
                return self._try(node, indent)
        raise AssertionError(node)

    def _if(self, node: ast.If, word: str, indent: str) -> list[str]:
        lines = self._suite(self._value(word, node.test, ":", indent), node, node.body, indent)
        rest = node.orelse
        if len(rest) == 1 and isinstance(rest[0], ast.If) and rest[0].col_offset == node.col_offset:
            return lines + self._if(rest[0], "elif ", indent)
        return lines + self._else(node, rest, indent)

    def _else(self, parent: ast.AST, body: Sequence[ast.stmt], indent: str) -> list[str]:
        return self._suite([f"{indent}else:"], body[0], body, indent) if body else []

    def _try(self, node: ast.Try, indent: str) -> list[str]:
        lines = self._suite([f"{indent}try:"], node, node.body, indent)
        for handler in node.handlers:
            name = f" as {handler.name}" if handler.name else ""
            head = self._value("except ", handler.type, f"{name}:", indent) if handler.type else [f"{indent}except:"]
            lines += self._suite(head, handler, handler.body, indent)
        lines += self._else(node, node.orelse, indent)
        if node.finalbody:
            lines += self._suite([f"{indent}finally:"], node.finalbody[0], node.finalbody, indent)
        return lines

    def _with_head(self, node: _With, indent: str) -> list[str]:
        word = "async with " if isinstance(node, ast.AsyncWith) else "with "
        items = [self._with_item(item) for item in node.items]
        if len(items) == 1:
            return lay_out((word, unbroken_outside(items[0]), ":"), self._margins, indent)
        content = Indent((SOFT, separated(items), IfBroken(",")))
        return lay_out((word, Bracketed((IfBroken("("), content, SOFT, IfBroken(")"))), ":"), self._margins, indent)

    def _with_item(self, item: ast.withitem) -> Doc:
        context = self._expressions.doc(item.context_expr, Level.TEST)
        return (context, " as ", self._expressions.doc(item.optional_vars)) if item.optional_vars else context


def _simple_parts(node: ast.stmt, expressions: Expressions) -> tuple[str, ast.expr, str] | None:
    """A simple statement as the text before its main expression, that expression, and the text after it."""

    def text(part: ast.expr) -> str:
        return flat_text(expressions.target(part))

    match node:
        case ast.Expr(value):
            return "", value, ""
        case ast.Assign(targets, value):
            return "".join(f"{text(target)} = " for target in targets), value, ""
        case ast.AugAssign(target, operator, value):
            return f"{text(target)} {BINARY[type(operator)][0]}= ", value, ""
        case ast.AnnAssign(target, annotation, ast.expr() as value):
            return f"{text(target)}: {text(annotation)} = ", value, ""
        case ast.Return(ast.expr() as value):
            return "return ", value, ""
    return _raising_parts(node, text)


def _raising_parts(node: ast.stmt, text: Callable[[ast.expr], str]) -> tuple[str, ast.expr, str] | None:
    match node:
        case ast.Raise(ast.expr() as error, cause):
            return "raise ", error, f" from {text(cause)}" if cause else ""
        case ast.Assert(test, message):
            return "assert ", test, f", {text(message)}" if message else ""
    return None


def _starts(node: ast.AST) -> int:
    return int(getattr(node, "lineno", 0))


def _head_end(node: ast.stmt) -> int:
    """The last line of a simple statement, or of a compound one's first clause before its suite."""
    match node:
        case ast.If(test=test) | ast.While(test=test):
            return test.end_lineno or test.lineno
        case ast.For(iter=values) | ast.AsyncFor(iter=values):
            return values.end_lineno or values.lineno
        case ast.With(items=items) | ast.AsyncWith(items=items):
            last = items[-1].optional_vars or items[-1].context_expr
            return last.end_lineno or last.lineno
        case ast.FunctionDef(args=arguments) | ast.AsyncFunctionDef(args=arguments):
            ends = [n.end_lineno or 0 for n in ast.walk(arguments) if isinstance(n, (ast.expr, ast.arg))]
            return max([node.lineno, *ends])
        case ast.ClassDef() | ast.Try():
            return node.lineno
    return node.end_lineno or node.lineno


def _first_line(node: ast.stmt) -> int:
    if isinstance(node, _Definition) and node.decorator_list:
        return node.decorator_list[0].lineno
    return node.lineno


def _next_code_line(source: Sequence[str], line: int) -> int:
    """The first line after `line` that holds more than a comment; one beyond the last if there is none."""
    for number, text in enumerate(source[line:], line + 1):
        if text.strip() and not text.strip().startswith("#"):
            return number
    return len(source) + 1
