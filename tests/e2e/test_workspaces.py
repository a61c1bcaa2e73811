"""In a real VS Code: folders that are not trusted, and folders with nothing in them."""

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from e2e.example import Truth, copy_example
from e2e.served import ServedCode, served_code
from e2e.workbench import window

pytestmark = pytest.mark.e2e

RESTRICTED = {"security.workspace.trust.enabled": True, "security.workspace.trust.startupPrompt": "never"}


def test_untrusted_workspace_shows_its_data_and_runs_nothing(browser: Browser, truth: Truth, tmp_path: Path) -> None:
    folder = copy_example(tmp_path / "clarity")
    shutil.copy(truth.data_file, folder / ".coverage")
    trace = tmp_path / "was-run"
    (folder / "conftest.py").write_text(f"open({str(trace)!r}, 'w')\n", "utf-8")
    with (
        served_code(folder, tmp_path / "vscode", RESTRICTED) as code,
        window(browser, code.url(folder)) as workbench,
    ):
        workbench.wait_for(workbench.status, lambda text: "%" in text, "the data file's percentage", 60)
        workbench.search_palette("Testlens: Run Tests with Coverage")
        expect(workbench.palette_rows("Testlens: Run Tests with Coverage")).to_have_count(0)
    assert not trace.exists()
    assert (folder / ".coverage").read_bytes() == truth.data_file.read_bytes()


def test_folder_without_python_says_what_to_do_instead_of_failing(
    browser: Browser, code: ServedCode, tmp_path: Path
) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    (folder / "README.md").write_text("# Nothing here yet\n", "utf-8")
    with window(browser, code.url(folder)) as workbench:
        workbench.command("Testlens: Show the Test Gaps")
        welcome = workbench.page.locator('[id="workbench.view.extension.testlens"] .welcome-view')
        expect(welcome).to_contain_text("No coverage yet")
        expect(welcome.get_by_role("button", name="Run tests with coverage")).to_be_visible()
        assert workbench.notifications() == ""
        workbench.screenshot("empty")
