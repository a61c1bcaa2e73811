"""A test that is not written yet is tried as pytest would run it, and its trial says what it ran and saw."""

from __future__ import annotations

from agent.exploring import exploring, line_of
from agent.projects import Project
from testlens.domain.calls import Raised

SHOP = {
    "shop.py": """
        def price(amount: int, member: bool = False) -> float:
            if amount < 0:
                raise ValueError("no such amount")
            if member:
                return amount * 0.9
            return float(amount)
        """
}


async def test_a_trial_tells_what_the_body_of_the_test_ran_and_saw(project: Project) -> None:
    project.write(SHOP)
    async with exploring(project) as exploration:
        trial = await exploration.trial("from shop import price\ndef test_it():\n    result = price(10, True)\n")

    assert trial.outcome == "passed"
    assert trial.lines == {2, 4, 5}
    assert trial.arcs == {(-1, 2), (2, 4), (4, 5), (5, -1)}
    assert trial.local_values["result"].code == "9.0"


async def test_a_trial_sees_that_a_variable_is_none(project: Project) -> None:
    project.write(SHOP)
    async with exploring(project) as exploration:
        trial = await exploration.trial("def test_it():\n    result = None\n")

    assert trial.local_values["result"].code == "None"


async def test_a_trial_tells_what_left_the_body_and_from_where(project: Project) -> None:
    project.write(SHOP)
    async with exploring(project) as exploration:
        trial = await exploration.trial("from shop import price\ndef test_it():\n    price(-1)\n")

    assert trial.outcome == "failed"
    assert trial.raised == Raised("ValueError", "no such amount", 3)


async def test_a_description_has_values_that_suit_the_annotations(project: Project) -> None:
    project.write(SHOP)
    async with exploring(project) as exploration:
        price = await exploration.description("price", line_of(project, "def price"))

    assert (price.module, price.kind, price.callee) == ("shop", "function", "\x01shop:price\x02")
    amount, member = price.parameters
    assert {"0", "1", "-1"} <= {value.code for value in amount.values}
    assert [value.code for value in member.values] == ["False", "True"]
    assert member.values[0].origin == "default"
