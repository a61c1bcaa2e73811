"""The pictures of the README: the example in the themes and at the sizes that people use."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from e2e.example import SERVICE, Truth
from e2e.workbench import READABLE_CONTRAST, WINDOW, Workbench

pytestmark = pytest.mark.e2e

THEMES = {
    "dark": ("Dark 2026", "vs-dark"),
    "light": ("Light 2026", "vs"),
    "high-contrast": ("Dark High Contrast", "hc-black"),
}


@pytest.fixture
def scene(workbench: Workbench, truth: Truth) -> Iterator[Workbench]:
    """Gutters, Problems, status bar and tree at once."""
    workbench.command("Testlens: Show the Test Gaps")
    expect(workbench.gap_rows().first).to_be_visible()
    workbench.open_file(SERVICE)
    workbench.problems()
    workbench.open_file(SERVICE)
    workbench.go_to(truth.gap[0])
    workbench.wait_for(workbench.marks, bool, "marks")
    yield workbench
    workbench.page.set_viewport_size(WINDOW)


@pytest.mark.parametrize("name", THEMES)
def test_marks_stand_out_in_the_theme(scene: Workbench, name: str) -> None:
    scene.choose_theme(*THEMES[name])
    try:
        assert {"uncovered", "covered"} <= set(scene.marks().values())
        assert scene.contrast_of_marks("uncovered") >= READABLE_CONTRAST
        scene.screenshot(name)
    finally:
        scene.choose_theme(*THEMES["dark"])


def test_narrow_window_keeps_the_marks_and_the_percentage(scene: Workbench, truth: Truth) -> None:
    scene.page.set_viewport_size({"width": 640, "height": 800})
    scene.command("View: Close Primary Side Bar")
    scene.wait_for(scene.marks, bool, "marks")
    expect(scene.page.locator(".statusbar-item", has_text=truth.percent)).to_be_visible()
    scene.screenshot("narrow")


def test_hover_fits_beside_its_gap(scene: Workbench, truth: Truth) -> None:
    scene.hover(truth.gap[0], until="CRAP")
    scene.screenshot("hover")
