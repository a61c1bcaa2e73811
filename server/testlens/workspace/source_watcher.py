"""Watches the folders of a project's sources and tests, and says when files in them have been written."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.polling import PollingObserver

from testlens.workspace.run_record import folders_of_interest

# Seconds without a further event after which what was written is whole: once it was closed or renamed nearly at once.
_QUIET = {"moved": 0.01, "closed": 0.01, "created": 0.03, "modified": 0.03, "deleted": 0.03}
_POLL_EVERY = 1.0


class SourceWatcher(FileSystemEventHandler):
    """Calls `on_change`, on a thread of its own, when files that are not hidden were written, once they are whole.

    Where the system cannot watch, it looks once a second.
    """

    def __init__(self, root: Path, on_change: Callable[[], None]) -> None:
        self._root = root
        self._on_change = on_change
        self._watched: set[Path] = set()
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()
        self._observer: Any = _observer()

    def start(self) -> None:
        """Begin to watch."""
        try:
            self._observer.start()
            self._follow()
        except OSError:
            self._poll()

    def stop(self) -> None:
        """Stop watching, without waiting for the threads to end."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
        self._observer.stop()

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Called by watchdog."""
        path = Path(str(event.dest_path or event.src_path))
        if event.event_type not in _QUIET or path.name.startswith(".") or path.name == "__pycache__":
            return
        if event.is_directory:
            if event.event_type == "modified":
                return
            self._follow_anew()
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = threading.Timer(_QUIET[event.event_type], self._on_change)
            self._timer.daemon = True
            self._timer.start()

    def _follow_anew(self) -> None:
        """Watch again: a folder that was there before may be another one now, of which the old watch tells nothing."""
        try:
            self._observer.unschedule_all()
            self._watched.clear()
            self._follow()
        except OSError:  # others have all that the system has for this by now
            self._poll()

    def _poll(self) -> None:
        self._observer.stop()
        self._observer = PollingObserver(timeout=_POLL_EVERY)
        self._watched.clear()
        self._observer.start()
        self._follow()

    def _follow(self) -> None:
        """Watch the folders that there are; not the whole tree, where packages have thousands of folders."""
        # Again until there is none that came while others began to be watched.
        while (there := set(folders_of_interest(self._root))) - self._watched:
            for folder in there - self._watched:
                # It may be gone by now, as the one is in which pytest prepares its cache; all others are to be watched.
                with contextlib.suppress(FileNotFoundError):
                    self._observer.schedule(self, str(folder), recursive=False)
            self._watched = there
        self._watched = there


def _observer() -> Any:
    try:
        return Observer()
    except OSError:  # others have all that the system has for this
        return PollingObserver(timeout=_POLL_EVERY)
