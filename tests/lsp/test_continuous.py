"""Continuous testing in the editor: save, and the marks follow, with no other action."""

from __future__ import annotations

import asyncio
import time

from left_behind import working_in
from lsp.conftest import OpenEditor
from lsp.editor import Editor, eventually, painted
from lsp.project import SHOP, TESTS, Project, line_of

_DISCOUNT, _TOTAL = line_of(SHOP, "amount *= 0.9"), line_of(SHOP, "total += line")
_REFUND = "\n\ndef test_refund():\n    assert shop.refund([1, 2]) == 3\n"


async def followed(shop: Project, open_editor: OpenEditor, when: str = "onSave") -> tuple[Editor, str]:
    """An editor that has run all tests of the shop, since continuous testing is on, with its source open."""
    editor = await open_editor(shop.root, continuous=when)
    uri = editor.open(shop.file())
    await editor.marks(uri)
    await editor.status(shop.root, lambda status: status.state == "ready")
    return editor, uri


def save(shop: Project, editor: Editor, uri: str, text: str) -> None:
    """Type and save."""
    editor.type(uri, text)
    shop.file().write_text(text)


async def test_a_save_is_enough(shop: Project, open_editor: OpenEditor) -> None:
    """Whoever saves: here it is another program that adds a test."""
    editor, uri = await followed(shop, open_editor)
    assert painted(await editor.marks(uri))[_TOTAL] == "uncovered"
    shop.write({"test_shop.py": TESTS + _REFUND})
    await editor.marks(uri, lambda marks: painted(marks)[_TOTAL] == "covered")


async def test_only_what_the_edit_can_affect_runs(shop: Project, open_editor: OpenEditor) -> None:
    """And what fails is shown as that, until it is mended."""
    editor, uri = await followed(shop, open_editor)
    editor.said["testlens/status"].clear()
    save(shop, editor, uri, SHOP.replace("amount *= 0.9", "amount *= 0.8"))
    await editor.marks(uri, lambda marks: painted(marks).get(_DISCOUNT) == "failing")
    counts = {(s.done, s.total, s.failed) for s in editor.said["testlens/status"] if s.state == "running"}
    assert {total for _, total, _ in counts} <= {0, 2}
    save(shop, editor, uri, SHOP)
    await editor.marks(uri, lambda marks: painted(marks).get(_DISCOUNT) == "covered")


async def test_half_a_line_loses_nothing(shop: Project, open_editor: OpenEditor) -> None:
    """What is known stands until it can be imported again."""
    editor, uri = await followed(shop, open_editor)
    save(shop, editor, uri, SHOP.replace("amount *= 0.9", "amount *= ("))
    await eventually(lambda: any("shop" in message.message for message in editor.client.messages) or None, "a message")
    save(shop, editor, uri, SHOP.replace("amount *= 0.9", "amount *= (9 / 10)"))
    await editor.marks(uri, lambda marks: painted(marks).get(_DISCOUNT) == "covered")


async def test_nothing_runs_before_it_is_asked_for_and_nothing_stays(shop: Project, open_editor: OpenEditor) -> None:
    """The process that is kept goes when continuous testing does."""
    editor = await open_editor(shop.root)
    assert (await editor.ready(shop.root)).state == "noData"
    editor.configure(continuous="onSave")
    await editor.status(shop.root, lambda status: status.source == "Testlens' own run")
    await eventually(lambda: working_in(shop.root) or None, "the process that is kept")
    editor.configure()
    await eventually(lambda: None if working_in(shop.root) else True, "its end")


async def test_nothing_runs_in_a_workspace_that_is_not_trusted(shop: Project, open_editor: OpenEditor) -> None:
    """Whatever is saved in it."""
    editor = await open_editor(shop.root, continuous="onSave", trusted=False)
    uri = editor.open(shop.file())
    assert (await editor.ready(shop.root)).state == "noData"
    save(shop, editor, uri, SHOP.replace("amount *= 0.9", "amount *= 0.8"))
    await asyncio.sleep(4)
    assert runs(editor) == 0
    assert not (shop.root / ".testlens" / "run.coverage").exists()


def runs(editor: Editor) -> int:
    """How often tests were seen to run."""
    return sum(status.state == "running" for status in editor.said["testlens/status"])


