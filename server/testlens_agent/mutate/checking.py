"""Checks mutants: in which order, with which tests, and whether the verdicts can be believed."""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import random
import select
import warnings
from collections import Counter, deque
from typing import Any, Callable

from testlens_agent.mutate import mutmut_parts
from testlens_agent.mutate.contexts import Contexts, load_contexts
from testlens_agent.mutate.request import Request
from testlens_agent.mutate.verdicts import KILLED, NO_TESTS, SURVIVED, status_of
from testlens_agent.mutate.workers import Worker
from testlens_agent.wire import EventStream

_LONGEST_RUN_SECONDS = 3600.0
_LONGEST_COLD_SECONDS = 20.0
_COLD_START_SECONDS = 60.0  # in which a fresh process has imported and collected everything
_BETWEEN_LOOKS = 20
_Task = dict[str, Any]


class CancelledRunError(Exception):
    """Whoever wanted the run wants it no longer."""


class Ground:
    """What a run stands on: the copy, mutmut's configuration, and how to mend the copy."""

    def __init__(
        self, request: Request, config: Any, copy: Any, arguments: list[str], mend: Callable[[], None]
    ) -> None:
        self.request = request
        self.config = config
        self.copy = copy
        self.arguments = arguments
        self.mend = mend
        self.kept = request.folder / "generated"
        self.contexts_place = request.folder / "contexts.json"


