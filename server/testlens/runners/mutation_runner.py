"""Has a project's mutants made and checked by the agent, and streams what comes of them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, cast, get_args

from testlens.domain.mutants import MutantStatus
from testlens.domain.problems import Problem
from testlens.runners.group_process import GroupProcess, start
from testlens.runners.process import kill_marked
from testlens.runners.pytest_runner import AGENT, project_environment, read_lines

_RUN_VARIABLE = "TESTLENS_RUN"
_CHUNK_BYTES = 65_536
_OUTPUT_BYTES = 16_384
_GRACE_SECONDS = 0.5
_HIDDEN = ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG", "COVERAGE_FILE", "MUTANT_UNDER_TEST")
_STATUSES: Mapping[str, MutantStatus] = {status: status for status in get_args(MutantStatus)}

Stage = Literal["generating", "typing", "measuring", "checking", "rechecking"]


@dataclass(frozen=True, slots=True)
class MutationRequest:
    """One mutation run of the project in `root`; `folder` is for the copy of it (both absolute).

    `files` are the paths (POSIX, relative) to mutate, None for all that mutmut would. `workers` mutants play at a time,
    each with `memory_mb` megabytes more than the session. Up to `sample` survivors and as many kills, drawn by `seed`,
    are checked again in a cold process. After `seconds` no further mutant begins, None meaning no such limit. With
    `by_mutmut` it is mutmut's own runner that plays them, which is slower.
    """

    root: Path
    python: str
    folder: Path
    files: tuple[str, ...] | None = None
    workers: int = 2
    memory_mb: int = 2048
    sample: int = 3
    seed: int = 0
    seconds: float | None = None
    by_mutmut: bool = False


@dataclass(frozen=True, slots=True)
class MadeFunction:
    """The mutants of one function: mutmut's key for it, the text of each mutant by name, and the tests that run it."""

    key: str
    mutants: Mapping[str, str]
    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Made:
    """The functions that have mutants, by path, and the seconds that each test takes."""

    files: Mapping[str, tuple[MadeFunction, ...]]
    durations: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class WantedMutant:
    """A mutant to check. One of the `lines` has to run for it to matter, first and last, from 0 at the function's own.

    `first` are the tests to begin with, which have killed it before. Of a function's mutants those of a low `turn` come
    first.
    """

    name: str
    lines: tuple[int, int] | None = None
    first: tuple[str, ...] = ()
    turn: int = 0


@dataclass(frozen=True, slots=True)
class CheckedMutant:
    """What became of a mutant. A later one of the same name takes its place. `tests` are those that reach it."""

    name: str
    status: MutantStatus
    tests: tuple[str, ...]
    killed_by: str | None
    seconds: float


@dataclass(frozen=True, slots=True)
class MutationStage:
    """What the run begins now, and with how many files, tests or mutants."""

    stage: Stage
    total: int


@dataclass(frozen=True, slots=True)
class MutationEnd:
    """How a run ended. Only where `trusted` may its verdicts be counted; `missing` names packages to install.

    `is_cut_short` where the agent ended before it was done: what it told until then stands. `is_contradicted` where a
    fresh process found another verdict, so that our way of playing mutants does not fit these tests.
    """

    trusted: bool
    problems: tuple[Problem, ...] = ()
    missing: tuple[str, ...] = ()
    is_cut_short: bool = False
    is_contradicted: bool = False


Choose = Callable[[Made], Sequence[WantedMutant]]
MutationEvent = CheckedMutant | MutationStage


async def run_mutants(
    request: MutationRequest, choose: Choose, on_event: Callable[[MutationEvent], None]
) -> MutationEnd:
    """Make the mutants, let `choose` say (in a thread) which to check in which order, and check them.

    Events come on the event loop, as they happen. Never raises for what the project does. Cancelling the task that
    awaits this ends every process of the run before CancelledError goes on; what was told until then stands.
    """
    return await MutationAgent(idle_seconds=0).run(request, choose, on_event)


