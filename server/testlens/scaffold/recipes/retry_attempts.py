"""Reads from the text how often code tries: the number that its loop, decorator or policy names."""

from __future__ import annotations

import ast
import re

from testlens.scaffold.recipes.reading import below, default_of, last_name, module_constants
from testlens.scaffold.recipes.retry_sites import Site
from testlens.scaffold.target import FunctionNode, Target

_NAMED = re.compile(r"(\A|_)(max_)?(attempts?|tries|retries)(_|\Z)|stop_max_attempt_number")
_STOPS = frozenset({"stop_after_attempt"})
_AGAIN = re.compile(r"(\A|_)retries(_|\Z)")


def stated_attempts(site: Site, target: Target) -> int | None:
    """How often the code calls at most what it tries again; None where its text does not say."""
    reader = _Reader(target)
    head = site.evidence
    if isinstance(head, ast.For | ast.AsyncFor):
        rounds = reader.rounds(head.iter)
        if rounds is not None:
            return rounds
        head = head.iter
    for node in below(head) if not isinstance(head, ast.While | FunctionNode) else ():
        if isinstance(node, ast.Call):
            found = reader.named(node)
            if found is not None:
                return found
    return None


class _Reader:
    def __init__(self, target: Target) -> None:
        self._function = target.function
        self._owner = target.owner
        self._constants = module_constants(target.tree)

    def rounds(self, over: ast.expr) -> int | None:
        """The number of rounds of a loop over this."""
        match over:
            case ast.Call(func=ast.Name(id="range"), args=[stop]):
                return self._number(stop)
            case ast.Call(func=ast.Name(id="range"), args=[start, stop]):
                first, last = self._number(start), self._number(stop)
                return None if first is None or last is None else last - first
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                return len(elements)
        return None

    def named(self, call: ast.Call) -> int | None:
        """The number that a call hands on as attempts, tries or retries."""
        if last_name(call.func) in _STOPS and len(call.args) == 1:
            return self._number(call.args[0])
        for keyword in call.keywords:
            if keyword.arg is not None and _NAMED.search(keyword.arg):
                found = self._number(keyword.value)
                if found is not None:
                    return found + 1 if _AGAIN.search(keyword.arg) else found
        return None

    def _number(self, node: ast.expr | None) -> int | None:
        match node:
            case ast.Constant(value=int(number)):
                return number
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as op, right=right):
                one, other = self._number(left), self._number(right)
                if one is None or other is None:
                    return None
                return one + other if isinstance(op, ast.Add) else one - other
            case ast.Name(id=name):
                return self._number(default_of(self._function, name) or self._constants.get(name))
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name):
                return self._number(self._attribute(name))
        return None

    def _attribute(self, name: str) -> ast.expr | None:
        """What a class sets an attribute to: in its body, or in `__init__` from a parameter's default."""
        for node in self._owner.body if self._owner is not None else ():
            match node:
                case ast.Assign(targets=[ast.Name(id=bound)], value=value) if bound == name:
                    return value
                case ast.AnnAssign(target=ast.Name(id=bound), value=ast.expr() as value) if bound == name:
                    return value
                case ast.FunctionDef(name="__init__"):
                    given = _set_in(node, name)
                    if given is not None:
                        return given
        return None


def _set_in(init: FunctionNode, name: str) -> ast.expr | None:
    for node in below(init):
        match node:
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self"), attr=bound)], value=value) if (
                bound == name
            ):
                return default_of(init, value.id) if isinstance(value, ast.Name) else value
    return None
