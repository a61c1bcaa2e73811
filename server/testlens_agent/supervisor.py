"""Runs pytest in a process of its own, and goes on with the remaining tests when one of them ends that process."""

from __future__ import annotations

import _thread
import functools
import importlib.util
import linecache
import os
import platform
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any, Callable

from testlens_agent import call_files, data_files
from testlens_agent.process import Child, PytestProcess
from testlens_agent.run_data import RunData
from testlens_agent.wire import EventStream, claim_stdout, close_stdin, read_request

_MOST_RESTARTS = 10
_SECONDS_TO_EXIT = 10.0
_CANCELLED = 130
_USAGE_ERROR = 4

StartsChild = Callable[["dict[str, Any]"], PytestProcess]


def supervise() -> int:
    """Do what the request on standard input says; returns the exit code of the run.

    The request is one line: `root`, `scratch` (an empty folder for unfinished data) and `data_file` are absolute paths,
    `tests` node ids or files (none: all), `pytest_args` arguments, `test_timeout` seconds without an event, `measure` a
    boolean. Of what is found only what is `chosen` runs, node ids or files, and those that are `first` before others,
    then the files in `order`, in this order. Nothing of `without` (node ids) runs.
    `record_values` (a boolean, too) says whether to keep what the tests call in `calls.json`, beside `data_file`.
    `times` is how often the tests are run, one after the other in one process.
    The run is cancelled, and every process of it killed, when standard input closes or on SIGTERM or SIGINT.
    """
    events = claim_stdout()
    try:
        request = read_request()
    except ValueError as error:
        events.problem(f"The agent got no request that it understands: {error}", "Reinstall Testlens.")
        return _USAGE_ERROR
    _cancel_when_told()
    try:
        return supervise_run(request, events, Child)
    except KeyboardInterrupt:
        return _CANCELLED


def supervise_run(request: dict[str, Any], events: EventStream, start: StartsChild) -> int:
    """Do what `request` says in processes that `start` makes; KeyboardInterrupt cancels it."""
    os.chdir(request["scratch"])  # a test may remove the folder of the project
    missing = [name for name in _needed(request) if importlib.util.find_spec(name) is None]
    if missing:
        events.send("hello", **versions())
        _report_missing(missing, events)
        return _USAGE_ERROR
    run = _Run(request, events, start)
    try:
        run.begin()
        events.send("hello", **versions())
        return run.execute()
    except BrokenPipeError:  # the server has gone
        return _CANCELLED
    finally:
        run.kill()


