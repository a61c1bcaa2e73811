"""Fixtures for tests in a real VS Code: the example, its truth by coverage.py, a served VS Code and windows on it."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from e2e.served import ROOT, ServedCode, served_code
from e2e.workbench import Workbench

EXAMPLE = ROOT / "examples" / "clarity"
EXAMPLE_PYTHON = EXAMPLE / ".venv" / "bin" / "python"
CHROMIUM = os.environ.get("TESTLENS_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WINDOW = {"width": 1400, "height": 900}
# VS Code in a browser saves by itself; the tests look at what is typed and not saved.
SETTINGS = {"workbench.colorTheme": "Dark 2026", "files.autoSave": "off"}

OpenWindow = Callable[[Path], AbstractContextManager[Workbench]]


@dataclass(frozen=True, slots=True)
class Truth:
    """What coverage.py itself says of the example's tests: the measure of what the editor shows."""

    data_file: Path
    report: dict[str, Any]
    """`coverage json`."""

    @property
    def percent(self) -> str:
        """The total as people write it, with one decimal."""
        return f"{self.report['totals']['percent_covered']:.1f}"

    def missing_lines(self, name: str) -> set[int]:
        """1-based lines that no test ran."""
        return set(self.report["files"][name]["missing_lines"])

    def executed_lines(self, name: str) -> set[int]:
        """1-based lines that a test ran."""
        return set(self.report["files"][name]["executed_lines"])

    def partial_lines(self, name: str) -> set[int]:
        """Lines that ran, with a branch that was never taken."""
        return {source for source, _ in self.report["files"][name]["missing_branches"]} & self.executed_lines(name)


def copy_example(folder: Path) -> Path:
    """A copy of the example as a user has it: with its environment and a git history, without data of earlier runs."""
    leftovers = shutil.ignore_patterns(".venv", ".testlens", ".coverage*", "__pycache__", ".pytest_cache")
    shutil.copytree(EXAMPLE, folder, ignore=leftovers)
    (folder / ".venv").symlink_to(EXAMPLE / ".venv")
    git = ["git", "-C", str(folder), "-c", "user.name=Clarity", "-c", "user.email=clarity@example.org"]
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "The backend"]):
        subprocess.run([*git, *command], check=True)
    return folder


@pytest.fixture(scope="session")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    folder = copy_example(tmp_path_factory.mktemp("truth") / "clarity")
    coverage = [str(EXAMPLE_PYTHON), "-m", "coverage"]
    # A failing test of the example is no matter here: what ran is measured all the same.
    subprocess.run([*coverage, "run", "--branch", "-m", "pytest", "-q"], cwd=folder, check=False)
    subprocess.run([*coverage, "json", "--quiet", "-o", "truth.json"], cwd=folder, check=True)
    return Truth(folder / ".coverage", json.loads((folder / "truth.json").read_text("utf-8")))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_example(tmp_path_factory.mktemp("workspace") / "clarity")


@pytest.fixture(scope="session")
def code(example: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedCode]:
    """VS Code on the example, which it trusts."""
    with served_code(example, tmp_path_factory.mktemp("vscode"), SETTINGS) as served:
        yield served


@contextmanager
def window(browser: Browser, url: str) -> Iterator[Workbench]:
    """A new window of the browser on a folder, closed at the end."""
    context = browser.new_context(viewport=WINDOW)  # type: ignore[arg-type]
    try:
        workbench = Workbench(context.new_page())
        workbench.open(url)
        yield workbench
    finally:
        context.close()


@pytest.fixture(scope="session")
def measured_window(browser: Browser, code: ServedCode, example: Path) -> Iterator[Workbench]:
    """A window on the example whose tests were run from the palette."""
    with window(browser, code.url(example)) as workbench:
        workbench.wait_for(workbench.status, lambda text: "No coverage" in text, "Testlens to find no coverage yet", 60)
        workbench.command("Testlens: Run Tests with Coverage")
        workbench.wait_for(workbench.status, lambda text: "%" in text, "a percentage in the status bar", 180)
        yield workbench


@pytest.fixture
def workbench(measured_window: Workbench) -> Workbench:
    """The measured example, with nothing open."""
    measured_window.reset()
    return measured_window
