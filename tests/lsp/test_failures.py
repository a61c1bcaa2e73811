"""Where a test failed is marked in the text with what it said, and listed among the problems."""

from __future__ import annotations

from typing import Any

import pytest
from lsprotocol.types import Diagnostic, DiagnosticSeverity

from lsp.conftest import OpenEditor
from lsp.editor import Editor, painted
from lsp.project import SHOP, TESTS, Project, line_of

_CHEAP = SHOP.replace("amount *= 0.9", "amount *= 0.8")
_MEMBER = "assert shop.price(10, True) == 9"


async def _failed(shop: Project, open_editor: OpenEditor, text: str, file: str = "test_shop.py") -> tuple[Editor, str]:
    """An editor with a file in which a test has failed, since the shop now reads so."""
    shop.file().write_text(text)
    editor = await open_editor(shop.root, continuous="onSave")
    uri = editor.open(shop.file(file))
    await editor.marks(uri, _has_failed)
    return editor, uri


def _has_failed(marks: Any) -> bool:
    return bool(marks.failures)


def _failures(found: list[Diagnostic]) -> list[Diagnostic]:
    return [diagnostic for diagnostic in found if diagnostic.code == "failed"]


async def test_an_assertion_that_does_not_hold_says_so_at_its_line(shop: Project, open_editor: OpenEditor) -> None:
    editor, uri = await _failed(shop, open_editor, _CHEAP)
    (failure,) = (await editor.marks(uri, _has_failed)).failures
    assert failure.line == line_of(TESTS, _MEMBER) - 1
    assert failure.message == "assert 8.0 == 9 (test_member_pays_less)"
    (problem,) = _failures(await editor.diagnostics(uri, _failures))
    assert (problem.severity, problem.range.start.line) == (DiagnosticSeverity.Error, failure.line)
    assert problem.message.startswith("test_shop.py::test_member_pays_less failed here: assert 8.0 == 9\n")


async def test_an_exception_shows_where_the_code_raised_it_and_how_many_tests_met_it(
    shop: Project, open_editor: OpenEditor
) -> None:
    """The line has that mark and no other."""
    broken = SHOP.replace("if amount < 0:", "if amount < '0':")
    editor, uri = await _failed(shop, open_editor, broken, "shop.py")
    marks = await editor.marks(uri)
    (failure,) = marks.failures
    assert failure.line == line_of(broken, "if amount < '0':") - 1
    assert failure.message.startswith("TypeError: '<' not supported between")
    assert failure.line + 1 not in painted(marks)


async def test_it_is_gone_once_the_test_passes(shop: Project, open_editor: OpenEditor) -> None:
    editor, uri = await _failed(shop, open_editor, _CHEAP)
    shop.file().write_text(SHOP)
    await editor.marks(uri, lambda marks: not marks.failures)
    await editor.diagnostics(uri, lambda found: not _failures(found))


async def test_it_moves_with_its_line_and_goes_when_that_is_edited(shop: Project, open_editor: OpenEditor) -> None:
    editor, uri = await _failed(shop, open_editor, _CHEAP)
    editor.type(uri, "# one\n# two\n" + TESTS)
    line = line_of(TESTS, _MEMBER) + 1
    await editor.marks(uri, lambda marks: [failure.line for failure in marks.failures] == [line])
    await editor.diagnostics(uri, lambda found: [each.range.start.line for each in _failures(found)] == [line])
    editor.type(uri, TESTS.replace(_MEMBER, "assert shop.price(10, True) == 8"))
    await editor.marks(uri, lambda marks: not marks.failures)
    await editor.diagnostics(uri, lambda found: not _failures(found))


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
async def test_a_new_session_still_knows(shop: Project, open_editor: OpenEditor, ends: str) -> None:
    """Whatever ends the file's lines."""
    shop.file("test_shop.py").write_bytes(TESTS.replace("\n", ends).encode())
    editor, uri = await _failed(shop, open_editor, _CHEAP)
    before = (await editor.marks(uri, _has_failed)).failures
    again = await open_editor(shop.root)
    assert (await again.marks(again.open(shop.file("test_shop.py")), _has_failed)).failures == before
