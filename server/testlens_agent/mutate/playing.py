"""Runs tests in this process, which is a copy of the session, as pytest would with `-x`."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

_STOPPED = 2
_INTERNAL_ERROR = 3


def run_tests(session: Any, items: list[Any], after: Any = None) -> tuple[int, str | None]:
    """Run the tests until one fails: pytest's exit code, and the node id of the one that failed.

    `after` is the test that will run next in this process, whose fixtures are not let go of.
    """
    import pytest

    current = None
    try:
        for item, following in zip(items, [*items[1:], after]):
            current = item.nodeid
            session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.shouldfail or session.shouldstop:
                break
        return _code(session), current if session.testsfailed else None
    except pytest.exit.Exception as error:
        return error.returncode if error.returncode is not None else _STOPPED, None
    except KeyboardInterrupt:
        return _STOPPED, None
    except Exception:  # noqa: BLE001  (a plugin's own, which pytest calls an internal error)
        return _INTERNAL_ERROR, current


def tear_down(session: Any) -> None:
    """Let go of the fixtures that are still set up; what they started must not be left behind."""
    with contextlib.suppress(BaseException):
        session._setupstate.teardown_exact(None)


def forget_instances(items: list[Any]) -> None:
    """Let tests that have run run again as if they had not: with instances of their classes of their own."""
    for item in items:
        if getattr(item, "cls", None) is not None:
            for name in ("_instance", "_obj"):
                vars(item).pop(name, None)


def separate(session: Any, folder: Path) -> None:
    """Give this copy temporary folders and captured output of its own; what it prints is nobody's."""
    config = session.config
    capture = config.pluginmanager.getplugin("capturemanager")
    is_capturing = capture is not None and capture.is_globally_capturing()
    if is_capturing:
        capture.stop_global_capturing()
    empty = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(empty, descriptor)
    os.close(empty)
    if is_capturing:
        capture._global_capturing = None
        capture.start_global_capturing()
    factory = getattr(config, "_tmp_path_factory", None)
    if factory is not None:
        factory._given_basetemp = folder
        factory._basetemp = None


def _code(session: Any) -> int:
    if session.testsfailed:
        return 1
    return _STOPPED if session.shouldstop else 0
