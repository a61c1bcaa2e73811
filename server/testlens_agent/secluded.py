"""What pytest leaves alone in a session that serves commands: data files, reports and other processes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

_REPORTS = ("xmlpath", "htmlpath", "json_report_file", "report_log", "allure_report_dir", "result_log", "pastebin")


class SecludedPlugin:
    """A pytest plugin for sessions whose tests run in copies of this process, and leave nothing behind."""

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_load_initial_conftests(self, early_config: Any) -> Iterator[None]:
        """Keep pytest-cov from starting: it would write the user's data file, and judge by what it measured."""
        options = early_config.known_args_namespace
        if hasattr(options, "cov_source"):
            options.cov_source = []
            options.no_cov = True
        yield

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_cmdline_main(self, config: Any) -> Iterator[None]:
        """Switch off what would move the tests elsewhere or write into the project."""
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
        options.tbstyle = "native"  # the other styles parse the sources, which takes longer than the test
        yield
