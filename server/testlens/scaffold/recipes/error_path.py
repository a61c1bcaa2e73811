"""Tests of what happens when something goes wrong: handlers, raises and early returns."""

from __future__ import annotations

import ast

from testlens.scaffold.assertions import Circumstance
from testlens.scaffold.recipe import Knowledge, Offer, Search
from testlens.scaffold.recipes.reaching import reaching
from testlens.scaffold.style import Style
from testlens.scaffold.target import Target
from testlens.scaffold.words import circumstance, guard_in_words, subject_in_words

_FITS = 60


class ErrorPath:
    """The recipe for gaps in error handling."""

    name = "error-path"

    def offer(self, target: Target, style: Style) -> Offer | None:
        """Offered where the gap handles an exception, raises one, or leaves the function early."""
        handlers = [guard for guard in target.guards if guard.kind == "except"]
        function = target.innermost.name
        if handlers:
            return Offer(self.name, f"Test what `{function}` does when {guard_in_words(handlers[-1])}", _FITS)
        raised = _raised(target)
        if raised is not None:
            return Offer(self.name, f"Test that `{function}` raises {raised} when {circumstance(target)}", _FITS)
        if _returns_early(target):
            return Offer(self.name, f"Test that `{function}` returns early when {circumstance(target)}", _FITS)
        return None

    def search(self, target: Target, knowledge: Knowledge) -> Search:
        """Make the collaborator fail, or give what is refused, and claim what the code does then."""
        return reaching(self.name, target, knowledge, _words)


def _words(target: Target) -> Circumstance:
    special = circumstance(target)
    called = f"{target.function.name.strip('_').replace('_', ' ')} is called"
    return Circumstance(f"{subject_in_words(target)}, and {special}", called, special)


def _statements_of_gap(target: Target) -> list[ast.stmt]:
    return [node for node in ast.walk(target.innermost) if isinstance(node, ast.stmt) and node.lineno in target.lines]


def _raised(target: Target) -> str | None:
    """The exception that the gap raises, as the code names it."""
    for node in _statements_of_gap(target):
        if isinstance(node, ast.Raise) and node.exc is not None:
            called = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            return ast.unparse(called)
    return None


def _returns_early(target: Target) -> bool:
    statements = _statements_of_gap(target)
    last = target.innermost.body[-1]
    return len(statements) == 1 and isinstance(statements[0], ast.Return) and statements[0] is not last
