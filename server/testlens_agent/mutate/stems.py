"""What mutants of one function have in common is run once (split-stream execution: King and Offutt, 1991).

A mutant is the original until its function is called. So a *stem* runs the mutants' first test without any of them,
stops where it calls that function, and makes a copy of itself for each mutant, which goes on from there: what the test
has prepared until then, tables of a stand-in for a database for instance, is prepared once for all of them.

Where copies would have more in common than memory (a file that is open or was written, a thread, a process), nothing
grows on a stem, and each mutant runs its tests from the beginning. Not all of that can be seen, and a stem grows old
while its mutants play; so the first test has to pass in a copy that plays no mutant, now and then and at the end.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

from testlens_agent.child import die_with, dying_with
from testlens_agent.explore.limits import limit_memory
from testlens_agent.mutate import mutmut_parts
from testlens_agent.mutate.forking import Dialogue, System, descriptors, limit_processor, result_of, threads
from testlens_agent.mutate.playing import run_tests, separate, tear_down

UNABLE = 99
"""The exit code of a copy that could not go on."""
_LONGEST_SILENCE = 30.0  # seconds beyond what a mutant may take
_READY = b'{"ready": true}\n'
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_FILES_CHANGE = (
    "mkdir",
    "rename",
    "remove",
    "rmdir",
    "link",
    "symlink",
    "truncate",
    "chmod",
    "chown",
    "utime",
    "mkfifo",
)
_STARTING = ("subprocess.Popen", "os.posix_spawn", "os.exec", "os.spawn", "os.system", "os.forkpty")
# What several copies would have between them: files that have changed, processes and connections that were made.
_SHARED = (
    *(f"os.{name}" for name in (*_FILES_CHANGE, "fork", "kill", "killpg", "lockf")),
    *_STARTING,
    *("socket.bind", "socket.connect", "socket.sendto", "socket.sendmsg", "sqlite3.connect", "mmap.__new__"),
    *("shutil.", "tempfile.", "fcntl."),
)


def key_of(task: dict[str, Any]) -> tuple[str, ...]:
    """What two mutants must have in common to grow on one stem.

    With which test a mutant goes on says what is let go of after the first, so it counts as well.
    """
    return (task["function"], *task["tests"][:2])


class Stem:
    """A stem, seen from the worker that it belongs to. `is_ready` says whether mutants can play on it.

    `unproved` are the mutants that have played on it since it was last seen to hold.
    """

    def __init__(self, session: Any, folder: Path, memory_mb: int, task: dict[str, Any], foreign: list[int]) -> None:
        self._control = {**task, "mutant": "", "tests": task["tests"][:1]}
        self.unproved: list[str] = []
        worker = os.getpid()
        self._dialogue = Dialogue(foreign)
        if self._dialogue.pid == 0:
            _Growing(session, folder, memory_mb, self._dialogue.tasks, self._dialogue.results).grow(task, worker)
        self.is_ready = self._dialogue.hear(task["wall"]) is not None and self.holds()

    @property
    def descriptors(self) -> list[int]:
        """What the worker holds of it, which other copies have no use for."""
        return self._dialogue.descriptors

    def play(self, task: dict[str, Any]) -> dict[str, Any] | None:
        """Let it play a mutant; None if it has died of it, or is silent."""
        self.unproved.append(task["mutant"])
        return self._ask(task)

    def holds(self) -> bool:
        """Whether its test still passes in a copy that plays no mutant, so that what played on it can be believed."""
        result = self._ask(self._control)
        if result is None or result["code"] != 0:
            return False
        self.unproved = []
        return True

    def end(self) -> None:
        """End it; where Linux looks after that, the copy of it that plays goes with it."""
        self._dialogue.end()

    def _ask(self, task: dict[str, Any]) -> dict[str, Any] | None:
        self._dialogue.say(task)
        return self._dialogue.hear(task["wall"] + _LONGEST_SILENCE)


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
        self._is_in_first = False
        self._task: dict[str, Any] | None = None
        self._writing = -1
        self._pending = b""

    def grow(self, task: dict[str, Any], worker: int) -> NoReturn:
        """Run the first test up to the function, and be what comes of it."""
        code = 3
        try:
            first, *others = [self._items[test] for test in task["tests"][:2]]
            if getattr(getattr(first, "obj", None), "is_hypothesis_test", False):
                System.exit(UNABLE)  # it calls the function many times, each within a deadline
            self._take_root(worker)
            mutmut_parts.play("")
            mutmut_parts.pause_at(task["function"], self._split)
            self._is_in_first = True
            code, failed = run_tests(self._session, [first], others[0] if others else None)
            self._is_in_first = False
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
        self._die_with = dying_with()
        self._get_random, self._set_random = random.getstate, random.setstate
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
        if not self._is_in_first:
            return
        if self._task is not None:
            if event.startswith(_STARTING):
                System.exit(UNABLE)  # an environment that was copied before does not name the mutant
        elif self._is_pure and _changes_what_is_shared(event, arguments):
            self._is_pure = False

    def _split(self) -> str:
        """Make a copy for each mutant that comes; returns, in that copy, which one it is to play."""
        if not self._is_pure or not self._is_alone():
            return ""
        self._is_in_first = False
        stem, state = System.getpid(), self._get_random()
        try:
            System.write(self._results, _READY)
            while True:
                task = self._next_task()
                reading, writing = System.pipe()
                pid = System.fork()
                if pid == 0:
                    break
                System.close(writing)
                result = result_of(pid, reading, task["wall"])
                System.write(self._results, System.dumps(result).encode("ascii") + b"\n")
        except BaseException:  # noqa: BLE001  (it must not get into the test)
            System.exit(UNABLE)
        self._become(task, writing, stem, state)
        return str(task["mutant"])

    def _is_alone(self) -> bool:
        """Whether there is nothing that a copy would have in common with others or would not have at all."""
        timers = (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)
        return (
            bool(self._descriptors)
            and descriptors() == self._descriptors
            and threads() == self._threads
            and not any(any(System.getitimer(timer)) for timer in timers)
        )

    def _next_task(self) -> dict[str, Any]:
        while b"\n" not in self._pending:
            chunk = System.read(self._tasks, 65_536)
            if not chunk:
                System.exit(0)
            self._pending += chunk
        line, _, self._pending = self._pending.partition(b"\n")
        task: dict[str, Any] = System.loads(line)
        return task

    def _become(self, task: dict[str, Any], writing: int, stem: int, random_state: Any) -> None:
        try:
            System.setpgid(0, 0)
            self._die_with(stem)
            System.close(self._tasks)
            System.close(self._results)
            limit_processor(task["cpu"])
            self._set_random(random_state)  # a copy of a process gets another one, but the test may have chosen this
            mutmut_parts.play(task["mutant"])
        except BaseException:  # noqa: BLE001  (whatever the test has replaced: it is played the other way)
            System.exit(UNABLE)
        self._task, self._writing = task, writing
        self._is_in_first = True


def _changes_what_is_shared(event: str, arguments: tuple[Any, ...]) -> bool:
    if any("__pycache__" in str(argument) for argument in arguments[:2]):
        return False  # Python's own, whoever comes first
    if event == "open":
        path, _, flags = arguments
        return isinstance(flags, int) and bool(flags & _WRITING) and path != os.devnull
    is_memory = event == "sqlite3.connect" and arguments[:1] == (":memory:",)
    return event.startswith(_SHARED) and not is_memory
