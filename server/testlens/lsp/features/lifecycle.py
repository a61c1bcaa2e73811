"""Start, settings and folders: takes what the client says, and sets the folders going once it is initialized."""

from __future__ import annotations

import asyncio

from lsprotocol.types import (
    INITIALIZE,
    INITIALIZED,
    SHUTDOWN,
    WORKSPACE_DID_CHANGE_CONFIGURATION,
    WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS,
    DidChangeConfigurationParams,
    DidChangeWorkspaceFoldersParams,
    InitializedParams,
    InitializeParams,
)

from testlens.lsp.options import read_options
from testlens.lsp.server import TestlensServer


def register(server: TestlensServer) -> None:
    """Add the feature to the server."""
    server.feature(INITIALIZE)(_initialize)
    server.feature(INITIALIZED)(_initialized)
    server.feature(SHUTDOWN)(_shut_down)
    server.feature(WORKSPACE_DID_CHANGE_CONFIGURATION)(_configuration_changed)
    server.feature(WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)(_folders_changed)


def _initialize(ls: TestlensServer, params: InitializeParams) -> None:
    ls.options = read_options(params.initialization_options, ls.options)


async def _initialized(ls: TestlensServer, _params: InitializedParams) -> None:
    # A client without folders has opened a single file: there is nothing to read coverage of.
    for folder in ls.workspace.folders.values():
        ls.folders.add(folder)


async def _configuration_changed(ls: TestlensServer, params: DidChangeConfigurationParams) -> None:
    ls.options = read_options(params.settings, ls.options)
    for folder in ls.folders:
        folder.spawn(folder.configure())


async def _folders_changed(ls: TestlensServer, params: DidChangeWorkspaceFoldersParams) -> None:
    for removed in params.event.removed:
        ls.folders.remove(removed.uri)
    for added in params.event.added:
        ls.folders.add(added)


async def _shut_down(ls: TestlensServer, _params: None) -> None:
    await asyncio.gather(*(end() for end in ls.on_shutdown), return_exceptions=True)
