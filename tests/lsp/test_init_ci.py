"""The editor gets the workflow for CI as an edit, and shows what would change before somebody's own is replaced."""

from __future__ import annotations

from typing import Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from lsp.conftest import OpenEditor
from lsp.editor import Editor, eventually
from lsp.project import Project

WORKFLOW = ".github/workflows/testlens.yml"


async def _ask(editor: Editor, **argument: Any) -> None:
    params = types.ExecuteCommandParams("testlens.server.initCi", [argument])
    await editor.client.workspace_execute_command_async(params)


async def test_a_new_workflow_arrives_as_one_edit(shop: Project, open_editor: OpenEditor) -> None:
    """The editor makes the file; the server writes nothing by itself."""
    editor = await open_editor(shop.root)
    await _ask(editor, service="github")
    uri = (shop.root / WORKFLOW).as_uri()
    text = await eventually(lambda: editor.buffers.texts.get(uri), "the workflow")
    assert "testlens merge artifacts" in text
    assert shop.file(WORKFLOW).read_text() == "", "only the editor saves it"


async def test_a_workflow_that_is_there_is_replaced_only_once_the_user_has_seen_the_difference(
    shop: Project, open_editor: OpenEditor
) -> None:
    """The edit asks the editor to show it first."""
    file = shop.file(WORKFLOW)
    file.parent.mkdir(parents=True)
    file.write_text("name: Mine\n")
    editor = await open_editor(shop.root)
    await _ask(editor, service="github", folder=shop.root.as_uri())
    (edit,) = await eventually(lambda: editor.buffers.edits, "the edit")
    (change,) = edit.document_changes
    assert isinstance(change, types.TextDocumentEdit)
    (replacement,) = change.edits
    assert isinstance(replacement, types.AnnotatedTextEdit)
    assert edit.change_annotations[replacement.annotation_id].needs_confirmation
    assert editor.buffers.texts[file.as_uri()].startswith("# Written by `testlens init-ci github`")
    assert file.read_text() == "name: Mine\n"


async def test_a_service_that_nobody_knows_is_refused(shop: Project, open_editor: OpenEditor) -> None:
    """In words for the user."""
    editor = await open_editor(shop.root)
    with pytest.raises(JsonRpcException, match="no workflow for circle, but for github and gitlab"):
        await _ask(editor, service="circle")
