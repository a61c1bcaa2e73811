"""In a real VS Code: the report of the command line as a panel, in the theme of the editor."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import FrameLocator, expect

from e2e.example import SERVICE, Truth
from e2e.test_screenshots import THEMES
from e2e.workbench import Workbench

pytestmark = pytest.mark.e2e

NOWHERE = (700, 880)
READY = "html[data-ready]"
BACKGROUND = "element => getComputedStyle(element).backgroundColor"


@pytest.fixture
def report(workbench: Workbench) -> Iterator[FrameLocator]:
    """The page in the panel, at its overview."""
    workbench.command("Testlens: Show Report")
    page = workbench.page.frame_locator("iframe.webview.ready").frame_locator("iframe#active-frame")
    expect(page.locator(READY)).to_be_attached(timeout=30_000)
    yield page
    workbench.choose_theme(*THEMES["dark"])
    # A panel passes keys on when it has seen them: Escape would reach VS Code after what comes next.
    workbench.command("View: Close All Editors")


def test_the_panel_shows_the_numbers_the_map_and_the_plan(report: FrameLocator, truth: Truth) -> None:
    expect(report.locator(".percent")).to_contain_text(truth.percent)
    expect(report.locator("#map .tile").first).to_be_visible()
    expect(report.locator(".outlook")).to_contain_text("functions left")
    expect(report.locator("#theme")).to_be_hidden()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_panel_has_the_colours_of_the_editor(report: FrameLocator, workbench: Workbench, theme: str) -> None:
    workbench.choose_theme(*THEMES[theme])
    wanted = workbench.page.evaluate(
        "getComputedStyle(document.querySelector('.monaco-workbench .part.editor > .content')).backgroundColor"
    )
    workbench.wait_for(
        lambda: report.locator("body").evaluate(BACKGROUND), lambda colour: colour == wanted, "the editor's background"
    )
    if theme == "light":
        workbench.page.mouse.move(*NOWHERE)
        workbench.screenshot("report-panel-light")


def test_a_click_on_a_line_opens_it(report: FrameLocator, workbench: Workbench, truth: Truth) -> None:
    line = truth.gap[0]
    report.locator("#search").fill(SERVICE.rpartition("/")[2])
    report.locator("#search").press("Enter")
    expect(report.locator("#file-title")).to_have_text(SERVICE)
    report.locator(f'[data-line="{line}"] code').click()
    workbench.wait_for(workbench.active_file, lambda name: name == SERVICE.rpartition("/")[2], "the file in an editor")
    workbench.wait_for(workbench.cursor_line, lambda found: found == line, "the cursor on the line")
    expect(report.locator(".l.current")).to_have_attribute("data-line", f"{line}")
    workbench.page.mouse.move(*NOWHERE)
    workbench.screenshot("report-panel-dark")


def test_after_a_run_the_panel_has_its_results_and_stays_where_it_was(
    report: FrameLocator, workbench: Workbench, truth: Truth
) -> None:
    report.locator("#search").fill(SERVICE.rpartition("/")[2])
    report.locator("#search").press("Enter")
    expect(report.locator("#file-title")).to_have_text(SERVICE)
    report.locator("html").evaluate("element => { element.dataset.old = ''; }")
    workbench.command("Testlens: Run Tests with Coverage")
    expect(report.locator("html[data-ready]:not([data-old])")).to_be_attached(timeout=120_000)
    expect(report.locator("#file-title")).to_have_text(SERVICE)
    expect(report.locator(".percent")).to_contain_text(truth.percent)
