"""What mutants of one function have in common is run once (split-stream execution: King and Offutt, 1991).

A mutant is the original until its function is called. So a *stem* runs the mutants' first test without any of them,
stops where it calls that function, and makes a copy of itself for each mutant, which goes on from there: what the test
has prepared until then, tables of a stand-in for a database for instance, is prepared once for all of them.

Where copies would have more in common than memory (a file that is open or was written, a thread, a process), nothing
grows on a stem, and each mutant runs its tests from the beginning.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

from testlens_agent.child import die_with
from testlens_agent.explore.limits import limit_memory
from testlens_agent.mutate import mutmut_parts
from testlens_agent.mutate.forking import System, descriptors, fork, limit_processor, result_of, threads
from testlens_agent.mutate.playing import run_tests, separate, tear_down

UNABLE = 99
"""The exit code of a copy that could not begin."""
_LONGEST_SILENCE = 30.0  # seconds beyond what a mutant may take
_READY = b'{"ready": true}\n'
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# What several copies would have between them: files that have changed, and processes and connections that were made.
_SHARED = (
    *(
        "os.mkdir",
        "os.rename",
        "os.remove",
        "os.rmdir",
        "os.link",
        "os.symlink",
        "os.truncate",
        "os.chmod",
        "os.mkfifo",
    ),
    *("os.fork", "os.forkpty", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "subprocess.Popen", "os.kill"),
    *("os.killpg", "socket.bind", "socket.connect", "socket.sendto", "sqlite3.connect"),
    *("shutil.", "tempfile."),
)


def key_of(task: dict[str, Any]) -> tuple[str, ...]:
    """What two mutants must have in common to grow on one stem.

    With which test a mutant goes on says what is let go of after the first, so it counts as well.
    """
    return (task["function"], *task["tests"][:2])


class Stem:
    """A stem, seen from the worker that it belongs to. `is_ready` says whether mutants can play on it."""

    def __init__(self, session: Any, folder: Path, memory_mb: int, task: dict[str, Any], foreign: list[int]) -> None:
        tasks, self._tasks = os.pipe()
        self._results, results = os.pipe()
        worker = os.getpid()
        self._pid = fork()
        if self._pid == 0:
            for descriptor in (self._tasks, self._results, *foreign):
                os.close(descriptor)
            _Growing(session, folder, memory_mb, tasks, results).grow(task, worker)
        os.close(tasks)
        os.close(results)
        self._pending = b""
        self.is_ready = self._take(task["wall"]) is not None

    @property
    def descriptors(self) -> list[int]:
        """What the worker holds of it, which other copies have no use for."""
        return [self._tasks, self._results]

    def play(self, task: dict[str, Any]) -> dict[str, Any] | None:
        """Let it play a mutant; None if it has died of it, or is silent."""
        with contextlib.suppress(OSError):  # it has died, which is seen when its results end
            os.write(self._tasks, System.dumps(task).encode("ascii") + b"\n")
        return self._take(task["wall"] + _LONGEST_SILENCE)

    def end(self) -> None:
        """End it and the mutant that it plays."""
        for descriptor in self.descriptors:
            os.close(descriptor)
        with contextlib.suppress(OSError):
            os.killpg(self._pid, signal.SIGKILL)
        with contextlib.suppress(OSError):
            os.kill(self._pid, signal.SIGKILL)
        with contextlib.suppress(OSError):
            os.waitpid(self._pid, 0)

    def _take(self, patience: float | None) -> dict[str, Any] | None:
        while b"\n" not in self._pending:
            if not System.select([self._results], [], [], patience)[0]:
                return None
            chunk = os.read(self._results, 65_536)
            if not chunk:
                return None
            self._pending += chunk
        line, _, self._pending = self._pending.partition(b"\n")
        said: dict[str, Any] = System.loads(line)
        return said


class _Growing:
    """What a stem does, and then each copy of it."""

    def __init__(self, session: Any, folder: Path, memory_mb: int, tasks: int, results: int) -> None:
        self._session = session
        self._folder = folder
        self._memory_mb = memory_mb
        self._tasks = tasks
        self._results = results
        self._items = {item.nodeid: item for item in session.items}
        self._is_pure = True
        self._is_watching = False
        self._task: dict[str, Any] | None = None
        self._writing = -1

    def grow(self, task: dict[str, Any], worker: int) -> NoReturn:
        """Run the first test up to the function, and be what comes of it."""
        code = 3
        try:
            self._take_root(worker)
            first, *others = [self._items[test] for test in task["tests"][:2]]
            mutmut_parts.play("")
            mutmut_parts.pause_at(task["function"], self._split)
            self._is_watching = True
            code, failed = run_tests(self._session, [first], others[0] if others else None)
            if self._task is not None:
                code, failed = self._go_on(code, failed)
                if failed is not None:
                    System.write(self._writing, System.dumps({"failed": failed}).encode("ascii"))
            tear_down(self._session)
        finally:
            System.exit(code)

    def _take_root(self, worker: int) -> None:
        os.setpgid(0, 0)
        die_with(worker)
        separate(self._session, self._folder)
        limit_memory(self._memory_mb)
        sys.addaudithook(self._watch)
        self._threads, self._descriptors = threads(), descriptors()

    def _go_on(self, code: int, failed: str | None) -> tuple[int, str | None]:
        assert self._task is not None
        for test, following in zip(self._task["tests"][1:], [*self._task["tests"][2:], None]):
            if code != 0:
                break
            # What restores the environment after a test restores that of the stem, which played no mutant; processes
            # that a later test starts go by it.
            mutmut_parts.play(self._task["mutant"])
            code, failed = run_tests(self._session, [self._items[test]], self._items.get(following))
        return code, failed

    def _watch(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._is_watching and self._is_pure and _changes_what_is_shared(event, arguments):
            self._is_pure = False

    def _split(self) -> str:
        """Make a copy for each mutant that comes; returns, in that copy, which one it is to play."""
        self._is_watching = False
        is_alone = threads() == self._threads and descriptors() == self._descriptors
        if not self._is_pure or not is_alone or not self._descriptors:
            return ""
        System.write(self._results, _READY)
        pending = b""
        while True:
            while b"\n" not in pending:
                chunk = System.read(self._tasks, 65_536)
                if not chunk:
                    System.exit(0)
                pending += chunk
            line, _, pending = pending.partition(b"\n")
            task = System.loads(line)
            reading, writing = System.pipe()
            stem = System.getpid()
            pid = System.fork()
            if pid == 0:
                return self._become(task, writing, stem)
            System.close(writing)
            result = result_of(pid, reading, task["wall"])
            System.write(self._results, System.dumps(result).encode("ascii") + b"\n")

    def _become(self, task: dict[str, Any], writing: int, stem: int) -> str:
        try:
            System.setpgid(0, 0)
            die_with(stem)
            System.close(self._tasks)
            System.close(self._results)
            limit_processor(task["cpu"])
            mutmut_parts.play(task["mutant"])
        except BaseException:  # noqa: BLE001  (whatever the test has replaced: it is played the other way)
            System.exit(UNABLE)
        self._task, self._writing = task, writing
        return str(task["mutant"])


def _changes_what_is_shared(event: str, arguments: tuple[Any, ...]) -> bool:
    if event == "open":
        path, _, flags = arguments
        is_written = isinstance(flags, int) and bool(flags & _WRITING)
        return is_written and path != os.devnull and "__pycache__" not in str(path)
    is_memory = event == "sqlite3.connect" and arguments[:1] == (":memory:",)
    return event.startswith(_SHARED) and not is_memory
