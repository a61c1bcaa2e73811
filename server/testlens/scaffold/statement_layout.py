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
            if previous is not None:
                lines += self._blank_between(previous, statement)
            lines += self._comments_before(first, indent)
            lines += [indent + note for note in self._notes.get(statement, ())]
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

    def _blank_between(self, previous: ast.stmt, following: ast.stmt) -> list[str]:
        if isinstance(previous, _Definition) or isinstance(following, _Definition):
            return [""]
        start = previous.end_lineno or previous.lineno
        between = self._source[start : _first_line(following) - 1]
        return [""] if any(not line.strip() for line in between) else []

    def _statement(self, node: ast.stmt, indent: str) -> list[str]:
        if isinstance(node, _Definition):
            return self._definition(node, indent)
        inner = self._inner_comments(node.lineno, _head_end(node), indent)
        match node:
            case ast.If() | ast.For() | ast.AsyncFor() | ast.While() | ast.With() | ast.AsyncWith():
                return inner + self._compound(node, indent)
            case ast.Try():
                return inner + self._try(node, "except", indent)
            case ast.TryStar():
                return inner + self._try(node, "except*", indent)
        lines = self._simple(node, indent)
        return inner + self._with_trailing(lines, node.end_lineno or node.lineno)

    def _inner_comments(self, first: int, last: int, indent: str) -> list[str]:
        """The comments before the end of what takes the lines from `first` to `last`: they go above it."""
        found = []
        for line in range(first, last):
            if line in self._written:
                continue
            if line in self._comments.own:
                found.append(self._comments.own[line][1])
            elif line in self._comments.trailing:
                found.append(self._comments.trailing[line])
            self._written.add(line)
        return [indent + self._spelling.verbatim(comment) for comment in found]

    def _with_trailing(self, lines: list[str], line: int) -> list[str]:
        comment = self._comments.trailing.get(line)
        if comment is None or line in self._written:
            return lines
        self._written.add(line)
        return [*lines[:-1], f"{lines[-1]}  {comment}"]

    def _simple(self, node: ast.stmt, indent: str) -> list[str]:
        if isinstance(node, ast.Assert) and node.msg:
            return self._assert(node.test, node.msg, indent)
        parts = _simple_parts(node, self._expressions)
        if parts is None:
            return [indent + self._spelling.verbatim(line) for line in ast.unparse(node).splitlines()]
        prefix, value, suffix = parts
        return self._value(prefix, value, suffix, indent)

    def _value(self, prefix: str, node: ast.expr, suffix: str, indent: str) -> list[str]:
        """A line that ends with an expression, which is broken or put in parentheses where it is too long."""
        doc = self._expressions.doc(node, _least_level(prefix, node))
        bare = lay_out((prefix, unbroken_outside(doc), suffix), self._margins, indent)
        if not may_be_parenthesized(node) or "\n" in flat_text(doc):
            return bare
        if self._fit(bare) and (len(bare) == 1 or breaks_at_brackets(node)):
            return bare
        enclosed = lay_out((prefix, parenthesized(doc), suffix), self._margins, indent)
        return enclosed if self._fit(enclosed) or not is_name_or_literal(node) else bare

    def _assert(self, test: ast.expr, message: ast.expr, indent: str) -> list[str]:
        """An assertion with a message: the message is the first to be put in parentheses."""
        head = f"assert {flat_text(self._expressions.doc(test))}, "
        lines = self._value(head, message, "", indent)
        if self._fit(lines):
            return lines
        return self._value("assert ", test, f", {flat_text(self._expressions.doc(message))}", indent)

    def _fit(self, lines: Sequence[str]) -> bool:
        return all(self._margins.measure(line) <= self._margins.width for line in lines)

    def _suite(self, head: list[str], body: Sequence[ast.stmt], indent: str) -> list[str]:
        """A clause: its head, with the comments that follow it on its lines, and its statements."""
        inner = indent + self._margins.unit
        lines = head
        for line in sorted(line for line in self._comments.trailing if line < _first_line(body[0])):
            lines = self._with_trailing(lines, line)
        lines = lines + self.lines(body, inner)
        next_code = _next_code_line(self._source, body[-1].end_lineno or body[-1].lineno)
        return lines + self._comments_before(next_code, inner, body[-1].col_offset)

    def expression(self, node: ast.expr) -> Doc:
        """The layout of an expression of the text."""
        return self._expressions.doc(node)

    def decorator(self, node: ast.expr, indent: str) -> list[str]:
        """The lines of a decorator, its `@` included."""
        return self._value("@", node, "", indent)

    def _definition(self, node: _Definition, indent: str) -> list[str]:
        lines: list[str] = []
        for decorator in node.decorator_list:
            last = decorator.end_lineno or decorator.lineno
            lines += self._comments_before(decorator.lineno, indent)
            lines += self._inner_comments(decorator.lineno, last, indent)
            lines += self._with_trailing(self.decorator(decorator, indent), last)
        lines += self._inner_comments(node.lineno, _head_end(node), indent)
        if isinstance(node, ast.ClassDef):
            bases = self._expressions.arguments(node.bases, node.keywords) if node.bases or node.keywords else ""
            lines += lay_out((f"class {node.name}", bases, ":"), self._margins, indent)
        else:
            lines += self._signature(node, indent)
        if _is_stub(node.body) and not self._comments.trailing and self._fit([f"{lines[-1]} ..."]):
            return [*lines[:-1], f"{lines[-1]} ..."]
        return self._suite(lines, node.body, indent)

    def _signature(self, node: _Function, indent: str) -> list[str]:
        word = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
        parameters = loosely_bracketed(self._expressions.parameters(node.args))
        head = (f"{word} {node.name}", parameters)
        if not node.returns:
            return lay_out((head, ":"), self._margins, indent)
        returns = self._expressions.doc(node.returns)
        lines = lay_out((head, " -> ", flat_text(returns), ":"), self._margins, indent)
        if self._fit(lines):
            return lines
        return lay_out((head, " -> ", unbroken_outside(returns), ":"), self._margins, indent)

    def _compound(self, node: ast.stmt, indent: str) -> list[str]:
        match node:
            case ast.If():
                return self._if(node, "if ", indent)
            case ast.While(test, body, orelse):
                lines = self._suite(self._value("while ", test, ":", indent), body, indent)
                return lines + self._clause("else", orelse, indent)
            case ast.For() | ast.AsyncFor():
                lines = self._suite(self._for_head(node, indent), node.body, indent)
                return lines + self._clause("else", node.orelse, indent)
            case ast.With() | ast.AsyncWith():
                return self._suite(self._with_head(node, indent), node.body, indent)
        raise AssertionError(node)

    def _for_head(self, node: ast.For | ast.AsyncFor, indent: str) -> list[str]:
        word = "async for" if isinstance(node, ast.AsyncFor) else "for"
        variable = flat_text(self._expressions.target(node.target))
        return self._value(f"{word} {variable} in ", node.iter, ":", indent)

    def _if(self, node: ast.If, word: str, indent: str) -> list[str]:
        lines = self._suite(self._value(word, node.test, ":", indent), node.body, indent)
        match node.orelse:
            case [ast.If(col_offset=column) as following] if column == node.col_offset:
                return lines + self._if(following, "elif ", indent)
        return lines + self._clause("else", node.orelse, indent)

    def _clause(self, word: str, body: Sequence[ast.stmt], indent: str) -> list[str]:
        return self._suite([f"{indent}{word}:"], body, indent) if body else []

    def _try(self, node: ast.Try | ast.TryStar, word: str, indent: str) -> list[str]:
        lines = self._clause("try", node.body, indent)
        for handler in node.handlers:
            name = f" as {handler.name}" if handler.name else ""
            head = [f"{indent}{word}:"]
            if handler.type:
                head = self._value(f"{word} ", handler.type, f"{name}:", indent)
            lines += self._suite(head, handler.body, indent)
        return lines + self._clause("else", node.orelse, indent) + self._clause("finally", node.finalbody, indent)

    def _with_head(self, node: _With, indent: str) -> list[str]:
        word = "async with " if isinstance(node, ast.AsyncWith) else "with "
        items = [self._with_item(item) for item in node.items]
        if len(items) == 1 or self._spelling.python < (3, 9):
            return lay_out((word, unbroken_outside(separated(items)), ":"), self._margins, indent)
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
        case ast.Assert(test):
            return "assert ", test, ""
    return None


def _least_level(prefix: str, node: ast.expr) -> Level:
    """How tightly an expression has to bind to stand after `prefix` without parentheses."""
    if prefix == "" or prefix.endswith("= "):
        return Level.YIELD
    may_be_named = prefix in ("if ", "elif ", "while ") and isinstance(node, ast.NamedExpr)
    return Level.NAMED if may_be_named else Level.TEST


def _is_stub(body: Sequence[ast.stmt]) -> bool:
    match body:
        case [ast.Expr(ast.Constant(value))]:
            return value is Ellipsis
    return False


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
