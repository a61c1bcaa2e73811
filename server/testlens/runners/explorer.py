"""Drives the explorer of the agent: tries tests in the project's interpreter, and asks it about functions."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from testlens.domain.calls import Raised
from testlens.domain.expressions import Expression
from testlens.domain.problems import Problem
from testlens.domain.trials import DataClass, FunctionDescription, ParameterFacts, Seen, Trial
from testlens.runners.group_process import GroupProcess, start
from testlens.runners.process import kill_marked
from testlens.runners.pytest_runner import AGENT, project_environment, read_lines

_RUN_VARIABLE = "TESTLENS_RUN"
_CHUNK_BYTES = 65_536
_OUTPUT_BYTES = 16_384
_GRACE_SECONDS = 2.0
_START_SECONDS = 180.0
# A trial is ended by the agent itself; this is for an agent that does not answer at all.
_SILENCE_SECONDS = 60.0
# botocore would ask the machine that it runs on for credentials, and wait for an answer that no sandbox lets through.
_OFFLINE = {"AWS_EC2_METADATA_DISABLED": "true"}
_HIDDEN = ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG", "COVERAGE_FILE")


@dataclass(frozen=True, slots=True)
class ExplorerRequest:
    """What to try tests with. `root` (absolute) is the working folder, `near` a test file or folder to stand beside.

    A trial may take `seconds`, and `memory_mb` megabytes more than the session; `network` lets it use the network.
    `forks` False gives every command a session of its own, as where processes cannot be copied.
    """

    root: Path
    python: str
    near: Path | None = None
    pytest_args: tuple[str, ...] = ()
    seconds: float = 2.0
    memory_mb: int = 2048
    network: bool = False
    forks: bool = True


@dataclass(frozen=True, slots=True)
class MutantCode:
    """One function as a mutant has it: `text` is the whole text of the file `path` (absolute) with the change in it.

    `function` is the dotted name of the function (the outermost one, where it has others in it), `line` the 1-based
    line of its `def`.
    """

    path: Path
    text: str
    function: str
    line: int


class Explorer:
    """A running explorer. Commands may be under way at the same time; what the project does never raises here."""

    def __init__(self, request: ExplorerRequest, root: Path, agent: GroupProcess, scratch: Path) -> None:
        self._request = request
        self._root = root
        self._agent = agent
        self.scratch = scratch
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._ready: asyncio.Future[Problem | None] = asyncio.get_running_loop().create_future()
        self._output = b""
        self._answered = 0
        self._tasks = [asyncio.create_task(self._keep_output()), asyncio.create_task(self._follow())]
        self._ended = False

    @classmethod
    async def start(cls, request: ExplorerRequest) -> Self | Problem:
        """Start a session; a Problem says what hinders it. Whoever gets an explorer closes it."""
        root = await asyncio.to_thread(request.root.resolve)
        # Not on a thread: whoever is cancelled meanwhile would not hear of the folder that is made there.
        scratch = Path(tempfile.mkdtemp(prefix="testlens-try-"))
        environment = {**project_environment(request.python), **_OFFLINE, _RUN_VARIABLE: str(scratch)}
        for name in _HIDDEN:
            environment.pop(name, None)
        try:
            agent = await start([request.python, str(AGENT), "--explore"], root, environment)
        except OSError as error:
            await asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True)
            return Problem(
                f"{request.python} could not be started in {root}: {error.strerror}.",
                "Check that both exist, and choose another interpreter if need be.",
                severity="error",
            )
        explorer = cls(request, root, agent, scratch)
        try:
            problem = await explorer._start()
        except BaseException:
            await asyncio.shield(explorer.close())
            raise
        if problem is None:
            return explorer
        await explorer.close()
        return problem

    @property
    def is_alive(self) -> bool:
        """Whether it still answers."""
        return not self._ended

    async def try_tests(
        self, path: Path, text: str, tests: Sequence[str], watch: Path, mutant: MutantCode | None = None
    ) -> tuple[Trial, ...]:
        """Run `tests` (`test_x`, `TestX::test_y`) of a file that would stand at `path` with this text.

        Nothing is written. One trial a test, in their order; its lines and arcs are those of the file `watch`. With a
        mutant its function does what the mutant does while they run, and in no other process.
        """
        if not tests:
            return ()
        task = {"path": self._real(path), "watch": self._real(watch), "mutant": self._playing(mutant)}
        answer = await self._ask({"do": "try", "text": text, "tests": list(tests), **task})
        if isinstance(answer, Problem):
            return tuple(Trial("error", message=answer.message) for _ in tests)
        return tuple(map(trial_from_json, answer["trials"]))

    async def describe(self, path: Path, function: str, line: int) -> FunctionDescription | Problem:
        """What the project's interpreter knows of the function with this dotted name, whose `def` is on `line`."""
        answer = await self._ask({"do": "describe", "path": self._real(path), "function": function, "line": line})
        return answer if isinstance(answer, Problem) else description_from_json(answer["description"])

    async def close(self) -> None:
        """End the session and all that it started."""
        self._ended = True
        await self._agent.stop(_GRACE_SECONDS)
        await asyncio.to_thread(kill_marked, _RUN_VARIABLE, str(self.scratch))
        for task in self._tasks:
            with contextlib.suppress(TimeoutError):  # a process that left the group may hold a pipe open for ever
                await asyncio.wait_for(task, 0.5)
        self._agent.close()
        await asyncio.to_thread(shutil.rmtree, self.scratch, ignore_errors=True)

    async def _start(self) -> Problem | None:
        request = self._request
        self._write(
            {
                "root": str(self._root),
                "scratch": str(self.scratch),
                "pytest_args": request.pytest_args,
                "near": None if request.near is None else self._real(request.near),
                "seconds": request.seconds,
                "memory_mb": request.memory_mb,
                "network": request.network,
                "fork": request.forks,
            }
        )
        try:
            return await asyncio.wait_for(asyncio.shield(self._ready), _START_SECONDS)
        except TimeoutError:
            return Problem(
                f"pytest did not start within {_START_SECONDS:g} s.",
                "Run it in a terminal to see why.",
                severity="error",
            )

    async def _ask(self, fields: Mapping[str, Any]) -> dict[str, Any] | Problem:
        if self._ended:
            return self._end_problem()
        number = next(self._numbers)
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            self._write({"id": number, **fields})
            return await self._patiently(future)
        except _EndedError:
            return self._end_problem()
        finally:
            del self._waiting[number]

    async def _patiently(self, future: asyncio.Future[dict[str, Any]]) -> dict[str, Any]:
        """Wait for an answer for as long as any are coming; raises _EndedError when none are."""
        while True:
            answered = self._answered
            with contextlib.suppress(TimeoutError):
                return await asyncio.wait_for(asyncio.shield(future), _SILENCE_SECONDS + 30 * self._request.seconds)
            if answered == self._answered:
                raise _EndedError

    def _playing(self, mutant: MutantCode | None) -> dict[str, Any] | None:
        if mutant is None:
            return None
        place = {"path": self._real(mutant.path), "function": mutant.function, "line": mutant.line}
        return {**place, "text": mutant.text}

    def _real(self, path: Path) -> str:
        """The path as pytest knows it, whatever links the folder of the project was reached through."""
        return str(
            self._root / path.relative_to(self._request.root) if path.is_relative_to(self._request.root) else path
        )

    def _write(self, fields: Mapping[str, Any]) -> None:
        self._agent.write_line(fields)

    async def _follow(self) -> None:
        """Take what the agent says until it ends."""
        async for line in read_lines(self._agent.stdout, None):
            with contextlib.suppress(ValueError, KeyError, AttributeError):  # no event of ours
                self._take(json.loads(line))
        self._ended = True
        if not self._ready.done():
            self._ready.set_result(self._end_problem())
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(_EndedError())

    def _take(self, event: dict[str, Any]) -> None:
        kind = event.get("event")
        if kind == "ready" and not self._ready.done():
            self._ready.set_result(None)
        elif kind == "problem" and not self._ready.done():
            self._ready.set_result(
                Problem(event["message"], event["advice"], event.get("path"), event.get("line"), severity="error")
            )
        elif kind == "answer":
            self._answered += 1
            future = self._waiting.get(event["id"])
            if future is not None and not future.done():
                future.set_result(event)

    async def _keep_output(self) -> None:
        while chunk := await self._agent.stderr.read(_CHUNK_BYTES):
            self._output = (self._output + chunk)[-_OUTPUT_BYTES:]

    def _end_problem(self) -> Problem:
        lines = self._output.decode("utf-8", "replace").strip().splitlines()
        said = f": {lines[-1]}" if lines else ""
        return Problem(f"The session that tries tests has ended{said}", "Try again.", severity="error")


