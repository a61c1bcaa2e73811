"""What tests use beside the code that they run: files of the project that they open, and processes that they start.

Python tells of both by audit events (PEP 578). What a subprocess opens is not seen; that one was started is.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import coverage

_FOLDERS = ("os.listdir", "os.scandir")
_STARTING = frozenset(
    {"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.exec", "os.spawn", "os.system"}
)
_WATCHED = frozenset({"open", *_FOLDERS, *_STARTING})
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_IMPORTING = ("<frozen importlib", "<frozen zipimport")
_READS_TESTS = str(Path("_pytest", "assertion", "rewrite.py"))
_SHOWS_FAILURES = str(Path("_pytest", "_code"))
_PYTEST = f"{os.sep}_pytest{os.sep}"
_MOST_FRAMES = 10


class Uses:
    """Watches from when it is made, for as long as this process lives.

    What is used while `is_shared` (at import, in a fixture of several tests) is used by all.
    """

    def __init__(self, root: Path) -> None:
        self.is_shared = True
        self._prefix = f"{root}{os.sep}"
        self._coverage = f"{Path(coverage.__file__).parent}{os.sep}"
        self._began = time.time()
        self._own: set[str] = set()
        self._shared: set[str] = set()
        self._starts = False
        sys.addaudithook(self._watch)

    def take(self) -> dict[str, Any]:
        """What was used since the last time, as fields of an event: absolute paths, those of folders with a slash."""
        fields = {"opened": sorted(self._own), "shared": sorted(self._shared), "starts": self._starts}
        self._own.clear()
        self._shared.clear()
        self._starts = False
        return fields

    def _watch(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in _WATCHED:
            return
        try:
            if event in _STARTING:
                self._starts = True
            elif not self._is_of_tools(event in _FOLDERS):
                self._take(event, arguments)
        except Exception:  # noqa: BLE001  (whatever a test has put in the place of what is called here, it goes on)
            self._starts = True

    def _take(self, event: str, arguments: tuple[Any, ...]) -> None:
        is_folder = event in _FOLDERS
        if not is_folder and isinstance(arguments[2], int) and arguments[2] & _WRITING:
            return
        given = "." if is_folder and arguments[0] is None else arguments[0]
        if not isinstance(given, (str, bytes)):
            return
        path = os.path.abspath(os.fsdecode(given))  # noqa: PTH100  (links are not followed, and `..` is to go)
        if not path.startswith(self._prefix) or self._is_nobodys(path[len(self._prefix) :]):
            return
        if self._is_new(path):
            return
        (self._shared if self.is_shared else self._own).add(path + os.sep if is_folder else path)

    def _is_nobodys(self, relative: str) -> bool:
        """Whether it is in a folder of some tool's."""
        *folders, name = Path(relative).parts
        return name.startswith(".coverage") or any(part.startswith(".") or part == "__pycache__" for part in folders)

    def _is_new(self, path: str) -> bool:
        """Whether tests have made it."""
        try:
            return os.stat(path).st_mtime >= self._began  # noqa: PTH116  (no more of what tests replace than need be)
        except OSError:
            return False  # that it is not there is what they see

    def _is_of_tools(self, is_folder: bool) -> bool:
        """Whether it is Python that imports, pytest that collects or shows failures, coverage.py with its sources."""
        frame = sys._getframe(2)
        file = frame.f_code.co_filename
        if file.startswith(_IMPORTING) or (is_folder and _PYTEST in file):
            return True
        for _ in range(_MOST_FRAMES):
            if file.endswith(_READS_TESTS) or _SHOWS_FAILURES in file or file.startswith(self._coverage):
                return True
            if frame.f_back is None:
                return False
            frame = frame.f_back
            file = frame.f_code.co_filename
        return False
