"""Puts a scaffold into the editor: as one edit that can be undone, shown, and saved where the editor does that."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lsprotocol.types import (
    AnnotatedTextEdit,
    ApplyWorkspaceEditParams,
    CreateFile,
    CreateFileOptions,
    OptionalVersionedTextDocumentIdentifier,
    Position,
    Range,
    ResourceOperationKind,
    ShowDocumentParams,
    SnippetTextEdit,
    TextDocumentEdit,
    TextEdit,
    WorkspaceEdit,
)

from testlens.lsp.convert import line_range, path_of, split_lines, uri_of, utf16_length
from testlens.lsp.folders import Folder
from testlens.lsp.protocol import SAVE, SaveParams

if TYPE_CHECKING:
    from pygls.workspace import TextDocument

    from testlens.domain.problems import Problem
    from testlens.lsp.server import TestlensServer
    from testlens.scaffold.edits import Edit
    from testlens.scaffold.render import Written

_PATIENCE = 30.0
"""Seconds for an editor to do what it is asked to; it may ask its user."""

Edits = list[TextEdit | AnnotatedTextEdit | SnippetTextEdit]


@dataclass(frozen=True, slots=True)
class _File:
    """One file of a scaffold as the editor knows it: its text is None where there is no such file yet."""

    path: str
    uri: str
    version: int | None
    text: str | None
    edits: tuple[Edit, ...]


async def insert(server: TestlensServer, folder: Folder, written: Written) -> Problem | None:
    """Have the editor add the tests to its documents; a Problem if it does not want to, or must not."""
    from testlens.domain.problems import Problem

    files = [_file(server, folder, written, path) for path in written.files]
    for file in files:
        if not _fits(file, written.files[file.path]):
            advice = "Save it, then ask again."
            return Problem("The file is not as it is on disk, so no test was added.", advice, file.path)
    edit = _workspace_edit(server, files)
    label = f"Add {written.names[0].split('::')[-1]}" if written.names else "Add tests"
    try:
        asked = server.workspace_apply_edit_async(ApplyWorkspaceEditParams(edit, label))
        answer = await asyncio.wait_for(asked, _PATIENCE)
    except TimeoutError:
        return Problem("The editor did not say whether it added the test.", "Look into the file.", written.test_file)
    except Exception as error:  # noqa: BLE001 - whatever the client answers, the user learns of it
        return Problem(f"The editor could not add the test: {error}", "Ask again.", written.test_file)
    if answer.applied:
        return None
    reason = f": {answer.failure_reason}" if answer.failure_reason else "."
    return Problem(f"The editor did not add the test{reason}", "Ask again.", written.test_file)


async def show(server: TestlensServer, uri: str, line: int) -> None:
    """Open a document with the cursor on a line (1-based), where the editor can be told to."""
    window = server.client_capabilities.window
    if window is None or window.show_document is None or not window.show_document.support:
        return
    params = ShowDocumentParams(uri, take_focus=True, selection=line_range(line))
    # Whatever keeps the editor from showing it, the test is there.
    with contextlib.suppress(Exception):
        await asyncio.wait_for(server.window_show_document_async(params), _PATIENCE)


async def save(server: TestlensServer, uris: Sequence[str]) -> bool:
    """Have the editor save documents; false where it does not, or cannot be told to."""
    if not server.options.saves_documents:
        return False
    asked = server.protocol.send_request_async(SAVE, SaveParams(list(uris)))
    try:
        answer = await asyncio.wait_for(asked, _PATIENCE)
    except Exception:  # noqa: BLE001 - whatever goes wrong there, the documents count as not saved
        return False
    return bool(getattr(answer, "saved", False))


def edit_of(server: TestlensServer, uri: str, version: int | None, edits: Sequence[TextEdit]) -> WorkspaceEdit:
    """An edit of one document, in the form that the client takes; `version` is None where it is not open."""
    workspace = server.client_capabilities.workspace
    known = workspace.workspace_edit if workspace is not None else None
    if known is None or not known.document_changes:
        return WorkspaceEdit(changes={uri: [*edits]})
    document = OptionalVersionedTextDocumentIdentifier(uri, version)
    return WorkspaceEdit(document_changes=[TextDocumentEdit(document, [*edits])])


def document_uri(server: TestlensServer, folder: Folder, path: str) -> str:
    """The URI of a file of the folder, as the editor itself writes it where the file is open."""
    opened = _open_document(server, folder, path)
    return uri_of(folder.root / path) if opened is None else opened.uri


def _open_document(server: TestlensServer, folder: Folder, path: str) -> TextDocument | None:
    documents = server.workspace.text_documents.values()
    return next((each for each in documents if path_of(each.uri) == folder.root / path), None)


def _file(server: TestlensServer, folder: Folder, written: Written, path: str) -> _File:
    from testlens.workspace.insertion import text_of

    edits = tuple(edit for edit in written.edits if edit.path == path)
    opened = _open_document(server, folder, path)
    if opened is None:
        return _File(path, uri_of(folder.root / path), None, text_of(folder.root / path), edits)
    return _File(path, opened.uri, opened.version, opened.source, edits)


def _fits(file: _File, wanted: str) -> bool:
    """Whether the edits make of the editor's text the one that is meant. Editors show no byte order mark."""
    from testlens.scaffold.edits import apply
    from testlens.sources.coverage_parse import normalise

    return normalise(apply(file.text or "", file.edits)) == normalise(wanted)


def _workspace_edit(server: TestlensServer, files: Iterable[_File]) -> WorkspaceEdit:
    workspace = server.client_capabilities.workspace
    known = workspace.workspace_edit if workspace is not None else None
    operations = known.resource_operations if known is not None and known.resource_operations else ()
    if known is None or not known.document_changes:
        return WorkspaceEdit(changes={file.uri: [*_text_edits(file)] for file in files})
    changes: list[CreateFile | TextDocumentEdit] = []
    for file in files:
        if file.text is None and ResourceOperationKind.Create in operations:
            changes.append(CreateFile(file.uri, options=CreateFileOptions(overwrite=False)))
        edits: Edits = [*_text_edits(file)]
        if edits:
            document = OptionalVersionedTextDocumentIdentifier(file.uri, file.version)
            changes.append(TextDocumentEdit(document, edits))
    return WorkspaceEdit(document_changes=list(changes))


def _text_edits(file: _File) -> Iterator[TextEdit]:
    lines = split_lines((file.text or "").removeprefix("\ufeff"))
    for edit in file.edits:
        text = edit.text.removeprefix("\ufeff") if edit.line == 1 else edit.text
        yield TextEdit(Range(_start_of(edit.line, lines), _start_of(edit.end, lines)), text)


def _start_of(line: int, lines: Sequence[str]) -> Position:
    """The start of a 1-based line; the end of the document for what lies behind its last line."""
    if line <= len(lines):
        return Position(line - 1, 0)
    return Position(len(lines) - 1, utf16_length(lines[-1]))
