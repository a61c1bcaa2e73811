"""The sentences of steps: which literals of the code they name, and how a step finds its sentence again."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["given", "when", "then"]

_MOST_VALUES = 3
_LONGEST_VALUE = 40
_PLACES = ("first", "second", "third")
_FIELD = re.compile(r"\{\{|\}\}|\{(?P<name>\w*)(?::(?P<type>[^{}]*))?\}")


@dataclass(frozen=True, slots=True)
class Value:
    """A literal of the code that the sentence names: `name` is the step's parameter for it."""

    node: ast.Constant
    name: str

    @property
    def in_line(self) -> str:
        """The value as the sentence has it."""
        return f'"{self.node.value}"' if isinstance(self.node.value, str) else str(self.node.value)

    @property
    def in_pattern(self) -> str:
        """The same in the step's pattern."""
        return f'"{{{self.name}}}"' if isinstance(self.node.value, str) else f"{{{self.name}:d}}"


@dataclass(frozen=True, slots=True)
class Wording:
    """One sentence: `line` in the feature file, `pattern` at the step, as the parse library reads it."""

    line: str
    pattern: str
    values: tuple[Value, ...] = ()

    def is_met_by(self, other: Wording) -> bool:
        """Whether a step of this pattern would take the other sentence for its own."""
        found = expression(self.pattern)
        return any(found.fullmatch(text) is not None for text in (other.line, other.pattern))


def plain(text: str) -> Wording:
    """A sentence as it stands."""
    line = one_line(text)
    return Wording(line, line.replace("{", "{{").replace("}", "}}"))


def with_values(text: str, joint: str, values: Sequence[Value]) -> Wording:
    """A sentence that names these values at its end: `text`, `joint`, then one after the other."""
    base = plain(text)
    line = f"{base.line}{joint} {' and '.join(value.in_line for value in values)}"
    pattern = f"{base.pattern}{joint} {' and '.join(value.in_pattern for value in values)}"
    return Wording(line, pattern, tuple(values))


def one_line(text: str) -> str:
    """Words that can stand in one line of a feature file."""
    text = " ".join(text.split())
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text) or "it"


def expression(pattern: str) -> re.Pattern[str]:
    """What the pattern of a step matches: the parse library's format, and case does not count."""
    parts, end = [], 0
    for field in _FIELD.finditer(pattern):
        parts.append(re.escape(pattern[end : field.start()]))
        end = field.end()
        if field["name"] is None:
            parts.append(re.escape(field[0][0]))
        else:
            parts.append(r"[-+ ]?\d+" if field["type"] == "d" else ".+?")
    return re.compile("".join([*parts, re.escape(pattern[end:])]), re.IGNORECASE)


def values_of(body: Sequence[ast.stmt], taken: frozenset[str]) -> tuple[Value, ...]:
    """The literals that a sentence can name: those that the only call of the code is given, where they are simple."""
    match body:
        case [ast.Assign(value=ast.Call() as call) | ast.Expr(value=ast.Call() as call)]:
            pass
        case [ast.With(body=[ast.Expr(value=ast.Call() as call)])]:
            pass
        case [ast.Assert(test=ast.Compare(left=ast.Name("result"), ops=[ast.Eq()], comparators=[expected]))]:
            is_fit = _is_simple(expected) and isinstance(expected, ast.Constant) and isinstance(expected.value, str)
            return (Value(expected, "expected"),) if is_fit and isinstance(expected, ast.Constant) else ()
        case _:
            return ()
    found = tuple(_arguments(call))
    is_fit = len(found) <= _MOST_VALUES and not {value.name for value in found} & taken
    return found if is_fit else ()


def _arguments(call: ast.Call) -> Iterator[Value]:
    simple = [argument for argument in call.args if isinstance(argument, ast.Constant) and _is_simple(argument)]
    names = ("value",) if len(simple) == 1 else (*_PLACES, *("more" for _ in simple))
    yield from (Value(node, name) for node, name in zip(simple, names, strict=False))
    for keyword in call.keywords:
        if keyword.arg and isinstance(keyword.value, ast.Constant) and _is_simple(keyword.value):
            yield Value(keyword.value, keyword.arg)


def _is_simple(node: ast.expr) -> bool:
    """Whether a sentence can hold the literal and give it back as it was."""
    if not isinstance(node, ast.Constant):
        return False
    if isinstance(node.value, str):
        text = node.value
        is_short = 0 < len(text) <= _LONGEST_VALUE and text == " ".join(text.split())
        return is_short and text.isprintable() and not re.search(r'["\\<>|{}]', text)
    # `{:d}` reads a number whose first digit is 0, too, but gives back another text; booleans are no numbers here.
    return type(node.value) is int and node.value >= 0
