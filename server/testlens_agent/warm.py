"""A process that has imported what the tests of a project need of others, and makes a copy of itself for each run.

A copy imports the project afresh and has everything else already. In a row stand: this process, which only waits; its
copy, which supervises a run as it would one in a process of its own; and the copy's copies, which run pytest.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

from testlens_agent.child import die_with, end, run_as_child
from testlens_agent.libraries import preload
from testlens_agent.process import Meanwhile
from testlens_agent.supervisor import supervise_run, versions
from testlens_agent.wire import EventStream, claim_stdout, close_stdin

_TICK_SECONDS = 0.2
_CHUNK_BYTES = 65_536
_CANCELLED = 130


def stay_warm() -> int:
    """Serve the commands on standard input, one JSON object a line, until that is closed.

    The first is `{"root", "libraries": [[module, whether pytest rewrites it]], "memory_mb"}`, answered by `warm` with
    `seconds`, or by `unable` with the reason, and the end. Then `{"run": request}` makes a run, with the events of
    `supervise` and `idle` when it is over, and `{"cancel": true}` ends the run that is going on.
    """
    die_with(os.getppid())
    events = claim_stdout()
    commands = _Commands(os.dup(0))
    close_stdin()
    first = commands.read()
    if first is None:
        return 0
    began = time.monotonic()
    os.chdir(first["root"])
    unable = preload(Path(first["root"]), [(name, flag) for name, flag in first["libraries"]], first["memory_mb"])
    if unable is not None:
        events.send("unable", why=unable)
        return 1
    _settle()
    events.send("warm", seconds=time.monotonic() - began)
    _Warm(events, commands).serve()
    return 0


def _settle() -> None:
    """Have ready what each copy would import, and leave what is there out of their collections of garbage."""
    with contextlib.suppress(ImportError):  # the supervisor says what is missing
        import testlens_agent.data_files
        import testlens_agent.plugin  # noqa: F401
    versions()
    gc.collect()
    gc.freeze()


class _Commands:
    """Lines of JSON from a descriptor."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._pending = b""

    def read(self) -> dict[str, Any] | None:
        """The next command; None once there are no more."""
        while b"\n" not in self._pending:
            chunk = os.read(self.descriptor, _CHUNK_BYTES)
            if not chunk:
                return None
            self._pending += chunk
        line, _, self._pending = self._pending.partition(b"\n")
        command: dict[str, Any] = json.loads(line)
        return command


class _Warm:
    """Makes the runs, one at a time."""

    def __init__(self, events: EventStream, commands: _Commands) -> None:
        self._events = events
        self._commands = commands

    def serve(self) -> None:
        """Do what is commanded until the commands end."""
        while (command := self._commands.read()) is not None:
            if "run" in command and not self._run(command["run"]):
                return

    def _run(self, request: dict[str, Any]) -> bool:
        """Make one run; False once nobody wants any more."""
        alive, held = os.pipe()  # the copy holds the other end for as long as it lives
        run = os.fork()
        if run == 0:
            os.close(alive)
            os.close(self._commands.descriptor)
            _supervise(request, self._events.descriptor, held)
        os.close(held)
        is_wanted = self._wait(run, alive)
        os.close(alive)
        _, status = os.waitpid(run, 0)
        with contextlib.suppress(OSError):
            self._events.send("idle", status=_as_of_wait(status))
        return is_wanted

    def _wait(self, run: int, alive: int) -> bool:
        """Wait for the end of a run, and cancel it when told to."""
        is_wanted = True
        sources = [alive, self._commands.descriptor]
        while True:
            ready = select.select(sources, [], [], None)[0]
            if alive in ready:
                return is_wanted
            is_wanted = self._commands.read() is not None and is_wanted
            sources = [alive] if not is_wanted else sources
            with contextlib.suppress(OSError):
                os.kill(run, signal.SIGTERM)


