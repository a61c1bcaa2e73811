"""A project with tests that leave mutants alive, and what Testlens writes to kill them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from testlens.domain.mutants import Mutant, Span
from testlens.domain.problems import Problem
from testlens.runners.pytest_runner import run_tests
from testlens.runners.run_log import RunRequest
from testlens.scaffold.kill.search import NotKilled
from testlens.workspace.explorer_session import ExplorerSession
from testlens.workspace.killing import Killer, Killing
from testlens.workspace.workspace import Workspace


class KillingGround:
    """A project whose tests ran once, so that it is known with what they call its functions."""

    def __init__(self, root: Path, killer: Killer) -> None:
        self.root = root
        self._killer = killer

    async def kill(self, function: str, original: str, replacement: str, path: str = "shop.py") -> Killing:
        """The test that kills this change to a function."""
        killing = await self.look_for(function, original, replacement, path)
        assert isinstance(killing, Killing), killing
        return killing

    async def look_for(
        self, function: str, original: str, replacement: str, path: str = "shop.py"
    ) -> Killing | NotKilled | Problem:
        """What comes of looking for such a test."""
        mutant = mutant_of((self.root / path).read_text(), function, original, replacement, path)
        return await self._killer.kill(mutant, _no_progress)


def mutant_of(text: str, function: str, original: str, replacement: str, path: str = "shop.py") -> Mutant:
    """The mutant that changes the first such text after the `def` of a function."""
    start = text.index(original, text.index(f"def {function.rpartition('.')[2]}("))
    first, last = _place(text, start), _place(text, start + len(original))
    return Mutant("shop.x", path, function, "", Span(*first, *last), original, replacement, "survived")


@asynccontextmanager
async def killing_ground(root: Path, python: str, budget: float = 5.0) -> AsyncIterator[KillingGround]:
    """The project, its tests run; everything is closed in the end."""
    workspace = Workspace(root)
    workspace.own_data.parent.mkdir(exist_ok=True)
    run = await run_tests(RunRequest(root, python, workspace.own_data), lambda _event: None)
    await asyncio.to_thread(workspace.finish_run, {}, run.sources)
    session = ExplorerSession(workspace, python, network=False)
    try:
        yield KillingGround(root, Killer(workspace, session, python, budget))
    finally:
        await session.close()
        workspace.close()


def _place(text: str, offset: int) -> tuple[int, int]:
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1)


def _no_progress(_what: str, _tried: int) -> None:
    """Nobody watches."""
