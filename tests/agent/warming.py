"""Runs in copies of a process that is kept."""

from __future__ import annotations

import asyncio

from agent.projects import Project, Run
from testlens.runners.events import Event
from testlens.runners.run_log import RunRequest
from testlens.runners.warm_runner import WarmRunner, Warmth

SHOP = {
    "shop.py": """
        def fee(amount):
            if amount > 10:
                return 2
            return 1
    """,
    "test_shop.py": """
        import json

        from shop import fee


        def test_small():
            assert fee(3) == 1


        def test_large():
            assert json.loads("2") == fee(12)
    """,
}


async def warm_run(runner: WarmRunner, project: Project, request: RunRequest | None = None) -> Run:
    """Run all tests in a copy of the process that has the libraries of a run before."""
    events: list[Event] = []
    async with asyncio.timeout(60):
        result = await runner.run(request or project.request(), warmth(project), events.append)
    return Run(result, tuple(events))


def warmth(project: Project, *libraries: tuple[str, bool]) -> Warmth:
    """With these modules, or a few of the standard library."""
    return Warmth(project.root, str(project.python), libraries or (("json", False), ("decimal", False)), "")
