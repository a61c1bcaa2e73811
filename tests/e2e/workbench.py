"""VS Code's window as a user sees it: what can be done in it, and what can be read from it."""

import contextlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect
from playwright.sync_api import TimeoutError as TookTooLong

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
START_MS = 60_000
SHORT_MS = 5_000
SLOW_MS = 30_000
POLL_MS = 200
# What WCAG 2.2 asks of graphics that carry meaning (criterion 1.4.11).
READABLE_CONTRAST = 3.0
WINDOW: ViewportSize = {"width": 1400, "height": 900}

T = TypeVar("T")

# What a mark looks like on the screen, (border style, border width), as extension/src/gutters.ts draws it.
MARK_OF_BORDER = {
    ("solid", "2px"): "covered",
    ("dashed", "4px"): "partial",
    ("solid", "5px"): "uncovered",
    ("dotted", "3px"): "stale",
    ("double", "6px"): "failing",
    ("solid", "9px"): "failed",
    ("dotted", "6px"): "survivor",
    ("double", "3px"): "running",
}
# What is written behind a line is the content of a pseudo-element.
READ_MESSAGES = """
editor => [...editor.querySelectorAll('.view-line span')]
  .map(e => getComputedStyle(e, '::after').content)
  .filter(content => content && content !== 'none' && content !== 'normal')
  .map(content => content.replace(/^"|"$/g, ''))
"""
# The text and the decorations of a line are different elements at one height.
READ_BORDERS = """
editor => {
  const lines = [...editor.querySelectorAll('.margin-view-overlays .line-numbers')]
    .map(e => ({ top: e.getBoundingClientRect().top, line: Number(e.textContent) })).filter(e => e.line);
  const nearest = top => lines.find(e => Math.abs(e.top - top) < 4)?.line;
  return [...editor.querySelectorAll('.view-overlays .cdr:not(.bracket-match)')].flatMap(e => {
    const style = getComputedStyle(e);
    const line = nearest(e.getBoundingClientRect().top);
    return style.borderLeftStyle === 'none' || !line ? [] : [[line, style.borderLeftStyle, style.borderLeftWidth]];
  });
}
"""

READ_COLOURS = """
(editor, [style, width]) => {
  const computed = [...editor.querySelectorAll('.view-overlays .cdr')].map(e => getComputedStyle(e));
  const mark = computed.find(e => e.borderLeftStyle === style && e.borderLeftWidth === width);
  return [mark.borderLeftColor, getComputedStyle(editor.querySelector('.monaco-editor-background')).backgroundColor];
}
"""