def _supervise(request: dict[str, Any], descriptor: int, held: int) -> NoReturn:
    """Be the supervisor of one run, in a copy of the process that stays warm."""
    code = 1
    try:
        die_with(os.getppid())
        os.environ.update(request.get("environment", {}))
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        code = supervise_run(request, EventStream(descriptor), lambda child: ForkedChild(child, (held, descriptor)))
    except KeyboardInterrupt:
        code = _CANCELLED
    finally:
        os._exit(code)


class ForkedChild:
    """As `process.Child`, in a copy of this process. `foreign` are descriptors that the tests must not hold open."""

    def __init__(self, request: dict[str, Any], foreign: tuple[int, ...]) -> None:
        self._reading, writing = os.pipe()
        self._pending = b""
        self._status: int | None = None
        sys.stdout.flush()
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            for unwanted in (self._reading, *foreign):
                os.close(unwanted)
            _be_child(request, writing, parent)
        os.close(writing)

    def next_event(self, timeout: float, meanwhile: Meanwhile) -> dict[str, Any] | None:
        """The next event; None once the process has ended and all of its events are read.

        Raises TimeoutError after `timeout` seconds of silence. The end is not told by the pipe alone: a process that
        a test left behind may hold the pipe open.
        """
        deadline = time.monotonic() + timeout
        is_over = False
        while True:
            while b"\n" in self._pending:
                line, _, self._pending = self._pending.partition(b"\n")
                with contextlib.suppress(ValueError):
                    event: dict[str, Any] = json.loads(line.decode("utf-8"))
                    return event
            has_come = self._has_more(0)
            if not has_come and not is_over:
                if meanwhile():
                    continue
                has_come = self._has_more(_TICK_SECONDS)
            if has_come:
                chunk = os.read(self._reading, _CHUNK_BYTES)
                if not chunk:
                    return None
                self._pending += chunk
                deadline = time.monotonic() + timeout
            elif is_over:
                return None
            elif self._has_ended():
                is_over = True
            elif time.monotonic() > deadline:
                raise TimeoutError

    def wait(self, timeout: float) -> int:
        """The exit status, negative for a signal; a process that outlives `timeout` seconds is killed."""
        deadline = time.monotonic() + timeout
        while not self._has_ended() and time.monotonic() < deadline:
            select.select([], [], [], _TICK_SECONDS / 100)
        self.kill()
        while not self._has_ended():
            select.select([], [], [], _TICK_SECONDS / 100)
        assert self._status is not None
        return self._status

    def kill(self) -> None:
        """End the process and all that tests started in its group."""
        with contextlib.suppress(OSError):
            os.killpg(self.pid, signal.SIGKILL)

    def _has_more(self, seconds: float) -> bool:
        return bool(select.select([self._reading], [], [], seconds)[0])

    def _has_ended(self) -> bool:
        if self._status is None:
            done, raw = os.waitpid(self.pid, os.WNOHANG)
            if done:
                self._status = _as_of_wait(raw)
        return self._status is not None


def _as_of_wait(raw: int) -> int:
    """The exit status of a process, negative for a signal."""
    return -os.WTERMSIG(raw) if os.WIFSIGNALED(raw) else os.WEXITSTATUS(raw)


def _be_child(request: dict[str, Any], writing: int, parent: int) -> NoReturn:
    """Run pytest in a copy of the supervisor, as a process that was started for it would."""
    leave, code = os._exit, 1
    try:
        os.setsid()  # a group of its own: a test that signals its whole group must not reach the supervisor
        die_with(parent)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.dup2(writing, 1)
        os.close(writing)
        os.chdir(request["root"])
        _seed_anew()
        code = run_as_child(request)
        end(code, leave)  # threads that would be waited for are not
    finally:
        leave(code)


def _seed_anew() -> None:
    """Give the copy random numbers of its own where Python does not: a run is not to repeat those of the last."""
    numpy_random: Any = sys.modules.get("numpy.random")
    if numpy_random is not None:
        with contextlib.suppress(Exception):
            numpy_random.seed()
