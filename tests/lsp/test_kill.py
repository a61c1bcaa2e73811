"""The light bulb on a survivor: the test that kills it is written, told of, and takes the mark away."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from lsprotocol import types

from lsp.conftest import OpenEditor
from lsp.editor import Editor, eventually, lines_of
from mutmut_left import SOURCE, unpack

LIMIT, TOTAL = 8, 26
TESTS = "tests/test_prices.py"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = unpack(tmp_path / "shop")
    tests = (root / TESTS).read_text(encoding="utf-8")
    held = tests.replace("    assert price(10) == 20\n", "    doubled = price(10)\n    assert doubled\n")
    (root / TESTS).write_text(held, encoding="utf-8")
    return root


async def offered(editor: Editor, project: Path, line: int) -> tuple[str, dict[str, types.CodeAction]]:
    """The open source, and what the light bulb offers on a line by title."""
    await editor.ready(project)
    uri = editor.open(project / SOURCE)
    await editor.diagnostics(uri, lambda found: any(each.code == "survivor" for each in found))
    for _ in range(200):  # what the tests look like is read in the background
        actions = {action.title: action for action in await editor.actions(uri, line)}
        if any(title.startswith("Add an assertion") for title in actions):
            break
        await asyncio.sleep(0.02)
    return uri, actions


async def said(editor: Editor) -> types.ShowMessageRequestParams:
    return await eventually(lambda: editor.questions[-1] if editor.questions else None, "what came of it")


async def test_the_fix_writes_a_test_says_that_it_kills_and_takes_the_mark_away(
    project: Path, open_editor: OpenEditor
) -> None:
    editor = await open_editor(project)
    uri, actions = await offered(editor, project, LIMIT)
    fix = actions["Write a test that kills `3` changed to `4`"]
    assert (fix.kind, fix.command) == (types.CodeActionKind.QuickFix, None)
    await editor.choose(fix)
    question = await said(editor)
    assert question.message.startswith("Green, and red on the mutant")
    assert question.message.endswith("1 new test in test_prices.py.")
    assert question.type is types.MessageType.Info
    tests = (project / TESTS).as_uri()
    assert "def test_when_price_is_called_then" in editor.buffers.texts[tests]
    (note, *_) = [lens for line in (await editor.lenses(tests)).values() for lens in line if "✓" in lens.title]
    assert note.title.startswith("✓ green, and red on the mutant")
    marks = await editor.marks(uri, until=lambda marks: marks.survivor and LIMIT not in lines_of(marks.survivor))
    assert TOTAL in lines_of(marks.survivor)
    before = (project / TESTS).read_text(encoding="utf-8")
    editor.buffers.undo()
    assert editor.buffers.texts[tests] != before


async def test_a_test_that_has_the_input_is_offered_the_assertion_that_it_lacks(
    project: Path, open_editor: OpenEditor
) -> None:
    editor = await open_editor(project, mutants={"show": "all"})
    _, actions = await offered(editor, project, LIMIT)
    titles = list(actions)
    write = next(title for title in titles if title.startswith("Write a test that kills"))
    assert titles.index("Add an assertion to `test_price` that kills it") == titles.index(write) + 1


async def test_where_nothing_tells_it_apart_ignoring_the_line_is_offered(
    project: Path, open_editor: OpenEditor
) -> None:
    editor = await open_editor(project, scaffold={"budget": 0.5})
    editor.answer = "Ignore this line"
    uri, actions = await offered(editor, project, TOTAL)
    await editor.choose(actions["Write a test that kills `+` changed to `-`"])
    question = await said(editor)
    assert question.message.startswith("Possibly equivalent: ")
    assert [action.title for action in question.actions or ()] == ["Ignore this line"]
    ignored = await eventually(lambda: "+ 0  # pragma: no mutate" in editor.buffers.texts[uri], "the comment")
    assert ignored


async def test_a_name_that_is_not_known_is_told_and_nothing_is_run(project: Path, open_editor: OpenEditor) -> None:
    editor = await open_editor(project)
    await editor.ready(project)
    wanted = types.ExecuteCommandParams("testlens.server.kill", [{"name": "shop.prices.x_nothing__mutmut_1"}])
    await editor.client.workspace_execute_command_async(wanted)
    heard = await eventually(lambda: [message.message for message in editor.client.messages] or None, "a message")
    assert any("No mutant is known by the name" in message for message in heard)