def _luminance(colour: str) -> float:
    """Relative luminance of an opaque CSS colour, as WCAG defines it."""
    channels = [int(channel) / 255 for channel in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


class Workbench:
    """One window of VS Code. Every method waits until what it did can be seen."""

    def __init__(self, page: Page) -> None:
        self.page = page

    # Opening

    def open(self, url: str) -> None:
        """Open a window and wait until it can be used."""
        self.page.goto(url, timeout=START_MS)
        expect(self.page.locator(".monaco-workbench .statusbar")).to_be_visible(timeout=START_MS)
        expect(self.page.locator(".explorer-folders-view .monaco-list-row").first).to_be_visible(timeout=START_MS)
        # The palette does not know an extension's commands before the activity bar knows its views.
        expect(self.page.locator('.activitybar a[aria-label="Testlens"]')).to_be_visible(timeout=START_MS)

    def reset(self) -> None:
        """Close what earlier tests left open: dialogs, hovers, notifications and editors."""
        for _ in range(2):
            self.page.keyboard.press("Escape")
        self.command("Notifications: Clear All Notifications")
        while self.page.locator(".tabs-container .tab").count() > 0:
            self.command("View: Revert and Close Editor")

    # Doing

    def command(self, title: str) -> None:
        """Run a command of the palette by its exact title."""
        self.search_palette(title)
        self.palette_rows(title).first.click(timeout=SLOW_MS)
        expect(self.quick_input).to_be_hidden()

    def search_palette(self, title: str) -> None:
        """Open the palette and type a title without choosing it."""
        # An editor that is just closing or opening takes the focus, which closes the palette again.
        for patience in (SHORT_MS, SHORT_MS, SLOW_MS):
            self.page.keyboard.press("F1")
            with contextlib.suppress(TookTooLong):
                self.quick_input.locator("input.input").fill(f">{title}", timeout=patience)
                return
        raise AssertionError(f"The palette does not stay open for {title!r}.")

    def palette_rows(self, title: str) -> Locator:
        """The palette's entries with exactly this title."""
        return self.quick_input.locator(".monaco-list-row").filter(has=self.page.get_by_text(title, exact=True))

    def open_file(self, path: str) -> None:
        """Open a file of the folder by its path, from the quick-open box."""
        name = re.escape(Path(path).name)
        self.page.keyboard.press("Control+P")
        self.quick_input.locator("input.input").fill(path)
        # The list is sorted again while results come in, so a click could meet another row.
        first = self.quick_input.locator(".monaco-list-row").first
        expect(first).to_have_attribute("aria-label", re.compile(f"^{name}"), timeout=SLOW_MS)
        self.page.keyboard.press("Enter")
        expect(self.quick_input).to_be_hidden()
        self.wait_for(self.active_file, lambda active: active == Path(path).name, f"{path} in the editor")
        expect(self.editor.locator(".view-line").first).to_be_visible()

    def go_to(self, line: int, column: int = 1) -> None:
        """Put the cursor somewhere, 1-based, and its line in view."""
        self.page.keyboard.press("Control+G")
        self.quick_input.locator("input.input").fill(f":{line}:{column}")
        self.page.keyboard.press("Enter")
        self.wait_for(self.cursor_line, lambda found: found == line, f"the cursor on line {line}")

    def hover(self, line: int, *, until: str) -> str:
        """The text of the hover at the start of a line's code, once it holds `until`: hovers fill in part by part."""
        self.page.keyboard.press("Escape")
        self.go_to(line)
        self.page.keyboard.press("Home")
        self.command("Show or Focus Hover")
        contents = self.page.locator(".monaco-hover:not(.hidden) .hover-contents")
        read = lambda: "\n".join(contents.all_inner_texts())  # noqa: E731 (read again and again below)
        return self.wait_for(read, lambda text: until in text, f"{until!r} in the hover")

    def choose_theme(self, label: str, css_class: str) -> None:
        """Choose a colour theme by its name in the list, as a user does."""
        self.search_palette("Preferences: Color Theme")
        self.palette_rows("Preferences: Color Theme").first.click(timeout=SLOW_MS)
        expect(self.quick_input.locator("input.input")).to_have_attribute("placeholder", re.compile("Theme"))
        self.quick_input.locator("input.input").fill(label)
        self.palette_rows(label).first.click(timeout=SLOW_MS)
        expect(self.page.locator(f".monaco-workbench.{css_class}")).to_be_visible()

    def click_glyph_margin(self, line: int) -> None:
        """Click where a breakpoint is set: left of a line's number."""
        number = self.editor.locator(".margin-view-overlays .line-numbers").filter(has_text=re.compile(rf"^{line}$"))
        box = number.bounding_box()
        assert box is not None
        self.page.mouse.click(box["x"] - 8, box["y"] + box["height"] / 2)

    def open_first_gap(self) -> tuple[str, str]:
        """Unfold the tree "Test gaps" down to its first gap and click it; the names of its file and of the gap."""
        rows = self.gap_rows()
        for depth in (0, 1):
            if rows.nth(depth).get_attribute("aria-expanded") == "false":
                rows.nth(depth).locator(".monaco-tl-twistie").click()
            expect(rows.nth(depth + 1)).to_have_attribute("aria-level", str(depth + 2))
        names = [rows.nth(depth).locator(".label-name").inner_text() for depth in (0, 2)]
        rows.nth(2).click()
        return names[0], names[1]

    def quick_fixes(self) -> Locator:
        """The entries of the light bulb's menu at the cursor, which is opened for that."""
        # VS Code asks when the cursor moves, and hides what it gets while the palette has the focus. No light bulb is
        # shown for the space before a line.
        self.page.keyboard.press("End")
        self.page.keyboard.press("Home")
        expect(self.light_bulb).to_be_visible(timeout=SLOW_MS)
        self.page.keyboard.press("Control+.")
        entries = self.page.locator(".action-widget .monaco-list-row.action")
        expect(entries.first).to_be_visible(timeout=SLOW_MS)
        return entries

    def screenshot(self, name: str) -> Path:
        """Write docs/images/NAME.png, without the blinking cursor of an accidental moment."""
        IMAGES.mkdir(parents=True, exist_ok=True)
        file = IMAGES / f"{name}.png"
        self.page.wait_for_timeout(600)  # menus and panels fade
        self.page.screenshot(path=file, animations="disabled", caret="hide")
        return file

    # Reading

    @property
    def quick_input(self) -> Locator:
        """The palette and its siblings."""
        return self.page.locator(".quick-input-widget")

    @property
    def editor(self) -> Locator:
        """The active text editor."""
        return self.page.locator(".editor-group-container.active .editor-instance .monaco-editor").first

    @property
    def light_bulb(self) -> Locator:
        """The light bulb beside the cursor's line."""
        return self.editor.locator(".lightBulbWidget, [class*='codicon-gutter-lightbulb']").first

    def lenses(self) -> list[str]:
        """The texts above functions in view, apart from those about coverage."""
        texts = self.editor.locator(".codelens-decoration").all_inner_texts()
        return [text.strip().replace("\u00a0", " ") for text in texts if text.strip() and "risk" not in text]

    def text_in_view(self) -> str:
        """The lines of the active editor that are in view."""
        lines = self.editor.locator(".view-lines .view-line")
        return "\n".join(lines.all_inner_texts()).replace("\u00a0", " ")

    def active_file(self) -> str:
        """The name of the file in the active editor."""
        tab = self.page.locator(".editor-group-container.active .tab.active")
        return (tab.first.get_attribute("data-resource-name") or "") if tab.count() else ""

    def cursor_line(self) -> int | None:
        """The 1-based line that the status bar says the cursor is on."""
        item = self.page.locator("#status\\.editor\\.selection")
        found = re.search(r"Ln (\d+)", item.inner_text()) if item.count() else None
        return int(found[1]) if found else None

    def marks(self) -> dict[int, str]:
        """The marks that are painted in the part of the active editor that is in view: {line: state}."""
        borders = self.editor.evaluate(READ_BORDERS)
        return {line: MARK_OF_BORDER.get((style, width), f"{style} {width}") for line, style, width in borders}

    def messages_behind_lines(self) -> list[str]:
        """What stands behind the text of lines that are in view."""
        return self.editor.evaluate(READ_MESSAGES)

    def test_messages(self) -> Locator:
        """What VS Code itself says behind lines of tests in its Testing view that failed there."""
        return self.page.locator(".test-error-content-widget")

    def contrast_of_marks(self, state: str) -> float:
        """The contrast, from 1 to 21, between a state's marks in view and the editor behind them."""
        style, width = next(border for border, named in MARK_OF_BORDER.items() if named == state)
        mark, behind = self.editor.evaluate(READ_COLOURS, [style, width])
        lighter, darker = sorted((_luminance(mark), _luminance(behind)), reverse=True)
        return (lighter + 0.05) / (darker + 0.05)

    def status(self) -> str:
        """The text of Testlens' entry in the status bar, icons left out."""
        item = self.page.locator('.statusbar-item[aria-label^="Testlens"]')
        return (item.first.get_attribute("aria-label") or "") if item.count() else ""

    def notifications(self) -> str:
        """The texts of the notifications on the screen."""
        return "\n".join(self.page.locator(".notifications-toasts .notification-list-item-message").all_inner_texts())

    def problems(self) -> list[str]:
        """The entries of the Problems panel, which is opened for that."""
        self.command("Problems: Focus on Problems View")
        rows = self.page.locator(".markers-panel .monaco-list-row")
        expect(rows.first).to_be_visible(timeout=SLOW_MS)
        return rows.all_inner_texts()

    def gap_rows(self) -> Locator:
        """The rows of the tree "Test gaps"."""
        return self.page.locator('.sidebar [id="workbench.view.extension.testlens"] .monaco-list-row')

    def gap_row(self, function: str) -> Locator:
        """The row of a function in the tree, whose file is unfolded for that."""
        rows = self.gap_rows()
        expect(rows.first).to_be_visible(timeout=SLOW_MS)
        for index in range(rows.count()):
            if rows.filter(has_text=function).count():
                break
            row = rows.nth(index)
            if row.get_attribute("aria-level") == "1" and row.get_attribute("aria-expanded") == "false":
                row.locator(".monaco-tl-twistie").click()
        return rows.filter(has_text=function).first

    def wait_for(self, read: Callable[[], T], holds: Callable[[T], bool], what: str, seconds: float = 30) -> T:
        """Read again and again until it is as wanted; the failure says what was waited for and what was there."""
        value = read()
        for _ in range(int(seconds * 1000 / POLL_MS)):
            if holds(value):
                return value
            self.page.wait_for_timeout(POLL_MS)
            value = read()
        assert holds(value), f"waited {seconds:.0f} s for {what}; last seen: {value!r}"
        return value


_open_pages: list[Page] = []


def open_pages() -> list[Page]:
    """The windows that are open now, the newest last."""
    return list(_open_pages)


@contextlib.contextmanager
def window(browser: Browser, url: str) -> Iterator[Workbench]:
    """A new window on a folder, without anything remembered from another one, closed at the end."""
    context = browser.new_context(viewport=WINDOW)
    page = context.new_page()
    _open_pages.append(page)
    try:
        workbench = Workbench(page)
        workbench.open(url)
        yield workbench
    finally:
        _open_pages.remove(page)
        context.close()
