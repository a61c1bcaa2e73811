"""The HTML report of a large project: to write, against `coverage html` on the same data; its size; to open and use.

*Usable* means that the map is drawn, the search has found a function, and that function's source is on the screen.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from figures import Figure, Size, main, ratio
from playwright.sync_api import Browser, expect, sync_playwright
from processes import run
from synthetic import DENSE, make_project

_WRITE_BOUND = 1
_SIZE_BOUND = 15
_OPEN_BOUND = 2000
_CHROMIUM = os.environ.get("TESTLENS_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
_FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
_FUNCTION = "function_3"


def measure(size: Size) -> Iterator[Figure]:
    """Write the report and its peer's in turns, then open it as often."""
    with tempfile.TemporaryDirectory() as folder:
        root, report = Path(folder, "project"), Path(folder, "report.html")
        make_project(root, size.files, size.lines, size.contexts, DENSE)
        run([sys.executable, "-m", "testlens", "plan"], root)  # what was parsed once is kept
        ours, peer = [], []
        for _ in range(size.rounds):
            peer.append(run([sys.executable, "-m", "coverage", "html", "-q", "-d", f"{folder}/html"], root).seconds)
            ours.append(run([sys.executable, "-m", "testlens", "report", "--html", str(report)], root).seconds)
        yield ratio("report: to write", ours, peer, _WRITE_BOUND, "s")
        megabytes = report.stat().st_size / 1_000_000
        yield Figure("report: size", megabytes, _SIZE_BOUND, "MB", f"{megabytes:.1f} MB of {size.files} files")
        yield _opening(report, size.rounds)


def _opening(report: Path, rounds: int) -> Figure:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=_FLAGS)
        try:
            # One more, which is not counted: the first page starts parts of the browser.
            found = [seconds_to_use(browser, report) for _ in range(rounds + 1)][1:]
        finally:
            browser.close()
    shown, used = (1000 * median(column) for column in zip(*found, strict=True))
    return Figure(
        "report: to usable", used, _OPEN_BOUND, "ms", f"map after {shown:.0f} ms, a source after {used:.0f} ms"
    )


def seconds_to_use(browser: Browser, report: Path) -> tuple[float, float]:
    """Until the map is there, and until a function that was searched for is on the screen."""
    page = browser.new_page()
    try:
        began = time.perf_counter()
        page.goto(report.as_uri(), wait_until="commit")
        expect(page.locator("#map .tile").first).to_be_visible()
        shown = time.perf_counter() - began
        page.locator("#search").fill(_FUNCTION)
        page.locator("#search").press("Enter")
        expect(page.locator(".l.current code")).to_contain_text(f"def {_FUNCTION}")
        return shown, time.perf_counter() - began
    finally:
        page.close()


if __name__ == "__main__":
    main(measure, __doc__)
