"""Runs a project's tests through the agent, and streams what it reports."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from testlens.domain.problems import Problem
from testlens.runners.events import (
    Collected,
    Done,
    Event,
    ProcessStarted,
    RunProblem,
    TestFinished,
    TestStarted,
    parse_event,
)
from testlens.runners.group_process import GroupProcess, start
from testlens.runners.process import kill_group, kill_marked

AGENT = Path(__file__).resolve().parents[2] / "testlens_agent" / "__main__.py"

# Marks every process of a run, those that leave its process group included.
_RUN_VARIABLE = "TESTLENS_RUN"
_CHUNK_BYTES = 65_536
_LONGEST_LINE_BYTES = 64_000_000
_OUTPUT_BYTES = 16_384
_LONGEST_TURN_SECONDS = 0.005
_GRACE_SECONDS = 2.0
# Beyond the test timeout, which the agent watches by itself: combining a big run's data takes its time.
_SILENCE_SECONDS = 120.0
_LOADED_AT = re.compile(r"^([^\s:][^:\n]*):(\d+): in ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class RunRequest:
    """One run of a project's tests.

    `root` (absolute) is the working folder. `data_file` (absolute) is where the coverage data goes; its folder exists.
    `tests` are node ids, none meaning all. A test without any progress for `test_timeout` seconds is ended.
    `record_values` keeps what the tests call the project's functions with in `calls.json`, beside the data file.
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


@dataclass(frozen=True, slots=True)
class RunResult:
    """What came of a run. `exit_code` is pytest's, None if the agent died.

    `results` has each test's last outcome, in the order in which they ended. `data_file` is None if nothing was
    measured; the caller removes it when it has been read and is not where the request wanted it. `sources`: see `Done`.
    `output` is the end of what pytest and the tests printed. `total` is how many tests were to run, and `began` when
    the run did, in seconds since the epoch.
    """

    exit_code: int | None
    results: tuple[TestFinished, ...]
    problems: tuple[Problem, ...]
    data_file: Path | None
    sources: Mapping[str, str]
    output: str
    began: float
    total: int
    request: RunRequest


async def run_tests(request: RunRequest, on_event: Callable[[Event], None]) -> RunResult:
    """Run tests and hand each event to `on_event` on the event loop, in order; never raises for what the run does.

    Cancelling the task that awaits this ends every process of the run before CancelledError goes on.
    """
    scratch = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="testlens-run-"))
    # pytest and coverage.py report real paths, whatever links the folder was reached through.
    run = _Run(request, on_event, await asyncio.to_thread(request.root.resolve))
    try:
        return await run.execute(scratch)
    finally:
        if run.done is None or run.done.data_file is None or scratch not in run.done.data_file.parents:
            await asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True)


