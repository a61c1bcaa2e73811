"""What all tests share: the order of the suites, what may run side by side, and the checks that ran before pytest."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

TESTS = Path(__file__).parent
LOCKS = TESTS.parent / ".cache" / "tests"
# Fast suites first, so that a mistake shows early. Files outside these folders come before them.
# The browser comes last: who drives it keeps an event loop running, and can run no asynchronous test after that.
SUITES = ("unit", "agent", "lsp", "cli", "distribution", "real", "e2e")
# The windows of all browser tests are those of one VS Code, and each published project's own suite runs once.
TOGETHER = {
    "tests/e2e/": "e2e",
    "tests/real/test_published": "published",
    "tests/real/test_trials": "published",
    "tests/real/test_gates": "published",
}


def pytest_configure(config: pytest.Config) -> None:
    """Keep what pytest-xdist says about this process from the many processes that tests start."""
    del config
    for name in [name for name in os.environ if name.startswith("PYTEST_XDIST_")]:
        del os.environ[name]


def _suite(item: pytest.Item) -> str:
    return item.path.relative_to(TESTS).parts[0]


def _suite_rank(item: pytest.Item) -> int:
    folder = _suite(item)
    return SUITES.index(folder) + 1 if folder in SUITES else 0


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the fast suites first; within a suite the order stays."""
    items.sort(key=_suite_rank)


class _InGroups(LoadScopeScheduling):
    """Gives to one worker what shares expensive fixtures, and the groups in their order."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return next((group for beginning, group in TOGETHER.items() if file.startswith(beginning)), file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Group the tests by file, and some files together, instead of what `--dist` says."""
    return _InGroups(config, log)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Run what is marked `alone`, since it measures time, while the other workers wait."""
    with _room(item):
        return (yield)


@contextlib.contextmanager
def _room(item: pytest.Item) -> Iterator[None]:
    given: dict[str, object] | None = getattr(item.config, "workerinput", None)
    if given is None:
        yield
        return
    LOCKS.mkdir(parents=True, exist_ok=True)
    own = str(given["workerid"])
    everyone = [f"gw{number}" for number in range(int(str(given["workercount"])))]
    with contextlib.ExitStack() as held:
        # Who waits for the others keeps the turn, so that they can't go on with test after test meanwhile.
        with FileLock(LOCKS / "turn.lock"):
            for worker in everyone if item.get_closest_marker("alone") else [own]:
                held.enter_context(FileLock(LOCKS / f"{worker}.lock"))
        yield


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Repeat the failed checks of `npm test` above the closing line, where they are seen."""
    if failed := os.environ.get("TESTLENS_FAILED_CHECKS"):
        terminalreporter.section("checks before pytest", red=True)
        terminalreporter.write_line(f"failed: {failed}")
