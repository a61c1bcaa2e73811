"""The pytest plugin that runs a recorder along with the tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

from testlens_agent.call_watch import call_watch
from testlens_agent.recorder import Recorder

_Step = Iterator[None]


class RecorderPlugin:
    """Watches while tests are collected, set up and run; `piece` is the file to write to."""

    def __init__(self, root: Path, piece: Path) -> None:
        self._recorder = Recorder(root, piece)
        self._watch = call_watch(self._recorder)

    @pytest.hookimpl(hookwrapper=True, trylast=True)
    def pytest_collection(self) -> _Step:
        """See how the objects of the test files themselves are built."""
        yield from self._watching("")

    @pytest.hookimpl(hookwrapper=True, trylast=True)
    def pytest_runtest_setup(self, item: Any) -> _Step:
        """Watch what fixtures call."""
        self._try(lambda: self._recorder.fixtures.begin(item))
        yield from self._watching(item.nodeid)

    @pytest.hookimpl(hookwrapper=True, trylast=True)
    def pytest_runtest_call(self, item: Any) -> _Step:
        """Watch what the test calls."""
        yield from self._watching(item.nodeid)

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> _Step:
        """Note the value of a fixture."""
        yield
        if fixturedef.cached_result is not None and fixturedef.cached_result[2] is None:
            self._try(lambda: self._recorder.fixtures.add(fixturedef))

    def pytest_fixture_post_finalizer(self, fixturedef: Any) -> None:
        """Forget the value of a fixture."""
        self._try(lambda: self._recorder.fixtures.remove(fixturedef))

    def pytest_runtest_logfinish(self) -> None:
        """Write down what the test has shown, when nothing of it is in force any more."""
        self._recorder.end()

    def pytest_unconfigure(self) -> None:
        """Give back Python's means of watching."""
        self._watch.close()

    def _watching(self, test: str) -> _Step:
        self._recorder.begin(test)
        self._watch.start(test)
        yield
        self._watch.stop()

    def _try(self, action: Callable[[], None]) -> None:
        try:
            action()
        except Exception:  # noqa: BLE001  (a failing recorder must not fail a test)
            return
