"""What tests use beside the code that they run: files of the project that they open, and processes that they start.

Python tells of both by audit events (PEP 578). What a subprocess opens is not seen; that one was started is.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import coverage

from testlens_agent.audit import listen
from testlens_agent.programs import is_harmless

_FOLDERS = ("os.listdir", "os.scandir")
_FILES = ("open", "sqlite3.connect")
_STARTING = frozenset(
    {
        "subprocess.Popen",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.exec",
        "os.spawn",
        "os.system",
        "_winapi.CreateProcess",
    }
)
# With the program and the environment among their arguments.
_PROGRAMS = {"subprocess.Popen": (0, 3), "os.posix_spawn": (0, 2)}
_WATCHED = frozenset({*_FILES, *_FOLDERS, *_STARTING, "os.rename"})
# Imported where multiprocessing starts processes with no event of its own.
_SPAWNING = tuple(f"multiprocessing.popen_{kind}" for kind in ("spawn_posix", "forkserver", "spawn_win32"))
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_IMPORTING = ("<frozen importlib", "<frozen zipimport")
_CODE = (".py", ".pyc", ".pyi", ".so", ".pyd")
_OF_OTHERS = frozenset({"site-packages", "dist-packages"})
_UNKNOWN = ""
_READS_TESTS = str(Path("_pytest", "assertion", "rewrite.py"))
_SHOWS_FAILURES = str(Path("_pytest", "_code"))
_PYTEST = f"{os.sep}_pytest{os.sep}"
_MOST_FRAMES = 10
_MODULE_LEVEL = "<module>"
# Taken before a test can replace them, and count how often they are called.
_ABSOLUTE, _JOIN, _NORMAL, _FOLDER, _TEXT = os.path.isabs, os.path.join, os.path.normpath, os.getcwd, os.fsdecode


class Uses:
    """Watches from when it is made, for as long as this process lives.

    What is used while no test runs, or while `is_shared` (in a fixture of several tests), is used by all. While
    `is_importing`, it is known which module of the project a test imports.
    """

    def __init__(self, root: Path) -> None:
        self.is_shared = False
        self.is_in_test = False
        self.is_importing = False
        self._prefix = f"{root}{os.sep}"
        own = Path(__file__).with_name("statements.py")
        self._measuring = (f"{Path(coverage.__file__).parent}{os.sep}", str(own))
        self._own: set[str] = set()
        self._shared: set[str] = set()
        self._written: set[str] = set()
        self._imports: set[str] = set()
        self._starts = self._starts_shared = False
        listen(_WATCHED, self._watch)

    def take(self) -> dict[str, Any]:
        """What was used since the last time, as fields of an event: absolute paths, those of folders with a slash."""
        fields = {
            "opened": sorted(self._own),
            "shared": sorted(self._shared),
            "starts": self._starts or any(name in sys.modules for name in _SPAWNING),
            "starts_shared": self._starts_shared,
            "imports": sorted(self._imports),
        }
        for used in (self._own, self._shared, self._imports):
            used.clear()
        self._starts = self._starts_shared = False
        return fields

    def take_import(self, module: str) -> None:
        """A test has imported this module of the project."""
        self._imports.add(module)

    def is_of_the_project(self, path: str) -> bool:
        """Whether a module is one of the project, by its absolute path."""
        if not path.startswith(self._prefix):
            return False
        folders = path[len(self._prefix) :].split(os.sep)[:-1]  # noqa: PTH206  (runs in the midst of tests)
        return not any(folder in _OF_OTHERS or folder.startswith(".") for folder in folders)

    def _watch(self, event: str, arguments: tuple[Any, ...]) -> None:
        try:
            if event in _STARTING:
                self._take_start(event, arguments)
            elif event == "os.rename":
                self._written.add(self._path(arguments[1]) or "")
            else:
                self._take(event, arguments)
        except Exception:  # noqa: BLE001  (whatever a test has put in the place of what is called here, it goes on)
            self._starts = True

    def _take_start(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in _PROGRAMS:
            program, environment = _PROGRAMS[event]
            if is_harmless(arguments[program], arguments[environment]):
                return
        if self.is_in_test and self.is_shared:
            self._starts_shared = True
        else:
            self._starts = True

    def _take(self, event: str, arguments: tuple[Any, ...]) -> None:
        path = self._path("." if arguments[0] is None else arguments[0])
        if path is None:
            return
        if event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING:
            self._written.add(path)
            return
        is_folder = event in _FOLDERS
        caller = sys._getframe(3)  # beyond `_watch` and the hook
        if caller.f_code.co_filename.startswith(_IMPORTING) and (is_folder or path.endswith(_CODE)):
            if self.is_in_test and not (is_folder or self.is_importing) and self.is_of_the_project(path):
                self._imports.add(_UNKNOWN)
            return
        if path in self._written or self._is_of_a_tool(path) or self._is_read_by_tools(caller, is_folder):
            return
        is_everybodys = self.is_shared or not self.is_in_test
        (self._shared if is_everybodys else self._own).add(path + os.sep if is_folder else path)

    def _path(self, given: object) -> str | None:
        """The absolute path, if it lies in the project."""
        if not isinstance(given, (str, bytes)):
            return None
        path = _TEXT(given)
        path = _NORMAL(path if _ABSOLUTE(path) else _JOIN(_FOLDER(), path))
        return path if f"{path}{os.sep}".startswith(self._prefix) else None

    def _is_of_a_tool(self, path: str) -> bool:
        """Whether it is in a folder of some tool's."""
        parts = path[len(self._prefix) :].split(os.sep)  # noqa: PTH206  (runs in the midst of tests)
        is_hidden = any(part.startswith(".") or part == "__pycache__" for part in parts[:-1])
        return is_hidden or parts[-1].startswith(".coverage")

    def _is_read_by_tools(self, frame: Any, is_folder: bool) -> bool:
        """Whether it is pytest that collects or shows failures, or what measures coverage that looks for sources."""
        if is_folder and _PYTEST in frame.f_code.co_filename:
            return True
        is_collecting = is_folder and not self.is_in_test
        for _ in range(_MOST_FRAMES):
            file = frame.f_code.co_filename
            if is_collecting and _PYTEST in file:
                return True
            if file.endswith(_READS_TESTS) or _SHOWS_FAILURES in file or file.startswith(self._measuring):
                return True
            # What a module reads while it is imported it reads by itself, whoever imports it.
            if frame.f_back is None or frame.f_code.co_name == _MODULE_LEVEL:
                return False
            frame = frame.f_back
        return False
