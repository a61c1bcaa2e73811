"""Tests of code that works in chunks: none, one, one full chunk, one more than that, and a part that fails."""

from __future__ import annotations

from testlens.domain.cases import Case
from testlens.scaffold.recipe import Knowledge, Offer, Search
from testlens.scaffold.recipes.batch_sites import find_chunks
from testlens.scaffold.recipes.batch_trials import Batches
from testlens.scaffold.recipes.batch_words import Nouns
from testlens.scaffold.recipes.fails import fails_helper
from testlens.scaffold.recipes.finishing import finished, group_of
from testlens.scaffold.style import Style
from testlens.scaffold.target import Target

_FITS = 70
_FITS_SINGLE = 55


class Batch:
    """The recipe for code over collections in chunks."""

    name = "batch"

    def offer(self, target: Target, style: Style) -> Offer | None:
        """Offered where the function goes through a parameter in chunks, or sends all of it in one batch request."""
        chunks = find_chunks(target)
        if chunks is None:
            return None
        sizes = f" with chunks of {chunks.size}" if chunks.size is not None else ""
        title = f"Test `{target.function.name}` on no, one and many {Nouns.of(chunks, target).several}{sizes}"
        return Offer(self.name, title, _FITS_SINGLE if chunks.loop is target.function else _FITS)

    def search(self, target: Target, knowledge: Knowledge) -> Search:
        """See how many requests are made for how many items, and what becomes of those that fail."""
        chunks = find_chunks(target)
        cases: tuple[Case, ...] = ()
        if chunks is not None:
            cases = yield from Batches(chunks, target, knowledge).cases()
        helpers = fails_helper(knowledge.style)
        return (yield from finished(self.name, group_of(target, "Batches"), cases, helpers, target, knowledge))
