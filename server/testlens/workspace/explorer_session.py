"""Keeps one explorer for a workspace, and starts another when the code that it has imported is no longer the code."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

from testlens.domain.problems import Problem
from testlens.runners.explorer import Explorer, ExplorerRequest
from testlens.workspace.test_files import TestFiles
from testlens.workspace.workspace import Workspace


class ExplorerSession:
    """The explorer of one workspace. `tests` are the project's test files, read again when they changed.

    `network` lets what is tried use the network.
    """

    def __init__(self, workspace: Workspace, python: str, network: bool) -> None:
        self.tests = TestFiles(workspace)
        self._network = network
        self._workspace = workspace
        self._python = python
        self._explorer: Explorer | None = None
        self._imported: Mapping[str, int] = {}

    async def explorer(self, progress: Callable[[str, int], None]) -> Explorer | Problem:
        """An explorer that has imported the code as it is now."""
        present = await asyncio.to_thread(self._stamps)
        if self._explorer is not None and self._explorer.is_alive and present == self._imported:
            return self._explorer
        await self.close()
        progress("Starting the project's interpreter", 0)
        config = self._workspace.settings.config
        started = await Explorer.start(
            ExplorerRequest(
                self._workspace.root, self._python, self.tests.near, config.pytest_args, network=self._network
            )
        )
        if isinstance(started, Problem):
            return started
        self._explorer, self._imported = started, present
        return started

    async def close(self) -> None:
        """End the explorer."""
        if self._explorer is not None:
            await self._explorer.close()
            self._explorer = None

    def _stamps(self) -> Mapping[str, int]:
        """When each source file and conftest that may be imported was last changed."""
        root = self._workspace.root
        names = {*self._workspace.snapshot.files, *self.tests.conftests}
        return {name: stamp for name in names if (stamp := _changed_at(root / name)) is not None}


def _changed_at(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None
