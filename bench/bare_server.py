"""The peer: a pygls server that does nothing but send back, as a notification, what it is sent."""

from __future__ import annotations

from typing import Any

from pygls.lsp.server import LanguageServer

server = LanguageServer("bare", "1")


@server.feature("bench/ping")
def ping(ls: LanguageServer, params: Any) -> None:
    """Answer with the notification that Testlens' marks come in."""
    ls.protocol.notify("testlens/marks", {"covered": list(params.covered)})


if __name__ == "__main__":
    server.start_io()
