"""The pytest plugin of a mutation run: lets pytest collect, and then plays mutants in place of running the tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import pytest

from testlens_agent.failures import collection_problem
from testlens_agent.secluded import SecludedPlugin


class MutationPlugin(SecludedPlugin):
    """`serve` is called with the session once all tests are collected, and returns when there is no more to do."""

    def __init__(self, tree: Path, serve: Callable[[Any], None]) -> None:
        self._tree = tree
        self._serve = serve
        self.problems: list[dict[str, Any]] = []
        self.has_served = False

    def pytest_collectreport(self, report: Any) -> None:
        """Keep what could not be collected."""
        if report.failed:
            self.problems.append(collection_problem(report, self._tree))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: Any) -> bool:
        """Play mutants in place of running the tests."""
        if not self.problems:
            self.has_served = True
            self._serve(session)
        return True
