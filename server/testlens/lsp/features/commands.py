"""Commands of the server, beside those of test runs."""

from __future__ import annotations

from testlens.lsp.features.arguments import folder_of, parse
from testlens.lsp.protocol import REFRESH, FolderArguments
from testlens.lsp.server import TestlensServer


def register(server: TestlensServer) -> None:
    """Add the feature to the server."""
    server.command(REFRESH)(_refresh)


def _refresh(ls: TestlensServer, *arguments: object) -> None:
    folder_of(ls, parse(arguments, FolderArguments).folder).refresh()