class _Run:
    """One test run, over as many processes as it takes."""

    def __init__(self, request: dict[str, Any], events: EventStream, start: StartsChild) -> None:
        self._request = request
        self._start = start
        self._root = Path(request["root"])
        self._scratch = Path(request["scratch"])
        self._data = RunData(request, events)
        self._records = bool(request.get("record_values", True))
        self._timeout = float(request.get("test_timeout", 300.0))
        self._times = int(request.get("times", 1))
        self._events = events
        self._child: PytestProcess | None = None
        self._first: PytestProcess | None = None
        self._generation = 0
        self._remaining: list[str] | None = None
        self._done_here: list[str] = []
        self._current: dict[str, Any] | None = None
        self._collecting: str | None = None
        self._finished: set[str] = set()
        self._failures = 0
        self._most_failures = 0
        self._left = False
        self._killed_by: int | None = None
        self._reported: set[tuple[Any, ...]] = set()
        self._clock = time.monotonic()
        self._collected_after: float | None = None

    def begin(self) -> None:
        """Start the first process, which is used by `execute`."""
        self._first = self._start(self._child_request())

    def execute(self) -> int:
        """Run the tests to the end, publish the data, and return the exit code."""
        code, crashed = self._run_child(), False
        while code is None:
            crashed = True
            if not self._may_go_on():
                break
            self._generation += 1
            code = self._run_child()
        final = 1 if crashed else code or 0
        self._finish(final)
        return final

    def kill(self) -> None:
        """End the processes of this run."""
        for child in (self._child, self._first):
            if child is not None:
                child.kill()

    def _run_child(self) -> int | None:
        """Run what remains in a new process: pytest's exit code, or None if the process did not get to the end."""
        self._current, self._collecting, self._done_here = None, None, []
        self._left, self._killed_by = False, None
        self._child = child = self._first or self._start(self._child_request())
        self._first = None
        self._events.send("process", pid=child.pid)
        while True:
            try:
                event = child.next_event(self._timeout, self._data.take_some)
            except TimeoutError:
                child.kill()
                self._explain(f"no progress for {self._timeout:g} s")
                return None
            if event is None:
                return self._unexpected_end(child.wait(_SECONDS_TO_EXIT))
            if event["event"] == "ended":
                while self._data.take_some():  # all of it is there, and the process still has to go
                    pass
                child.wait(_SECONDS_TO_EXIT)
                return int(event["exit_code"])
            self._take(event)

    def _child_request(self) -> dict[str, Any]:
        tests = [_as_argument(test, self._root) for test in self._request.get("tests", ())]
        return {
            "root": str(self._root),
            "arguments": [*self._request.get("pytest_args", ()), *tests],
            "only": self._request.get("chosen") if self._remaining is None else self._remaining,
            "first": self._request.get("first", ()),
            "order": self._request.get("order", ()),
            "without": self._request.get("without", ()),
            "times": self._times,
            "measure": self._request.get("measure", True),
            "to_the_end": not self._request.get("chosen"),
            "piece": data_files.piece_name(self._scratch, self._generation),
            "list_libraries": not self._request.get("tests"),
            "calls": call_files.piece_name(self._scratch, self._generation) if self._records else None,
        }

    def _take(self, event: dict[str, Any]) -> None:
        kind = event.pop("event")
        if kind == "collected":
            self._take_collected(event)
        elif kind == "collecting":
            self._collecting = event["path"]
        elif kind == "paths":
            self._data.paths = event["paths"]
        elif kind == "measured":
            self._take_measured(event["is_alone"])
        elif kind == "leaving":
            self._left = True
        elif kind == "killed":
            self._killed_by = event["signal"]
        elif kind == "libraries":
            self._events.send(kind, **event)
        elif kind == "problem":
            self._forward_problem(event)
        else:
            self._take_test(kind, event)

    def _take_test(self, kind: str, event: dict[str, Any]) -> None:
        if kind == "started":
            self._current = event
        elif kind == "finished":
            self._current = None
            self._count(event["nodeid"], event["outcome"])
        self._events.send(kind, **event)

    def _take_measured(self, is_alone: bool) -> None:
        """Hand the data on while pytest comes to its end, where no process is left that may add to it."""
        is_whole = bool(self._finished) and self._finished.issuperset(self._remaining or ())
        if is_alone and is_whole and self._generation == 0:
            self._data.hand_on(is_early=True)

    def _take_collected(self, event: dict[str, Any]) -> None:
        if self._remaining is not None:
            return
        self._remaining = event["tests"]
        self._most_failures = event["maxfail"] or 0
        self._collected_after = time.monotonic() - self._clock
        is_part = self._request.get("chosen") or self._request.get("without")
        present = [*event["tests"], *event["left_out"]] if is_part else None
        total = event["total"] * self._times
        self._events.send("collected", total=total, rootdir=event["rootdir"], present=present)

    def _forward_problem(self, event: dict[str, Any]) -> None:
        key = tuple(event.get(name) for name in ("message", "path", "line"))
        if key not in self._reported:  # each new process collects again, and complains again
            self._reported.add(key)
            self._events.send("problem", **event)

    def _count(self, nodeid: str, outcome: str) -> None:
        self._finished.add(nodeid)
        self._done_here.append(nodeid)
        self._failures += outcome in {"failed", "error"}

    def _unexpected_end(self, status: int) -> int | None:
        left = [test for test in self._remaining or () if test not in self._finished]
        if self._current is None and self._remaining is not None and not left:
            return self._end_after_tests(status)
        self._explain(self._how_it_ended(status))
        return None

    def _end_after_tests(self, status: int) -> int:
        """The exit code where a plugin ended the process after the last test, or it died then."""
        if self._killed_by is None and status >= 0:
            return status
        self._events.problem(
            f"The test process stopped after the last test: {self._how_it_ended(status)}.",
            "Look at what fixtures, plugins and libraries do at the end; the results are complete.",
        )
        return 1 if self._failures else 0

    def _how_it_ended(self, status: int) -> str:
        if self._killed_by is not None:
            name = _signal_name(self._killed_by)
            hint = " (out of memory?)" if name == "SIGKILL" else ""
            return f"the test process was killed by {name}{hint}"
        if status < 0:
            return f"the parent of the test process was killed by {_signal_name(-status)}"
        hint = " (os._exit)" if self._left else ""
        return f"the test process ended with exit code {status}{hint}"

    def _explain(self, how: str) -> None:
        current = self._current
        if current is None:
            path = self._collecting if self._remaining is None else None
            self._events.problem(
                f"The test process stopped {self._stage()}: {how}.",
                "Look at the run's output, and run pytest in a terminal.",
                path,
                severity="error",
            )
            return
        message, source = f"{how} during this test", _line_of(current["file"], current["line"])
        self._count(current["nodeid"], "error")
        self._events.send(
            "finished", **current, outcome="error", duration=0.0, message=message, source=source, longrepr=None
        )

    def _stage(self) -> str:
        if self._remaining is not None:
            return "outside of any test"
        if self._collecting is None:
            return "while the tests were collected"
        path = Path(self._collecting)
        return f"while {path.relative_to(self._root) if self._root in path.parents else path} was collected"

    def _may_go_on(self) -> bool:
        """Prepare the tests that remain for a new process; false if there is no sense in one."""
        if self._remaining is None or 0 < self._most_failures <= self._failures:
            return False
        ended_by = self._current["nodeid"] if self._current else None
        if data_files.drop_damaged(self._scratch, self._generation):
            self._finished.difference_update(test for test in self._done_here if test != ended_by)
        self._remaining = [test for test in self._remaining if test not in self._finished]
        if self._current is None or self._generation == _MOST_RESTARTS:
            self._report_not_run(len(self._remaining))
            return False
        # Even with no test left: the new process records the files that no test imports.
        return True

    def _report_not_run(self, count: int) -> None:
        if count:
            self._events.problem(
                f"{count} tests were not run: the test process ended too often or outside of any test.",
                "Correct what is reported as an error, then run again.",
                severity="error",
            )

    def _finish(self, code: int) -> None:
        if self._finished:
            self._data.hand_on()
        if self._finished and self._records:
            calls = Path(self._request["data_file"]).with_name("calls.json")
            call_files.publish(self._scratch, calls, self._root, self._request.get("tests", ()), self._events)
        self._events.send(
            "done",
            exit_code=code,
            collection_seconds=self._collected_after,
            seconds=time.monotonic() - self._clock,
        )


