"""In a real VS Code, a user runs the tests from the palette and sees what they do not prove."""

import os
import re
import signal
from pathlib import Path

import pytest
from playwright.sync_api import expect

from e2e.example import GAP_FUNCTION, SERVICE, Truth
from e2e.served import ServedCode
from e2e.workbench import Workbench

pytestmark = pytest.mark.e2e


@pytest.fixture
def service(workbench: Workbench) -> Workbench:
    """The window, with the service that has the most gaps open and painted."""
    workbench.open_file(SERVICE)
    workbench.wait_for(workbench.marks, bool, f"marks in {SERVICE}")
    return workbench


def marked(workbench: Workbench, state: str) -> set[int]:
    """Lines in view that are painted so."""
    return {line for line, painted in workbench.marks().items() if painted == state}


def test_status_bar_shows_the_percentage_that_coverage_py_reports(workbench: Workbench, truth: Truth) -> None:
    assert f"{truth.percent} %" in workbench.status()
    assert "85" in workbench.status(), "the target belongs beside the percentage"


def test_gutters_mark_exactly_the_lines_that_coverage_py_calls_missing(service: Workbench, truth: Truth) -> None:
    gap, _ = truth.gap
    service.go_to(gap)

    def are_those_of_coverage_py(marks: dict[int, str]) -> bool:
        """Of one reading: while the editor scrolls to the gap, two readings show two parts of the file."""
        in_view = set(range(min(marks, default=0), max(marks, default=0) + 1))
        painted = {state: {line for line, mark in marks.items() if mark == state} for state in ("uncovered", "partial")}
        return (
            bool(painted["uncovered"])
            and painted["uncovered"].isdisjoint(truth.executed)
            and truth.missing & in_view <= painted["uncovered"]
            and painted["partial"] == truth.partial & in_view
        )

    service.wait_for(service.marks, are_those_of_coverage_py, "the marks of coverage.py's missing lines")


def test_problems_panel_names_function_missing_part_risk_and_its_largest_factors(
    service: Workbench, truth: Truth
) -> None:
    first, last = truth.gap
    entry = next(row for row in service.problems() if f"lines {first}-{last}" in row)
    assert GAP_FUNCTION in entry
    assert re.search(r"never run\. Risk \d+: \w[\w ]* \d+, \w[\w ]* \d+", entry)


def test_hover_on_a_gap_shows_the_factors_of_its_risk(service: Workbench, truth: Truth) -> None:
    text = service.hover(truth.gap[0], until="CRAP")
    assert "Factor" in text
    assert "complexity" in text
    assert re.search(r"Risk \d+", text)


def test_hover_on_a_covered_line_names_the_tests_that_ran_it(service: Workbench, truth: Truth) -> None:
    assert re.search(r"test_\w+", service.hover(truth.line_of_a_tested_function, until="test_"))


def test_from_a_line_to_a_test_that_runs_it_and_back(service: Workbench, truth: Truth) -> None:
    service.go_to(truth.line_of_a_tested_function)
    title = "Testlens: Show the Tests That Run This Line"
    service.search_palette(title)
    service.palette_rows(title).first.click()
    rows = service.quick_input.locator(".monaco-list-row")
    expect(rows.filter(has_text=re.compile(r"test_\w+.*\d+ ms")).first).to_be_visible()
    service.page.keyboard.press("Enter")
    service.wait_for(service.active_file, lambda name: name.startswith("test_"), "a test in the editor")
    service.command("Testlens: Show What This Test Runs")
    peek = service.page.locator(".peekview-widget")
    expect(peek).to_be_visible()
    expect(peek).to_contain_text(SERVICE.rpartition("/")[2])
    service.screenshot("what-a-test-runs")


def test_debugging_a_test_says_what_it_needs_where_that_is_missing(service: Workbench, truth: Truth) -> None:
    service.go_to(truth.line_of_a_tested_function)
    title = "Testlens: Show the Tests That Run This Line"
    service.search_palette(title)
    service.palette_rows(title).first.click()
    first = service.quick_input.locator(".monaco-list-row", has_text=re.compile(r"test_\w+.*\d+ ms")).first
    first.hover()
    first.get_by_role("button", name="Debug This Test").click()
    service.wait_for(
        service.notifications, lambda text: "needs the Python Debugger extension" in text, "what debugging needs"
    )


