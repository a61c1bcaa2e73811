"""On the example, first offers alone, taken riskiest first, lead to the target: with tests that are green and clean."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.real, pytest.mark.timeout(900)]

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "clarity"
TARGET = 85


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the example after `scripts/close-gaps`, as the README shows it."""
    folder = tmp_path_factory.mktemp("closed") / "clarity"
    # What is found must not depend on how busy the machine is.
    command = [sys.executable, str(ROOT / "scripts" / "close-gaps"), "--into", str(folder), "--budget", "40"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=850)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the example's interpreter in a copy of it, without any of Testlens."""
    command = [str(folder / ".venv" / "bin" / "python"), *arguments]
    return subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)


def test_all_tests_are_green_and_cover_what_was_promised(closed: Path) -> None:
    run = python(closed, "-m", "coverage", "run", "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert run.returncode == 0, run.stdout
    report = python(closed, "-m", "coverage", "json", "-q", "-o", "-")
    assert json.loads(report.stdout)["totals"]["percent_covered"] >= TARGET


def test_what_was_written_is_clean_as_the_example_is(closed: Path) -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "."], cwd=closed, check=False, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stdout


def test_the_tests_that_were_there_are_as_they_were(closed: Path) -> None:
    for before in EXAMPLE.rglob("tests/**/*.py"):
        after = (closed / before.relative_to(EXAMPLE)).read_text(encoding="utf-8")
        # Imports are merged; what follows them is only added to.
        own = before.read_text(encoding="utf-8").split("\n\n\n", 1)[-1].rstrip()
        assert own in after


def test_the_sources_are_as_they_were(closed: Path) -> None:
    for before in (EXAMPLE / "src").rglob("*.py"):
        assert (closed / before.relative_to(EXAMPLE)).read_bytes() == before.read_bytes()
