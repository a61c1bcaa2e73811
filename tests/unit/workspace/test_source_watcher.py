"""A save is noticed wherever it is, whatever else comes and goes beside it."""

from __future__ import annotations

import errno
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from watchdog.observers import Observer

from testlens.workspace.source_watcher import SourceWatcher

_PATIENCE = 20.0


class _Noticed:
    """A watcher, and whether it has noticed anything."""

    def __init__(self, root: Path) -> None:
        self.changed = threading.Event()
        self._watcher = SourceWatcher(root, self.changed.set)
        self._watcher.start()

    def close(self) -> None:
        """Stop watching."""
        self._watcher.stop()


def test_saves_are_noticed_after_folders_came_and_went_at_once(tmp_path: Path) -> None:
    """As the folder does in which pytest prepares its cache: it is gone before it can be watched."""
    folders = [tmp_path / f"package{number}" for number in range(8)]
    for folder in folders:
        folder.mkdir()
        (folder / "module.py").write_text("x = 1\n")
    with closing(_Noticed(tmp_path)) as noticed:
        for number in range(200):
            passing = tmp_path / f"pytest-cache-files-{number}"
            passing.mkdir()
            time.sleep(number % 20 / 10_000)  # some of them just long enough to be seen
            passing.rmdir()
        # Until all of that was noticed, each folder may be watched anew once more.
        while noticed.changed.wait(1.0):
            noticed.changed.clear()
        for folder in folders:
            noticed.changed.clear()
            (folder / "module.py").write_text("x = 2\n")
            assert noticed.changed.wait(_PATIENCE), folder.name


def test_saves_are_noticed_where_the_system_refuses_to_watch_more_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Linux does once all programs together watch as many as it allows."""
    allowed = 3

    class Limited(Observer):  # type: ignore[misc, valid-type]
        def schedule(self, *arguments: Any, **options: Any) -> Any:
            if len(self.emitters) >= allowed:
                raise OSError(errno.ENOSPC, "inotify watch limit reached")
            return super().schedule(*arguments, **options)

    monkeypatch.setattr("testlens.workspace.source_watcher.Observer", Limited)
    (tmp_path / "module.py").write_text("x = 1\n")
    with closing(_Noticed(tmp_path)) as noticed:
        for number in range(allowed):
            (tmp_path / f"package{number}").mkdir()
        while noticed.changed.wait(2.0):
            noticed.changed.clear()
        for number in range(allowed):
            noticed.changed.clear()
            (tmp_path / f"package{number}" / "module.py").write_text("x = 2\n")
            assert noticed.changed.wait(_PATIENCE), number
