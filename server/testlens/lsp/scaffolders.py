"""Keeps one scaffolder a folder, whose explorer stays warm for a while after its last use."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from testlens.lsp.folders import Folder

if TYPE_CHECKING:
    from testlens.lsp.server import TestlensServer
    from testlens.workspace.scaffolding import Scaffolder

# The explorer holds the project's modules in memory.
_IDLE_SECONDS = 300.0


@dataclass(slots=True)
class _Kept:
    scaffolder: Scaffolder
    made_for: tuple[object, ...]
    timer: asyncio.TimerHandle | None = None


class Scaffolders:
    """Scaffolders by folder. One that was made for other settings is replaced."""

    def __init__(self, server: TestlensServer) -> None:
        self._server = server
        self._kept: dict[str, _Kept] = {}

    async def ready(self, folder: Folder, python: str) -> Scaffolder:
        """The scaffolder of a folder, with that interpreter and the settings as they are now."""
        from testlens.workspace.scaffolding import Scaffolder

        workspace = folder.workspace
        assert workspace is not None
        config = workspace.settings.config
        wanted = (python, config.scaffold_budget, config.scaffold_network, config.scaffold_style, config.pytest_args)
        kept = self._kept.get(folder.uri)
        if kept is not None and kept.made_for != wanted:
            await self.close(folder)
            kept = None
        if kept is None:
            kept = self._kept[folder.uri] = _Kept(
                Scaffolder(workspace, python, config.scaffold_budget, config.scaffold_network), wanted
            )
        if kept.timer is not None:
            kept.timer.cancel()
        kept.timer = asyncio.get_running_loop().call_later(_IDLE_SECONDS, self._grow_cold, folder)
        return kept.scaffolder

    async def close(self, folder: Folder) -> None:
        """End the explorer of a folder."""
        kept = self._kept.pop(folder.uri, None)
        if kept is None:
            return
        if kept.timer is not None:
            kept.timer.cancel()
        await kept.scaffolder.close()

    async def close_all(self) -> None:
        """End all explorers."""
        kept = list(self._kept.values())
        self._kept.clear()
        await asyncio.gather(*(each.scaffolder.close() for each in kept), return_exceptions=True)

    def _grow_cold(self, folder: Folder) -> None:
        self._server.spawn(self.close(folder))
