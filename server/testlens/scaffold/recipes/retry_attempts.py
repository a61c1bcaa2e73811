"""Reads from the text how often code tries: the number that its loop, decorator or policy names."""

from __future__ import annotations

import ast
import re

from testlens.scaffold.recipes.constants import Constants
from testlens.scaffold.recipes.reading import below, last_name
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
        self._number = Constants(target).number

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