def test_click_on_a_gap_in_the_tree_opens_its_place(workbench: Workbench) -> None:
    workbench.command("Testlens: Show the Test Gaps")
    expect(workbench.gap_rows().first).to_be_visible()
    file, gap = workbench.open_first_gap()
    workbench.wait_for(workbench.active_file, lambda name: name == file, f"{file} in the editor")
    first = int(re.findall(r"\d+", gap)[0])
    workbench.wait_for(workbench.marks, lambda marks: marks.get(first) == "uncovered", f"line {first} marked, in view")


def test_next_gap_moves_the_cursor_from_gap_to_gap(service: Workbench, truth: Truth) -> None:
    unproven = truth.missing | truth.partial
    service.go_to(1)
    visited = [1]
    for _ in range(3):
        service.command("Testlens: Go to Next Gap")
        visited.append(service.wait_for(service.cursor_line, lambda line: line != visited[-1], "the next gap") or 0)
    assert visited == sorted(visited)
    assert set(visited[1:]) <= unproven
    service.command("Testlens: Go to Previous Gap")
    service.wait_for(service.cursor_line, lambda line: line == visited[-2], "the gap before")


def test_marks_move_with_the_text_that_is_typed_above_them(service: Workbench, truth: Truth) -> None:
    gap, _ = truth.gap
    service.go_to(gap)
    before = service.wait_for(lambda: marked(service, "uncovered"), lambda lines: gap in lines, "the gap's mark")
    service.go_to(1)
    service.page.keyboard.press("Home")
    service.page.keyboard.type("# a note\n")
    service.go_to(gap + 1)
    moved = {line + 1 for line in before if line + 1 < max(before)} | {gap + 1}
    service.wait_for(lambda: marked(service, "uncovered"), lambda lines: moved <= lines, "the marks a line lower")


def test_an_edited_line_keeps_no_mark_of_what_it_was(service: Workbench, truth: Truth) -> None:
    gap, _ = truth.gap
    service.go_to(gap)
    service.wait_for(service.marks, lambda marks: marks.get(gap) == "uncovered", "the gap's mark")
    service.page.keyboard.press("End")
    service.page.keyboard.type("  # reworded")
    service.page.keyboard.press("Home")
    service.page.keyboard.type("unmeasured = 1; ")
    service.wait_for(service.marks, lambda marks: marks.get(gap) in {None, "stale"}, "the edited line to lose its mark")


def test_marks_can_be_hidden_and_shown(service: Workbench) -> None:
    service.command("Testlens: Hide Coverage Marks")
    service.wait_for(service.marks, lambda marks: not marks, "no marks")
    service.command("Testlens: Show Coverage Marks")
    service.wait_for(service.marks, bool, "marks again")


def test_a_line_with_a_mark_still_takes_a_breakpoint(service: Workbench, truth: Truth) -> None:
    gap, _ = truth.gap
    service.go_to(gap)
    service.click_glyph_margin(gap)
    breakpoints = service.editor.locator("[class*='codicon-debug-breakpoint']:not([class*='hint'])")
    expect(breakpoints).to_have_count(1)
    service.click_glyph_margin(gap)


def test_tests_run_in_the_environment_that_the_editor_has(workbench: Workbench, code: ServedCode) -> None:
    """Where commands are found, and whose home it is: the server hands on what it was given."""
    assert workbench.status()
    for pid in code.language_servers():
        names = {entry.partition(b"=")[0] for entry in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")}
        assert {b"PATH", b"HOME"} <= names


def test_killed_server_is_started_again_and_the_user_is_told(service: Workbench, code: ServedCode) -> None:
    victims = code.language_servers()
    assert victims, "a Testlens server should be running"
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    service.wait_for(service.notifications, lambda text: "restarted" in text, "a message about the restart")
    service.wait_for(code.language_servers, lambda pids: bool(pids - victims), "a new server")
    service.wait_for(service.status, lambda text: "%" in text, "the coverage to be back")