def _cancel_when_told() -> None:
    """Raise KeyboardInterrupt in the main thread on a signal, and when the server closes standard input or dies."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    lifeline = os.dup(0)
    close_stdin()

    def watch() -> None:
        while os.read(lifeline, 1024):
            pass
        _thread.interrupt_main()

    threading.Thread(target=watch, daemon=True).start()


def _needed(request: dict[str, Any]) -> list[str]:
    return ["pytest", "coverage"] if request.get("measure", True) else ["pytest"]


def _report_missing(missing: list[str], events: EventStream) -> None:
    names = " and ".join(missing)
    events.send(
        "problem",
        kind="missing",
        missing=missing,
        message=f"{names} cannot be imported by {sys.executable}.",
        advice=f"Install with: {sys.executable} -m pip install {' '.join(missing)}",
        path=None,
        line=None,
    )
    events.send("done", exit_code=_USAGE_ERROR, collection_seconds=None, seconds=0.0)


@functools.cache
def versions() -> dict[str, str | None]:
    """What there is to run tests, as fields of `hello`. It takes as long to find as Python takes to start."""
    return {
        "python": platform.python_version(),
        "executable": sys.executable,
        "pytest": _version("pytest"),
        "coverage": _version("coverage"),
        "platform": sys.platform,
    }


def _version(distribution: str) -> str | None:
    from importlib import metadata

    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _as_argument(nodeid: str, root: Path) -> str:
    """The command line argument for a node id, which is relative to pytest's root directory and not to our folder."""
    file, separator, name = nodeid.partition("::")
    for folder in (root, *root.parents):
        if (folder / file).exists():
            return str(folder / file) + separator + name
    return nodeid


def _line_of(file: str | None, line: int | None) -> str | None:
    """The text of a line, where a test is defined, as far as known."""
    if file is None or line is None:
        return None
    return linecache.getline(file, line).strip() or None


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
