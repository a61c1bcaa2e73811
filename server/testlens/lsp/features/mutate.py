"""Runs mutants: started by a command, shown as progress, and taken over into the snapshot."""

from __future__ import annotations

from testlens.lsp.features.arguments import refusal
from testlens.lsp.protocol import MUTATE
from testlens.lsp.server import TestlensServer


def register(server: TestlensServer) -> None:
    """Add the feature to the server."""

    @server.command(MUTATE)
    def mutate(_ls: TestlensServer, *_arguments: object) -> None:
        raise refusal("Testlens cannot run mutants yet. Run `mutmut run`: what it finds is shown as it comes.")
