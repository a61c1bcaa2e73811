"""Problems reach the user once each: errors as messages, the others in the log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lsprotocol.types import LogMessageParams, MessageType, ShowMessageParams

from testlens.lsp.folders import Folder
from testlens.lsp.server import TestlensServer

if TYPE_CHECKING:
    from testlens.domain.problems import Problem

_TYPES = {"error": MessageType.Error, "warning": MessageType.Warning, "information": MessageType.Info}


def register(server: TestlensServer) -> None:
    """Add the feature to the server."""
    told: dict[str, set[Problem]] = {}

    def tell_new(folder: Folder) -> None:
        problems = {*folder.problems, *(folder.snapshot.problems if folder.snapshot is not None else ())}
        before = told.get(folder.uri, set())
        # What is no longer so is forgotten: should it come back, it is news.
        told[folder.uri] = problems
        tell(server, sorted(problems - before, key=str))

    def forget(folder: Folder) -> None:
        told.pop(folder.uri, None)

    server.on_snapshot.append(tell_new)
    server.on_removal.append(forget)


def tell(server: TestlensServer, problems: Iterable[Problem]) -> None:
    """Show errors, log the rest."""
    for problem in problems:
        if problem.severity == "error":
            server.window_show_message(ShowMessageParams(MessageType.Error, str(problem)))
        else:
            server.window_log_message(LogMessageParams(_TYPES[problem.severity], str(problem)))


def tell_as_error(server: TestlensServer, problem: Problem) -> None:
    """Show a problem that stops what the user asked for, however grave it is by itself."""
    server.window_show_message(ShowMessageParams(MessageType.Error, str(problem)))
