"""Shards of a mutation run: parts of like size, whatever the order."""

from __future__ import annotations

import random

import pytest

from testlens.domain.problems import Problem
from testlens.domain.shards import Shard, parse_shard

NAMES = [f"shop.module_{number % 7}.x_function_{number % 40}__mutmut_{number}" for number in range(2000)]


@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_each_mutant_is_in_exactly_one_shard(count: int) -> None:
    """So none is lost, and none counts twice."""
    shards = [Shard(index, count) for index in range(1, count + 1)]
    assert all(sum(shard.has(name) for shard in shards) == 1 for name in NAMES)


def test_the_order_and_the_other_mutants_change_nothing() -> None:
    """A job that finds fewer mutants, or in another order, checks the same of them."""
    shard = Shard(2, 3)
    part = {name for name in NAMES if shard.has(name)}
    some = random.Random(1).sample(NAMES, 500)
    assert {name for name in some if shard.has(name)} == part & set(some)


def test_shards_are_of_like_size() -> None:
    """Each job has about as much to do."""
    sizes = [sum(Shard(index, 4).has(name) for name in NAMES) for index in range(1, 5)]
    assert max(sizes) < 1.25 * min(sizes)


def test_a_name_is_in_the_shard_that_it_was_in_before() -> None:
    """Jobs of different machines and versions agree: this is no hash that changes with the process."""
    assert [Shard(index, 4).has("shop.prices.x_total__mutmut_1") for index in range(1, 5)].index(True) == 0


def test_a_shard_is_written_as_one_of_how_many() -> None:
    """Counted from 1, as CI does."""
    assert parse_shard("2/4") == Shard(2, 4)
    assert str(Shard(2, 4)) == "2/4"


@pytest.mark.parametrize("text", ["", "2", "0/4", "5/4", "1/0", "a/b", "-1/2", "1/2/3"])
def test_what_is_no_shard_is_said_with_an_example(text: str) -> None:
    """The user is shown what to write."""
    problem = parse_shard(text)
    assert isinstance(problem, Problem)
    assert "2/4" in problem.advice
