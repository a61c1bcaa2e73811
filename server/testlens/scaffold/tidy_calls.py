"""Calls of builtins for which Python has a shorter way to say the same."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from keyword import iskeyword

from testlens.domain.expressions import Reference

_EMPTY_DISPLAYS: Mapping[str, type[ast.List | ast.Tuple]] = {"list": ast.List, "tuple": ast.Tuple}
_NATIVE = {"str": str, "bytes": bytes, "int": int, "float": float, "bool": bool}
_DECIMAL = Reference("decimal", "Decimal")


def better_call(node: ast.Call, references: Mapping[str, Reference]) -> ast.expr | None:
    """What linters would have in place of the call, None if they leave it alone; `references` are by placeholder."""
    match node:
        case ast.Call(ast.Name("dict"), [], keywords):
            return _dict_display(keywords)
        case ast.Call(ast.Name(name), [], []):
            return _empty(name)
    if unpacked := _unpacked(node.keywords):
        return ast.Call(node.func, node.args, unpacked)
    return _better_conversion(node, references)


def _better_conversion(node: ast.Call, references: Mapping[str, Reference]) -> ast.expr | None:
    match node:
        case ast.Call(ast.Name("set"), [ast.List(elements) | ast.Tuple(elements)], []) if elements:
            return ast.Set(elements)
        case ast.Call(ast.Name(name), [ast.Constant(value) as constant], []) if type(value) is _NATIVE.get(name):
            return constant
        case ast.Call(ast.Name(name), [ast.Constant(str() as digits)], []) if references.get(name) == _DECIMAL:
            return ast.Call(node.func, [_number(int(digits))], []) if _is_integer(digits) else None
        case ast.Call(ast.Name("getattr"), [owner, ast.Constant(str() as name)], []) if _is_plain_attribute(name):
            return ast.Attribute(owner, name, ast.Load())
    return None


def attribute_assignment(value: ast.expr) -> ast.Assign | None:
    """The assignment that a call of `setattr` with a constant name is; None for anything else."""
    match value:
        case ast.Call(ast.Name("setattr"), [owner, ast.Constant(str() as name), new], []) if _is_plain_attribute(name):
            return ast.Assign([ast.Attribute(owner, name, ast.Store())], new)
    return None


def _unpacked(keywords: list[ast.keyword]) -> list[ast.keyword] | None:
    """The keywords with those that `**{...}` passes at their end; None where they do not end like this."""
    match keywords:
        case [*before, ast.keyword(None, ast.Dict(keys, values))]:
            names = [key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]
            known = [*names, *(keyword.arg for keyword in before)]
            if len(set(known)) == len(keys) + len(before) and all(map(_is_plain_name, names)):
                return [*before, *map(ast.keyword, names, values)]
    return None


def _is_plain_name(name: str) -> bool:
    return name.isidentifier() and not iskeyword(name)


def _dict_display(keywords: list[ast.keyword]) -> ast.expr:
    keys: list[ast.expr | None] = [ast.Constant(keyword.arg) if keyword.arg else None for keyword in keywords]
    return ast.Dict(keys, [keyword.value for keyword in keywords])


def _empty(name: str) -> ast.expr | None:
    if name in _EMPTY_DISPLAYS:
        return _EMPTY_DISPLAYS[name]([], ast.Load())
    return ast.Constant(_NATIVE[name]()) if name in _NATIVE else None


def _is_integer(text: str) -> bool:
    return text.removeprefix("-").isdecimal() and str(int(text)) == text


def _number(value: int) -> ast.expr:
    return ast.UnaryOp(ast.USub(), ast.Constant(-value)) if value < 0 else ast.Constant(value)


def _is_plain_attribute(name: str) -> bool:
    """Whether `.name` is the same as the text; within a class, Python renames private names."""
    return _is_plain_name(name) and not (name.startswith("__") and not name.endswith("__"))
