"""Hypothesis strategies for annotations, in marked source."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from testlens.domain.expressions import mark
from testlens.scaffold.names import ModuleNames
from testlens.scaffold.recipes.reading import last_name

ST = mark("hypothesis", "strategies")
_PLAIN = {
    "str": "text()", "int": "integers()", "float": "floats(allow_nan=False, allow_infinity=False)",
    "bool": "booleans()", "bytes": "binary()", "None": "none()", "complex": "complex_numbers(allow_nan=False)",
    "Decimal": "decimals(allow_nan=False, allow_infinity=False)", "Fraction": "fractions()", "UUID": "uuids()",
    "date": "dates()", "time": "times()", "timedelta": "timedeltas()", "datetime": "datetimes()",
}  # fmt: skip
# The same, without what code is seldom made for: nothing at all, negative and huge numbers, foreign characters.
_NARROW = {
    "str": 'text(alphabet="abcXYZ 09_-", min_size=1)', "int": "integers(min_value=1, max_value=1000)",
    "float": "floats(min_value=0.5, max_value=1000)", "bytes": "binary(min_size=1)",
}  # fmt: skip
_MANY = {
    "list": "lists", "List": "lists", "Sequence": "lists", "Iterable": "lists", "Collection": "lists",
    "MutableSequence": "lists", "Iterator": "iterables", "set": "sets", "Set": "sets", "AbstractSet": "sets",
    "frozenset": "frozensets", "FrozenSet": "frozensets",
}  # fmt: skip
_MAPS = frozenset({"dict", "Dict", "Mapping", "MutableMapping"})


class Strategies:
    """Writes strategies for the annotations of one module; `is_narrow` leaves out what is seldom meant."""

    def __init__(self, names: ModuleNames, *, is_narrow: bool = False) -> None:
        self._names = names
        self._is_narrow = is_narrow

    def of(self, annotation: ast.expr | None) -> str | None:
        """The strategy for an annotation; None where none is known."""
        found = None
        match annotation:
            case ast.Constant(value=None):
                found = f"{ST}.none()"
            case ast.Constant(value=str(text)):
                found = self._quoted(text)
            case ast.BinOp(op=ast.BitOr()):
                found = self._any_of(list(alternatives(annotation)))
            case ast.Subscript(value=generic, slice=inner):
                found = self._generic(last_name(generic), inner)
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
            known = _NARROW.get(name, _PLAIN[name]) if self._is_narrow else _PLAIN[name]
            return f"{ST}.{known}"
        if name in _MANY or name in _MAPS or name in ("tuple", "Tuple", "Any", "object", "Callable", "type", "Path"):
            return None
        origin = self._names.origin(ast.unparse(annotation))
        if origin is None or origin.module in ("typing", "builtins") or not name[:1].isupper():
            return None
        return f"{ST}.from_type({mark(origin.module, origin.qualname)})"

    def _generic(self, name: str, inner: ast.expr) -> str | None:
        parts = list(inner.elts) if isinstance(inner, ast.Tuple) else [inner]
        if name in ("Optional", "Union"):
            return self._any_of([*parts, ast.Constant(None)] if name == "Optional" else parts)
        if name == "Literal":
            return f"{ST}.sampled_from([{', '.join(map(ast.unparse, parts))}])"
        if name in ("Annotated", "Final"):
            return self.of(parts[0])
        return self._tuple(parts) if name in ("tuple", "Tuple") else self._collection(name, parts)

    def _collection(self, name: str, parts: list[ast.expr]) -> str | None:
        codes = [self.of(part) for part in parts]
        known = [code for code in codes if code is not None]
        least = ", min_size=1" if self._is_narrow else ""
        if name in _MANY and len(known) == 1:
            return f"{ST}.{_MANY[name]}({known[0]}{least})"
        return f"{ST}.dictionaries({', '.join(known)}{least})" if name in _MAPS and len(known) == 2 else None

    def _tuple(self, parts: list[ast.expr]) -> str | None:
        if len(parts) == 2 and isinstance(parts[1], ast.Constant) and parts[1].value is ...:
            item = self.of(parts[0])
            return None if item is None else f"{ST}.lists({item}).map(tuple)"
        codes = [self.of(part) for part in parts]
        known = [code for code in codes if code is not None]
        return f"{ST}.tuples({', '.join(known)})" if len(known) == len(codes) else None

    def _any_of(self, parts: list[ast.expr]) -> str | None:
        codes = [self.of(part) for part in parts]
        known = [code for code in codes if code is not None]
        return f"{ST}.one_of({', '.join(known)})" if known and len(known) == len(codes) else None


def alternatives(annotation: ast.expr) -> Iterator[ast.expr]:
    """The types of a union written with `|`."""
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        yield from alternatives(annotation.left)
        yield from alternatives(annotation.right)
    else:
        yield annotation
