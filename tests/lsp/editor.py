"""An editor for the tests: the real server over standard input and output, with what it said kept for asking."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest_lsp
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient

from lsp.buffers import Buffers

SERVER = Path(__file__).resolve().parents[2] / "server"
COMMAND = [sys.executable, "-P", "-m", "testlens", "serve"]
# Generous: it is only waited for where a test fails, or where the machine has much else to do.
_PATIENCE = 60.0

T = TypeVar("T")


class Editor:
    """A client of one server. Lines in what it answers are 1-based, as a user counts them."""

    def __init__(self, client: LanguageClient) -> None:
        self.client = client
        self.said: dict[str, list[Any]] = {f"testlens/{name}": [] for name in ("marks", "status", "tests", "testRun")}
        self.questions: list[types.ShowMessageRequestParams] = []
        self.answer: str | None = None
        self.back: asyncio.Event | None = None
        self.interpreter: str | None = None
        self.buffers = Buffers(self)
        self._stopped = False
        self._versions: dict[str, int] = {}
        for method, heard in self.said.items():
            client.feature(method)(partial(_hear, heard))
        client.feature(types.WINDOW_SHOW_MESSAGE_REQUEST)(partial(self._asked))
        client.feature("testlens/interpreter")(lambda _params: {"path": self.interpreter})
        client.feature("testlens/save")(lambda params: {"saved": self.buffers.save(params.uris)})
        client.feature(types.WORKSPACE_APPLY_EDIT)(partial(self.buffers.apply))
        client.feature(types.WORKSPACE_CODE_LENS_REFRESH)(lambda _params: None)

    @classmethod
    async def start(
        cls,
        *roots: Path,
        trusted: bool = True,
        saves: bool = True,
        interpreter: str | None = None,
        explorer: bool = False,
        **settings: Any,
    ) -> Editor:
        """Start a server on the folders `roots`; `interpreter` is what the editor itself has chosen.

        `saves` says whether the editor saves documents when the server asks for it, `explorer` whether it shows tests.
        """
        environment = {**os.environ, "PYTHONPATH": str(SERVER)}
        environment.pop("VIRTUAL_ENV", None)
        client = await ClientServerConfig(COMMAND, server_env=environment).start()
        editor = cls(client)
        editor.interpreter = interpreter
        capabilities = _capabilities()
        options = {
            "trusted": trusted,
            "interpreterProvider": interpreter is not None,
            "savesDocuments": saves,
            "mutantDiffs": True,
            "testExplorer": explorer,
            "settings": {"python": sys.executable, **settings},
        }
        folders = [types.WorkspaceFolder(root.as_uri(), root.name) for root in roots]
        await client.initialize_session(
            types.InitializeParams(capabilities, workspace_folders=folders, initialization_options=options)
        )
        return editor

    async def stop(self) -> None:
        """End the server as an editor does; again is no error."""
        if self._stopped:
            return
        self._stopped = True
        await self.client.shutdown_session()
        await self.client.stop()

    def open(self, path: Path | str, text: str | None = None, language: str = "python") -> str:
        """Open a file as an editor shows it: without a BOM. Returns its URI."""
        uri = path.as_uri() if isinstance(path, Path) else path
        if text is None:
            assert isinstance(path, Path)
            text = path.read_bytes().decode("utf-8-sig", "replace")
        self._versions[uri] = 1
        self.buffers.texts[uri] = text
        document = types.TextDocumentItem(uri, language, 1, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(document))
        return uri

    def close(self, uri: str) -> None:
        """Close a document."""
        del self._versions[uri], self.buffers.texts[uri]
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri)))

    def type(self, uri: str, text: str) -> None:
        """Replace the text of an open document."""
        self._versions[uri] += 1
        self.buffers.texts[uri] = text
        self.client.text_document_did_change(
            types.DidChangeTextDocumentParams(
                types.VersionedTextDocumentIdentifier(self._versions[uri], uri),
                [types.TextDocumentContentChangeWholeDocument(text)],
            )
        )

    def version(self, uri: str) -> int:
        """The version of an open document."""
        return self._versions[uri]

    def configure(self, **settings: Any) -> None:
        """Change the settings."""
        changed = {"settings": {"python": sys.executable, **settings}}
        self.client.workspace_did_change_configuration(types.DidChangeConfigurationParams(changed))

    async def marks(self, uri: str, until: Callable[[Any], object] = lambda marks: marks.covered) -> Any:
        """The newest marks of the document's current version that satisfy `until`."""

        def newest() -> Any:
            found = [marks for marks in self.said["testlens/marks"] if marks.uri == uri]
            current = found and found[-1].version == self._versions[uri] and until(found[-1])
            return found[-1] if current else None

        return await eventually(newest, f"marks of {uri}; last were {self.said['testlens/marks'][-1:]}")

    async def status(self, root: Path, until: Callable[[Any], object]) -> Any:
        """The newest status of a folder, once it satisfies `until`."""

        def newest() -> Any:
            found = [status for status in self.said["testlens/status"] if status.folder == root.as_uri()]
            return found[-1] if found and until(found[-1]) else None

        return await eventually(newest, "the status")

    async def ready(self, root: Path) -> Any:
        """The status of a folder once it has been read."""
        return await self.status(root, lambda status: status.state in ("ready", "noData"))

    async def diagnostics(self, uri: str, until: Callable[[list[types.Diagnostic]], object] = bool) -> list[Any]:
        """The diagnostics of a file once they satisfy `until`."""

        def newest() -> Any:
            found = list(self.client.diagnostics.get(uri, []))
            return (found,) if until(found) else None

        (found,) = await eventually(newest, f"diagnostics of {uri}")
        return list(found)

    async def hover(self, uri: str, line: int) -> str:
        """The Markdown that hovering a line shows, empty for none."""
        params = types.HoverParams(types.TextDocumentIdentifier(uri), types.Position(line - 1, 0))
        hover = await self.client.text_document_hover_async(params)
        if hover is None:
            return ""
        assert isinstance(hover.contents, types.MarkupContent)
        return hover.contents.value

    async def lenses(self, uri: str) -> dict[int, list[types.Command]]:
        """The resolved code lenses of a document by line."""
        params = types.CodeLensParams(types.TextDocumentIdentifier(uri))
        found: dict[int, list[types.Command]] = {}
        for lens in await self.client.text_document_code_lens_async(params) or ():
            resolved = lens if lens.command else await self.client.code_lens_resolve_async(lens)
            assert resolved.command is not None
            found.setdefault(resolved.range.start.line + 1, []).append(resolved.command)
        return found

    async def actions(
        self,
        uri: str,
        first: int,
        last: int | None = None,
        *,
        diagnostics: Sequence[types.Diagnostic] = (),
        only: Sequence[str] | None = None,
        asked: bool = False,
    ) -> list[types.CodeAction]:
        """What the light bulb offers on the lines from `first` to `last`; `asked` if the user opened it."""
        kind = types.CodeActionTriggerKind.Invoked if asked else types.CodeActionTriggerKind.Automatic
        lines = types.Range(types.Position(first - 1, 0), types.Position((last or first) - 1, 0))
        context = types.CodeActionContext(list(diagnostics), only, kind)
        params = types.CodeActionParams(types.TextDocumentIdentifier(uri), lines, context)
        found = await self.client.text_document_code_action_async(params) or ()
        return [action for action in found if isinstance(action, types.CodeAction)]

    async def choose(self, action: types.CodeAction) -> Any:
        """What the command of an action answers, the action resolved first as editors do."""
        resolved = await self.client.code_action_resolve_async(action)
        assert resolved.command is not None
        params = types.ExecuteCommandParams(resolved.command.command, resolved.command.arguments)
        return await self.client.workspace_execute_command_async(params)

    async def plan(self, root: Path) -> Any:
        """The plan of a folder."""
        return await self.client.protocol.send_request_async("testlens/plan", {"folder": root.as_uri()})

    async def request(self, method: str, **params: Any) -> Any:
        """What the server answers to one of Testlens' own requests."""
        return await self.client.protocol.send_request_async(method, params)

    async def command(self, name: str, **argument: Any) -> Any:
        """Execute a command of the server."""
        params = types.ExecuteCommandParams(f"testlens.server.{name}", [argument])
        return await self.client.workspace_execute_command_async(params)

    async def _asked(self, params: types.ShowMessageRequestParams) -> types.MessageActionItem | None:
        self.questions.append(params)
        if self.back is not None:
            await self.back.wait()
        return types.MessageActionItem(self.answer) if self.answer is not None else None


