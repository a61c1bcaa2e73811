"""Where a mutant differs: the smallest expression or statement of a function that mutmut's text of it changes."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from testlens.domain.mutants import Span
from testlens.domain.staleness import common_prefix

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Replaceable = ast.expr | ast.stmt
_CLASS_MARK = "ǁ"
_AS_METHOD = "class _:\n"
_INDENTED = re.compile(r"\A\s*^[ \t]+\S", re.MULTILINE)
_MUTATED = re.compile(r"__mutmut_(?:\d+|orig)$")


@dataclass(frozen=True, slots=True)
class Change:
    """The text in `span`, which is `original`, becomes `replacement`, which is empty where a mutant only removes."""

    span: Span
    original: str
    replacement: str


def dotted_name(key: str) -> str:
    """The dotted name of a function (`Class.method`) from mutmut's key for it.

    A key is `pkg.mod.xǁClassǁmethod__mutmut_3`, with or without the module and the number.
    """
    name = _MUTATED.sub("", key)
    if _CLASS_MARK in name:
        _, class_name, method = name.rsplit(_CLASS_MARK, 2)
        return f"{class_name}.{method}"
    return name.rpartition(".")[2].removeprefix("x_")


def find_change(source: str, function: str, mutated: str) -> Change | None:
    """What the mutant whose text of the function is `mutated` changes in `source`, the text of the file.

    `function` is its dotted name or mutmut's key. The function may still have its mangled name in `mutated`, which may
    have lines before and after it. Putting `replacement` in the place of `span` gives exactly the mutant. None where
    either text cannot be parsed, has no such function, or both are alike.
    """
    originals = _named(source, function)
    body = _mutated_body(originals[0].node.name, mutated) if originals else None
    if body is None:
        return None
    # Of functions of one name, as overloads are, it is the one with least to change: no less than what differs.
    least = [_length_that_differs(original.text, body.text) for original in originals]
    found: dict[int, Change] = {}
    for number in sorted(range(len(originals)), key=least.__getitem__):
        if found and least[number] > min(len(change.original) for change in found.values()):
            break
        if originals[number].text != body.text:
            found[number] = _change_between(originals[number], body)
    return min((found[number] for number in sorted(found)), key=lambda change: len(change.original), default=None)


def function_digest(source: str, function: str) -> str | None:
    """A digest of the text of a function, decorators included; None where `source` has no such function.

    `function` is its dotted name or mutmut's key. An edit anywhere else does not change the digest.
    """
    bodies = _named(source, function)
    if not bodies:
        return None
    return hashlib.sha256("\0".join(body.text for body in bodies).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def body_around(source: str, function: str, span: Span) -> Body | None:
    """The function of this name (or key) in `source` that holds `span`."""
    for body in _named(source, function):
        if body.first <= span.first_line and span.last_line < body.first + len(body.lines):
            return body
    return None


def place_in_function(source: str, function: str, span: Span) -> str:
    """Where in its function a span lies, in a form that stays the same wherever the function stands in its file."""
    body = body_around(source, function, span)
    first = 0 if body is None else body.first
    return f"{span.first_line - first}:{span.first_column}-{span.last_line - first}:{span.last_column}"


@dataclass(frozen=True, slots=True)
class Body:
    """A function with the whole lines that it stands on; `first` is the 1-based line of the file that they begin at."""

    node: _Function
    lines: tuple[str, ...]
    first: int

    @property
    def text(self) -> str:
        """The lines as one text."""
        return "\n".join(self.lines)

    @property
    def shift(self) -> int:
        """What to add to a line of `node` for the line of the file."""
        return self.first - _first_line(self.node)

    def offset(self, line: int, byte_column: int) -> int:
        """The place in `text` of a line of the parsed text and a column as the syntax tree counts it: in bytes."""
        row = line - _first_line(self.node)
        column = len(self.lines[row].encode("utf-8", "surrogatepass")[:byte_column].decode("utf-8", "replace"))
        return sum(len(before) + 1 for before in self.lines[:row]) + column

    def range_of(self, node: _Replaceable) -> tuple[int, int]:
        start = self.offset(node.lineno, node.col_offset)
        return start, self.offset(node.end_lineno or node.lineno, node.end_col_offset or 0)

    def span(self, start: int, end: int) -> Span:
        first_line, first_column = self._position(start)
        last_line, last_column = self._position(end)
        return Span(first_line, first_column, last_line, last_column)

    def _position(self, offset: int) -> tuple[int, int]:
        before = self.text[:offset]
        return self.first + before.count("\n"), offset - (before.rfind("\n") + 1)


def _named(source: str, function: str) -> tuple[Body, ...]:
    bodies = _bodies(source)
    return bodies.get(function) or bodies.get(dotted_name(function), ())


@lru_cache(maxsize=8)
def _bodies(source: str) -> dict[str, tuple[Body, ...]]:
    text = _with_plain_newlines(source)
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return {}
    lines = text.split("\n")
    found: dict[str, tuple[Body, ...]] = {}
    for name, node in _functions(tree.body, ""):
        found[name] = (*found.get(name, ()), _body(node, lines, _first_line(node)))
    return found


def _functions(statements: list[ast.stmt], prefix: str) -> Iterator[tuple[str, _Function]]:
    for statement in statements:
        if isinstance(statement, _Function):
            yield prefix + statement.name, statement
        elif isinstance(statement, ast.ClassDef):
            yield from _functions(statement.body, f"{prefix}{statement.name}.")


def _body(node: _Function, lines: list[str], first: int) -> Body:
    length = (node.end_lineno or node.lineno) - _first_line(node) + 1
    return Body(node, tuple(lines[first - 1 : first - 1 + length]), first)


def _first_line(node: _Function) -> int:
    return min([decorator.lineno for decorator in node.decorator_list], default=node.lineno)


def _with_plain_newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _change_between(original: Body, mutated: Body) -> Change:
    start, end = _changed_range(original, mutated)
    replacement_end = len(mutated.text) - (len(original.text) - end)
    return Change(original.span(start, end), original.text[start:end], mutated.text[start:replacement_end])


def _mutated_body(name: str, mutated_text: str) -> Body | None:
    text = re.sub(r"(\bdef\s+)x[_ǁ][\wǁ]*__mutmut_\w+", rf"\g<1>{name}", _with_plain_newlines(mutated_text), count=1)
    # A method is indented: it parses as the body of a class, one line further down. What does not parse is tried last:
    # for each error Python looks for a file, and lets go of its lock so shortly that no other thread gets it.
    ways = ("", _AS_METHOD) if _INDENTED.search(text) is None else (_AS_METHOD, "")
    for before in ways:
        try:
            tree = ast.parse(before + text)
        except (SyntaxError, ValueError, RecursionError):
            continue
        node = next((node for _, node in _functions(tree.body, "") if node.name == name), None)
        if node is not None:
            return _body(node, (before + text).split("\n"), _first_line(node))
    return None


def _changed_range(original: Body, mutated: Body) -> tuple[int, int]:
    """The range of the original's text to replace: of the smallest node that holds all that changed."""
    for before, after in reversed(_differing(original.node, mutated.node)):
        if isinstance(before, ast.Match) and isinstance(after, ast.Match):
            removed = _removed_case(before, original, mutated)
            if removed is not None:
                return removed
        start, end = _with_parentheses(original, mutated, before)
        if _is_exact(original.text, mutated.text, start, end):
            return start, end
    return _covering_range(original, mutated)