async def test_on_idle_nothing_runs_before_the_hands_rest(shop: Project, open_editor: OpenEditor) -> None:
    """Where an editor saves by itself while its user types; what is not saved is never run."""
    editor, uri = await followed(shop, open_editor, "onIdle")
    editor.said["testlens/status"].clear()
    save(shop, editor, uri, SHOP.replace("amount *= 0.9", "amount *= 0.8"))
    for spaces in range(1, 11):
        await asyncio.sleep(0.3)
        editor.type(uri, SHOP.replace("amount *= 0.9", "amount *= 0.8" + " " * spaces))
    assert runs(editor) == 0
    editor.type(uri, SHOP.replace("amount *= 0.9", "amount *= 0.9 +"))
    await editor.status(shop.root, lambda status: status.state == "running")
    await editor.status(shop.root, lambda status: status.state == "ready")
    editor.type(uri, SHOP.replace("amount *= 0.9", "amount *= 0.8"))
    await editor.marks(uri, lambda marks: painted(marks).get(_DISCOUNT) == "failing")


async def test_on_idle_typing_alone_runs_nothing(shop: Project, open_editor: OpenEditor) -> None:
    """And neither does an editor's pause without a save."""
    editor, uri = await followed(shop, open_editor, "onIdle")
    editor.said["testlens/status"].clear()
    editor.type(uri, SHOP.replace("amount *= 0.9", "amount *= 0.8"))
    await asyncio.sleep(2.5)
    assert runs(editor) == 0


async def test_a_round_can_be_cancelled_and_the_next_save_makes_another(shop: Project, open_editor: OpenEditor) -> None:
    """Nothing that is known is lost, and nothing runs again by itself."""
    editor, uri = await followed(shop, open_editor)
    before = await editor.marks(uri)
    slow = SHOP.replace("amount *= 0.9", "import time; time.sleep(50); amount *= 0.8")
    save(shop, editor, uri, slow)
    await editor.status(shop.root, lambda status: status.state == "running" and status.total)
    began = time.monotonic()
    await editor.command("cancelRun")
    await editor.status(shop.root, lambda status: status.state == "ready")
    assert time.monotonic() - began < 20
    editor.said["testlens/status"].clear()
    await asyncio.sleep(1.5)
    assert runs(editor) == 0
    editor.type(uri, SHOP)
    assert painted(await editor.marks(uri)) == painted(before)
    save(shop, editor, uri, SHOP.replace("amount *= 0.9", "amount *= 0.8"))
    await editor.marks(uri, lambda marks: painted(marks).get(_DISCOUNT) == "failing")


async def test_lines_are_marked_as_running_until_their_tests_have_said_how_they_are(
    shop: Project, open_editor: OpenEditor
) -> None:
    """The edited line, and what nothing but those tests runs; all else stands, and so does all once it is cancelled."""
    editor, uri = await followed(shop, open_editor)
    before = painted(await editor.marks(uri))
    slow = SHOP.replace("amount *= 0.9", "import time; time.sleep(50)")
    save(shop, editor, uri, slow)
    now = painted(await editor.marks(uri, lambda marks: marks.running))
    assert {line for line, state in now.items() if state == "running"} == {
        line_of(SHOP, part) for part in ("if amount < 0:", "if member:", "amount *= 0.9", "return amount")
    }
    assert now[line_of(SHOP, "return 0")] == before[line_of(SHOP, "return 0")] == "covered"
    assert now[_TOTAL] == "uncovered"
    await editor.command("cancelRun")
    after = painted(await editor.marks(uri, lambda marks: not marks.running))
    assert after[_DISCOUNT] == "stale"
    assert {line: state for line, state in after.items() if line != _DISCOUNT} == {
        line: state for line, state in before.items() if line != _DISCOUNT
    }


async def test_slow_tests_are_left_to_the_user_and_said_to_be(shop: Project, open_editor: OpenEditor) -> None:
    """They run when they are asked for; until then the list of a line's tests does not call them passed."""
    slow = "\n\ndef test_slow():\n    import time\n    time.sleep(0.5)\n    assert shop.refund([1, 2]) == 3\n"
    shop.write({"test_shop.py": TESTS + slow})
    editor = await open_editor(shop.root, continuous="onSave", slowTests=0.4)
    uri = editor.open(shop.file())
    await editor.marks(uri)
    await editor.status(shop.root, lambda status: status.state == "ready" and status.leftOut == 0)
    save(shop, editor, uri, SHOP.replace("total += line", "total = total + line"))
    await editor.status(shop.root, lambda status: status.leftOut == 1)
    # The line that was edited is stale at once, the others that only the slow test runs are so after the round.
    beside = line_of(SHOP, "total = 0")
    await editor.marks(uri, lambda marks: painted(marks).get(_TOTAL) == painted(marks).get(beside) == "stale")
    found = await editor.request("testlens/testsOfLine", uri=uri, line=line_of(SHOP, "total = 0") - 1)
    assert [(test.name, test.stale) for test in found.tests] == [("test_shop.py::test_slow", True)]
    await editor.command("runLeftOut")
    await editor.status(shop.root, lambda status: status.leftOut == 0 and status.state == "ready")
    await editor.marks(uri, lambda marks: painted(marks).get(_TOTAL) == "covered" and not marks.stale)
