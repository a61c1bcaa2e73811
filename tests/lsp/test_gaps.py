"""Gaps in the Problems panel, in hovers and above functions: named, weighed, and where they are."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from lsprotocol.types import Diagnostic, DiagnosticSeverity

from lsp.conftest import OpenEditor
from lsp.editor import Editor, painted
from lsp.project import SHOP, Project, line_of

HANDLER = line_of(SHOP, 'print("lost")')
REFUND = line_of(SHOP, "total = 0")
RAISE = line_of(SHOP, "raise ValueError")


@dataclass
class Shown:
    """The shop, read, and open in an editor that shows every gap."""

    editor: Editor
    project: Project
    uri: str


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shown(measured_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shown]:
    """One server for all tests that only look."""
    project = Project(Path(shutil.copytree(measured_shop, tmp_path_factory.mktemp("shown") / "shop")))
    editor = await Editor.start(project.root, diagnostics={"minimumRisk": 0})
    uri = editor.open(project.file())
    await editor.marks(uri)
    await editor.ready(project.root)
    yield Shown(editor, project, uri)
    await editor.stop()


looking = pytest.mark.asyncio(loop_scope="module")


def at(diagnostics: list[Diagnostic], line: int) -> Diagnostic:
    """The one diagnostic that starts on a line."""
    (found,) = [diagnostic for diagnostic in diagnostics if diagnostic.range.start.line == line - 1]
    return found


@looking
async def test_a_gap_is_named_with_its_function_its_reason_its_risk_and_the_largest_factors(shown: Shown) -> None:
    found = at(await shown.editor.diagnostics(shown.uri), REFUND)
    assert found.message.startswith(
        f"refund: lines {REFUND}-{REFUND + 3} never run (line {REFUND - 2} never continued to line {REFUND}: "
    )
    assert re.search(r"\. Risk \d+: complexity \d+\.$", found.message)
    assert found.source == "testlens"
    assert found.code == "uncovered"
    assert found.code_description is not None
    assert found.code_description.href.endswith("docs/risk.md")


async def test_only_the_first_line_of_a_gap_is_underlined(measured: Project, open_editor: OpenEditor) -> None:
    editor = await open_editor(measured.root, diagnostics={"minimumRisk": 0})
    for diagnostic in await editor.diagnostics(measured.file().as_uri()):
        assert diagnostic.range.start.line == diagnostic.range.end.line
        assert diagnostic.range.start.character < diagnostic.range.end.character


async def test_gaps_of_files_that_are_not_open_are_listed_too(measured: Project, open_editor: OpenEditor) -> None:
    editor = await open_editor(measured.root)
    assert any("Orders.store:" in d.message for d in await editor.diagnostics(measured.file().as_uri()))


@looking
async def test_a_branch_whose_other_side_is_a_gap_is_not_listed_twice(shown: Shown) -> None:
    found = await shown.editor.diagnostics(shown.uri)
    assert {d.code for d in found if "refund:" in d.message} == {"uncovered"}
    assert shown.project.verdicts["files"]["shop.py"]["missing_branches"], "there is such a branch"


async def test_severity_follows_risk_at_the_thresholds_of_the_settings(
    measured: Project, open_editor: OpenEditor
) -> None:
    editor = await open_editor(measured.root, diagnostics={"minimumRisk": 0, "warningFrom": 15, "informationFrom": 5})
    for diagnostic in await editor.diagnostics(measured.file().as_uri()):
        risk = int(re.search(r"Risk (\d+)", diagnostic.message)[1])  # type: ignore[index]
        expected = "Warning" if risk >= 15 else "Information" if risk >= 5 else "Hint"
        assert diagnostic.severity == DiagnosticSeverity[expected], diagnostic.message


async def test_minimum_risk_and_cap_leave_the_riskiest(measured: Project, open_editor: OpenEditor) -> None:
    everything = await open_editor(measured.root, diagnostics={"minimumRisk": 0})
    found = await everything.diagnostics(measured.file().as_uri())
    assert len(found) > 1
    capped = await open_editor(measured.root, diagnostics={"minimumRisk": 0, "maximumPerFile": 1})
    (kept,) = await capped.diagnostics(measured.file().as_uri())
    risks = [float(re.search(r"Risk (\d+)", d.message)[1]) for d in found]  # type: ignore[index]
    assert f"Risk {max(risks):.0f}" in kept.message


async def test_diagnostics_that_are_switched_off_go(measured: Project, open_editor: OpenEditor) -> None:
    editor = await open_editor(measured.root)
    await editor.diagnostics(measured.file().as_uri())
    editor.configure(diagnostics={"enabled": False})
    await editor.diagnostics(measured.file().as_uri(), lambda found: not found)


async def test_a_diagnostic_moves_with_its_lines_and_names_the_lines_of_the_text_as_it_is(
    measured: Project, open_editor: OpenEditor
) -> None:
    editor = await open_editor(measured.root, diagnostics={"minimumRisk": 0})
    uri = editor.open(measured.file())
    await editor.diagnostics(uri)
    editor.type(uri, "# new\n" + SHOP)
    moved = await editor.diagnostics(uri, lambda found: found and found[0].range.start.line == RAISE)
    message = at(moved, REFUND + 1).message
    assert f"refund: lines {REFUND + 1}-{REFUND + 4} never run (line {REFUND - 1} never" in message


async def test_a_diagnostic_whose_lines_were_edited_goes_until_the_next_run(
    measured: Project, open_editor: OpenEditor
) -> None:
    editor = await open_editor(measured.root, diagnostics={"minimumRisk": 0})
    uri = editor.open(measured.file())
    assert at(await editor.diagnostics(uri), REFUND)
    editor.type(uri, SHOP.replace("total += line", "total += line.amount"))
    left = await editor.diagnostics(uri, lambda found: all(d.range.start.line != REFUND - 1 for d in found))
    assert at(left, RAISE)


async def test_columns_count_utf_16_units(measured: Project, open_editor: OpenEditor) -> None:
    text = SHOP.replace("raise ValueError(amount)", 'raise ValueError("\U0001f600\U0001f600")')
    measured.write({"shop.py": text})
    measured.measure()
    editor = await open_editor(measured.root, diagnostics={"minimumRisk": 0})
    found = at(await editor.diagnostics(measured.file().as_uri()), RAISE)
    line = text.split("\n")[RAISE - 1]
    assert found.range.start.character == 8
    assert found.range.end.character == len(line.encode("utf-16-le")) // 2


@looking
async def test_hovering_a_gap_shows_factors_that_add_up_to_its_risk(shown: Shown) -> None:
    text = await shown.editor.hover(shown.uri, HANDLER)
    rows = [[cell.strip(" *") for cell in row.split("|")[1:4]] for row in text.splitlines() if row.startswith("|")]
    head, _, *factors, total = rows
    assert head == ["Factor", "Likelihood", "Consequence"]
    assert "error handler" in [name for name, *_ in factors]
    sums = [round(sum(float(row[column] or 0) for row in factors), 1) for column in (1, 2)]
    assert total == [f"Risk {sum(sums):.1f}", f"{sums[0]:.1f}", f"{sums[1]:.1f}"]
    assert "CRAP" in text
    assert "percentage point" in text


@looking
async def test_hovering_a_covered_line_lists_the_tests_that_ran_it(shown: Shown) -> None:
    text = await shown.editor.hover(shown.uri, line_of(SHOP, "amount *= 0.9"))
    assert "Run by 1 test" in text
    assert "`test_shop.py::test_member_pays_less`" in text
    assert "test_guest" not in text


@looking
async def test_hovering_a_partial_line_shows_both_the_gap_and_its_tests(shown: Shown) -> None:
    marks = await shown.editor.marks(shown.uri)
    line = line_of(SHOP, "if order is None")
    assert painted(marks)[line] == "partial"
    text = await shown.editor.hover(shown.uri, line)
    assert "| Factor |" in text
    assert "test_nothing_to_refund" in text


@looking
async def test_hovering_what_nobody_measured_shows_nothing(shown: Shown) -> None:
    assert await shown.editor.hover(shown.uri, line_of(SHOP, "def refund") - 1) == ""


@looking
async def test_above_each_function_stand_coverage_risk_and_tests_and_a_way_to_run_them(shown: Shown) -> None:
    lenses = await shown.editor.lenses(shown.uri)
    summary, run, _ = lenses[line_of(SHOP, "def price")]
    assert re.fullmatch(r"\d+ % · risk \d+ · 2 tests", summary.title)
    assert (run.title, run.command) == ("Run 2 tests", "testlens.server.runTests")
    tests = ["test_shop.py::test_guest_pays_all", "test_shop.py::test_member_pays_less"]
    assert [dict(a._asdict()) if hasattr(a, "_asdict") else a for a in run.arguments or ()] == [
        {"folder": shown.project.root.as_uri(), "tests": tests}
    ]
    (untested,) = lenses[line_of(SHOP, "def store")]
    assert untested.title.startswith("0 % · risk")
    assert untested.title.endswith("· no tests")


@looking
async def test_a_function_that_tests_run_can_be_mutated_from_its_first_line(shown: Shown) -> None:
    mutate = (await shown.editor.lenses(shown.uri))[line_of(SHOP, "def price")][-1]
    assert (mutate.title, mutate.command) == ("Mutate", "testlens.server.mutate")
    titles = {
        name: [action.title for action in await shown.editor.actions(shown.uri, line_of(SHOP, name))]
        for name in ("def price", "if member", "def store")
    }
    assert "Run the mutants of `price`" in titles["def price"]
    assert not [title for name in ("if member", "def store") for title in titles[name] if "mutants" in title]


async def test_code_lenses_can_be_switched_off(measured: Project, open_editor: OpenEditor) -> None:
    editor = await open_editor(measured.root, codeLens=False)
    uri = editor.open(measured.file())
    await editor.marks(uri)
    assert await editor.lenses(uri) == {}


@looking
async def test_status_has_the_total_of_coverage_py_and_the_way_to_the_target(shown: Shown) -> None:
    status = await shown.editor.ready(shown.project.root)
    assert round(status.percent, 9) == round(shown.project.verdicts["totals"]["percent_covered"], 9)
    assert (status.state, status.source, status.target) == ("ready", ".coverage", 85)
    assert status.gaps >= 3
    assert status.toTarget >= 1
    assert status.delta is None, "nothing was measured before"


@looking
async def test_plan_lists_gaps_riskiest_first_at_every_level(shown: Shown) -> None:
    plan = await shown.editor.plan(shown.project.root)
    assert "85" in plan.summary
    (file,) = plan.files
    assert (file.path, file.uri) == ("shop.py", shown.uri)
    for level in (file.functions, *(function.gaps for function in file.functions)):
        risks = [entry.risk for entry in level]
        assert risks == sorted(risks, reverse=True)
    assert file.risk == file.functions[0].risk == file.functions[0].gaps[0].risk
    (store,) = [function for function in file.functions if function.name == "Orders.store"]
    assert store.percent == 0
    first = store.gaps[0]
    assert SHOP.split("\n")[first.first].strip() == "try:"
