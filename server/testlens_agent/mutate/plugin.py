"""The pytest plugin of a mutation run: lets pytest collect, and then plays mutants in place of running the tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

from testlens_agent.failures import collection_problem

_Step = Iterator[None]
_REPORTS = ("xmlpath", "htmlpath", "json_report_file", "report_log", "allure_report_dir", "result_log", "pastebin")


class MutationPlugin:
    """`serve` is called with the session once all tests are collected, and returns when there is no more to do."""

    def __init__(self, tree: Path, serve: Callable[[Any], None]) -> None:
        self._tree = tree
        self._serve = serve
        self.problems: list[dict[str, Any]] = []
        self.has_served = False

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_load_initial_conftests(self, early_config: Any) -> _Step:
        """Keep pytest-cov from starting: a mutant may well fall short of a wanted coverage."""
        options = early_config.known_args_namespace
        if hasattr(options, "cov_source"):
            options.cov_source = []
            options.no_cov = True
        yield

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_cmdline_main(self, config: Any) -> _Step:
        """Switch off what would run the tests elsewhere, or write reports of them."""
        options = config.option
        if hasattr(options, "numprocesses"):
            options.numprocesses = None
            options.dist = "no"
            options.tx = []
        for name in _REPORTS:
            if getattr(options, name, None):
                setattr(options, name, None)
        if getattr(options, "log_file", None) or config.getini("log_file"):
            options.log_file = os.devnull
        yield

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
