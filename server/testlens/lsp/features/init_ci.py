"""Writes the workflow for CI as an edit of the editor, which shows the difference first where there is one already."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from lsprotocol.types import (
    AnnotatedTextEdit,
    ApplyWorkspaceEditParams,
    ChangeAnnotation,
    CreateFile,
    CreateFileOptions,
    MessageType,
    OptionalVersionedTextDocumentIdentifier,
    Position,
    Range,
    ShowMessageParams,
    TextDocumentEdit,
    TextEdit,
    WorkspaceEdit,
)

from testlens.lsp.convert import split_lines, utf16_length
from testlens.lsp.editing import document_uri, show
from testlens.lsp.features.arguments import folder_of, parse, refusal
from testlens.lsp.protocol import INIT_CI, InitCiArguments
from testlens.lsp.server import TestlensServer

if TYPE_CHECKING:
    from testlens.lsp.folders import Folder
    from testlens.workspace.ci_files import PlannedFile

_REPLACE = "replace"


def register(server: TestlensServer) -> None:
    """Add the feature to the server."""
    server.command(INIT_CI)(_init_ci)


async def _init_ci(ls: TestlensServer, *arguments: object) -> None:
    from testlens.domain.problems import Problem
    from testlens.scaffold.ci_workflow import SERVICES
    from testlens.workspace.ci_files import CiWish, plan_files

    wish = parse(arguments, InitCiArguments)
    folder = folder_of(ls, wish.folder)
    service = next((each for each in SERVICES if each == wish.service), None)
    if service is None:
        raise refusal(f"Testlens writes no workflow for {wish.service}, but for {' and '.join(SERVICES)}.")
    files = await asyncio.to_thread(plan_files, folder.root, CiWish(service))
    if isinstance(files, Problem):
        raise refusal(str(files))
    ls.spawn(_write(ls, folder, files[0]))


async def _write(server: TestlensServer, folder: Folder, file: PlannedFile) -> None:
    uri = document_uri(server, folder, file.path)
    if not file.is_up_to_date:
        # The editor may ask its user for as long as the user likes.
        edit = _edit(server, uri, file)
        if edit is None:
            return
        answer = await server.workspace_apply_edit_async(ApplyWorkspaceEditParams(edit, f"Write {file.path}"))
        if not answer.applied:
            return
    await show(server, uri, 1)


def _edit(server: TestlensServer, uri: str, file: PlannedFile) -> WorkspaceEdit | None:
    """The edit; None, and the user is told, where this editor cannot show the difference before it replaces a text."""
    opened = next((one for one in server.workspace.text_documents.values() if one.uri == uri), None)
    present = opened.source if opened is not None else file.present
    document = OptionalVersionedTextDocumentIdentifier(uri, None if opened is None else opened.version)
    if present is None:
        start = Position(0, 0)
        create = CreateFile(uri, options=CreateFileOptions(overwrite=False))
        text = TextDocumentEdit(document, [TextEdit(Range(start, start), file.wanted)])
        return WorkspaceEdit(document_changes=[create, text])
    if not _asks_before_edits(server):
        message = f"{file.path} is there already, and this editor cannot show what would change."
        advice = "`testlens init-ci` in a terminal shows it."
        server.window_show_message(ShowMessageParams(MessageType.Warning, f"{message} {advice}"))
        return None
    lines = split_lines(present)
    whole = Range(Position(0, 0), Position(len(lines) - 1, utf16_length(lines[-1])))
    change = TextDocumentEdit(document, [AnnotatedTextEdit(_REPLACE, whole, file.wanted)])
    annotation = ChangeAnnotation("Replace the workflow", needs_confirmation=True, description=file.path)
    return WorkspaceEdit(document_changes=[change], change_annotations={_REPLACE: annotation})


def _asks_before_edits(server: TestlensServer) -> bool:
    workspace = server.client_capabilities.workspace
    known = workspace.workspace_edit if workspace is not None else None
    return known is not None and known.change_annotation_support is not None