def _is_exact(original: str, mutated: str, start: int, end: int) -> bool:
    rest = len(original) - end
    if start + rest > min(len(original), len(mutated)):
        return False
    return original[:start] == mutated[:start] and original[end:] == mutated[len(mutated) - rest :]


def _with_parentheses(original: Body, mutated: Body, node: _Replaceable) -> tuple[int, int]:
    """The range of a node, with the parentheses around it where those are part of what changes."""
    start, end = original.range_of(node)
    text = original.text
    while (
        not _is_exact(text, mutated.text, start, end)
        and text[start - 1 : start] == "("
        and text[end : end + 1] == ")"
        and isinstance(node, ast.expr)
    ):
        start, end = start - 1, end + 1
    return start, end


def _removed_case(match: ast.Match, original: Body, mutated: Body) -> tuple[int, int] | None:
    length = len(original.text) - len(mutated.text)
    if length <= 0:
        return None
    for case in match.cases:
        row = case.pattern.lineno - _first_line(original.node)
        line_start = original.offset(case.pattern.lineno, 0)
        indent = len(original.lines[row]) - len(original.lines[row].lstrip())
        # The last case of a function takes the end of the line before it along.
        for start in (line_start + indent, line_start, line_start - 1):
            if _is_exact(original.text, mutated.text, start, start + length):
                return start, start + length
    return None


