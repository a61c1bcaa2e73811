"""What came of tests that Testlens wrote: kept beside each test until its file is edited, and told once."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from lsprotocol.types import MessageActionItem, MessageType, ShowMessageRequestParams

from testlens.lsp.editing import show

if TYPE_CHECKING:
    from testlens.lsp.documents import Document
    from testlens.lsp.server import TestlensServer
    from testlens.scaffold.render import Written
    from testlens.workspace.scaffolding import Outcome, Verdict

_SIGNS: Mapping[Outcome, str] = {"passed": "✓", "failed": "✗", "error": "✗", "todo": "○", "flaky": "≈"}
_SHOW = "Show"


@dataclass(frozen=True, slots=True)
class Note:
    """A verdict above a test: `line` (1-based) is where the test begins in that version of its document."""

    version: int | None
    line: int
    text: str


class Verdicts:
    """The newest verdict of each document."""

    def __init__(self, server: TestlensServer) -> None:
        self._server = server
        self._notes: dict[str, Note] = {}

    def of(self, document: Document) -> Note | None:
        """What is said of a test in the document, None once that was edited."""
        note = self._notes.get(document.uri)
        if note is None or note.version == document.version:
            return note
        del self._notes[document.uri]
        return None

    def tell(self, uri: str, written: Written, verdict: Verdict, what: str = "new test") -> None:
        """Note what came of the tests that were written into the document `uri`, and say it; `what` each of them is."""
        document = self._server.documents.find(uri)
        line = 1 if document is None else line_of_first(written, document.text)
        if document is not None:
            self._notes[uri] = Note(document.version, line, f"{_SIGNS[verdict.outcome]} {verdict.message}")
        self._server.spawn(self._say(uri, line, _told(written, verdict, what), verdict.outcome))

    async def _say(self, uri: str, line: int, message: str, outcome: Outcome) -> None:
        kind = MessageType.Info if outcome == "passed" else MessageType.Warning
        params = ShowMessageRequestParams(kind, message, [MessageActionItem(_SHOW)])
        answer = await self._server.window_show_message_request_async(params)
        if answer is not None and answer.title == _SHOW:
            await show(self._server, uri, line)


def line_of_first(written: Written, text: str) -> int:
    """The 1-based line where the first of the written tests begins in the text of its file; 1 where it has none.

    A feature file for behave has no test that pytest would know.
    """
    line = _line_of_test(text, written.names[0]) if written.names else None
    return line or 1


def _line_of_test(text: str, name: str) -> int | None:
    """The 1-based line where a test (`TestX::test_y`) begins, its decorators included; None where it is not there."""
    try:
        body: Sequence[ast.stmt] = ast.parse(text.removeprefix("\ufeff")).body
    except (SyntaxError, ValueError, RecursionError):
        return None
    line = None
    for part in name.split("[", maxsplit=1)[0].split("::"):
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        found = next((node for node in reversed(body) if isinstance(node, kinds) and node.name == part), None)
        if found is None:
            return None
        line, body = min([found.lineno, *(each.lineno for each in found.decorator_list)]), found.body
    return line


def _told(written: Written, verdict: Verdict, what: str) -> str:
    file = PurePosixPath(written.test_file).name
    count = max(1, len(written.names))
    return f"{_sentence(verdict.message)} {count} {what}{'s' if count > 1 else ''} in {file}."


def _sentence(message: str) -> str:
    first = f"{message[:1].upper()}{message[1:]}"
    return first if first.endswith((".", "!", "?")) else f"{first}."
