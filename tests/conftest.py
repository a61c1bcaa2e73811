"""What all tests share: the order of the suites, and the checks that ran before pytest."""

import os
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
# Fast suites first, so that a mistake shows early. Files outside these folders come before them.
SUITES = ("unit", "agent", "lsp", "cli", "real", "e2e")


def _suite_rank(item: pytest.Item) -> int:
    folder = item.path.relative_to(TESTS).parts[0]
    return SUITES.index(folder) + 1 if folder in SUITES else 0


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the fast suites first; within a suite the order stays."""
    items.sort(key=_suite_rank)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Repeat the failed checks of `npm test` above the closing line, where they are seen."""
    if failed := os.environ.get("TESTLENS_FAILED_CHECKS"):
        terminalreporter.section("checks before pytest", red=True)
        terminalreporter.write_line(f"failed: {failed}")
