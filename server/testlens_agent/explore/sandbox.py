"""Keeps code that is tried from touching anything outside of a folder: files, processes, the network.

Python tells an audit hook of every such act before it happens, and what the hook raises stops it. The code under test
can catch that like any other PermissionError and go on; what it wanted is told all the same.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Callable, Optional
from urllib.parse import parse_qs, unquote, urlsplit

from testlens_agent.explore.places import Places, shown

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_getpid = os.getpid
_LONGEST = 160
_LOCAL_NAMES = frozenset({"", "localhost", "127.0.0.1", "::1", "0.0.0.0", "::"})  # noqa: S104  (names to look up)
# What a C library offers that the events of Python's own functions would not tell of.
_NATIVE = frozenset(
    (
        "system",
        "popen",
        "fork",
        "vfork",
        "execl",
        "execle",
        "execlp",
        "execv",
        "execve",
        "execvp",
        "posix_spawn",
        "posix_spawnp",
        "kill",
        "killpg",
        "unlink",
        "unlinkat",
        "remove",
        "rmdir",
        "rename",
        "renameat",
        "renameat2",
        "truncate",
        "fopen",
        "open",
        "openat",
        "creat",
        "socket",
        "connect",
        "bind",
        "sendto",
        "syscall",
    )
)
_Check = Callable[..., Optional[str]]


class Sandbox:
    """What one process may do. `tell` is called with what was refused, in words, before the code under test knows."""

    def __init__(self, places: Places, network: bool, tell: Callable[[str], None]) -> None:
        self.places = places
        self._tell = tell
        self._pid = os.getpid()
        self._checks: dict[str, _Check] = {**self._file_checks(), **self._process_checks()}
        if not network:
            self._checks.update(self._network_checks())

    def belongs_to_this_process(self) -> None:
        """From now on it is this copy of the process that is guarded."""
        self._pid = _getpid()

    @contextlib.contextmanager
    def letting_fork(self) -> Iterator[None]:
        """Let the process be copied meanwhile."""
        check = self._checks.pop("os.fork")
        try:
            yield
        finally:
            self._checks["os.fork"] = check

    def arm(self) -> None:
        """Guard this process from now on; there is no way back."""
        checks, refuse = self._checks, self.refuse

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            check = checks.get(event)
            if check is None:
                return
            try:
                wish = check(*arguments)
            except Exception as error:  # noqa: BLE001  (what cannot be judged is not allowed)
                wish = f"does something that could not be judged ({event}: {type(error).__name__})"
            if wish is not None and event == "subprocess.Popen" and _is_lookup():
                raise PermissionError(errno.EPERM, f"Testlens does not let it {wish}")
            if wish is not None:
                refuse(wish)

        sys.addaudithook(hook)

    def tell(self, wish: str) -> str:
        """Tell what the code under test wants to do; returns how it was told."""
        text = wish if len(wish) <= _LONGEST else wish[: _LONGEST - 3] + "..."
        self._tell(text)
        return text

    def refuse(self, wish: str) -> None:
        """Tell what the code under test wants to do, and raise."""
        text = self.tell(wish)
        raise PermissionError(
            errno.EPERM, f"Testlens tries this code in a sandbox, which does not allow that it {text}"
        )

    # Each check is called with the event's arguments and answers in words what must not happen, or None.

    def _file_checks(self) -> dict[str, _Check]:
        entry, content = self._entry, self._content
        return {
            "open": self._open,
            "os.remove": entry("deletes"),
            "os.rmdir": entry("deletes the folder"),
            "os.mkdir": lambda path, mode, folder: entry("makes the folder")(path, folder),
            "os.rename": self._rename,
            "os.link": self._link,
            "os.symlink": lambda source, target, folder: entry("makes a link")(target, folder),
            "os.truncate": lambda path, length: None if isinstance(path, int) else content("truncates")(path),
            "os.chmod": lambda path, mode, folder: content("changes the mode of")(path, folder),
            "os.chown": lambda path, user, group, folder: content("changes the owner of")(path, folder),
            "os.chflags": lambda path, flags: content("changes the flags of")(path),
            "os.utime": lambda path, times, ns, folder: content("changes the time of")(path, folder),
            "os.setxattr": lambda path, *rest: content("changes an attribute of")(path),
            "os.removexattr": lambda path, *rest: content("changes an attribute of")(path),
            "sqlite3.connect": self.judge_database,
        }

    def _process_checks(self) -> dict[str, _Check]:
        return {
            "subprocess.Popen": lambda program, arguments, *rest: f"starts the program {_command(program, arguments)}",
            "os.system": lambda command: f"starts the program {shown(command)!r}",
            "os.exec": lambda path, *rest: f"becomes the program {shown(path)!r}",
            "os.spawn": lambda mode, path, *rest: f"starts the program {shown(path)!r}",
            "os.posix_spawn": lambda path, *rest: f"starts the program {shown(path)!r}",
            "os.startfile": lambda path, *rest: f"opens {shown(path)!r}",
            "os.startfile/2": lambda path, *rest: f"opens {shown(path)!r}",
            "pty.spawn": lambda arguments: f"starts the program {arguments!r}",
            "_winapi.CreateProcess": lambda program, *rest: f"starts the program {program!r}",
            "_winapi.TerminateProcess": lambda *rest: "ends another process",
            "os.fork": lambda: "forks",
            "os.forkpty": lambda: "forks",
            "os.kill": self._kill,
            "os.killpg": lambda group, number: f"sends signal {number} to process group {group}",
            "resource.prlimit": lambda pid, *rest: None if pid in (0, self._pid) else f"limits process {pid}",
            "syslog.syslog": lambda *rest: "writes to the system's log",
            "webbrowser.open": lambda url: f"opens the page {url!r} in a browser",
            "winreg.CreateKey": lambda *rest: "writes to the registry",
            "winreg.SetValue": lambda *rest: "writes to the registry",
            "winreg.DeleteKey": lambda *rest: "writes to the registry",
            "winreg.DeleteValue": lambda *rest: "writes to the registry",
            "ctypes.dlopen": self._library,
            "ctypes.dlsym": self._symbol,
        }

    def _network_checks(self) -> dict[str, _Check]:
        return {
            "socket.connect": lambda socket, address: _unless_pair(f"connects to {_address(address)}"),
            "socket.bind": lambda socket, address: _bind(address),
            "socket.sendto": lambda socket, address: f"sends to {_address(address)}",
            "socket.sendmsg": lambda socket, address: None if address is None else f"sends to {_address(address)}",
            "socket.getaddrinfo": lambda host, *rest: _lookup(host),
            "socket.gethostbyname": _lookup,
            "socket.gethostbyaddr": _lookup,
            "socket.getnameinfo": lambda address: _lookup(address[0]),
            "socket.sethostname": lambda name: "changes the name of this machine",
        }

    def _entry(self, verb: str) -> _Check:
        def check(path: Any, folder: int = -1) -> str | None:
            return None if self.places.allow_entry(path, folder) else f"{verb} {shown(path, folder)}"

        return check

    def _content(self, verb: str) -> _Check:
        def check(path: Any, folder: int = -1) -> str | None:
            return None if self.places.allow(path, folder) else f"{verb} {shown(path, folder)}"

        return check

    def _open(self, path: Any, mode: Any, flags: Any) -> str | None:
        if isinstance(path, int) or not isinstance(flags, int) or not flags & _WRITING:
            return None  # a descriptor was judged when it was opened
        if self.places.allow(path):
            return None
        return f"writes {shown(path)}"

    def _rename(self, source: Any, target: Any, start: int, end: int) -> str | None:
        if self.places.allow_entry(source, start) and self.places.allow_entry(target, end):
            return None
        return f"renames {shown(source, start)} to {shown(target, end)}"

    def _link(self, source: Any, target: Any, start: int, end: int) -> str | None:
        # A second name of a file outside would be a way to write to it.
        if self.places.allow_entry(source, start) and self.places.allow_entry(target, end):
            return None
        return f"makes a link from {shown(target, end)} to {shown(source, start)}"

    def judge_database(self, database: Any) -> str | None:
        """What a connection to this SQLite database would do that it must not, in words."""
        text = shown(database)
        if text in ("", ":memory:"):
            return None
        if text.startswith("file:"):
            address = urlsplit(text)
            options = parse_qs(address.query)
            if options.get("mode") in (["ro"], ["memory"]) or options.get("immutable") == ["1"]:
                return None
            text = unquote(address.path)
            if text == ":memory:":
                return None
        return None if self.places.allow(text) else f"opens the database {text} for writing"

    def _kill(self, pid: int, number: int) -> str | None:
        return None if pid == self._pid or number == 0 else f"sends signal {number} to process {pid}"

    def _library(self, name: Any) -> str | None:
        # What is installed loads its own libraries, mostly while it is imported.
        if name is None or _asked_by_installed_code():
            return None
        return f"loads the library {shown(name)}"

    def _symbol(self, library: Any, name: Any) -> str | None:
        if name not in _NATIVE or _asked_by_installed_code():
            return None
        return f"calls {name} of a C library"


def _is_lookup() -> bool:
    """Whether the standard library asks a program for a fact, and does without where there is no answer."""
    frame: FrameType | None = sys._getframe(2)
    for _ in range(_DEEPEST_LOOKUP):
        if frame is None:
            return False
        if frame.f_code.co_filename in _LOOKUPS:
            return True
        frame = frame.f_back
    return False


def _asked_by_installed_code() -> bool:
    asking = _asking_file()
    return "site-packages" in asking.replace("\\", "/").split("/") or asking.startswith(_STANDARD_LIBRARY)


def _asking_file() -> str:
    """The file of the code that wants what is being judged."""
    frame = sys._getframe(1)
    own = {__file__, _file_of("ctypes"), _file_of("ctypes.util")}
    while frame.f_back is not None and frame.f_code.co_filename in own:
        frame = frame.f_back
    return frame.f_code.co_filename


def _bind(address: Any) -> str | None:
    # Installed packages look in this way whether there is IPv6, as urllib3 does while it is imported.
    looks = isinstance(address, tuple) and address[:2] in (("::1", 0), ("127.0.0.1", 0), ("localhost", 0))
    if looks and "site-packages" in _asking_file().replace("\\", "/").split("/"):
        return None
    return _unless_pair(f"listens on {_address(address)}")


_STANDARD_LIBRARY = str(Path(os.__file__).parent) + os.sep
_LOOKUPS = frozenset(_STANDARD_LIBRARY + name for name in ("platform.py", "uuid.py", f"ctypes{os.sep}util.py"))
_DEEPEST_LOOKUP = 12


def _file_of(module: str) -> str:
    return getattr(sys.modules.get(module), "__file__", None) or ""


def _command(program: Any, arguments: Any) -> str:
    return repr(arguments if arguments else program)


def _address(address: Any) -> str:
    if isinstance(address, tuple) and len(address) >= 2:
        return f"{address[0]}:{address[1]}"
    return shown(address)


def _lookup(host: Any) -> str | None:
    name = "" if host is None else shown(host)
    if name in _LOCAL_NAMES or name.replace(".", "").isdigit() or ":" in name:
        return None  # answered without asking anybody
    return f"looks up {name}"


def _unless_pair(wish: str) -> str | None:
    """Windows has no socket pairs, which every event loop needs: there the standard library connects to itself."""
    if os.name != "nt":
        return wish
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_name in ("socketpair", "_fallback_socketpair") and frame.f_code.co_filename == _file_of(
            "socket"
        ):
            return None
        frame = frame.f_back
    return wish