async def eventually(look: Callable[[], T | None], what: str) -> T:
    """What `look` sees once it is something; fails after some seconds without `what`."""
    until = time.monotonic() + _PATIENCE
    while (seen := look()) is None or seen is False:
        assert time.monotonic() < until, f"never came: {what}"
        await asyncio.sleep(0.005)
    return seen


def _capabilities() -> types.ClientCapabilities:
    """Those of VS Code as it is now; pytest-lsp knows an older one."""
    capabilities = pytest_lsp.client_capabilities("visual-studio-code")
    assert capabilities.text_document is not None
    assert capabilities.text_document.code_action is not None
    resolving = types.ClientCodeActionResolveOptions(("edit", "command"))
    capabilities.text_document.code_action.resolve_support = resolving
    return capabilities


def _hear(heard: list[Any], params: Any) -> None:
    heard.append(params)


def lines_of(flat: list[int]) -> set[int]:
    """The 1-based lines of a flat range list."""
    pairs = zip(flat[::2], flat[1::2], strict=True)
    return {line + 1 for first, last in pairs for line in range(first, last + 1)}


def painted(marks: Any) -> Mapping[int, str]:
    """The state of each painted line, 1-based; a line with two states is an error."""
    states = {}
    for state in ("covered", "partial", "uncovered", "stale", "failing", "survivor", "running"):
        for line in lines_of(getattr(marks, state)):
            assert line not in states, f"line {line} is both {states[line]} and {state}"
            states[line] = state
    return states
