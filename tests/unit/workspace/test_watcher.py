"""Changes of data are noticed, also where the system refuses to watch: the folders are polled then."""

from __future__ import annotations

import ctypes
import errno
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from queue import Queue

import pytest
from watchdog.observers import inotify_c

from testlens.workspace.watcher import Change, Watcher
from testlens.workspace.workspace import Workspace

_PATIENCE = 20.0

Watch = Callable[[], tuple[Watcher, "Queue[Change]"]]


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    """Starts to watch the folder; gives the watcher and what it tells."""
    with ExitStack() as after:

        def start() -> tuple[Watcher, Queue[Change]]:
            told: Queue[Change] = Queue()
            workspace = after.enter_context(closing(Workspace(tmp_path)))
            watcher = Watcher(workspace, told.put)
            after.callback(watcher.stop)
            watcher.start()
            return watcher, told

        yield start


def refuse_watches(monkeypatch: pytest.MonkeyPatch, error: int) -> None:
    """Have the kernel refuse every further watch, as it does when the user's limit is reached."""

    def refuse(_descriptor: int, _path: bytes, _mask: int) -> int:
        ctypes.set_errno(error)
        return -1

    monkeypatch.setattr(inotify_c, "inotify_add_watch", refuse)


def test_new_data_and_a_new_configuration_are_told(tmp_path: Path, watch: Watch) -> None:
    watcher, told = watch()
    (tmp_path / "coverage.xml").write_text("<coverage/>")
    assert told.get(timeout=_PATIENCE) == "data"
    (tmp_path / "pyproject.toml").write_text("[tool.testlens]\ntarget = 90\n")
    assert told.get(timeout=_PATIENCE) == "configuration"
    assert watcher.problem is None


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EMFILE], ids=["no more watches", "no more instances"])
def test_where_the_limit_of_watches_is_reached_changes_are_noticed_by_polling(
    tmp_path: Path, watch: Watch, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    refuse_watches(monkeypatch, error)
    watcher, told = watch()
    assert watcher.problem is not None
    assert "cannot watch" in watcher.problem.message
    assert "fs.inotify" in watcher.problem.advice
    data = tmp_path / "coverage.xml"
    data.write_text("<coverage/>")
    assert told.get(timeout=_PATIENCE) == "data"
    data.write_text('<coverage version="7"/>')
    assert told.get(timeout=_PATIENCE) == "data"
    (tmp_path / "pyproject.toml").write_text("[tool.testlens]\ntarget = 90\n")
    assert told.get(timeout=_PATIENCE) == "configuration"


def test_where_the_limit_is_reached_later_polling_takes_over(
    tmp_path: Path, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.testlens]\ndata = ["build/coverage.xml"]\n')
    watcher, told = watch()
    assert watcher.problem is None
    refuse_watches(monkeypatch, errno.ENOSPC)
    # A folder that the configuration names is watched as soon as it is there.
    (tmp_path / "build").mkdir()
    eventually(lambda: watcher.problem is not None)
    (tmp_path / "build" / "coverage.xml").write_text("<coverage/>")
    assert told.get(timeout=_PATIENCE) == "data"


def eventually(holds: Callable[[], bool]) -> None:
    """Waits until `holds`."""
    until = time.monotonic() + _PATIENCE
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.01)