def _covering_range(original: Body, mutated: Body) -> tuple[int, int]:
    """The range of the smallest node around the text that differs, for changes that the syntax tree does not show."""
    before = original.text
    start, kept = _common_ends(before, mutated.text)
    end = len(before) - kept
    # No tree says where these lines end when a comment follows the function: the lines themselves are the last resort.
    best = (0, len(before))
    for node in ast.walk(original.node):
        if not isinstance(node, _Replaceable):
            continue
        first, last = original.range_of(node)
        if first <= start and end <= last and last - first < best[1] - best[0]:
            best = (first, last)
    return best


def _common_ends(before: str, after: str) -> tuple[int, int]:
    """How many characters two texts have in common at their beginning, and then at their end."""
    start = common_prefix(before, after)
    rest = min(len(before), len(after)) - start
    return start, common_prefix(before[len(before) - rest :][::-1], after[len(after) - rest :][::-1])


def _length_that_differs(before: str, after: str) -> int:
    """How many characters of `before` at least have to be replaced."""
    return len(before) - sum(_common_ends(before, after))


def _differing(before: ast.AST, after: ast.AST) -> list[tuple[_Replaceable, _Replaceable]]:
    """The expressions and statements that hold all that differs, from the outermost to the smallest."""
    path: list[tuple[_Replaceable, _Replaceable]] = []
    pair: tuple[ast.AST, ast.AST] | None = (before, after)
    while pair is not None:
        if isinstance(pair[0], _Replaceable) and isinstance(pair[1], _Replaceable):
            path.append((pair[0], pair[1]))
        pair = _only_differing_child(*pair)
    return path


def _only_differing_child(before: ast.AST, after: ast.AST) -> tuple[ast.AST, ast.AST] | None:
    """The one pair of children that differ; None where more than that differs, or the node itself."""
    if type(before) is not type(after):
        return None
    pairs: list[tuple[ast.AST, ast.AST]] = []
    for field in before._fields:
        one, other = getattr(before, field, None), getattr(after, field, None)
        ones, others = (one, other) if isinstance(one, list) and isinstance(other, list) else ([one], [other])
        if len(ones) != len(others):
            return None
        for left, right in zip(ones, others, strict=True):
            if _alike(left, right):
                continue
            if not (isinstance(left, ast.AST) and isinstance(right, ast.AST)):
                return None
            pairs.append((left, right))
    return pairs[0] if len(pairs) == 1 else None


def _alike(one: object, other: object) -> bool:
    # Loops, since this is where the time goes when a function has many mutants.
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, ast.AST):
        for field in one._fields:  # noqa: SIM110
            if not _alike(getattr(one, field, None), getattr(other, field, None)):
                return False
        return True
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_alike, one, other))
    # 0.0 and -0.0 are equal, and so are not told apart by ==.
    return repr(one) == repr(other)
