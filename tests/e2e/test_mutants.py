"""In a real VS Code: a survivor on its expression, its hover, the mutant beside the code, and all in a panel."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from cli.projects import run_testlens
from e2e.example import EXAMPLE
from e2e.served import ServedCode
from e2e.test_screenshots import READABLE_CONTRAST, THEMES
from e2e.workbench import Workbench, window
from mutmut_left import SOURCE, unpack

pytestmark = pytest.mark.e2e

LIMIT, OVER, TOTAL = 8, 10, 26
RUNNING_SECONDS = 120
NOWHERE = (700, 820)


@pytest.fixture(scope="module")
def mutated_window(browser: Browser, code: ServedCode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """A window on a project in which `mutmut run` was done, and whose coverage nobody measured."""
    project: Path = unpack(tmp_path_factory.mktemp("mutated") / "shop")
    (project / ".venv").symlink_to(EXAMPLE / ".venv")
    with window(browser, code.url(project)) as workbench:
        workbench.wait_for(workbench.status, lambda text: "44 % of" in text, "the mutation score", 60)
        yield workbench


@pytest.fixture
def survivors(mutated_window: Workbench) -> Workbench:
    """The window with the source and its marks."""
    mutated_window.reset()
    mutated_window.open_file(SOURCE)
    mutated_window.go_to(LIMIT)
    mutated_window.wait_for(mutated_window.marks, lambda marks: marks.get(LIMIT) == "survivor", "the survivor's mark")
    return mutated_window


def test_survivors_have_marks_problems_lenses_and_a_place_in_the_tree(survivors: Workbench) -> None:
    assert {line for line, state in survivors.marks().items() if state == "survivor"} == {LIMIT, OVER, TOTAL}
    problems = "\n".join(survivors.problems())
    assert "`3` changed to `4`: 2 tests ran it, none failed" in problems
    survivors.open_file(SOURCE)
    survivors.go_to(LIMIT)
    read = lambda: "\n".join(survivors.lenses())  # noqa: E731 (read again and again below)
    lenses = survivors.wait_for(read, lambda text: "mutation score 33" in text, "the score above the function")
    assert "not mutated: it is decorated" in lenses
    survivors.command("Testlens: Show the Test Gaps")
    expect(survivors.gap_rows().first).to_contain_text("prices.py")


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_hovering_a_survivor_shows_its_diff_in_the_theme(survivors: Workbench, theme: str) -> None:
    survivors.choose_theme(*THEMES[theme])
    try:
        assert survivors.contrast_of_marks("survivor") >= READABLE_CONTRAST
        text = survivors.hover(LIMIT, until="Tests that ran it")
        assert "limit=4" in text
        survivors.screenshot(f"survivor-{theme}")
    finally:
        survivors.choose_theme(*THEMES["dark"])


def test_the_mutant_opens_beside_the_code(survivors: Workbench) -> None:
    survivors.command("Testlens: Compare the Survivor on This Line with the Code")
    diff = survivors.page.locator(".monaco-diff-editor")
    expect(diff).to_be_visible(timeout=30_000)
    expect(diff.locator(".editor.modified")).to_contain_text("limit=4")
    survivors.page.mouse.move(*NOWHERE)
    survivors.screenshot("mutant-diff")


def test_the_panel_shows_all_mutants(survivors: Workbench) -> None:
    survivors.command("Testlens: Show All Mutants")
    outer = survivors.page.frame_locator("iframe.webview.ready")
    inner = outer.frame_locator("iframe#active-frame")
    expect(inner.locator("mutation-test-report-app")).to_contain_text("prices.py", timeout=30_000)
    survivors.page.mouse.move(*NOWHERE)
    survivors.screenshot("mutants-panel")


def test_an_edit_of_its_line_takes_the_survivor_and_its_mark_away(survivors: Workbench) -> None:
    survivors.go_to(OVER)
    survivors.page.keyboard.press("End")
    survivors.page.keyboard.type("  # pragma: no mutate")
    survivors.wait_for(survivors.marks, lambda marks: OVER not in marks, "the mark to be gone")
    assert survivors.marks()[LIMIT] == "survivor"


def test_the_fix_kills_the_survivor_and_its_mark_is_gone(survivors: Workbench) -> None:
    survivors.command("Testlens: Run the Mutants of This File")
    survivors.wait_for(survivors.notifications, lambda text: "Mutation score" in text, "the run", RUNNING_SECONDS)
    survivors.command("Notifications: Clear All Notifications")
    survivors.go_to(LIMIT)
    offers = survivors.quick_fixes()
    assert any("kills" in title for title in offers.all_inner_texts())
    survivors.screenshot("survivor-menu")
    offers.filter(has_text="kills").first.click()
    survivors.wait_for(
        survivors.active_file, lambda name: name.startswith("test_"), "the test in the editor", RUNNING_SECONDS
    )
    read = lambda: "\n".join(survivors.lenses())  # noqa: E731 (read again and again below)
    survivors.wait_for(read, lambda text: "red on the mutant" in text, "a verdict above the test", RUNNING_SECONDS)
    survivors.page.mouse.move(*NOWHERE)
    survivors.screenshot("survivor-killed")
    survivors.open_file(SOURCE)
    survivors.go_to(LIMIT)
    survivors.wait_for(
        survivors.marks, lambda marks: marks.get(LIMIT) != "survivor", "the mark to be gone", RUNNING_SECONDS
    )


def test_the_report_is_one_page_that_shows_all_mutants_and_asks_nobody(browser: Browser, tmp_path: Path) -> None:
    report = tmp_path / "mutants.html"
    done = run_testlens("report", str(unpack(tmp_path / "shop")), "--mutation-html", str(report))
    assert done.returncode == 0, done.stderr
    page = browser.new_page()
    try:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(report.as_uri())
        expect(page.locator("mutation-test-report-app")).to_contain_text("prices.py")
        assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    finally:
        page.close()