class _EndedError(Exception):
    """The agent ended before it answered."""


def trial_from_json(fields: Mapping[str, Any]) -> Trial:
    """A trial as the agent tells it."""
    return Trial(
        outcome=fields["outcome"],
        lines=frozenset(fields["lines"]),
        arcs=frozenset((start, end) for start, end in fields["arcs"]),
        raised=None if fields["raised"] is None else Raised(**fields["raised"]),
        local_values={name: _seen(value) for name, value in fields["local_values"].items()},
        blocked=fields["blocked"],
        message=fields["message"],
        seconds=fields["seconds"],
    )


def description_from_json(fields: Mapping[str, Any]) -> FunctionDescription:
    """A description as the agent tells it."""
    return FunctionDescription(
        name=fields["name"],
        module=fields["module"],
        kind=fields["kind"],
        callee=fields["callee"],
        is_async=fields.get("is_async", False),
        is_generator=fields.get("is_generator", False),
        is_context_manager=fields.get("is_context_manager", False),
        parameters=tuple(map(_parameter, fields.get("parameters", ()))),
        receivers=tuple(map(_expression, fields.get("receivers", ()))),
        unreachable=fields.get("unreachable"),
    )


def _seen(fields: Mapping[str, Any]) -> Seen:
    iterable = fields.get("iterable")
    return Seen(
        type=fields["type"],
        code=fields["code"],
        calls=tuple(fields["calls"]),
        attributes=fields["attributes"],
        iterable=None if iterable is None else tuple(iterable),
    )


def _parameter(fields: Mapping[str, Any]) -> ParameterFacts:
    values = tuple(map(_expression, fields["values"]))
    held = fields.get("data")
    data = (
        None
        if held is None
        else DataClass(held["name"], held["library"], tuple(held["fields"]), tuple(held["required"]))
    )
    return ParameterFacts(fields["name"], fields["kind"], fields["has_default"], fields["annotation"], values, data)


def _expression(fields: Mapping[str, Any]) -> Expression:
    return Expression.from_json(fields, "type")