async def run_with_mutmut(
    request: MutationRequest, choose: Choose, on_event: Callable[[MutationEvent], None]
) -> MutationEnd:
    """As `run_mutants`, but mutmut's own runner plays the mutants: slower, for tests that ours does not fit."""
    return await run_mutants(replace(request, by_mutmut=True), choose, on_event)


class MutationAgent:
    """Runs mutants of one project, one run at a time, in a process that it keeps for the next run.

    The process has imported and collected everything, so that a further run begins at once. It is replaced when the
    project, its configuration or its interpreter have changed, and goes when it has been idle for `idle_seconds`.
    """

    def __init__(self, idle_seconds: float) -> None:
        self._idle_seconds = idle_seconds
        self._kept: _Agent | None = None

    async def run(
        self, request: MutationRequest, choose: Choose, on_event: Callable[[MutationEvent], None]
    ) -> MutationEnd:
        """As `run_mutants`."""
        root = await asyncio.to_thread(request.root.resolve)
        kept, self._kept = self._kept, None
        if kept is not None:
            if kept.made_for == (request.python, root):
                end = await self._run(_Run(request, root, choose, on_event, kept))
                if end is not None:
                    return end
            else:
                await kept.end()
        try:
            agent = await _start(request.python, root)
        except OSError as error:
            message = f"{request.python} could not be started in {root}: {error.strerror}."
            return MutationEnd(False, (Problem(message, "Choose another interpreter.", severity="error"),))
        end = await self._run(_Run(request, root, choose, on_event, agent))
        assert end is not None  # only what was imported earlier can be stale
        return end

    async def close(self) -> None:
        """End the process that is kept, if there is one."""
        kept, self._kept = self._kept, None
        if kept is not None:
            await kept.end()

    async def _run(self, run: _Run) -> MutationEnd | None:
        """The end of a run; None if the agent has imported what is no longer the project."""
        try:
            await run.execute(self._idle_seconds)
        finally:
            if run.agent_waits:
                self._kept = run.agent
            else:
                await asyncio.shield(run.agent.end())
        return None if run.is_stale else await run.outcome()


@dataclass(slots=True)
class _Agent:
    """A process of the agent. It was started for an interpreter and a folder; its environment has `mark`.

    `has_run` once it has done a run, after which it waits for another.
    """

    process: GroupProcess
    made_for: tuple[str, Path]
    mark: str
    lines: AsyncIterator[bytes]
    output: bytes = b""
    printed: asyncio.Task[None] | None = None
    has_run: bool = False

    async def keep_output(self) -> None:
        """Keep the last of what it prints."""
        while chunk := await self.process.stderr.read(_CHUNK_BYTES):
            self.output = (self.output + chunk)[-_OUTPUT_BYTES:]

    async def end(self) -> None:
        """End it and all that it has started."""
        await self.process.stop(_GRACE_SECONDS)
        await asyncio.to_thread(kill_marked, _RUN_VARIABLE, self.mark)
        if self.printed is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.printed, 0.5)
        self.process.close()


async def _start(python: str, root: Path) -> _Agent:
    mark = str(uuid.uuid4())
    environment = {**project_environment(python), _RUN_VARIABLE: mark}
    for name in _HIDDEN:
        environment.pop(name, None)
    process = await start([python, str(AGENT), "--mutate"], root, environment)
    agent = _Agent(process, (python, root), mark, read_lines(process.stdout, None))
    agent.printed = asyncio.create_task(agent.keep_output())
    return agent


