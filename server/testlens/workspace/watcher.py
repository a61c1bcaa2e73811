"""Watches the places where coverage data and configuration lie, and says when they have settled after a change.

Only those folders are watched, not the tree: a data file is never looked for elsewhere, and a virtual environment or
`node_modules` would cost thousands of watches.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.polling import PollingObserver

from testlens.domain.problems import Problem
from testlens.sources.discovery import data_folders, data_names, find_data, is_data_name
from testlens.sources.mutant_places import is_mutant_place, mutant_folders
from testlens.workspace.source_files import RUN_SOURCES
from testlens.workspace.workspace import Workspace

logger = logging.getLogger(__name__)

Change = Literal["data", "configuration", "mutants"]

_CONFIGURATION = frozenset({"pyproject.toml", ".coveragerc", "setup.cfg", "tox.ini"})
_OWN_SOURCES = Path(RUN_SOURCES).name
_POLL_EVERY = 1.0

# Seconds without a further event after which a file counts as written. A renamed file is whole at once; a closed one
# nearly always. A deleted one is mostly about to be written again, by a test run that has just begun.
_QUIET = {"moved": 0.005, "closed": 0.02, "created": 0.05, "modified": 0.1, "deleted": 1.0}
# coverage.py writes the data of a process piece by piece, for as long as its tests run.
_QUIET_PARALLEL = 1.0
# mutmut writes verdicts with each mutant, at no stroke.
_QUIET_MUTANTS = 0.3
_OFTEN = 3.0
_QUIET_WHEN_OFTEN = 0.5
_JOURNAL_EVERY = 0.1
_LONGEST_JOURNAL = 10.0


class Watcher:
    """Calls `on_change`, on a thread of its own, each time data or configuration of a workspace has changed.

    `problem` says so where the system cannot watch and the folders are polled instead.
    """

    def __init__(self, workspace: Workspace, on_change: Callable[[Change], None]) -> None:
        self.problem: Problem | None = None
        self._workspace = workspace
        self._watched: frozenset[Path] = frozenset()
        self._handler = _Handler(self._seen)
        self._observer: Any = Observer()
        self._settler = _Settler(self._tell, self._is_being_written)
        self._on_change = on_change
        self._present: object = None

    def start(self) -> None:
        """Begin to watch."""
        self.note_present()
        self._settler.start()
        try:
            self._observer.start()
            self.follow()
        except OSError as error:
            self._poll_instead(error)

    def stop(self) -> None:
        """Stop watching, without waiting for the threads to end."""
        self._settler.stop()
        self._observer.stop()

    def follow(self) -> None:
        """Watch the folders that the configuration in force names; those that do not exist follow when they do."""
        config, root = self._workspace.settings.config, self._workspace.root
        places = data_folders(root, config) | mutant_folders(root)
        wanted = frozenset(folder for folder in _with_ancestors(places, root) if folder.is_dir())
        if wanted == self._watched:
            return
        self._observer.unschedule_all()
        for folder in wanted:
            self._observer.schedule(self._handler, str(folder), recursive=False)
        self._watched = wanted

    def note_present(self) -> None:
        """Take the data as it is now for known: only later changes of it are told."""
        self._present = self._data_present()

    def _tell(self, change: Change) -> bool:
        before = self._present
        if change == "data":
            self._present = self._data_present()
            if self._present == before:
                return False
        self._on_change(change)
        return True

    def _data_present(self) -> object:
        found, _ = find_data(self._workspace.root, self._workspace.settings.config)
        try:
            run = (self._workspace.root / RUN_SOURCES).stat().st_mtime_ns
        except OSError:
            run = None
        return [data.signature for data in found], run

    def _poll_instead(self, error: OSError) -> None:
        self._observer.stop()
        self.problem = Problem(
            f"The system cannot watch {self._workspace.root}: {error.strerror}.",
            "Testlens looks for changes once a second instead; raising fs.inotify.max_user_instances helps.",
        )
        self._observer = PollingObserver(timeout=_POLL_EVERY)
        self._watched = frozenset()
        self._observer.start()
        self.follow()

    def _seen(self, kind: str, path: Path) -> None:
        if path in data_folders(self._workspace.root, self._workspace.settings.config):
            self._settler.expect("data", _QUIET["created"])
            self._follow_or_poll()
            return
        if is_mutant_place(self._workspace.root, path):
            self._settler.expect("mutants", max(_QUIET[kind], _QUIET_MUTANTS))
            self._follow_or_poll()
            return
        if path.parent == self._workspace.root and path.name in _CONFIGURATION:
            self._settler.expect("configuration", _QUIET[kind])
        elif self._is_data(path):
            quiet = _QUIET[kind]
            self._settler.expect("data", max(quiet, _QUIET_PARALLEL) if _is_parallel(path) else quiet)

    def _follow_or_poll(self) -> None:
        try:
            self.follow()
        except OSError as error:
            self._poll_instead(error)

    def _is_data(self, path: Path) -> bool:
        if path.parent == self._workspace.own_data.parent:
            # The run's list of sources is written last; without it the data says nothing yet.
            return path.name == _OWN_SOURCES
        return is_data_name(path.name, data_names(self._workspace.settings.config))

    def _is_being_written(self) -> bool:
        names = data_names(self._workspace.settings.config)
        return any(
            is_data_name(journal.name.removesuffix("-journal"), names)
            for folder in self._watched
            for journal in folder.glob("*-journal")
        )


class _Handler(FileSystemEventHandler):
    def __init__(self, seen: Callable[[str, Path], None]) -> None:
        self._seen = seen

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Pass on what was written, under the name it has afterwards."""
        if event.event_type not in _QUIET or (event.is_directory and event.event_type == "modified"):
            return
        try:
            self._seen(event.event_type, Path(str(event.dest_path or event.src_path)))
        except Exception:
            # An exception would end the thread that hears of all later changes.
            logger.exception("A change of %s was not understood.", event.src_path)


