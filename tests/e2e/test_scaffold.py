"""In a real VS Code, a user takes the light bulb's offer on a gap and gets a test that was run."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from e2e.example import SERVICE, Truth
from e2e.served import ServedCode
from e2e.test_screenshots import THEMES
from e2e.workbench import Workbench, window

pytestmark = pytest.mark.e2e

# A handler that waits and tries again, which no test has seen at work.
GAP_FUNCTION = "DynamoDBService._call_with_backoff"
WRITING_SECONDS = 90
# A place of the window where no hover comes up.
NOWHERE = (700, 820)


@pytest.fixture(scope="module")
def own_window(browser: Browser, code: ServedCode, truth: Truth) -> Iterator[Workbench]:
    """A window on a copy of the example of its own, since tests are added to it; coverage.py has measured it."""
    with window(browser, code.url(truth.data_file.parent)) as workbench:
        workbench.wait_for(workbench.status, lambda text: "%" in text, "the data file's percentage", 60)
        yield workbench


@pytest.fixture
def on_gap(own_window: Workbench, truth: Truth) -> Workbench:
    """The window with the cursor on the first line of a gap that is painted."""
    own_window.reset()
    gap = truth.gap_in(GAP_FUNCTION)
    own_window.command("Testlens: Show the Test Gaps")
    own_window.open_file(SERVICE)
    own_window.go_to(gap)
    own_window.wait_for(own_window.marks, lambda marks: marks.get(gap) == "uncovered", "the gap's mark")
    return own_window


def verdict(workbench: Workbench) -> str:
    """What is said above the new test once it has been run."""
    read = lambda: "\n".join(workbench.lenses())  # noqa: E731 (read again and again below)
    return workbench.wait_for(read, lambda text: "of this gap" in text, "a verdict above the test", WRITING_SECONDS)


def test_the_light_bulb_on_a_gap_writes_runs_and_shows_a_test_that_closes_it(on_gap: Workbench, truth: Truth) -> None:
    offers = on_gap.quick_fixes()
    titles = offers.all_inner_texts()
    assert "_call_with_backoff" in titles[0]
    assert not [title for title in titles if "(adds" in title], "the example has all that its tests need"
    on_gap.screenshot("scaffold-menu")
    offers.first.click()
    on_gap.wait_for(
        on_gap.active_file, lambda name: name.startswith("test_"), "the test in the editor", WRITING_SECONDS
    )
    assert "✓ green, covers" in verdict(on_gap)
    assert "Green, covers" in on_gap.notifications()
    on_gap.page.mouse.move(*NOWHERE)
    on_gap.screenshot("scaffold-dark")
    on_gap.choose_theme(*THEMES["light"])
    try:
        on_gap.page.mouse.move(*NOWHERE)
        on_gap.screenshot("scaffold-light")
    finally:
        on_gap.choose_theme(*THEMES["dark"])

    gap = truth.gap_in(GAP_FUNCTION)
    on_gap.open_file(SERVICE)
    on_gap.go_to(gap)
    on_gap.wait_for(on_gap.marks, lambda marks: marks.get(gap) == "covered", "the gap to be covered")


def test_a_gap_of_the_tree_has_a_button_that_writes_its_test_and_one_undo_takes_it_back(own_window: Workbench) -> None:
    own_window.reset()
    own_window.command("Testlens: Show the Test Gaps")
    row = own_window.gap_row("summarize")
    row.hover()
    row.get_by_role("button", name="Write a Test for This Gap").click()
    own_window.wait_for(own_window.active_file, lambda name: name.startswith("test_"), "the test", WRITING_SECONDS)
    assert "green" in verdict(own_window)
    assert "summarize(" in own_window.text_in_view()
    own_window.page.keyboard.press("Control+Z")
    own_window.wait_for(own_window.text_in_view, lambda text: "summarize(" not in text, "the undo")
    own_window.wait_for(own_window.lenses, lambda titles: not titles, "no verdict on what is gone")
    expect(own_window.page.locator(".monaco-dialog-box")).to_be_hidden()
