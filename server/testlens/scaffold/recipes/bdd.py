"""Scenarios in Given / When / Then for any function: what it does on the way through the gap."""

from __future__ import annotations

from testlens.scaffold.assertions import Circumstance
from testlens.scaffold.recipe import Knowledge, Offer, Search
from testlens.scaffold.recipes.reaching import reaching
from testlens.scaffold.style import Style
from testlens.scaffold.target import Target
from testlens.scaffold.words import circumstance, subject_in_words

_FITS_ALL = 40


class Bdd:
    """The recipe for any function."""

    name = "bdd"

    def offer(self, target: Target, style: Style) -> Offer | None:
        """Offered for every function."""
        title = f"Write BDD scenarios for `{target.function.name}`"
        if style.scenarios == "classes" or style.scenarios.replace("-", "_") in style.libraries:
            return Offer(self.name, title, _FITS_ALL)
        return Offer(self.name, f"{title} (adds {style.scenarios})", _FITS_ALL, (style.scenarios,))

    def search(self, target: Target, knowledge: Knowledge) -> Search:
        """One scenario for each way through the gap."""
        return reaching(self.name, target, knowledge, _words)


def _words(target: Target) -> Circumstance:
    special = circumstance(target)
    called = f"{target.function.name.strip('_').replace('_', ' ')} is called"
    given = f"{subject_in_words(target)}, where {special}" if special != called else subject_in_words(target)
    return Circumstance(given, called, special)
