"""Sample values for annotations, in source that draws them from a `random.Random` named `chance`.

Hypothesis is too slow to be tried many times while somebody waits: what these samples refute is not written, and what
they do not is left to Hypothesis once the test is in its place.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from testlens.domain.expressions import mark
from testlens.scaffold.recipes.reading import last_name
from testlens.scaffold.recipes.strategies import alternatives

CHANCE = "chance"
_LONGEST = 20
_MOST_PIECES = 12
_LETTERS = repr(" aAbBzZ09_-.,:;%|/\\\"'\n\tßéÅ漢\u0130")
_PLAIN = {
    "str": f'"".join({CHANCE}.choices([*{_LETTERS}, *PIECES * 6], k={CHANCE}.randrange(6)))',
    "int": f"{CHANCE}.choice([0, 1, -1, 2, 7, 255, 10**6, -(10**6), {CHANCE}.randrange(-50, 50)])",
    "float": f"{CHANCE}.choice([0.0, 1.0, -1.0, 0.5, 1e-9, 1e12, -2.75, {CHANCE}.uniform(-50, 50)])",
    "bool": f"{CHANCE}.random() < 0.5",
    "bytes": f"bytes({CHANCE}.choices(range(256), k={CHANCE}.randrange(6)))",
    "None": "None",
}
_NARROW = {
    "str": f'"".join({CHANCE}.choices([*"abcXYZ 09_-", *PIECES * 6], k={CHANCE}.randrange(1, 6)))',
    "int": f"{CHANCE}.randrange(1, 1001)",
    "float": f"{CHANCE}.uniform(0.5, 1000)",
    "bytes": f"bytes({CHANCE}.choices(range(256), k={CHANCE}.randrange(1, 6)))",
}
_MANY = {
    "list": "[{}]", "List": "[{}]", "Sequence": "[{}]", "Iterable": "[{}]", "Collection": "[{}]",
    "MutableSequence": "[{}]", "Iterator": "iter([{}])", "set": "{{{}}}", "Set": "{{{}}}", "AbstractSet": "{{{}}}",
    "frozenset": "frozenset({})", "FrozenSet": "frozenset({})",
}  # fmt: skip
_MAPS = frozenset({"dict", "Dict", "Mapping", "MutableMapping"})


class Samples:
    """Writes samples for annotations; `is_narrow` leaves out what is seldom meant.

    `pieces` are texts that the code itself names, on which its way may depend.
    """

    def __init__(self, pieces: Sequence[str], *, is_narrow: bool = False) -> None:
        self._pieces = repr([piece for piece in dict.fromkeys(pieces) if 0 < len(piece) <= _LONGEST][:_MOST_PIECES])
        self._is_narrow = is_narrow

    def of(self, annotation: ast.expr | None) -> str | None:
        """An expression that draws a value for an annotation; None where none is known."""
        found = None
        match annotation:
            case ast.Constant(value=None):
                found = "None"
            case ast.Constant(value=str(text)):
                found = self._quoted(text)
            case ast.BinOp(op=ast.BitOr()):
                found = self._any_of(list(alternatives(annotation)))
            case ast.Subscript(value=generic, slice=inner):
                parts = list(inner.elts) if isinstance(inner, ast.Tuple) else [inner]
                found = self._generic(last_name(generic), parts)
            case ast.Name() | ast.Attribute():
                found = self._named(annotation)
        return found

    def _quoted(self, text: str) -> str | None:
        try:
            return self.of(ast.parse(text, mode="eval").body)
        except SyntaxError:
            return None

    def _named(self, annotation: ast.Name | ast.Attribute) -> str | None:
        name = last_name(annotation)
        if name in _PLAIN:
            code = _NARROW.get(name, _PLAIN[name]) if self._is_narrow else _PLAIN[name]
            return code.replace("PIECES", self._pieces)
        if name == "Decimal":
            return f"{mark('decimal', 'Decimal')}(str(round({CHANCE}.uniform(-50, 50), 2)))"
        if name in ("date", "datetime"):
            start = f"{mark('datetime', name)}(2026, 1, 1)"
            return f"{start} + {mark('datetime', 'timedelta')}(days={CHANCE}.randrange(-9999, 9999))"
        if name == "timedelta":
            return f"{mark('datetime', 'timedelta')}(seconds={CHANCE}.randrange(-99999, 99999))"
        return None

    def _generic(self, name: str, parts: list[ast.expr]) -> str | None:
        if name in ("Optional", "Union"):
            return self._any_of([*parts, ast.Constant(None)] if name == "Optional" else parts)
        if name == "Literal":
            return f"{CHANCE}.choice([{', '.join(map(ast.unparse, parts))}])"
        if name in ("Annotated", "Final"):
            return self.of(parts[0])
        return self._collection(name, parts)

    def _collection(self, name: str, parts: list[ast.expr]) -> str | None:
        is_open = len(parts) == 2 and isinstance(parts[1], ast.Constant) and parts[1].value is ...
        codes = [self.of(part) for part in (parts[:1] if is_open else parts)]
        known = [code for code in codes if code is not None]
        each = f"for _ in range({CHANCE}.randrange({'1, ' if self._is_narrow else ''}5))"
        if len(known) != len(codes):
            return None
        if name in ("tuple", "Tuple"):
            return f"tuple({known[0]} {each})" if is_open else f"({', '.join(known)},)"
        if name in _MANY:
            return _MANY[name].format(f"{known[0]} {each}")
        return f"{{{known[0]}: {known[1]} {each}}}" if name in _MAPS and len(known) == 2 else None

    def _any_of(self, parts: list[ast.expr]) -> str | None:
        codes = [self.of(part) for part in parts]
        known = [code for code in codes if code is not None]
        return f"{CHANCE}.choice([{', '.join(known)}])" if known and len(known) == len(codes) else None
