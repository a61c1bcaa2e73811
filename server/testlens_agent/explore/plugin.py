"""The pytest plugin of the explorer: starts a session, collects nothing, and serves commands in place of tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

from testlens_agent.explore.observing import Observer
from testlens_agent.explore.parents import Parents
from testlens_agent.failures import collection_problem
from testlens_agent.secluded import SecludedPlugin

_Step = Iterator[None]
# Plugins that reorder, repeat, spread or time tests, or report on them: by the names that they register under.
_NO_USE_HERE = (
    "randomly",
    "random_order",
    "random-order",
    "timeout",
    "rerunfailures",
    "flaky",
    "repeat",
    "html",
    "sugar",
)


class ExplorerPlugin(SecludedPlugin):
    """`folder` is where the tests will stand.

    `serve` is called with the session and this plugin once all is set up, and returns when there is no more to do.
    """

    def __init__(self, root: Path, folder: Path, serve: Callable[[Any, ExplorerPlugin], None]) -> None:
        self._root = root
        self._folder = folder
        self._serve = serve
        self._wanted: dict[str, set[str]] | None = None
        self.watch: Any = None
        self.problems: list[str] = []
        self.internal_error: str | None = None

    def select(self, tests: list[str]) -> None:
        """From now on only these tests are collected, and what goes wrong on the way is kept in `problems`."""
        self.problems = []
        self._wanted = {}
        for test in tests:
            first, _, rest = test.partition("::")
            self._wanted.setdefault(first, set()).add(rest.partition("::")[0])

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: Any) -> None:
        """Take out plugins that make no sense for a single test."""
        for name in _NO_USE_HERE:
            if config.pluginmanager.has_plugin(name):
                config.pluginmanager.unregister(name=name)

    def pytest_collection(self, session: Any) -> bool:
        """Collect nothing yet."""
        session.items = []
        session.testscollected = 0
        return True

    def pytest_runtestloop(self, session: Any) -> bool:
        """Serve commands in place of running tests."""
        self.observer = Observer()
        self.parents = Parents(session)
        self.parents.of(self._folder)
        self._serve(session, self)
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_pycollect_makeitem(self, collector: Any, name: str) -> list[Any] | None:
        """Leave out what is not wanted, which saves the time of making it."""
        if self._wanted is None:
            return None
        if isinstance(collector, pytest.Module):
            return None if name in self._wanted else []
        wanted = self._wanted.get(collector.name)
        return None if wanted is None or name in wanted else []

    def pytest_collectreport(self, report: Any) -> None:
        """Keep what could not be collected."""
        if report.failed:
            self.problems.append(collection_problem(report, self._root)["message"])

    @pytest.hookimpl(hookwrapper=True, trylast=True)
    def pytest_runtest_call(self, item: Any) -> _Step:
        """Look at the test's body while it runs."""
        watch = self.watch
        if watch is None:
            yield
            return
        with watch.call():
            yield
        watch.called()

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, call: Any) -> _Step:
        """Look at the exception before it becomes text."""
        yield
        if self.watch is not None and call.excinfo is not None:
            self.watch.failed(call.when, call.excinfo.value)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Take pytest's verdict on a phase."""
        if self.watch is not None and not hasattr(report, "context"):
            self.watch.report(report)

    def pytest_internalerror(self, excrepr: Any) -> None:
        """Keep a failure of pytest or of one of its plugins."""
        self.internal_error = " ".join(str(excrepr).strip().splitlines()[-1:])
