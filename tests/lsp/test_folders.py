"""Several folders in one window are kept apart, and may come and go."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from lsp.conftest import OpenEditor
from lsp.editor import Editor, eventually, painted
from lsp.project import SHOP, TESTS, Project


@pytest.fixture
def other(tmp_path: Path) -> Project:
    """A second project, in which fewer tests ran."""
    project = Project.shop(tmp_path / "other")
    project.write({"test_shop.py": TESTS.split("def test_guest")[0]})
    project.measure()
    return project


def change(added: tuple[Path, ...] = (), removed: tuple[Path, ...] = ()) -> types.DidChangeWorkspaceFoldersParams:
    """The folders that the user adds and removes."""
    folders = [[types.WorkspaceFolder(root.as_uri(), root.name) for root in roots] for roots in (added, removed)]
    return types.DidChangeWorkspaceFoldersParams(types.WorkspaceFoldersChangeEvent(*folders))


async def test_each_folder_has_its_own_marks_and_status(
    measured: Project, other: Project, open_editor: OpenEditor
) -> None:
    editor = await open_editor(measured.root, other.root)
    one, two = editor.open(measured.file()), editor.open(other.file())
    assert painted(await editor.marks(one)) == measured.expected_marks()
    assert painted(await editor.marks(two)) == other.expected_marks()
    assert (await editor.ready(measured.root)).percent > (await editor.ready(other.root)).percent


async def test_a_command_in_a_window_of_several_folders_asks_which_one(
    measured: Project, other: Project, open_editor: OpenEditor
) -> None:
    editor = await open_editor(measured.root, other.root)
    with pytest.raises(JsonRpcException, match="Which folder"):
        await editor.command("runTests")


async def test_a_folder_that_is_added_is_read_and_one_that_is_removed_leaves_nothing(
    measured: Project, other: Project, open_editor: OpenEditor
) -> None:
    editor = await open_editor(measured.root)
    await editor.ready(measured.root)
    editor.client.workspace_did_change_workspace_folders(change(added=(other.root,)))
    await editor.diagnostics(other.file().as_uri())
    editor.client.workspace_did_change_workspace_folders(change(removed=(other.root,)))
    await editor.diagnostics(other.file().as_uri(), lambda found: not found)
    assert await editor.diagnostics(measured.file().as_uri())


async def test_a_folder_that_is_removed_while_its_gaps_are_published_leaves_none(
    measured: Project, other: Project, open_editor: OpenEditor
) -> None:
    modules = [f"module_{number}.py" for number in range(200)]
    other.write(dict.fromkeys(modules, SHOP))
    other.write({"test_modules.py": "\n".join(f"import {name.removesuffix('.py')}" for name in modules)})
    other.measure()
    editor = await open_editor(measured.root)
    await editor.ready(measured.root)
    editor.client.workspace_did_change_workspace_folders(change(added=(other.root,)))
    # The first of two hundred is there, the others are being sent.
    await eventually(lambda: any(below(other.root, uri) for uri in editor.client.diagnostics), "diagnostics")
    editor.client.workspace_did_change_workspace_folders(change(removed=(other.root,)))
    await eventually(lambda: gone(editor, other.root), "an empty Problems panel")
    await settled(editor, measured)
    assert gone(editor, other.root)


async def test_a_folder_that_is_removed_while_it_is_being_opened_says_no_word_more(
    measured: Project, other: Project, open_editor: OpenEditor
) -> None:
    editor = await open_editor(measured.root)
    await editor.ready(measured.root)
    for _ in range(5):
        editor.client.workspace_did_change_workspace_folders(change(added=(other.root,)))
        editor.client.workspace_did_change_workspace_folders(change(removed=(other.root,)))
    await settled(editor, measured)
    # Nobody watches it any more either.
    other.measure()
    await settled(editor, measured)
    states = [status.state for status in editor.said["testlens/status"] if status.folder == other.root.as_uri()]
    assert states == ["loading"] * 5
    assert gone(editor, other.root)


async def test_a_folder_that_is_removed_takes_the_marks_of_its_documents_along(
    measured: Project, other: Project, open_editor: OpenEditor
) -> None:
    editor = await open_editor(measured.root, other.root)
    uri = editor.open(other.file())
    assert painted(await editor.marks(uri))
    editor.client.workspace_did_change_workspace_folders(change(removed=(other.root,)))
    assert painted(await editor.marks(uri, lambda marks: marks.percent is None)) == {}


async def test_a_folder_that_comes_and_goes_often_is_shown_in_the_end(
    measured: Project, other: Project, open_editor: OpenEditor
) -> None:
    editor = await open_editor(measured.root)
    uri = editor.open(other.file())
    for pause in range(10):
        editor.client.workspace_did_change_workspace_folders(change(added=(other.root,)))
        await asyncio.sleep(pause / 20)
        editor.client.workspace_did_change_workspace_folders(change(removed=(other.root,)))
    editor.client.workspace_did_change_workspace_folders(change(added=(other.root,)))
    assert painted(await editor.marks(uri)) == other.expected_marks()
    assert await editor.diagnostics(uri)


def below(root: Path, uri: str) -> bool:
    """Whether a URI lies in a folder."""
    return uri.startswith(f"{root.as_uri()}/")


def gone(editor: Editor, root: Path) -> bool:
    """Whether nothing is shown for a folder."""
    return not any(found for uri, found in editor.client.diagnostics.items() if below(root, uri))


async def settled(editor: Editor, project: Project) -> None:
    """Waits until the server has noticed new data of `project`, and with it all that came before."""
    before = len(editor.said["testlens/status"])
    project.measure()
    await eventually(
        lambda: any(
            status.folder == project.root.as_uri() and status.state == "ready"
            for status in editor.said["testlens/status"][before:]
        ),
        "the next status",
    )


async def test_a_folder_within_a_folder_owns_its_files(measured: Project, open_editor: OpenEditor) -> None:
    inner = Project(Path(shutil.copytree(measured.root, measured.root / "inner")))
    (measured.root / ".coverage").unlink()
    editor = await open_editor(measured.root, inner.root)
    marks = await editor.marks(editor.open(inner.file()))
    assert painted(marks) == inner.expected_marks()


async def test_a_folder_with_a_space_and_an_umlaut_in_its_name_works(
    measured: Project, tmp_path: Path, open_editor: OpenEditor
) -> None:
    odd = Project(Path(shutil.copytree(measured.root, tmp_path / "mein büro #1")))
    editor = await open_editor(odd.root)
    marks = await editor.marks(editor.open(odd.file()))
    assert painted(marks) == odd.expected_marks()
    assert (await editor.diagnostics(odd.file().as_uri()))[0].source == "testlens"


async def test_an_empty_folder_and_a_folder_that_is_gone_are_no_error(tmp_path: Path, open_editor: OpenEditor) -> None:
    (tmp_path / "empty").mkdir()
    editor = await open_editor(tmp_path / "empty", tmp_path / "gone")
    assert (await editor.ready(tmp_path / "empty")).state == "noData"
    assert await editor.plan(tmp_path / "empty")
    assert SHOP not in str(editor.client.messages)
    assert editor.client.messages == []
