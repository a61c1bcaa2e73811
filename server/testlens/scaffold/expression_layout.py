"""Expressions as documents to lay out, as Ruff's formatter would write them."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from testlens.scaffold.binding import (
    BINARY,
    COMPARE,
    UNARY,
    Level,
    follows_call,
    has_simple_power,
    is_fluent,
    is_simple_bound,
    level,
    links,
)
from testlens.scaffold.layout import SOFT, SPACE, Bracketed, Doc, Group, IfBroken, Indent, separated
from testlens.scaffold.literals import normalized_number, normalized_string, string_tokens

_Comprehension = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp


@dataclass(frozen=True, slots=True)
class Spelling:
    """How names and literals are written: the final text of placeholder names, the source text of literals, the
    operands that have parentheses which they do not need, the quotes that the project prefers, and the oldest Python
    that is to understand it."""

    names: Mapping[str, str]
    literals: Mapping[ast.AST, str]
    enclosed: Collection[ast.AST] = ()
    quotes: str = '"'
    python: tuple[int, int] = (3, 9)

    def name(self, identifier: str) -> str:
        """The text of a name."""
        return self.names.get(identifier, identifier)

    def verbatim(self, text: str) -> str:
        """Source text with its placeholder names written out."""
        if not self.names:
            return text
        pattern = r"\b(" + "|".join(map(re.escape, self.names)) + r")\b"
        return re.sub(pattern, lambda found: self.names[found[1]], text)


class Expressions(ast.NodeVisitor):
    """Turns expressions into documents."""

    def __init__(self, spelling: Spelling) -> None:
        self._spelling = spelling

    def doc(self, node: ast.expr, least: Level = Level.NAMED) -> Doc:
        """The document of an expression, in parentheses where it binds less tightly than `least`."""
        content = cast(Doc, self.visit(node))
        return parenthesized(content) if level(node) < least or node in self._spelling.enclosed else content

    def target(self, node: ast.expr) -> Doc:
        """What is assigned to: a tuple needs no parentheses there."""
        if isinstance(node, ast.Tuple) and node.elts:
            return (separated((self._item(element) for element in node.elts), ", "), _comma_of_one(node))
        return self.doc(node)

    def arguments(self, positional: Sequence[ast.expr], keywords: Sequence[ast.keyword]) -> Doc:
        """The arguments of a call or the bases of a class, with their parentheses."""
        if len(positional) == 1 and not keywords and isinstance(positional[0], ast.GeneratorExp):
            return parenthesized(self._clauses(positional[0]))
        items = [*map(self._argument, positional), *map(self._keyword, keywords)]
        return loosely_bracketed(items) if len(items) > 1 else _enclosed("(", items[0], ")") if items else "()"

    def parameters(self, arguments: ast.arguments) -> list[Doc]:
        """The parameters of a function or lambda, with the marks `/` and `*` between them."""
        positional = [*arguments.posonlyargs, *arguments.args]
        defaults = [*[None] * (len(positional) - len(arguments.defaults)), *arguments.defaults]
        items = [self._parameter(*pair) for pair in zip(positional, defaults, strict=True)]
        if arguments.posonlyargs:
            items.insert(len(arguments.posonlyargs), "/")
        if arguments.vararg:
            items.append(("*", self._parameter(arguments.vararg, None)))
        elif arguments.kwonlyargs:
            items.append("*")
        items += [self._parameter(*pair) for pair in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]
        if arguments.kwarg:
            items.append(("**", self._parameter(arguments.kwarg, None)))
        return items

    def _parameter(self, argument: ast.arg, default: ast.expr | None) -> Doc:
        name = self._spelling.name(argument.arg)
        head: Doc = (name, ": ", self.doc(argument.annotation)) if argument.annotation else name
        if default is None:
            return head
        return (head, " = " if argument.annotation else "=", self._item(default))

    def generic_visit(self, node: ast.AST) -> Doc:
        """Text as it was written, for what has no layout of its own."""
        written = self._spelling.literals.get(node)
        return self._spelling.verbatim(written if written is not None else ast.unparse(node))

    def visit_JoinedStr(self, node: ast.JoinedStr) -> Doc:
        written = self._spelling.verbatim(self._spelling.literals.get(node) or ast.unparse(node))
        parts = string_tokens(written)
        if not parts:
            return f"({written})" if "\n" in written else written
        return Group(separated((normalized_string(part, self._spelling.quotes) for part in parts), SPACE))

    def visit_Name(self, node: ast.Name) -> Doc:
        return self._spelling.name(node.id)

    def visit_Constant(self, node: ast.Constant) -> Doc:
        written = self._spelling.literals.get(node)
        if not isinstance(node.value, str | bytes):
            is_number = isinstance(node.value, int | float | complex) and not isinstance(node.value, bool)
            return normalized_number(written) if written and is_number else ast.unparse(node)
        quotes = self._spelling.quotes
        parts = string_tokens(written) if written else ()
        if written and len(parts) == 1:
            return normalized_string(written, quotes)
        joined = normalized_string(repr(node.value), quotes)
        if not parts:
            return joined
        return Group(IfBroken(separated((normalized_string(part, quotes) for part in parts), SPACE), joined))

    def visit_List(self, node: ast.List) -> Doc:
        return bracketed("[", [self._item(element) for element in node.elts], "]")

    def visit_Set(self, node: ast.Set) -> Doc:
        return bracketed("{", [self._item(element) for element in node.elts], "}")

    def visit_Tuple(self, node: ast.Tuple) -> Doc:
        elements = [self._item(element) for element in node.elts]
        if len(elements) == 1:
            return parenthesized((elements[0], ","))
        return bracketed("(", elements, ")")

    def visit_Dict(self, node: ast.Dict) -> Doc:
        return bracketed("{", [self._entry(*entry) for entry in zip(node.keys, node.values, strict=True)], "}")

    def visit_ListComp(self, node: ast.ListComp) -> Doc:
        return _enclosed("[", self._clauses(node), "]")

    def visit_SetComp(self, node: ast.SetComp) -> Doc:
        return _enclosed("{", self._clauses(node), "}")

    def visit_DictComp(self, node: ast.DictComp) -> Doc:
        return _enclosed("{", self._clauses(node), "}")

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> Doc:
        return parenthesized(self._clauses(node))

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Doc:
        text, binding = UNARY[type(node.op)]
        return (text, self.doc(node.operand, binding))

    def visit_BoolOp(self, node: ast.BoolOp) -> Doc:
        return Group(self._conditions(node))

    def _conditions(self, node: ast.BoolOp) -> Doc:
        """The operands of `and` and `or`, which are all broken together where no parentheses part them."""
        word = "or " if isinstance(node.op, ast.Or) else "and "
        tighter = Level(level(node) + 1)
        return separated(
            (
                self._conditions(value)
                if isinstance(value, ast.BoolOp) and level(value) >= tighter and value not in self._spelling.enclosed
                else self.doc(value, tighter)
                for value in node.values
            ),
            (SPACE, word),
        )

    def visit_Compare(self, node: ast.Compare) -> Doc:
        compared = zip(node.ops, node.comparators, strict=True)
        tail = [(SPACE, f"{COMPARE[type(sign)]} ", self.doc(right, Level.BIT_OR)) for sign, right in compared]
        return Group((self.doc(node.left, Level.BIT_OR), *tail))

    def visit_BinOp(self, node: ast.BinOp) -> Doc:
        if isinstance(node.op, ast.Pow):
            operator = "**" if has_simple_power(node) else " ** "
            return (self.doc(node.left, Level.AWAIT), operator, self.doc(node.right, Level.FACTOR))
        return Group(self._terms(node))

    def _terms(self, node: ast.BinOp) -> Doc:
        """The operands of all operators of the same level, which are broken together."""
        text, binding = BINARY[type(node.op)]
        right = (SPACE, f"{text} ", self.doc(node.right, Level(binding + 1)))
        if isinstance(node.left, ast.BinOp) and level(node.left) == binding:
            return (self._terms(node.left), right)
        return (self.doc(node.left, binding), right)

    def visit_Attribute(self, node: ast.Attribute) -> Doc:
        return self._chain(node)

    def visit_Call(self, node: ast.Call) -> Doc:
        return self._chain(node)

    def visit_Subscript(self, node: ast.Subscript) -> Doc:
        return self._chain(node)

    def _chain(self, node: ast.expr) -> Doc:
        base, chain = links(node)
        dot: Doc = (SOFT, ".") if is_fluent(node) else "."
        parts: list[Doc] = [self._base(base)]
        for link in chain:
            match link:
                case ast.Attribute(attr=name):
                    parts.append((dot if follows_call(link) else ".", name))
                case ast.Call():
                    parts.append(self.arguments(link.args, link.keywords))
                case ast.Subscript(slice=index):
                    parts.append(_enclosed("[", self._index(index), "]"))
        return Group(tuple(parts))

    def _base(self, node: ast.expr) -> Doc:
        doc = self.doc(node, Level.ATOM)
        # `1.real` is no Python, `(1).real` is.
        is_integer = isinstance(node, ast.Constant) and isinstance(node.value, int) and not isinstance(node.value, bool)
        return parenthesized(doc) if is_integer else doc

    def _index(self, node: ast.expr) -> Doc:
        if isinstance(node, ast.Tuple) and node.elts:
            trailing = "," if len(node.elts) == 1 else IfBroken(",")
            return (separated(self._index_part(element) for element in node.elts), trailing)
        return self._index_part(node)

    def _index_part(self, node: ast.expr) -> Doc:
        if not isinstance(node, ast.Slice):
            return self._argument(node)
        bounds = [bound for bound in (node.lower, node.upper, node.step) if bound is not None]
        space = "" if all(map(is_simple_bound, bounds)) else " "
        parts: list[Doc] = [self.doc(node.lower), space] if node.lower else []
        parts += [":", space, self.doc(node.upper)] if node.upper else [":"]
        if node.step:
            parts += [space if node.upper else "", ":", space, self.doc(node.step)]
        return tuple(parts)

    def visit_Starred(self, node: ast.Starred) -> Doc:
        return ("*", self.doc(node.value, Level.BIT_OR))

    def visit_Await(self, node: ast.Await) -> Doc:
        return ("await ", self.doc(node.value, Level.ATOM))

    def visit_Yield(self, node: ast.Yield) -> Doc:
        return ("yield ", self.doc(node.value, Level.TUPLE)) if node.value else "yield"

    def visit_YieldFrom(self, node: ast.YieldFrom) -> Doc:
        return ("yield from ", self._item(node.value))

    def visit_NamedExpr(self, node: ast.NamedExpr) -> Doc:
        return (self.doc(node.target), " := ", self._item(node.value))

    def visit_IfExp(self, node: ast.IfExp) -> Doc:
        return Group(self._alternatives(node))

    def _alternatives(self, node: ast.IfExp) -> Doc:
        condition = (SPACE, "if ", self.doc(node.test, Level.OR))
        rest = self._alternatives(node.orelse) if isinstance(node.orelse, ast.IfExp) else self._item(node.orelse)
        return (self.doc(node.body, Level.OR), condition, SPACE, "else ", rest)

    def visit_Lambda(self, node: ast.Lambda) -> Doc:
        parameters = self.parameters(node.args)
        head: Doc = ("lambda ", separated(parameters, ", "), ": ") if parameters else "lambda: "
        return (head, self._item(node.body))

    def _item(self, node: ast.expr) -> Doc:
        return self.doc(node, Level.TEST)

    def _argument(self, node: ast.expr) -> Doc:
        return self.doc(node, Level.NAMED if isinstance(node, ast.NamedExpr) else Level.TEST)

    def _keyword(self, keyword: ast.keyword) -> Doc:
        if keyword.arg is None:
            return ("**", self.doc(keyword.value, Level.BIT_OR))
        return (f"{keyword.arg}=", self._item(keyword.value))

    def _entry(self, key: ast.expr | None, value: ast.expr) -> Doc:
        if key is None:
            return ("**", self.doc(value, Level.BIT_OR))
        return (self._item(key), ": ", self._item(value))

    def _clauses(self, node: _Comprehension) -> Doc:
        parts = [self._entry(node.key, node.value) if isinstance(node, ast.DictComp) else self._argument(node.elt)]
        for clause in node.generators:
            word = "async for " if clause.is_async else "for "
            parts += [SPACE, word, self.target(clause.target), " in ", self.doc(clause.iter, Level.OR)]
            parts += [(SPACE, "if ", self.doc(condition, Level.OR)) for condition in clause.ifs]
        return Group(tuple(parts))


def bracketed(opening: str, items: Sequence[Doc], closing: str) -> Doc:
    """A display: on one line, or each item on its own with a comma after the last."""
    if not items:
        return opening + closing
    return _enclosed(opening, (separated(items), IfBroken(",")), closing)


def loosely_bracketed(items: Sequence[Doc]) -> Doc:
    """Arguments or parameters: as a display, but all on one indented line where they fit there."""
    if not items:
        return "()"
    content = (separated(items), IfBroken(","))
    return parenthesized(Group(content) if len(items) > 1 else content)


def parenthesized(content: Doc) -> Doc:
    """The content in parentheses, which are on their own lines where it does not fit on one."""
    return _enclosed("(", content, ")")


def _enclosed(opening: str, content: Doc, closing: str) -> Doc:
    return Bracketed((opening, Indent((SOFT, content)), SOFT, closing))


def _comma_of_one(node: ast.Tuple) -> str:
    return "," if len(node.elts) == 1 else ""
