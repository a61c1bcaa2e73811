"""Survivors in an editor: on the exact expression, with their diff, their tests, and what can be done about them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from lsprotocol import types

from lsp.conftest import OpenEditor
from lsp.editor import Editor, lines_of, painted
from mutmut_left import META, SOURCE, unpack

LIMIT, OVER, TOTAL = 8, 10, 26


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return unpack(tmp_path / "shop")


def in_utf16(text: str, found: types.Range) -> str:
    """The text that a range on one line means to an editor."""
    line = text.split("\n")[found.start.line].encode("utf-16-le")
    return line[2 * found.start.character : 2 * found.end.character].decode("utf-16-le")


async def shown(editor: Editor, project: Path) -> tuple[str, list[types.Diagnostic]]:
    await editor.ready(project)
    uri = editor.open(project / SOURCE)
    return uri, await editor.diagnostics(uri, lambda found: any(each.code == "survivor" for each in found))


async def test_a_survivor_is_a_diagnostic_on_the_exact_expression(project: Path, open_editor: OpenEditor) -> None:
    _, found = await shown(await open_editor(project), project)
    text = (project / SOURCE).read_text(encoding="utf-8")
    places = {each.range.start.line + 1: in_utf16(text, each.range) for each in found}
    assert places == {LIMIT: "3", OVER: '"𝄞 ärger"', TOTAL: "sum(price(item) for item in self.items) + 0"}
    limit = next(each for each in found if each.range.start.line + 1 == LIMIT)
    assert limit.message == "`3` changed to `4`: 2 tests ran it, none failed. Risk 16: complexity 16."


async def test_behind_letters_that_take_two_units_it_is_still_the_exact_expression(
    project: Path, open_editor: OpenEditor
) -> None:
    editor = await open_editor(project, mutants={"show": "all"})
    _, found = await shown(editor, project)
    text = (project / SOURCE).read_text(encoding="utf-8")
    over = [in_utf16(text, each.range) for each in found if "`>` changed to `>=`" in each.message]
    assert over == ["amount > limit"]


async def test_hovering_shows_the_diff_the_tests_and_the_risk(project: Path, open_editor: OpenEditor) -> None:
    editor = await open_editor(project)
    uri, _ = await shown(editor, project)
    text = await editor.hover(uri, LIMIT)
    assert "-def price(amount, limit=3):\n+def price(amount, limit=4):" in text
    assert "- `tests/test_prices.py::test_price`" in text
    assert "| **Risk 15.8** |" in text
    assert "(logging)" in text


async def test_lines_with_a_survivor_have_a_mark_of_their_own(project: Path, open_editor: OpenEditor) -> None:
    editor = await open_editor(project)
    uri, _ = await shown(editor, project)
    marks = await editor.marks(uri, until=lambda marks: marks.survivor)
    assert lines_of(marks.survivor) == {LIMIT, OVER, TOTAL}
    assert {line for line, state in painted(marks).items() if state == "survivor"} == {LIMIT, OVER, TOTAL}
    assert lines_of(marks.gaps) == {LIMIT, OVER, TOTAL}


async def test_the_mutation_score_stands_above_each_function(project: Path, open_editor: OpenEditor) -> None:
    editor = await open_editor(project)
    uri, _ = await shown(editor, project)
    lenses = await editor.lenses(uri)
    score, again = lenses[LIMIT]
    assert score.title == "mutation score 33 % · 10 of 15 mutants survive"
    assert (again.title, again.command) == ("Mutate again", "testlens.server.mutate")
    assert "not mutated: it is decorated" in [lens.title for lens in lenses[17]]


async def test_a_score_of_some_mutants_says_that_others_were_not_checked(
    project: Path, open_editor: OpenEditor
) -> None:
    meta = json.loads((project / META).read_text(encoding="utf-8"))
    names = [name for name in meta["exit_code_by_key"] if ".x_price__" in name]
    meta["exit_code_by_key"].update(dict.fromkeys(names[-5:]))
    (project / META).write_text(json.dumps(meta), encoding="utf-8")
    editor = await open_editor(project)
    uri, _ = await shown(editor, project)
    assert (await editor.lenses(uri))[LIMIT][0].title.endswith("of 10 mutants survive, 5 not checked yet")


async def test_plan_and_status_know_of_survivors(project: Path, open_editor: OpenEditor) -> None:
    editor = await open_editor(project)
    await shown(editor, project)
    status = await editor.status(project, lambda status: status.survivors)
    assert status.survivors == 3
    assert status.mutationScore == pytest.approx(44.0)
    (file,) = (await editor.plan(project)).files
    assert (file.path, file.percent) == (SOURCE, None)
    assert {gap.kind for function in file.functions for gap in function.gaps} == {"survivor"}


async def test_a_mutant_can_be_compared_with_the_code(project: Path, open_editor: OpenEditor) -> None:
    editor = await open_editor(project)
    uri, found = await shown(editor, project)
    limit = next(each for each in found if each.range.start.line + 1 == LIMIT)
    answer = await editor.request("testlens/mutant", uri=uri, name=limit.data)
    text = (project / SOURCE).read_text(encoding="utf-8")
    assert answer.text == text.replace("limit=3", "limit=4")
    editor.type(uri, text.replace("limit=3", "limit=5"))
    answer = await editor.request("testlens/mutant", uri=uri, name=limit.data)
    assert answer.text is None
    assert "edited" in answer.title


async def test_typing_moves_a_survivor_and_an_edit_of_its_line_takes_it_away(
    project: Path, open_editor: OpenEditor
) -> None:
    editor = await open_editor(project)
    uri, _ = await shown(editor, project)
    text = (project / SOURCE).read_text(encoding="utf-8")
    editor.type(uri, f"# a line\n{text}")
    moved = await editor.diagnostics(uri, lambda found: {e.range.start.line + 1 for e in found} >= {LIMIT + 1})
    assert {each.range.start.line + 1 for each in moved} == {LIMIT + 1, OVER + 1, TOTAL + 1}
    editor.type(uri, text.replace("limit=3", "limit=5"))
    left = await editor.diagnostics(uri, lambda found: len(found) == 2)
    assert {each.range.start.line + 1 for each in left} == {OVER, TOTAL}


async def test_the_light_bulb_offers_to_ignore_to_look_and_to_run_again(project: Path, open_editor: OpenEditor) -> None:
    editor = await open_editor(project)
    uri, found = await shown(editor, project)
    actions = {action.title: action for action in await editor.actions(uri, LIMIT, diagnostics=found)}
    ignore = actions["Ignore the mutants of this line: `3` changed to `4`"]
    assert ignore.edit is not None
    (change,) = ignore.edit.document_changes or ()
    assert isinstance(change, types.TextDocumentEdit)
    (edit,) = change.edits
    assert isinstance(edit, types.TextEdit)
    assert edit.new_text == "  # pragma: no mutate"
    assert edit.range.start == types.Position(LIMIT - 1, len("def price(amount, limit=3):"))
    assert "Run the mutants of `price` again" in actions
    look = await editor.client.code_action_resolve_async(actions["Show the mutant: `3` changed to `4`"])
    assert look.command is not None
    assert look.command.command == "testlens.showMutant"


async def test_verdicts_appear_as_mutmut_writes_them(project: Path, open_editor: OpenEditor) -> None:
    meta = json.loads((project / META).read_text(encoding="utf-8"))
    whole = dict(meta["exit_code_by_key"])
    meta["exit_code_by_key"] = dict.fromkeys(whole)
    (project / META).write_text(json.dumps(meta), encoding="utf-8")
    editor = await open_editor(project)
    await editor.ready(project)
    uri = editor.open(project / SOURCE)
    assert not await editor.diagnostics(uri, lambda found: not found)
    meta["exit_code_by_key"] = whole
    (project / META).write_text(json.dumps(meta), encoding="utf-8")
    assert await editor.diagnostics(uri, lambda found: len(found) == 3)


async def test_the_report_of_all_mutants_comes_for_the_viewer(project: Path, open_editor: OpenEditor) -> None:
    editor = await open_editor(project)
    await shown(editor, project)
    answer = await editor.request("testlens/mutationReport", folder=project.as_uri())
    assert answer.report.schemaVersion == "2.0"