class _Settler(threading.Thread):
    """Waits until changes have come to rest, then tells of each kind once; `tell` says whether there was any."""

    def __init__(self, tell: Callable[[Change], bool], is_being_written: Callable[[], bool]) -> None:
        super().__init__(name="testlens-settler", daemon=True)
        self._tell = tell
        self._is_being_written = is_being_written
        self._awake = threading.Condition()
        self._due: dict[Change, float] = {}
        self._told_at: dict[Change, float] = {}
        self._stopped = False

    def expect(self, change: Change, quiet: float) -> None:
        """Tell of `change` once nothing more of it happens for `quiet` seconds."""
        with self._awake:
            now = time.monotonic()
            if now - self._told_at.get(change, -_OFTEN) < _OFTEN:
                quiet = max(quiet, _QUIET_WHEN_OFTEN)
            self._due[change] = now + quiet
            self._awake.notify()

    def stop(self) -> None:
        """End the thread."""
        with self._awake:
            self._stopped = True
            self._awake.notify()

    def run(self) -> None:
        """Tell of changes until stopped."""
        while (change := self._next()) is not None:
            if change == "data":
                self._wait_for_journals()
            if self._tell(change):
                self._told_at[change] = time.monotonic()

    def _next(self) -> Change | None:
        with self._awake:
            while not self._stopped:
                now = time.monotonic()
                change = min(self._due, key=lambda name: self._due[name], default=None)
                if change is not None and self._due[change] <= now:
                    del self._due[change]
                    return change
                self._awake.wait(None if change is None else self._due[change] - now)
        return None

    def _wait_for_journals(self) -> None:
        # A journal that stays was left behind by a process that died.
        until = time.monotonic() + _LONGEST_JOURNAL
        while self._is_being_written() and time.monotonic() < until and not self._stopped:
            time.sleep(_JOURNAL_EVERY)


def _is_parallel(path: Path) -> bool:
    return path.name.startswith(".coverage.")


def _with_ancestors(folders: frozenset[Path], root: Path) -> set[Path]:
    """`folders` and all folders between them and `root`, where a missing one would be made."""
    between = {parent for folder in folders for parent in folder.parents if parent.is_relative_to(root)}
    return {*folders, *between, root}
