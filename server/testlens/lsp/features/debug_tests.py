"""What a debugger needs to run tests: the project's interpreter and the arguments for pytest."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from testlens.lsp.explorer_messages import DebugTargetResult
from testlens.lsp.features.equipment import ready_interpreter
from testlens.lsp.protocol import DEBUG_TARGET, FolderParams
from testlens.lsp.server import TestlensServer

# Plugins that take the tests away from a debugger, by their modules, with what keeps them from it: measuring coverage
# takes the trace function that breakpoints need, and the workers of xdist are other processes.
_IN_THE_WAY = {"pytest_cov": "--no-cov", "xdist": "-n0"}


def register(server: TestlensServer) -> None:
    """Add the feature to the server."""

    @server.feature(DEBUG_TARGET)
    async def debug_target(params: FolderParams) -> DebugTargetResult:
        return await _debug_target(server, params)


async def _debug_target(server: TestlensServer, params: FolderParams) -> DebugTargetResult:
    folder = server.folders.named(params.folder)
    if not server.options.trusted:
        return DebugTargetResult(python=None, args=[], note="Nothing is run in a workspace that is not trusted.")
    if folder is None or folder.workspace is None:
        return DebugTargetResult(python=None, args=[], note="Testlens is still opening the folder. Try again soon.")
    python = await ready_interpreter(server, folder)
    if python is None:
        return DebugTargetResult(python=None, args=[], note="")
    given = folder.workspace.settings.config.pytest_args
    return DebugTargetResult(python=python, args=await asyncio.to_thread(_args, python, given, folder.root), note="")


def _args(python: str, given: Sequence[str], root: Path) -> list[str]:
    from testlens.runners.interpreter import modules_of

    installed = modules_of(python, tuple(_IN_THE_WAY), root)
    return [*given, *(option for module, option in _IN_THE_WAY.items() if module in installed)]
