"""VS Code's own Testing view as a user sees it."""

import re

from playwright.sync_api import Locator, expect

from e2e.workbench import SLOW_MS, Workbench

_LABEL = re.compile(r"^(?P<name>.+) \((?P<state>[\w ]+)\)")


class TestingView:
    """The view in one window."""

    __test__ = False

    def __init__(self, workbench: Workbench) -> None:
        self._workbench = workbench
        self._page = workbench.page

    def open(self) -> None:
        """Bring it to the front."""
        self._workbench.command("Testing: Focus on Test Explorer View")

    def rows(self) -> Locator:
        """The rows of its tree that are in view."""
        return self._page.locator(".test-explorer .monaco-list-row")

    def row(self, name: str) -> Locator:
        """The row of a file, class or test."""
        return self._page.locator(f'.test-explorer .monaco-list-row[aria-label^="{name} ("]').first

    def unfold(self, *names: str) -> None:
        """Show what is in a file, then in a class of it, and so on."""
        for name in names:
            row = self.row(name)
            expect(row).to_be_visible(timeout=SLOW_MS)
            if row.get_attribute("aria-expanded") == "false":
                row.locator(".monaco-tl-twistie").click()
            expect(row).to_have_attribute("aria-expanded", "true")

    def click(self, name: str, button: str) -> None:
        """Click one of the buttons that a row has while the mouse is over it."""
        row = self.row(name)
        row.hover()
        row.get_by_role("button", name=button, exact=True).click()

    def states(self) -> dict[str, str]:
        """What is known of each row in view: "Passed", "Failed", "Not yet run" and so on."""
        labels = (row.get_attribute("aria-label") or "" for row in self.rows().all())
        found = (match for label in labels if (match := _LABEL.match(label)))
        return {match["name"]: match["state"] for match in found}

    def coverage(self) -> dict[str, float]:
        """The percentage of each folder and file in the view "Test Coverage", by its name."""
        rows = self._page.locator(".monaco-list-row[aria-label*=' coverage: ']")
        found = (re.search(r"^(\S+)\s+([\d.]+)%", text, re.MULTILINE) for text in rows.all_inner_texts())
        return {match[1]: float(match[2]) for match in found if match}
