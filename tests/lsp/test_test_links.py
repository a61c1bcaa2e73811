"""From a line to the tests that run it, and from a test to the lines that it runs."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from lsp.conftest import OpenEditor
from lsp.editor import Editor, lines_of
from lsp.project import SHOP, TESTS, Project, line_of

_DISCOUNT = line_of(SHOP, "amount *= 0.9")
_MANY = """

@pytest.mark.parametrize("member", [True, False])
def test_price(member):
    assert shop.price(10, member) <= 10
"""


async def _asked(editor: Editor, method: str, uri: str, line: int) -> Any:
    return await editor.request(method, uri=uri, line=line - 1)


async def _ran(shop: Project, open_editor: OpenEditor) -> tuple[Editor, str]:
    """An editor with the source open, after a run of all tests."""
    editor = await open_editor(shop.root, continuous="onSave")
    uri = editor.open(shop.file())
    await editor.marks(uri)
    return editor, uri


async def test_the_tests_of_a_line_are_named_with_their_place(shop: Project, open_editor: OpenEditor) -> None:
    editor, uri = await _ran(shop, open_editor)
    found = await _asked(editor, "testlens/testsOfLine", uri, _DISCOUNT)
    (test,) = found.tests
    assert (test.name, test.failed) == ("test_shop.py::test_member_pays_less", False)
    assert (test.uri, test.line) == (shop.file("test_shop.py").as_uri(), line_of(TESTS, "def test_member") - 1)


async def test_a_test_that_joins_is_named_though_the_line_looks_as_before(
    shop: Project, open_editor: OpenEditor
) -> None:
    editor, uri = await _ran(shop, open_editor)
    assert len((await _asked(editor, "testlens/testsOfLine", uri, _DISCOUNT)).tests) == 1
    shop.write({"test_shop.py": TESTS + "\n\ndef test_again():\n    assert shop.price(10, True) == 9\n"})
    async with asyncio.timeout(30):
        while len(tests := (await _asked(editor, "testlens/testsOfLine", uri, _DISCOUNT)).tests) == 1:
            await asyncio.sleep(0.1)
    assert [test.name.rpartition("::")[2] for test in tests] == ["test_again", "test_member_pays_less"]


async def test_failing_tests_come_first(shop: Project, open_editor: OpenEditor) -> None:
    wrong = "\n\ndef test_wrong():\n    assert shop.price(10, True) == 10\n"
    shop.write({"test_shop.py": TESTS + wrong})
    editor, uri = await _ran(shop, open_editor)
    tests = (await _asked(editor, "testlens/testsOfLine", uri, _DISCOUNT)).tests
    assert [test.name.rpartition("::")[2] for test in tests] == ["test_wrong", "test_member_pays_less"]
    assert [test.failed for test in tests] == [True, False]
    assert tests[0].line == line_of(TESTS + wrong, "shop.price(10, True) == 10") - 1  # where it failed


async def test_a_line_without_tests_says_why(shop: Project, open_editor: OpenEditor) -> None:
    editor, uri = await _ran(shop, open_editor)
    found = await _asked(editor, "testlens/testsOfLine", uri, line_of(SHOP, "total += line"))
    assert (found.tests, found.note) == ([], "No test runs this line.")
    editor.type(uri, SHOP.replace("amount *= 0.9", "amount *= 0.8"))
    await editor.marks(uri, lambda marks: marks.stale)
    assert "edited" in (await _asked(editor, "testlens/testsOfLine", uri, _DISCOUNT)).note


async def test_what_a_test_runs_lies_where_it_is_now(shop: Project, open_editor: OpenEditor) -> None:
    editor, uri = await _ran(shop, open_editor)
    tests = editor.open(shop.file("test_shop.py"))
    line = line_of(TESTS, "shop.price(10, True)")
    found = await _asked(editor, "testlens/linesOfTest", tests, line)
    (file,) = found.files
    assert (found.name, file.uri) == ("test_shop.py::test_member_pays_less", uri)
    wanted = {line_of(SHOP, text) for text in ("if amount < 0:", "if member:", "amount *= 0.9", "return amount")}
    assert set(lines_of(file.lines)) == wanted
    editor.type(uri, "# one\n" + SHOP)
    await editor.marks(uri)
    (file,) = (await _asked(editor, "testlens/linesOfTest", tests, line)).files
    assert set(lines_of(file.lines)) == {line + 1 for line in wanted}


async def test_all_cases_of_a_parametrised_test_count(shop: Project, open_editor: OpenEditor) -> None:
    """And no test whose name only begins like it."""
    text = "import pytest\n" + TESTS + _MANY + _MANY.replace("test_price(", "test_price_again(").replace("[True, ", "[")
    shop.write({"test_shop.py": text})
    editor, _ = await _ran(shop, open_editor)
    tests = editor.open(shop.file("test_shop.py"))
    both = await _asked(editor, "testlens/linesOfTest", tests, line_of(text, "def test_price(member)"))
    one = await _asked(editor, "testlens/linesOfTest", tests, line_of(text, "def test_price_again"))
    assert both.name == "test_shop.py::test_price"
    assert _DISCOUNT in lines_of(both.files[0].lines)
    assert _DISCOUNT not in lines_of(one.files[0].lines)


async def test_where_there_is_no_test_it_says_so(shop: Project, open_editor: OpenEditor) -> None:
    editor, uri = await _ran(shop, open_editor)
    tests = editor.open(shop.file("test_shop.py"))
    assert (await _asked(editor, "testlens/linesOfTest", tests, 1)).note == "There is no test on this line."
    said = await _asked(editor, "testlens/linesOfTest", uri, line_of(SHOP, "if member:"))
    assert said.note == "No run has seen shop.py::price run any line of the code: run it first."


async def test_a_debugger_is_told_what_runs_the_tests(measured: Project, open_editor: OpenEditor) -> None:
    """Only where anything of the project may run."""
    editor = await open_editor(measured.root, pytestArgs=["-p", "no:randomly"])
    await editor.ready(measured.root)
    target = await editor.request("testlens/debugTarget", folder=measured.root.as_uri())
    assert (target.python, list(target.args)[:2], target.note) == (sys.executable, ["-p", "no:randomly"], "")
    editor = await open_editor(measured.root, trusted=False)
    await editor.ready(measured.root)
    target = await editor.request("testlens/debugTarget", folder=measured.root.as_uri())
    assert target.python is None
    assert "not trusted" in target.note
