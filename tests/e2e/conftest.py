"""Fixtures for tests in a real VS Code: the example, its truth by coverage.py, a served VS Code and a window on it."""

import os
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from e2e.example import Truth, copy_example, measure
from e2e.served import ROOT, ServedCode, served_code
from e2e.workbench import SLOW_MS, Workbench, open_pages, window

FAILURES = ROOT / ".cache" / "e2e-failures"
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


@pytest.fixture(scope="session")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    return measure(copy_example(tmp_path_factory.mktemp("truth") / "clarity"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    # What is never shown fails a test all the same, and a busy machine does not.
    expect.set_options(timeout=SLOW_MS)
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
    with served_code(example, tmp_path_factory.mktemp("vscode")) as served:
        yield served


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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Leave a picture of every open window beside a failure."""
    report = yield
    if report.failed:
        FAILURES.mkdir(parents=True, exist_ok=True)
        for index, page in enumerate(open_pages()):
            page.screenshot(path=FAILURES / f"{item.name}-{index}.png")
    return report
