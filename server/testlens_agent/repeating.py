"""The pytest plugin that runs all tests of a session several times, to see whether they come out the same each time."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest


class RepeatingPlugin:
    """Repeats the session's tests, fixtures of every scope made anew, until they ran `times` times."""

    def __init__(self, times: int) -> None:
        self._times = times

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtestloop(self, session: Any) -> Generator[None, Any, None]:
        """Go on after the first time, unless pytest itself had enough."""
        result = yield
        if result.excinfo is not None or session.config.option.collectonly:
            return
        for _ in range(self._times - 1):
            if session.shouldfail or session.shouldstop:
                return
            _run_all(session)


def _run_all(session: Any) -> None:
    """Run each test as pytest's own loop does: after the last one nothing that was set up is left."""
    following = [*session.items[1:], None]
    for item in session.items:
        _forget_instance(item)
    for item, next_item in zip(session.items, following):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=next_item)
        if session.shouldfail or session.shouldstop:
            return


def _forget_instance(item: Any) -> None:
    """Have a method of a test class get a new instance: pytest makes one when it first needs it, and then keeps it."""
    if isinstance(item, pytest.Function) and isinstance(item.parent, pytest.Class):
        for kept in ("_instance", "_obj"):
            vars(item).pop(kept, None)
