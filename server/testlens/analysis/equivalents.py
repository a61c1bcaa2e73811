"""Mutants that look equivalent: the change most likely changes nothing that a test could notice.

A guess from the form of the change alone. It may be wrong, so such survivors are ranked last and not left out.
"""

from __future__ import annotations

import ast
import codecs
from collections.abc import Callable

# Without a limit, both ways of cutting give the same parts; of one character to look for, the first is the last.
_SAME_WITHOUT_LIMIT = frozenset({frozenset({"split", "rsplit"})})


def looks_equivalent(original: str, replacement: str) -> bool:
    """Whether `replacement` most likely does what `original` does, where both are Python code."""
    before, after = _parsed(original), _parsed(replacement)
    if before is None or after is None:
        return False
    return any(rule(before, after) for rule in _RULES)


def _is_same_codec(before: ast.AST, after: ast.AST) -> bool:
    """`"utf-8"` and `"UTF-8"`, wherever they stand."""
    pairs = _texts_that_differ(before, after)
    return bool(pairs) and all(_codec(one) is not None and _codec(one) == _codec(other) for one, other in pairs)


def _leaves_none_out(before: ast.AST, after: ast.AST) -> bool:
    """`d.get(key, None)` and `d.get(key)`, `f(x=None)` and `f()`: None is what most calls take for what is not said."""
    if not (isinstance(before, ast.Call) and isinstance(after, ast.Call)):
        return False
    if ast.dump(before.func) != ast.dump(after.func):
        return False
    before_args, after_args = [ast.dump(a) for a in before.args], [ast.dump(a) for a in after.args]
    before_named = {k.arg: ast.dump(k.value) for k in before.keywords}
    after_named = {k.arg: ast.dump(k.value) for k in after.keywords}
    none = ast.dump(ast.Constant(None))
    if after_args == before_args[:-1] and after_named == before_named:
        return before_args[-1] == none
    gone = before_named.keys() - after_named.keys()
    rest = {name: value for name, value in before_named.items() if name not in gone}
    return (
        bool(gone) and before_args == after_args and rest == after_named and all(before_named[n] == none for n in gone)
    )


def _is_start_value(before: ast.AST, after: ast.AST) -> bool:
    """`found = None` and `found = ""`: a start value that is only asked whether it is true."""
    match before, after:
        case ast.Assign(value=ast.Constant(value=None)), ast.Assign(value=ast.Constant(value="")):
            return True
        case ast.AnnAssign(value=ast.Constant(value=None)), ast.AnnAssign(value=ast.Constant(value="")):
            return True
        case _:
            return False


def _splits_alike(before: ast.AST, after: ast.AST) -> bool:
    """`text.split(",")` and `text.rsplit(",")`, as long as there is no limit."""
    match before, after:
        case ast.Call(func=ast.Attribute(attr=one)), ast.Call(func=ast.Attribute(attr=other)) if (
            frozenset({one, other}) in _SAME_WITHOUT_LIMIT
        ):
            return len(before.args) < 2 and not before.keywords
        case _:
            return False


def _casts_alike(before: ast.AST, after: ast.AST) -> bool:
    """`cast(A, value)` and `cast(None, value)`."""
    match before, after:
        case ast.Call(func=one, args=[_, value]), ast.Call(func=other, args=[_, kept]):
            is_cast = ast.unparse(one).rpartition(".")[2] == "cast"
            return is_cast and ast.dump(one) == ast.dump(other) and ast.dump(value) == ast.dump(kept)
        case _:
            return False


_RULES: tuple[Callable[[ast.AST, ast.AST], bool], ...] = (
    _is_same_codec,
    _leaves_none_out,
    _is_start_value,
    _splits_alike,
    _casts_alike,
)


def _texts_that_differ(before: ast.AST, after: ast.AST) -> list[tuple[str, str]]:
    """The pairs of texts in which two trees differ; empty where they differ in anything else."""
    ones, others = list(ast.walk(before)), list(ast.walk(after))
    if len(ones) != len(others):
        return []
    pairs: list[tuple[str, str]] = []
    for one, other in zip(ones, others, strict=True):
        if type(one) is not type(other):
            return []
        if isinstance(one, ast.Constant) and isinstance(other, ast.Constant) and one.value != other.value:
            if not (isinstance(one.value, str) and isinstance(other.value, str)):
                return []
            pairs.append((one.value, other.value))
    return pairs


def _codec(name: str) -> str | None:
    try:
        return codecs.lookup(name).name
    except (LookupError, ValueError):
        return None


def _parsed(code: str) -> ast.AST | None:
    try:
        body = ast.parse(code.strip()).body
    except (SyntaxError, ValueError, RecursionError):
        return None
    if len(body) != 1:
        return None
    return body[0].value if isinstance(body[0], ast.Expr) else body[0]
