"""Coverage as an editor's own view of it shows it: coverage.py's numbers, and branches by the names of gaps."""

from __future__ import annotations

from typing import Any

import pytest

from lsp.conftest import OpenEditor
from lsp.editor import Editor
from lsp.project import SHOP, Project, line_of

_MEMBER = "test_shop.py::test_member_pays_less"


async def _opened(project: Project, open_editor: OpenEditor) -> Editor:
    editor = await open_editor(project.root)
    await editor.ready(project.root)
    return editor


async def _details(editor: Editor, project: Project, **asked: Any) -> Any:
    return await editor.request("testlens/fileCoverage", uri=project.file().as_uri(), **asked)


def _ran(details: Any) -> dict[int, bool]:
    """Whether each statement ran, by its first line (1-based)."""
    return {statement.range[0] + 1: statement.ran for statement in details.statements}


async def test_the_counts_add_up_to_the_percent_of_coverage_py(measured: Project, open_editor: OpenEditor) -> None:
    editor = await _opened(measured, open_editor)
    found = await editor.request("testlens/coverage", folder=measured.root.as_uri())
    totals = measured.verdicts["totals"]
    (file,) = found.files
    assert found.percent == pytest.approx(totals["percent_covered"])
    assert file.uri == measured.file().as_uri()
    assert file.statements == [totals["covered_lines"], totals["num_statements"]]
    assert file.branches == [totals["covered_branches"], totals["num_branches"]]
    covered, every = (sum(pair) for pair in zip(file.statements, file.branches, strict=True))
    assert 100 * covered / every == pytest.approx(found.percent)


async def test_a_file_names_the_tests_that_ran_it(measured: Project, open_editor: OpenEditor) -> None:
    editor = await _opened(measured, open_editor)
    found = await editor.request("testlens/coverage", folder=measured.root.as_uri())
    assert found.tests == [
        f"test_shop.py::{name}" for name in ("test_guest_pays_all", "test_member_pays_less", "test_nothing_to_refund")
    ]
    assert found.files[0].tests == [0, 2]


async def test_statements_are_those_of_coverage_py(measured: Project, open_editor: OpenEditor) -> None:
    editor = await _opened(measured, open_editor)
    verdict = measured.verdicts["files"]["shop.py"]
    wanted = dict.fromkeys(verdict["executed_lines"], True) | dict.fromkeys(verdict["missing_lines"], False)
    details = await _details(editor, measured)
    # coverage.py's JSON report lists the docstring of a module, which it does not count.
    assert _ran(details) == {line: ran for line, ran in wanted.items() if '"""' not in SHOP.split("\n")[line - 1]}


async def test_a_branch_that_was_never_taken_has_the_name_that_its_gap_has(
    measured: Project, open_editor: OpenEditor
) -> None:
    editor = await _opened(measured, open_editor)
    details = await _details(editor, measured)
    named = {
        branch.name
        for statement in details.statements
        if statement.ran
        for branch in statement.branches
        if not branch.taken
    }
    plan = await editor.plan(measured.root)
    gaps = [gap for file in plan.files for function in file.functions for gap in function.gaps]
    assert named == {gap.title for gap in gaps if gap.kind == "partial"} != set()
    counted = [branch.taken for statement in details.statements for branch in statement.branches]
    totals = measured.verdicts["totals"]
    assert (counted.count(True), len(counted)) == (totals["covered_branches"], totals["num_branches"])


async def test_functions_are_called_or_not(measured: Project, open_editor: OpenEditor) -> None:
    details = await _details(await _opened(measured, open_editor), measured)
    assert {function.name: function.ran for function in details.functions} == {
        "price": True,
        "refund": True,
        "Orders.store": False,
    }
    store = details.functions[-1]
    assert store.range == [line_of(SHOP, "def store") - 1, 4, line_of(SHOP, "return len(orders)") - 1, 26]


async def test_of_one_test_only_what_that_ran_is_shown(measured: Project, open_editor: OpenEditor) -> None:
    details = await _details(await _opened(measured, open_editor), measured, test=_MEMBER)
    wanted = {line_of(SHOP, text) for text in ("if amount < 0:", "if member:", "amount *= 0.9", "return amount")}
    assert _ran(details) == dict.fromkeys(wanted, True)
    assert [function.name for function in details.functions] == ["price"]
    member = next(each for each in details.statements if each.range[0] + 1 == line_of(SHOP, "if member:"))
    taken, missed = member.branches
    assert (taken.taken, taken.name) == (True, f"to line {line_of(SHOP, 'amount *= 0.9')}")
    start, end = line_of(SHOP, "if member:"), line_of(SHOP, "return amount")
    reason = f"line {start} never continued to line {end}: the condition was always true"
    assert (missed.taken, missed.name) == (False, reason)


async def test_lines_are_where_the_open_document_has_them(measured: Project, open_editor: OpenEditor) -> None:
    editor = await _opened(measured, open_editor)
    before = await _details(editor, measured)
    uri = editor.open(measured.file())
    await editor.marks(uri)
    editor.type(uri, "# one\n" + SHOP.replace("amount *= 0.9", "amount *= 0.8"))
    after = await _details(editor, measured)
    edited = line_of(SHOP, "amount *= 0.9")
    assert _ran(after) == {line + 1: ran for line, ran in _ran(before).items() if line != edited}
    names = {branch.name for statement in after.statements for branch in statement.branches}
    amount = line_of(SHOP, "if amount < 0:") + 1
    assert f"line {amount} never continued to line {amount + 1}: the condition was never true" in names


async def test_a_file_that_was_not_measured_has_no_details(measured: Project, open_editor: OpenEditor) -> None:
    editor = await _opened(measured, open_editor)
    details = await editor.request("testlens/fileCoverage", uri=measured.file("test_shop.py").as_uri())
    assert (details.statements, details.functions) == ([], [])


async def test_without_data_there_is_no_coverage(shop: Project, open_editor: OpenEditor) -> None:
    editor = await _opened(shop, open_editor)
    found = await editor.request("testlens/coverage", folder=shop.root.as_uri())
    assert (found.percent, found.tests, found.files) == (None, [], [])
