"""What a mutant changes is told so that its whole text can be had again from the function's."""

from __future__ import annotations

import random

import pytest

from testlens_agent.mutate.generating import _difference

_FUNCTION = 'def eta(t):\n    t //= 60\n    path = "./a//b/."\n    return "" if t / 2 else f"{t}/"\n'


@pytest.mark.parametrize("seed", range(40))
def test_a_change_of_any_part_gives_the_mutant_again(seed: int) -> None:
    """Paths and divisions are text like any other, and as much as can be is left as it is."""
    chance = random.Random(seed)
    start, length = chance.randrange(len(_FUNCTION)), chance.randint(0, 4)
    mutant = _FUNCTION[:start] + chance.choice(["", "//", "None", '"XX"', "/."]) + _FUNCTION[start + length :]
    before, after, middle = _difference(_FUNCTION, mutant)
    assert _FUNCTION[:before] + middle + _FUNCTION[len(_FUNCTION) - after :] == mutant
    assert len(middle) <= 4
