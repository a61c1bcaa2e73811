"""Prepares a process for tests that are about to be tried: imports what they import, sets up what they ask for.

After a rehearsal the process is as after any test with the same fixtures: modules are loaded, fixtures of the session
and of folders are there, and those of the test itself are torn down.
"""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import Any

from _pytest.runner import call_and_report

from testlens_agent.explore.candidate import Candidate
from testlens_agent.explore.folders import PYTEST, TEMPORARY, WORKING, entries

_MOST_TESTS = 2
_EVENT_LOOP = "anon_inode:[eventpoll]"


def rehearse(session: Any, plugin: Any, task: dict[str, Any]) -> bool:
    """Set up and tear down the tests of `task` without running them; false where that does not work."""
    path = Path(task["path"])
    folder = plugin.parents.of(path.parent)
    fixtures = session._fixturemanager
    known = _copied(vars(fixtures))
    plugin.select(task["tests"])
    items = Candidate(session, plugin.parents, path, task["text"], task["tests"]).collect()
    if plugin.problems or not items:
        return False
    for item in items[:_MOST_TESTS]:
        if not getattr(item, "_request", None):
            item._initrequest()
        reports = [call_and_report(item, "setup", log=False)]
        reports.append(call_and_report(item, "teardown", log=False, nextitem=folder))
        if any(report.failed for report in reports):
            return False
    # The next text is another module at the same place: the fixtures of this one must not be found by it.
    vars(fixtures).update(known)
    session.items = []
    return True


def is_copyable(folder: Path) -> bool:
    """Whether nothing was left that copies of this process would share: threads, event loops, files in its folder."""
    if threading.active_count() > 1 or _has_event_loop():
        return False
    for made in entries(folder / PYTEST):
        if made.startswith("test"):  # a tmp_path of the rehearsal
            shutil.rmtree(str(folder / PYTEST / made), ignore_errors=True)
    left = [*_files(folder / PYTEST), *_files(folder / TEMPORARY)]
    return not left and all((folder / WORKING / name).is_symlink() for name in entries(folder / WORKING))


def _files(folder: Path) -> list[Path]:
    return [entry for entry in folder.rglob("*") if not entry.is_dir() and not entry.is_symlink()]


def _has_event_loop() -> bool:
    try:
        links = [entry.readlink() for entry in Path("/proc/self/fd").iterdir()]
    except OSError:  # not Linux; or the descriptor of this very look, which is closed again
        return False
    return any(str(link) == _EVENT_LOOP for link in links)


def _copied(held: dict[str, Any]) -> dict[str, Any]:
    """The collections among some attributes, with those that they hold, as they are now."""
    return {name: _copy(value) for name, value in held.items() if isinstance(value, (dict, list, set))}


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        copy = value.copy()  # of its own type, which may make entries by itself
        for key, inner in value.items():
            copy[key] = _copy(inner) if isinstance(inner, (dict, list, set)) else inner
        return copy
    return value.copy()