@dataclass(slots=True)
class _Run:
    """The state of one run while its events come in."""

    request: RunRequest
    on_event: Callable[[Event], None]
    root: Path
    done: Done | None = None
    results: dict[str, TestFinished] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    running: TestStarted | None = None
    group: int | None = None
    output: bytes = b""
    said_garbage: bool = False
    began: float = field(default_factory=time.time)
    total: int = 0

    async def execute(self, scratch: Path) -> RunResult:
        environment = {**project_environment(self.request.python), _RUN_VARIABLE: str(scratch)}
        try:
            agent = await start([self.request.python, str(AGENT)], self.request.root, environment)
        except OSError as error:
            self._report(
                f"{self.request.python} could not be started in {self.request.root}: {error.strerror}.",
                "Check that both exist, and choose another interpreter if need be.",
            )
            return self._result()
        printed = asyncio.create_task(self._keep_output(agent.stderr))
        try:
            agent.write(_request_line(self.request, scratch))
            await self._follow(agent)
        finally:
            await asyncio.shield(self._end(agent, printed))
            await asyncio.shield(asyncio.to_thread(kill_marked, _RUN_VARIABLE, str(scratch)))
        self._judge(await agent.wait())
        return self._result()

    async def _follow(self, agent: GroupProcess) -> None:
        silence = self.request.test_timeout + _SILENCE_SECONDS
        turn_began = time.perf_counter()
        try:
            async for line in read_lines(agent.stdout, silence):
                self._take(line)
                # The event loop is shared with the editor's requests: a flood of events must not hold it.
                if time.perf_counter() - turn_began > _LONGEST_TURN_SECONDS:
                    await asyncio.sleep(0)
                    turn_began = time.perf_counter()
        except TimeoutError:
            self._report(f"The agent was silent for {silence:g} s and was ended.", "Run the tests again.")
        except _LineTooLongError:
            self._report("The agent wrote a line without an end and was ended.", "Run the tests again.")

    def _take(self, line: bytes) -> None:
        event = parse_event(line, self.root)
        if event is None:
            self._take_garbage(line)
            return
        match event:
            case ProcessStarted(pid):
                self.group = pid
            case Collected(total):
                self.total = max(self.total, total)
            case TestStarted():
                self.running = event
            case TestFinished():
                self.running = None
                self.results.pop(event.nodeid, None)
                self.results[event.nodeid] = event
            case RunProblem(problem):
                self.problems.append(problem)
            case Done():
                self.done = event
                self.group = None
        self.on_event(event)

    def _take_garbage(self, line: bytes) -> None:
        if not self.said_garbage:
            self.said_garbage = True
            shown = line[:80].decode("utf-8", "replace").strip()
            self._report(f"The agent wrote something that is no event: {shown!r}", "Reinstall Testlens.")

    def _judge(self, status: int) -> None:
        """Report what the events alone do not tell."""
        if self.done is None:
            self._report_death(status)
        elif self.done.exit_code in {3, 4} and not self.problems:
            self._report(
                f"pytest ended before it ran a test: {_complaint(self.output)}",
                "Correct it, then run again.",
                *_place_of_complaint(self.output, self.request.root),
            )

    def _report_death(self, status: int) -> None:
        how = f"signal {-status}" if status < 0 else f"exit code {status}"
        if self.running is not None:
            message = f"the agent ended ({how}) during this test"
            test = TestFinished(
                self.running.nodeid, "error", 0.0, message, file=self.running.file, line=self.running.line
            )
            self.results[test.nodeid] = test
            self.on_event(test)
        self._report(
            f"The agent that runs the tests ended early ({how}); the results of this run are incomplete.",
            "Correct the test that is reported as an error, or look at the run's output, then run again.",
        )

    def _report(self, message: str, advice: str, path: str | None = None, line: int | None = None) -> None:
        problem = Problem(message, advice, path, line, severity="error")
        self.problems.append(problem)
        self.on_event(RunProblem(problem))

    async def _end(self, agent: GroupProcess, printed: asyncio.Task[None]) -> None:
        await agent.stop(_GRACE_SECONDS if self.done is None else 10 * _GRACE_SECONDS)
        if self.group is not None:
            kill_group(self.group)
        # A process that left the group may hold the pipe open for ever.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(printed, 0.5)
        agent.close()

    async def _keep_output(self, stream: asyncio.StreamReader) -> None:
        while chunk := await stream.read(_CHUNK_BYTES):
            self.output = (self.output + chunk)[-_OUTPUT_BYTES:]

    def _result(self) -> RunResult:
        done = self.done
        return RunResult(
            exit_code=None if done is None else done.exit_code,
            results=tuple(self.results.values()),
            problems=tuple(self.problems),
            data_file=None if done is None else done.data_file,
            sources={} if done is None else done.sources,
            output=self.output.decode("utf-8", "replace"),
            began=self.began,
            total=self.total,
            request=self.request,
        )


class _LineTooLongError(Exception):
    pass


async def read_lines(stream: asyncio.StreamReader, silence: float | None) -> AsyncIterator[bytes]:
    """The lines of `stream`; raises TimeoutError after `silence` seconds without any, None meaning no such limit."""
    pending = bytearray()
    while chunk := await asyncio.wait_for(stream.read(_CHUNK_BYTES), silence):
        *complete, rest = chunk.split(b"\n")
        for part in complete:
            yield bytes(pending + part)
            pending.clear()
        pending += rest
        if len(pending) > _LONGEST_LINE_BYTES:
            raise _LineTooLongError
    if pending:
        yield bytes(pending)


def _request_line(request: RunRequest, scratch: Path) -> bytes:
    fields = {
        "root": str(request.root),
        "data_file": str(request.data_file),
        "scratch": str(scratch),
        "tests": request.tests,
        "pytest_args": request.pytest_args,
        "test_timeout": request.test_timeout,
        "record_values": request.record_values,
        "times": request.times,
    }
    return json.dumps(fields).encode("ascii") + b"\n"


def project_environment(python: str) -> dict[str, str]:
    """Our environment as it would be with the interpreter's virtual environment active: tests call its commands."""
    environment = dict(os.environ)
    folder = Path(python).parent
    environment["PATH"] = os.pathsep.join(filter(None, [str(folder), environment.get("PATH")]))
    if (folder.parent / "pyvenv.cfg").is_file():
        environment["VIRTUAL_ENV"] = str(folder.parent)
    else:
        environment.pop("VIRTUAL_ENV", None)
    return environment


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