@dataclass(slots=True)
class _Run:
    request: MutationRequest
    root: Path
    choose: Choose
    on_event: Callable[[MutationEvent], None]
    agent: _Agent
    problems: list[Problem] = field(default_factory=list)
    missing: tuple[str, ...] = ()
    trusted: bool | None = None
    is_cut_short: bool = False
    is_contradicted: bool = False
    is_stale: bool = False
    agent_waits: bool = False

    async def execute(self, idle_seconds: float) -> None:
        """Ask for the run and take what comes of it."""
        is_told = False
        self.agent.process.write(self._request_line(idle_seconds))
        async for line in self.agent.lines:
            is_told = True
            await self._take(line)
            if self.agent_waits:
                return
        self.is_stale = self.is_stale or (not is_told and self.agent.has_run)

    async def outcome(self) -> MutationEnd:
        """What came of it."""
        if self.trusted is None:
            self.problems.append(self._death(await self.agent.process.wait()))
            self.is_cut_short = True
        return MutationEnd(
            bool(self.trusted), tuple(self.problems), self.missing, self.is_cut_short, self.is_contradicted
        )

    def _request_line(self, idle_seconds: float) -> bytes:
        request = self.request
        fields = {
            "root": str(self.root),
            "folder": str(self.root / request.folder.relative_to(request.root)),
            "files": request.files,
            "workers": request.workers,
            "memory_mb": request.memory_mb,
            "sample": request.sample,
            "seed": request.seed,
            "seconds": request.seconds,
            "by_mutmut": request.by_mutmut,
            "idle_seconds": idle_seconds,
        }
        return json.dumps(fields).encode("ascii") + b"\n"

    async def _take(self, line: bytes) -> None:
        with contextlib.suppress(ValueError, KeyError, TypeError):  # no event of ours
            event = json.loads(line) if len(line) < _CHUNK_BYTES else await asyncio.to_thread(json.loads, line)
            match event["event"]:
                case "ready":
                    self.agent.process.write(await asyncio.to_thread(self._command, event))
                case "mutant":
                    self.on_event(_checked(event))
                case "problem":
                    self._take_problem(event)
                case "done":
                    self.trusted = bool(event["trusted"])
                    self.is_cut_short = bool(event["cut_short"])
                    self.is_contradicted = bool(event["contradicted"])
                    self.agent_waits = self.agent.has_run = bool(event["waits"])
                case "stale":
                    self.is_stale = True
                case "generating" | "typing" | "measuring" | "checking" | "rechecking" as stage:
                    self.on_event(MutationStage(cast(Stage, stage), int(event.get("total", event.get("files", 0)))))

    def _command(self, event: dict[str, Any]) -> bytes:
        wanted = self.choose(_made(event))
        run = [
            {"name": mutant.name, "lines": mutant.lines, "first": mutant.first, "turn": mutant.turn}
            for mutant in wanted
        ]
        return json.dumps({"run": run}).encode("ascii") + b"\n"

    def _take_problem(self, event: dict[str, Any]) -> None:
        self.missing += tuple(event.get("missing", ()))
        path = event.get("path")
        copy = f"{self.request.folder.relative_to(self.request.root).as_posix()}/mutants/"
        place = None if path is None else path.removeprefix(f"{self.root}/").removeprefix(copy)
        severity: Literal["error", "warning"] = (
            "error" if event.get("severity") == "error" or self.missing else "warning"
        )
        self.problems.append(Problem(event["message"], event["advice"], place, event.get("line"), severity))

    def _death(self, status: int) -> Problem:
        how = f"signal {-status}" if status < 0 else f"exit code {status}"
        said = self.agent.output.decode("utf-8", "replace").strip().splitlines()[-1:]
        reason = f": {said[0]}" if said else "."
        return Problem(
            f"The agent that checks mutants ended early ({how}){reason}",
            "What it found until then is kept. Run again to go on.",
            severity="error",
        )


def _checked(event: dict[str, Any]) -> CheckedMutant:
    status = _STATUSES.get(event["status"], "suspicious")
    return CheckedMutant(event["name"], status, tuple(event["tests"]), event["killed_by"], float(event["seconds"]))


def _made(event: dict[str, Any]) -> Made:
    files = {
        path: tuple(_function(key, fields) for key, fields in file["functions"].items())
        for path, file in event["files"].items()
    }
    return Made(MappingProxyType(files), MappingProxyType(event["durations"]))


def _function(key: str, fields: dict[str, Any]) -> MadeFunction:
    text = fields["text"]
    mutants = {
        name: text[:before] + middle + text[len(text) - after :] for name, before, after, middle in fields["mutants"]
    }
    return MadeFunction(key, MappingProxyType(mutants), tuple(fields["tests"]))
