"""What came of a test run, gathered from what the agent reports while it goes on."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from testlens.domain.coverage import Arc
from testlens.domain.problems import Problem
from testlens.runners.events import (
    Collected,
    Done,
    Event,
    Idle,
    Libraries,
    Measured,
    ProcessStarted,
    RunProblem,
    TestFinished,
    TestStarted,
    parse_event,
)

_OUTPUT_BYTES = 16_384
_FAILED = ("failed", "error")
_LOADED_AT = re.compile(r"^([^\s:][^:\n]*):(\d+): in ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class RunRequest:
    """One run of a project's tests.

    `root` (absolute) is the working folder. `data_file` (absolute) is where the coverage data goes; its folder exists.
    `tests` are node ids, none meaning all. A test without any progress for `test_timeout` seconds is ended.
    `record_values` keeps what the tests call the project's functions with in `calls.json`, beside the data file.
    Of the `tests`, which may be files then, only those `chosen` run (node ids or files; none meaning all of them), and
    those that are `first` before the others, and then those of the files in `order`, in this order.
    What is in `without` (node ids) does not run.
    With `times` above 1 the tests run that often, one after the other in one process: each then ends several times.
    """

    root: Path
    python: str
    data_file: Path
    tests: tuple[str, ...] = ()
    pytest_args: tuple[str, ...] = ()
    test_timeout: float = 300.0
    record_values: bool = True
    times: int = 1
    chosen: tuple[str, ...] = ()
    first: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunResult:
    """What came of a run. `exit_code` is pytest's (told early: what it will be), None if the agent died.

    `results` has each test's last outcome, in the order in which they ended. `data_file` is None if nothing was
    measured; the caller removes it when it has been read and is not where the request wanted it. `sources`,
    `rewritten` and `arcs`: see `Measured`.
    `output` is the end of what pytest and the tests printed. `total` is how many tests were to run, and `began` when
    the run did, in seconds since the epoch. `libraries`: see the event; none in a run of some tests. `present`: see
    `Collected`.
    """

    exit_code: int | None
    results: tuple[TestFinished, ...]
    problems: tuple[Problem, ...]
    data_file: Path | None
    sources: Mapping[str, str]
    rewritten: Mapping[str, str]
    output: str
    began: float
    total: int
    libraries: tuple[tuple[str, bool], ...]
    present: frozenset[str] | None
    request: RunRequest
    arcs: Mapping[str, frozenset[Arc]] | None = None


@dataclass(slots=True)
class RunLog:
    """One run while its events come in, each of which is handed on to `on_event`. `root` is its folder without links.

    `on_measured` hears what is known once chosen tests have ended and the data is there: pytest still has to end then.
    `done` is there once the run has ended by itself, and `group` is the process group that runs tests now.
    `idle_status` is there once a process that serves many runs has ended this one: how it ended, as of `wait`.
    """

    request: RunRequest
    on_event: Callable[[Event], None]
    root: Path
    on_measured: Callable[[RunResult], None] | None = None
    measured: Measured | None = None
    done: Done | None = None
    results: dict[str, TestFinished] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    running: TestStarted | None = None
    group: int | None = None
    output: bytes = b""
    said_garbage: bool = False
    began: float = field(default_factory=time.time)
    total: int = 0
    libraries: tuple[tuple[str, bool], ...] = ()
    present: frozenset[str] | None = None
    idle_status: int | None = None

    def take(self, line: bytes) -> Event | None:
        """Take a line that the agent wrote; returns what it says, None if nothing."""
        event = parse_event(line, self.root)
        if event is None:
            self._take_garbage(line)
            return None
        match event:
            case ProcessStarted(pid):
                self.group = pid
            case Collected(total, _, present):
                self.total = max(self.total, total)
                self.present = present
            case TestStarted() | TestFinished():
                self._take_test(event)
            case RunProblem(problem):
                self.problems.append(problem)
            case Idle(status):
                self.idle_status = status
            case Libraries(modules):
                self.libraries = modules
            case Measured():
                self.measured = event
            case Done():
                self.done = event
                self.group = None
        self.on_event(event)
        self._tell_early(event)
        return event

    def _take_test(self, event: TestStarted | TestFinished) -> None:
        if isinstance(event, TestStarted):
            self.running = event
            return
        self.running = None
        self.results.pop(event.nodeid, None)
        self.results[event.nodeid] = event

    def _tell_early(self, event: Event) -> None:
        if isinstance(event, Measured) and event.is_early and self.on_measured is not None:
            is_failed = any(test.outcome in _FAILED for test in self.results.values())
            self.on_measured(replace(self.result(), exit_code=int(is_failed)))

    def _take_garbage(self, line: bytes) -> None:
        if not self.said_garbage:
            self.said_garbage = True
            shown = line[:80].decode("utf-8", "replace").strip()
            self.report(f"The agent wrote something that is no event: {shown!r}", "Reinstall Testlens.")

    def judge(self, status: int) -> None:
        """Report what the events alone do not tell."""
        if self.done is None:
            self._report_death(status)
        elif self.done.exit_code in {3, 4} and not self.problems:
            self.report(
                f"pytest ended before it ran a test: {_complaint(self.output)}",
                "Correct it, then run again.",
                *_place_of_complaint(self.output, self.request.root),
            )

    def _report_death(self, status: int) -> None:
        how = f"signal {-status}" if status < 0 else f"exit code {status}"
        when = "" if self.running is None else f" during {self.running.nodeid}"
        if self.running is not None:
            message = f"the agent ended ({how}) during this test"
            test = TestFinished(
                self.running.nodeid, "error", 0.0, message, file=self.running.file, line=self.running.line
            )
            self.results[test.nodeid] = test
            self.on_event(test)
        self.report(
            f"The agent that runs the tests ended early ({how}){when}; the results of this run are incomplete.",
            "Correct the test that is reported as an error, or look at the run's output, then run again.",
        )

    def report(self, message: str, advice: str, path: str | None = None, line: int | None = None) -> None:
        """Add a problem of our own."""
        problem = Problem(message, advice, path, line, severity="error")
        self.problems.append(problem)
        self.on_event(RunProblem(problem))

    def take_output(self, chunk: bytes) -> None:
        """Keep the end of what is printed."""
        self.output = (self.output + chunk)[-_OUTPUT_BYTES:]

    def result(self) -> RunResult:
        """What came of it."""
        measured = self.measured
        return RunResult(
            exit_code=None if self.done is None else self.done.exit_code,
            results=tuple(self.results.values()),
            problems=tuple(self.problems),
            data_file=None if measured is None else measured.data_file,
            sources={} if measured is None else measured.sources,
            rewritten={} if measured is None else measured.rewritten,
            output=self.output.decode("utf-8", "replace"),
            began=self.began,
            total=self.total,
            libraries=self.libraries,
            present=self.present,
            request=self.request,
            arcs=None if measured is None else measured.arcs,
        )


def _place_of_complaint(output: bytes, root: Path) -> tuple[str, int] | tuple[()]:
    """Path (relative to `root`) and line of the project's own code that pytest could not load, if it says so."""
    places = ((place[1], int(place[2])) for place in _LOADED_AT.finditer(output.decode("utf-8", "replace")))
    own = [(path, line) for path, line in places if not Path(path).is_absolute() and (root / path).is_file()]
    return own[-1] if own else ()


def _complaint(output: bytes) -> str:
    """The line of pytest's own output that says why it refused to run."""
    lines = [line.strip() for line in output.decode("utf-8", "replace").splitlines() if line.strip()]
    for mark in ("E   ", ": error: ", "ERROR: "):
        for line in lines:
            if mark in line:
                return line.split(mark, 1)[1]
    return lines[-1] if lines else "it gave no reason."
