"""The explorer names the fields of the data classes that a function takes."""

from __future__ import annotations

from agent.exploring import exploring, line_of
from agent.projects import Project
from testlens.domain.trials import DataClass

SHOP = {
    "shop.py": """
        from __future__ import annotations

        from dataclasses import dataclass, field
        from pathlib import Path
        from typing import Optional


        @dataclass
        class Order:
            customer: str
            items: list = field(default_factory=list)
            total: float = 0.0
            key: str = field(init=False, default="")


        def ship(order: Order, note: Optional[Order], folder: Path, either: Order | Path, anything):
            return order
        """
}


async def test_the_fields_of_a_data_class_are_named_and_those_without_a_default_told_apart(project: Project) -> None:
    project.write(SHOP)
    async with exploring(project) as exploration:
        described = await exploration.description("ship", line_of(project, "def ship"))

    order = DataClass("\x01shop:Order\x02", "dataclasses", ("customer", "items", "total"), ("customer",))
    assert {one.name: one.data for one in described.parameters} == {
        "order": order, "note": order, "folder": None, "either": None, "anything": None,
    }  # fmt: skip
