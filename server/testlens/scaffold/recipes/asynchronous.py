"""Tests of asynchronous code: with an answer, when it is cancelled, and when the answer never comes."""

from __future__ import annotations

import ast

from testlens.scaffold.recipe import Knowledge, Offer, Search
from testlens.scaffold.recipes.async_awaits import awaited_calls, handles_silence
from testlens.scaffold.recipes.async_trials import Asynchronous
from testlens.scaffold.recipes.finishing import finished, group_of
from testlens.scaffold.recipes.reading import own_below
from testlens.scaffold.recipes.stalls import stalls_helper
from testlens.scaffold.style import Style
from testlens.scaffold.target import Target

_FITS = 45
_FITS_SILENCE = 72


class Async:
    """The recipe for `async def`."""

    name = "async"

    def offer(self, target: Target, style: Style) -> Offer | None:
        """Offered for asynchronous functions that wait for something and are no generators."""
        function = target.function
        if not isinstance(function, ast.AsyncFunctionDef) or not awaited_calls(target):
            return None
        if any(isinstance(node, ast.Yield) for node in own_below(function)):
            return None
        title = f"Test `{function.name}` awaited, cancelled and without an answer"
        return Offer(self.name, title, _FITS_SILENCE if handles_silence(target) else _FITS)

    def search(self, target: Target, knowledge: Knowledge) -> Search:
        """Let a collaborator answer, and never answer, and claim what was seen."""
        cases = yield from Asynchronous(target, knowledge).cases()
        helpers = stalls_helper(knowledge.style)
        return (yield from finished(self.name, group_of(target, "Awaited"), cases, helpers, target, knowledge))
