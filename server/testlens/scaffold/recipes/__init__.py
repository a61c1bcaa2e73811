"""The recipes: each one way to write tests for a gap."""

from __future__ import annotations

from testlens.scaffold.recipe import Offer, Recipe
from testlens.scaffold.recipes.asynchronous import Async
from testlens.scaffold.recipes.aws import Aws
from testlens.scaffold.recipes.batch import Batch
from testlens.scaffold.recipes.bdd import Bdd
from testlens.scaffold.recipes.error_path import ErrorPath
from testlens.scaffold.recipes.factory import Factory
from testlens.scaffold.recipes.load import Load
from testlens.scaffold.recipes.model import Model
from testlens.scaffold.recipes.parametrize import Parametrize
from testlens.scaffold.recipes.properties import Property
from testlens.scaffold.recipes.retry import Retry
from testlens.scaffold.recipes.tdd_retry import TddRetry
from testlens.scaffold.style import Style
from testlens.scaffold.target import Target

ALL: tuple[Recipe, ...] = (
    Retry(),
    TddRetry(),
    Model(),
    Aws(),
    Batch(),
    Async(),
    Property(),
    Parametrize(),
    ErrorPath(),
    Bdd(),
    Factory(),
    Load(),
)


def offers(target: Target, style: Style) -> tuple[Offer, ...]:
    """What fits a gap, the most fitting first."""
    found = (recipe.offer(target, style) for recipe in ALL)
    return tuple(sorted((offer for offer in found if offer is not None), key=lambda offer: -offer.fitness))


def recipe_named(name: str) -> Recipe | None:
    """The recipe with this name."""
    return next((recipe for recipe in ALL if recipe.name == name), None)
