"""The light bulb on a gap: a test is offered, written into its file, run, and what came of it is said on the spot."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from lsp.buffers import path_of
from lsp.conftest import OpenEditor
from lsp.editor import Editor, eventually, painted
from lsp.project import SHOP, TESTS, Project, line_of

REFUND = line_of(SHOP, "total = 0")
REFUSED = line_of(SHOP, "raise ValueError")
# Nothing of the project is run to write the test: for tests of all that comes after that.
AT_ONCE = {"budget": 0}
ENDLESS = """\
def wait(number):
    if number == 4711:
        return 1
    while True:
        pass
"""


async def opened(editor: Editor, project: Project, name: str = "shop.py") -> str:
    """The URI of a source file that is open and painted."""
    uri = editor.open(project.file(name))
    await editor.marks(uri)
    await editor.ready(project.root)
    return uri


async def offer(editor: Editor, uri: str, line: int = REFUND) -> types.CodeAction:
    """The first action on a line."""
    return (await editor.actions(uri, line))[0]


async def eventually_actions(editor: Editor, uri: str, line: int) -> list[types.CodeAction]:
    """The actions on a line once the server knows what the interpreter brings."""
    for _ in range(100):
        actions = await editor.actions(uri, line)
        if any("(adds" in action.title for action in actions):
            return actions
        await asyncio.sleep(0.05)
    raise AssertionError([action.title for action in actions])


async def job(editor: Editor) -> list[Any]:
    """The progress of the job, once it has ended."""

    def ended() -> Any:
        reports = [found for found in editor.client.progress_reports.values() if _title(found) == "Writing a test"]
        return reports[-1] if reports and isinstance(reports[-1][-1], types.WorkDoneProgressEnd) else None

    return list(await eventually(ended, "the end of the job"))


async def written(editor: Editor, uri: str, line: int = REFUND) -> str:
    """The URI of the test file after the first offer on a line was taken."""
    before = len(editor.buffers.saved)
    await editor.choose(await offer(editor, uri, line))
    await eventually(lambda: len(editor.buffers.saved) > before or None, "the test")
    await job(editor)
    return next(each for each in editor.buffers.saved[-1] if "def test_" in editor.buffers.texts[each])


async def messages(editor: Editor) -> list[str]:
    """What the user was told, once there is something."""
    return await eventually(
        lambda: [m.message for m in (*editor.client.messages, *editor.questions)] or None, "a message"
    )


def _title(reports: list[Any]) -> str:
    return reports[0].title if reports and isinstance(reports[0], types.WorkDoneProgressBegin) else ""


async def test_a_gap_has_quick_fixes_that_are_resolved_only_when_one_is_chosen(
    measured: Project, open_editor: OpenEditor
) -> None:
    editor = await open_editor(measured.root)
    uri = await opened(editor, measured)
    actions = await editor.actions(uri, REFUND)
    assert "`refund`" in actions[0].title
    assert {action.kind for action in actions} == {types.CodeActionKind.QuickFix}
    assert [action.is_preferred for action in actions] == [True] + [None] * (len(actions) - 1)
    assert all(action.command is None and action.edit is None for action in actions)
    resolved = await editor.client.code_action_resolve_async(actions[0])
    assert resolved.command is not None
    assert resolved.command.command == "testlens.server.scaffold"


async def test_nothing_is_offered_where_there_is_no_gap_or_no_wish_for_it(
    measured: Project, open_editor: OpenEditor, tmp_path: Path
) -> None:
    editor = await open_editor(measured.root)
    uri = await opened(editor, measured)
    assert await editor.actions(uri, line_of(SHOP, "amount *= 0.9"), asked=True) == []
    assert await editor.actions(uri, REFUND, only=["refactor"]) == []
    assert await editor.actions(uri, REFUND, only=["quickfix"])
    outside = tmp_path / "outside.py"
    outside.write_text(SHOP)
    assert await editor.actions(editor.open(outside), REFUND) == []


async def test_the_problems_panel_offers_the_fix_of_each_of_its_gaps(
    measured: Project, open_editor: OpenEditor
) -> None:
    editor = await open_editor(measured.root, diagnostics={"minimumRisk": 0})
    uri = await opened(editor, measured)
    diagnostics = await editor.diagnostics(uri)
    for diagnostic in diagnostics:
        line = diagnostic.range.start.line + 1
        first = (await editor.actions(uri, line, diagnostics=[diagnostic], only=["quickfix"]))[0]
        assert list(first.diagnostics or ()) == [diagnostic]


async def test_of_several_gaps_the_riskiest_comes_first_and_no_title_twice(
    measured: Project, open_editor: OpenEditor
) -> None:
    editor = await open_editor(measured.root)
    uri = await opened(editor, measured)
    actions = await editor.actions(uri, 1, len(SHOP.splitlines()))
    titles = [action.title for action in actions]
    assert "`store`" in titles[0], "it writes data, which nothing else here does"
    assert len(set(titles)) == len(titles)
    assert sum(action.is_preferred or False for action in actions) == 1


async def test_why_nothing_is_offered_is_told_only_to_who_asks(measured: Project, open_editor: OpenEditor) -> None:
    measured.write({"shop.py": SHOP + "\n\nif price(1, True) > 1:\n    LIMIT = 1\n"})
    measured.measure()
    editor = await open_editor(measured.root)
    uri = await opened(editor, measured)
    line = line_of(measured.file().read_text(), "LIMIT = 1")
    assert await editor.actions(uri, line) == []
    (action,) = await editor.actions(uri, line, asked=True)
    assert action.disabled is not None
    assert "when the module is imported" in action.disabled.reason


@pytest.mark.alone
async def test_offers_come_within_50_ms_also_right_after_typing(measured: Project, open_editor: OpenEditor) -> None:
    measured.write({"shop.py": SHOP + "\n\n".join(f"def f{n}(x):\n    return x + {n}\n" for n in range(500))})
    measured.measure()
    editor = await open_editor(measured.root)
    uri = await opened(editor, measured)
    await offer(editor, uri)
    waits = []
    for number in range(20):
        if number % 4 == 0:
            editor.type(uri, editor.buffers.texts[uri] + f"# {number}\n")
        began = time.perf_counter()
        await offer(editor, uri)
        waits.append(time.perf_counter() - began)
    # The median: single answers wait for the machine, which others use too.
    assert sorted(waits)[len(waits) // 2] < 0.05


async def test_a_chosen_fix_is_written_shown_saved_run_and_judged(measured: Project, open_editor: OpenEditor) -> None:
    editor = await open_editor(measured.root)
    editor.answer = "Show"
    uri = await opened(editor, measured)
    started = await editor.choose(await offer(editor, uri))
    assert started["job"] if isinstance(started, dict) else started.job

    marks = await editor.marks(uri, lambda marks: REFUND - 1 not in marks.gaps)
    assert painted(marks)[line_of(SHOP, "total += line")] == "covered"
    assert painted(marks)[line_of(SHOP, "amount *= 0.9")] == "covered", "what the other tests cover stays"
    reports = await job(editor)
    assert reports[0].cancellable
    assert any("tried" in (report.message or "") for report in reports[1:-1])

    (saved,) = editor.buffers.saved
    test = next(each for each in saved if "def test_" in editor.buffers.texts[each])
    (question,) = await eventually(lambda: editor.questions or None, "the verdict")
    assert "Green, covers 4 of 4 lines of this gap" in question.message
    ((line, (lens,)),) = (await editor.lenses(test)).items()
    assert lens.title == "✓ green, covers 4 of 4 lines of this gap"
    assert "def test_" in editor.buffers.texts[test].splitlines()[line - 1]
    shown = await eventually(lambda: len(editor.client.shown_documents) == 2 and editor.client.shown_documents, "it")
    assert {(each.uri, each.selection and each.selection.start.line) for each in shown} == {(test, line - 1)}

    editor.type(test, editor.buffers.texts[test] + "\n")
    assert await editor.lenses(test) == {}, "an edited test is not the one that was run"
    assert (await editor.status(measured.root, lambda status: status.state == "ready")).delta > 0


async def test_what_was_added_is_one_step_to_undo(measured: Project, open_editor: OpenEditor) -> None:
    editor = await open_editor(measured.root, scaffold={"budget": 0, "style": "plain"})
    uri = await opened(editor, measured)
    await editor.choose(await offer(editor, uri))
    await job(editor)
    assert len(editor.buffers.edits) == 1
    before = dict(editor.buffers.texts)
    editor.buffers.undo()
    assert editor.buffers.texts != before
    assert not [text for text in editor.buffers.texts.values() if "refund(" in text and text not in (SHOP, TESTS)]


async def test_an_edit_that_the_editor_refuses_is_told_and_nothing_is_run(
    measured: Project, open_editor: OpenEditor
) -> None:
    editor = await open_editor(measured.root, scaffold=AT_ONCE)
    editor.buffers.refuses = "the file is locked"
    uri = await opened(editor, measured)
    await editor.choose(await offer(editor, uri))
    (message,) = await messages(editor)
    assert "did not add the test: the file is locked" in message
    await job(editor)
    assert editor.buffers.saved == []
    assert not measured.file(".testlens/run.coverage").exists()


async def test_an_editor_that_does_not_save_gets_its_verdict_all_the_same(
    measured: Project, open_editor: OpenEditor
) -> None:
    editor = await open_editor(measured.root, saves=False)
    uri = await opened(editor, measured)
    await editor.choose(await offer(editor, uri))
    (message,) = await messages(editor)
    assert "Green, covers 4 of 4 lines of this gap" in message
    assert editor.buffers.saved == []


async def test_a_test_that_would_add_a_library_asks_before_it_does(measured: Project, open_editor: OpenEditor) -> None:
    editor = await open_editor(measured.root, scaffold=AT_ONCE)
    uri = await opened(editor, measured)
    actions = await eventually_actions(editor, uri, line_of(SHOP, "with table.batch_writer()"))
    adding = next(action for action in actions if "(adds moto)" in action.title)
    await editor.choose(adding)
    (question,) = await eventually(lambda: editor.questions or None, "the question")
    assert "moto is not installed for" in question.message
    assert [action.title for action in question.actions or ()] == ["Install moto"]
    await job(editor)
    assert editor.buffers.edits == [], "declined is declined"


async def test_nothing_is_written_in_a_workspace_that_is_not_trusted(
    measured: Project, open_editor: OpenEditor
) -> None:
    editor = await open_editor(measured.root, trusted=False)
    uri = await opened(editor, measured)
    with pytest.raises(JsonRpcException, match="not trusted"):
        await editor.command("scaffold", uri=uri, line=REFUND - 1)
    assert editor.buffers.edits == []


async def test_an_offer_holds_while_lines_are_typed_above_it(measured: Project, open_editor: OpenEditor) -> None:
    editor = await open_editor(measured.root, scaffold=AT_ONCE)
    uri = await opened(editor, measured)
    offered = await offer(editor, uri)
    editor.type(uri, "# a note\n# and another\n" + SHOP)
    await editor.choose(offered)
    await job(editor)
    assert any("refund(" in text for where, text in editor.buffers.texts.items() if where != uri)


async def test_an_offer_for_a_line_that_was_edited_meanwhile_says_so(
    measured: Project, open_editor: OpenEditor
) -> None:
    editor = await open_editor(measured.root, scaffold=AT_ONCE)
    uri = await opened(editor, measured)
    offered = await offer(editor, uri)
    measured.write({"shop.py": SHOP.replace("total = 0", "total = 1")})
    await editor.choose(offered)
    (message,) = await messages(editor)
    assert "Testlens writes no test here" in message
    assert "another one on disk" in message
    assert editor.buffers.edits == []


async def test_windows_line_ends_and_a_byte_order_mark_of_the_test_file_stay(
    measured: Project, open_editor: OpenEditor
) -> None:
    old = b"\xef\xbb\xbf" + TESTS.replace("\n", "\r\n").encode()
    measured.write({"test_shop.py": old})
    editor = await open_editor(measured.root, scaffold=AT_ONCE)
    uri = await opened(editor, measured)
    test = path_of(await written(editor, uri, REFUSED))
    assert test == measured.file("test_shop.py"), "errors are tested beside the other tests of the module"
    new = test.read_bytes()
    assert new.startswith(b"\xef\xbb\xbf")
    assert new.count(b"\xef\xbb\xbf") == 1
    assert new.count(b"\n") == new.count(b"\r\n")
    assert old.split(b"\r\n\r\n", 1)[1] in new, "the old tests are as they were"
    assert new.count(b"def test_") == old.count(b"def test_") + 1


async def test_a_test_file_with_unsaved_changes_is_left_alone(measured: Project, open_editor: OpenEditor) -> None:
    editor = await open_editor(measured.root, scaffold=AT_ONCE)
    uri = await opened(editor, measured)
    test = editor.open(measured.file("test_shop.py"))
    editor.type(test, TESTS.replace("== 9", "== 10"))
    await editor.choose(await offer(editor, uri, REFUSED))
    (message,) = await messages(editor)
    assert "test_shop.py" in message
    assert "Save it" in message
    assert editor.buffers.edits == []


@pytest.mark.alone
async def test_cancelling_ends_the_search_and_leaves_everything_as_it_was(
    measured: Project, open_editor: OpenEditor
) -> None:
    measured.write({"wait.py": ENDLESS, "test_wait.py": "import wait\n\n\ndef test_one():\n    wait.wait(4711)\n"})
    measured.measure()
    editor = await open_editor(measured.root, scaffold={"budget": 60})
    uri = await opened(editor, measured, "wait.py")
    await editor.choose(await offer(editor, uri, line_of(ENDLESS, "while True")))
    token = await eventually(
        lambda: next((t for t, r in editor.client.progress_reports.items() if len(r) > 1), None), "the search"
    )
    with pytest.raises(JsonRpcException, match="being written"):
        await editor.command("scaffold", uri=uri, line=0)
    editor.client.window_work_done_progress_cancel(types.WorkDoneProgressCancelParams(token))
    await job(editor)
    assert editor.buffers.edits == []
    began = time.monotonic()
    await editor.stop()
    assert time.monotonic() - began < 5


async def test_with_several_folders_the_test_goes_where_its_source_is(
    measured: Project, open_editor: OpenEditor, tmp_path: Path
) -> None:
    other = Project.shop(tmp_path / "other")
    editor = await open_editor(other.root, measured.root, scaffold=AT_ONCE)
    uri = await opened(editor, measured)
    await editor.command("scaffold", uri=uri, line=REFUND - 1)
    await job(editor)
    (saved,) = editor.buffers.saved
    assert all(path_of(each).is_relative_to(measured.root) for each in saved)
    assert editor.questions or await messages(editor)
    await asyncio.sleep(0)
