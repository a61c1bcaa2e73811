"""What the scenarios of a recipe leave of a gap, for the search that needs to know nothing of the code's trade."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from testlens.domain.cases import Case
from testlens.domain.trials import Trial
from testlens.scaffold.assertions import Circumstance
from testlens.scaffold.recipe import Knowledge
from testlens.scaffold.recipes.reaching import MOST_CASES, to_be_finished
from testlens.scaffold.recipes.reaching import confirmed as confirmed_scenes
from testlens.scaffold.recipes.scenarios import Trying, reached
from testlens.scaffold.search import reach
from testlens.scaffold.target import Target, find_target


def remaining(target: Target, trials: Sequence[Trial]) -> Target | None:
    """The target without what these trials have reached of it; None where nothing is left."""
    region = target.region
    done = frozenset().union(*(reached(target, trial) for trial in trials))
    if region.kind == "partial":
        return None if done else target
    left = tuple(line for line in region.statements if line not in done)
    if not left:
        return None
    if len(left) == len(region.statements):
        return target
    arcs = tuple(arc for arc in region.arcs if arc[0] in left)
    smaller = replace(region, first=left[0], last=max(left[-1], left[0]), statements=left, arcs=arcs)
    found = find_target(target.path, target.module, target.tree, smaller, target.markers)
    return found if isinstance(found, Target) else target


def beyond(target: Target, knowledge: Knowledge, words: Circumstance, *, are_wanted: bool) -> Trying[tuple[Case, ...]]:
    """Cases of the general search; where it finds none and some `are_wanted`, one that says what is left to do."""
    found = yield from reach(target, knowledge)
    if not found:
        return ((yield from to_be_finished(target, knowledge, words)),) if are_wanted else ()
    cases = yield from confirmed_scenes(found[:MOST_CASES], words, knowledge.style)
    return cases if are_wanted else tuple(case for case in cases if case.todo is None)


def named_apart(cases: Sequence[Case]) -> tuple[Case, ...]:
    """The cases under names of which each is there once."""
    known: dict[str, int] = {}
    named = []
    for case in cases:
        number = known[case.name] = known.get(case.name, 0) + 1
        named.append(case if number == 1 else replace(case, name=f"{case.name}_{number}"))
    return tuple(named)