class Checking:
    """Checks the mutants that a command names, in a session that has collected all tests."""

    def __init__(self, session: Any, ground: Ground, events: EventStream, commands: int) -> None:
        self._session = session
        self._ground = ground
        self._events = events
        self._commands = commands
        self._input = b""
        self._workers: list[Worker] = []
        self._queue: deque[_Task] = deque()
        self._held: list[tuple[_Task, dict[str, Any]]] = []
        self._unproved: set[str] = set()
        self._since_look: list[_Task] = []
        self._killers: dict[str, Counter[str]] = {}
        self._results: dict[str, tuple[_Task, int]] = {}
        self._is_trusted = True

    def run(self, tell: Callable[[Contexts], None]) -> bool:
        """Measure if need be, `tell` of it, wait for the command and carry it out; returns whether to trust it."""
        gc.collect()
        gc.freeze()  # what was made so far stays in memory that all copies share
        try:
            contexts = self._contexts()
            if contexts is None:
                return False
            self._preload(contexts.modules)
            tell(contexts)
            self._ground.copy.remember_written()
            self._check(self._read_command()["run"], contexts)
            return self._is_trusted
        finally:
            for worker in self._workers:
                worker.end()
            self._workers = []

    def _contexts(self) -> Contexts | None:
        ground = self._ground
        known = load_contexts(ground.contexts_place, self._state())
        if known is not None:
            return known
        self._events.send("measuring", total=len(self._session.items))
        measure = {
            "tree": str(ground.copy.tree),
            "kept": str(ground.kept),
            "files": ground.copy.mutated,
            "place": str(ground.contexts_place),
            "state": self._state(),
        }
        tests = [item.nodeid for item in self._session.items]
        self._queue.append({"kind": "measure", "mutant": "stats", "tests": tests, "measure": measure, **_NO_LIMITS})
        self._work()
        return load_contexts(ground.contexts_place, self._state()) if self._is_trusted else None

    def _state(self) -> str:
        versions = [mutmut_parts.installed_version(), importlib.import_module("pytest").__version__]
        return json.dumps([self._ground.copy.state, self._ground.arguments, *versions])

    def _preload(self, names: list[str]) -> None:
        """Import what the tests import, so that not every copy has to; whatever goes wrong there is the tests' own."""
        mutmut_parts.play("")
        for name in names:
            with warnings.catch_warnings(), contextlib.suppress(BaseException):
                warnings.simplefilter("ignore")
                importlib.import_module(name)
        gc.freeze()

    def _check(self, wanted: list[_Task], contexts: Contexts) -> None:
        self._contexts_now = contexts
        tasks = [self._task_for(mutant) for mutant in wanted]
        playing = [task for task in tasks if task["tests"]]
        self._queue.clear()
        if playing:
            self._queue.extend(self._proofs(playing))
        self._queue.extend(playing)
        for task in tasks:
            if not task["tests"]:
                self._settle(task, {"code": NO_TESTS, "failed": None, "seconds": 0.0})
        self._events.send("checking", total=len(tasks))
        self._work()
        if self._is_trusted and self._look_after_copy():
            self._work()
        if self._is_trusted:
            self._queue.extend(self._sample())
            self._work()

    def _task_for(self, mutant: _Task) -> _Task:
        function = mutant["name"].partition("__mutmut_")[0]
        contexts = self._contexts_now
        lines = mutant.get("lines")
        all_tests = contexts.tests_of(function)
        reaching = contexts.tests_reaching(function, None if lines is None else (lines[0], lines[1]))
        tests = reaching or all_tests  # lines that no test is seen to run prove nothing before the tests have run
        wall, cpu = mutmut_parts.time_limits(self._ground.config, sum(map(contexts.duration_of, all_tests)))
        known = [test for test in mutant.get("first", ()) if test in set(tests)]
        return {
            "kind": "mutant",
            "mutant": mutant["name"],
            "function": function,
            "tests": tests,
            "reaching": reaching,
            "first": known,
            "all_tests": all_tests,
            "wall": wall,
            "cpu": cpu,
        }

    def _proofs(self, playing: list[_Task]) -> list[_Task]:
        """What has to hold before any verdict counts: the tests pass unmutated, and a mutant that must die dies."""
        tests = sorted(
            {test for task in playing for test in task["all_tests"]}, key=self._contexts_now.whole_duration_of
        )
        self._unproved = {"clean", "fail"}
        return [
            {"kind": "clean", "mutant": "", "tests": tests, **_NO_LIMITS},
            {"kind": "fail", "mutant": "fail", "tests": tests, **_NO_LIMITS},
        ]

    def _sample(self) -> list[_Task]:
        draw = random.Random(self._ground.request.seed)  # noqa: S311  (not for secrets)
        chosen: list[_Task] = []
        for codes in (SURVIVED, KILLED):
            alike = [task for task, code in self._results.values() if code in codes and self._is_checkable(task)]
            alike.sort(key=lambda task: str(task["mutant"]))
            count = min(self._ground.request.sample, len(alike))
            chosen += [{**task, "kind": "cold", "expected": list(codes)} for task in draw.sample(alike, count)]
        fresh = {
            "cold": True,
            "arguments": self._ground.arguments,
            "python_path": mutmut_parts.import_path(self._ground.copy.tree),
        }
        return [
            {**task, **fresh, "tests": task["all_tests"], "wall": task["wall"] + _COLD_START_SECONDS} for task in chosen
        ]

    def _is_checkable(self, task: _Task) -> bool:
        # A fresh process plays the mutant at import as well, which neither this run nor mutmut's does.
        contexts = self._contexts_now
        seconds = sum(map(contexts.duration_of, task["all_tests"]))
        return not contexts.ran_at_import(task["function"]) and seconds < _LONGEST_COLD_SECONDS

    def _work(self) -> None:
        """Carry out what is queued, a task a worker."""
        while (self._queue or any(worker.task for worker in self._workers)) and self._is_trusted:
            self._hand_out()
            ready = select.select([self._commands, *[worker.results for worker in self._workers]], [], [])[0]
            if self._commands in ready:
                self._read_input()
            for worker in list(self._workers):
                # What one result leads to may have ended all other workers.
                if worker in self._workers and worker.results in ready:
                    self._take(worker)

    def _hand_out(self) -> None:
        while self._queue and self._may_start(self._queue[0]):
            worker = next((worker for worker in self._workers if worker.task is None), None)
            if worker is None:
                if len(self._workers) == self._ground.request.workers:
                    return
                worker = self._new_worker()
            task = self._queue.popleft()
            worker.start({**task, "tests": self._in_order(task)})

    def _may_start(self, task: _Task) -> bool:
        """A mutant that may be the one that damages the copy plays alone."""
        running = [worker.task for worker in self._workers if worker.task is not None]
        return not running or not (task.get("alone") or any(other.get("alone") for other in running))

    def _new_worker(self) -> Worker:
        request = self._ground.request
        foreign = [self._commands, *[place for worker in self._workers for place in worker.descriptors]]
        number = len(self._workers)
        worker = Worker(self._session, number, request.folder / "scratch", request.memory_mb, foreign)
        self._workers.append(worker)
        return worker

    def _in_order(self, task: _Task) -> list[str]:
        """The task's tests, those first that have killed mutants of the same function, then the fastest."""
        tests: list[str] = task["tests"]
        if task["kind"] != "mutant":
            return tests
        killers = self._killers.get(task["function"], Counter())
        first = set(task["first"])
        return sorted(tests, key=lambda test: (-killers[test], test not in first))

    def _take(self, worker: Worker) -> None:
        task = worker.task
        result = worker.take_result()
        if result is None:  # its mutant has killed it
            self._workers.remove(worker)
            worker.end()
            result = {"code": -9, "failed": None, "seconds": 0.0, "why": "it ended the process that started it"}
        assert task is not None
        if task["kind"] == "mutant":
            self._take_mutant(task, result)
        elif task["kind"] == "cold":
            self._take_cold(task, result)
        else:
            self._take_proof(task, result)

    def _take_mutant(self, task: _Task, result: dict[str, Any]) -> None:
        self._since_look.append(task)
        if self._unproved:
            self._held.append((task, result))
        else:
            self._settle(task, result)
        is_odd = result["code"] not in (*SURVIVED, *KILLED)
        if is_odd or task.get("alone") or len(self._since_look) >= _BETWEEN_LOOKS:
            self._look_after_copy()

    def _settle(self, task: _Task, result: dict[str, Any]) -> None:
        failed = result["failed"]
        if failed is not None and result["code"] in KILLED:
            self._killers.setdefault(task["function"], Counter())[failed] += 1
        self._results[task["mutant"]] = (task, result["code"])
        self._events.send(
            "mutant",
            name=task["mutant"],
            status=status_of(result["code"]),
            exit_code=result["code"],
            tests=sorted({*task["reaching"], *([] if failed is None else [failed])}),
            killed_by=failed,
            seconds=round(result["seconds"], 4),
        )

    def _look_after_copy(self) -> bool:
        """Mend the copy where a mutant damaged it, and queue again what has played since it was last seen whole."""
        since, self._since_look = self._since_look, []
        damaged = self._ground.copy.damaged
        if not damaged:
            return False
        for worker in self._workers:
            since += [worker.task] if worker.task is not None and worker.task["kind"] == "mutant" else []
            worker.end()
        self._workers = []
        self._ground.copy.drop(damaged)
        self._ground.mend()
        os.chdir(str(self._ground.copy.tree))
        self._ground.copy.remember_written()
        again = [{**task, "alone": True} for task in since if not task.get("alone")]
        self._held = [(task, result) for task, result in self._held if task not in since]
        self._queue.extendleft(reversed(again))
        return bool(again)

    def _take_proof(self, task: _Task, result: dict[str, Any]) -> None:
        kind, code = task["kind"], result["code"]
        if kind == "fail" and code == 0:
            self._distrust(
                "Tests passed although every mutated function raised an exception, so they do not run the mutants.",
                "Check that they import the sources that mutmut mutates.",
            )
        elif kind != "fail" and code != 0:
            self._distrust_tests(result)
        self._unproved.discard(kind)
        if not self._unproved and self._is_trusted:
            held, self._held = self._held, []
            for held_task, held_result in held:
                self._settle(held_task, held_result)

    def _distrust_tests(self, result: dict[str, Any]) -> None:
        what = f"{result['failed']} fails" if result["failed"] else f"the tests end with exit code {result['code']}"
        why = f": {result['why']}" if result.get("why") else ""
        self._distrust(
            f"No mutant was checked, since without any mutant {what}{why}",
            "Make the tests pass where mutmut runs them: in a copy of the sources and tests, see [tool.mutmut].",
        )

    def _take_cold(self, task: _Task, result: dict[str, Any]) -> None:
        if result["code"] in task["expected"]:
            return
        was, now = status_of(task["expected"][0]), status_of(result["code"])
        self._distrust(
            f"{task['mutant']} was {was}, and checked again in a fresh process it was {now}.",
            "Look for tests that depend on their order, on time or on chance; `mutmut run` is the slower way.",
        )

    def _distrust(self, message: str, advice: str) -> None:
        self._is_trusted = False
        self._events.problem(message, advice, severity="error")

    def _read_command(self) -> dict[str, Any]:
        while b"\n" not in self._input:
            self._read_input()
        line, _, self._input = self._input.partition(b"\n")
        command: dict[str, Any] = json.loads(line)
        return command

    def _read_input(self) -> None:
        chunk = os.read(self._commands, 65_536)
        if not chunk:
            raise CancelledRunError
        self._input += chunk


_NO_LIMITS = {"wall": _LONGEST_RUN_SECONDS, "cpu": int(_LONGEST_RUN_SECONDS)}
