"""Checks mutants: in which order, with which tests, and whether the verdicts can be believed."""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import sys
import time
from collections import deque
from typing import Any, Callable

from testlens_agent.mutate import mutmut_parts
from testlens_agent.mutate.contexts import NOTHING_MEASURED, Contexts, import_quietly, load_contexts
from testlens_agent.mutate.crew import Crew
from testlens_agent.mutate.idle import RequestedError, prepare
from testlens_agent.mutate.ledger import Ledger, Verdict
from testlens_agent.mutate.ordering import Ordering
from testlens_agent.mutate.sharing import SharedOut
from testlens_agent.mutate.tasks import CancelledRunError, Ground, Task, Tasks
from testlens_agent.mutate.verdicts import (
    CAUGHT_BY_TYPES,
    KILLED,
    NO_TESTS,
    SURVIVED,
    WORDS_OF_LIVING,
    status_of,
    words_of_red_tests,
)
from testlens_agent.mutate.workers import Worker
from testlens_agent.wire import EventStream

_BETWEEN_LOOKS = 20
_SHARE_OF_SAMPLE = 0.1  # of the time that the mutants took


class Checking:
    """Checks the mutants that commands name, in a session that has collected all tests.

    `is_contradicted` once a fresh process has found another verdict.
    """

    def __init__(self, session: Any, ground: Ground, events: EventStream, commands: int) -> None:
        self._session = session
        self._ground = ground
        self._events = events
        self._commands = commands
        self._input = b""
        request = ground.request
        self._crew = Crew(session, request.folder / "scratch", request.memory_mb, request.workers, [commands])
        self._ordering = Ordering()
        self._proved: set[str] = set()
        self._may_split = True
        self.is_contradicted = False
        self._begin()
        gc.enable()
        gc.collect()
        gc.freeze()  # what was made so far stays in memory that all copies share

    def run(self, tell: Callable[[Contexts], None]) -> bool:
        """Measure if need be, `tell` of it, wait for the command and carry it out; returns whether to trust it."""
        self._begin()
        contexts = self._contexts()
        if contexts is None:
            return False
        tell(contexts)
        self._ground.copy.remember_written()
        self._check(self.read_command()["run"], contexts)
        return self._is_trusted

    def use_idle_time(self) -> None:
        """Prepare for the next command, until it is there."""

        def finished(crew: Crew) -> list[Worker]:
            is_told, workers = crew.wait(self._commands, None)
            if is_told:
                self._read_input()
            if b"\n" in self._input:
                raise RequestedError
            return workers

        self._crew = prepare(self._crew, self._tasks, self._proved, finished)

    def close(self) -> None:
        """End all workers."""
        self._crew.dismiss()

    def read_command(self, patience: float | None = None) -> dict[str, Any]:
        """The next command; a run whose commands end, or that has none for `patience` seconds, is cancelled."""
        while b"\n" not in self._input:
            if not select.select([self._commands], [], [], patience)[0]:
                raise CancelledRunError
            self._read_input()
        line, _, self._input = self._input.partition(b"\n")
        command: dict[str, Any] = json.loads(line)
        return command

    def _begin(self) -> None:
        self._queue: deque[Task] = deque()
        self._ledger = Ledger(self._events)
        self._since_look: list[Task] = []
        self._shared_out = SharedOut(self._crew.size if self._may_split else 1)
        self._is_trusted = True
        self._is_doubted = self._is_over = False
        seconds = self._ground.request.seconds
        self._deadline = None if seconds is None else self._ground.request.began + seconds

    def _contexts(self) -> Contexts | None:
        ground = self._ground
        known = load_contexts(ground.contexts_place, self._state())
        if known is None:
            self._measure()
            known = load_contexts(ground.contexts_place, self._state()) if self._is_trusted else None
        if known is not None:
            self._preload(known.modules)
        return known

    def _measure(self) -> None:
        ground = self._ground
        self._events.send("measuring", total=len(self._session.items))
        tests = [item.nodeid for item in self._session.items]
        self._queue.append(Tasks(ground, NOTHING_MEASURED).measuring(tests, self._state()))
        self._work()

    def _state(self) -> str:
        mutmut, pytest = mutmut_parts.installed_version(), importlib.import_module("pytest").__version__
        return json.dumps([self._ground.copy.state, self._ground.arguments, mutmut, pytest])

    def _preload(self, names: list[str]) -> None:
        """Import what the tests import, so that not every copy has to."""
        if all(name in sys.modules for name in names):
            return
        self._crew.dismiss()
        mutmut_parts.play("")
        import_quietly(names)
        gc.freeze()

    def _check(self, wanted: list[Task], contexts: Contexts) -> None:
        self._tasks = Tasks(self._ground, contexts)
        tasks = [self._tasks.of_mutant(mutant) for mutant in wanted]
        caught = self._ground.caught
        playing = self._tasks.in_order([task for task in tasks if task["tests"] and task["mutant"] not in caught])
        for task in tasks:
            if not task["tests"] or task["mutant"] in caught:
                code = CAUGHT_BY_TYPES if task["tests"] else NO_TESTS
                self._ledger.tell(task, {"code": code, "failed": None, "seconds": 0.0})
        self._events.send("checking", total=len(tasks))
        began = time.monotonic()
        is_worth_it = self._crew.can_be_warm and self._tasks.are_worth_warmth(playing)
        if is_worth_it and self._crew.warm(self._tasks.to_warm(self._tasks.all_tests(playing))):
            self._proved.clear()
        if playing:
            self._queue.extend([*self._proofs(playing), *playing])
        self._play(began)
        if self._is_doubted and self._is_trusted:
            self._grow_cold()
            self._play(began)

    def _play(self, began: float) -> None:
        """Carry out what is queued, mend what that damaged, and check a sample of the verdicts again."""
        self._work()
        self._fell_stems()
        if self._is_trusted and self._look_after_copy():
            self._work()
        self._recheck(time.monotonic() - began)

    def _fell_stems(self) -> None:
        """End what the first tests have grown, and play again what cannot be believed as it was played there."""
        for worker in self._crew.workers if self._is_trusted else []:
            worker.start({"kind": "fell"})
        self._work()

    def _dismiss(self) -> list[Task]:
        """End all workers; returns what they were at. What they have not proved is played again."""
        unproved = [mutant for worker in self._crew.workers for mutant in worker.unproved]
        unfinished = self._crew.dismiss()
        self._play_again(unproved)
        return unfinished

    def _recalled(self, unfinished: list[Task]) -> list[Task]:
        """The mutants among the tasks of workers that were dismissed, and those of which shares were still to come."""
        self._queue = deque(task for task in self._queue if "share" not in task)
        whole = [task for task in unfinished if task["kind"] == "mutant" and "share" not in task]
        return whole + self._shared_out.recall()

    def _play_again(self, doubted: list[str]) -> None:
        """Play mutants from the beginning of their tests, whatever was told of them."""
        again = self._ledger.forget(doubted)
        self._queue.extendleft({**task, "whole": True} for task in reversed(again))

    def _grow_cold(self) -> None:
        """Play all again in workers that have run no test, and share no beginning: there these tests do not hold."""
        again = self._unsettled(self._crew.dismiss())
        self._crew.warm([])
        self._crew.can_be_warm = self._ordering.may_share = False
        self._start_over(again)

    def _stay_together(self) -> None:
        """Play all again, each mutant with all of its tests in one process: some seem to need others before them."""
        again = self._unsettled(self._crew.dismiss())
        self._may_split = False
        self._start_over(again)

    def _unsettled(self, unfinished: list[Task]) -> list[Task]:
        """All mutants that have a verdict of this run's or wait for one, when workers were dismissed from some."""
        if self._is_over or self._seconds_left() == 0:  # none of them will play again
            self._ledger.take_back(self._ledger.played())
        unsettled = self._recalled(unfinished) + self._ledger.held() + self._ledger.played()
        return unsettled + [task for task in self._queue if task["kind"] == "mutant"]

    def _start_over(self, again: list[Task]) -> None:
        self._begin()
        self._proved.clear()
        self._queue.extend([*self._proofs(again), *again])

    def _proofs(self, playing: list[Task]) -> list[Task]:
        """What has to hold before any verdict counts: the tests pass unmutated, and a mutant that must die dies."""
        if not playing:
            return []
        tests = self._tasks.all_tests(playing)
        unproved = [test for test in tests if test not in self._proved]
        proofs = [*self._tasks.clean(unproved, self._crew.size if self._may_split else 1), self._tasks.fail(tests)]
        self._ledger.wait_for(len(proofs))
        return proofs

    def _recheck(self, seconds: float) -> None:
        """Check a sample of the verdicts again: a survivor and a kill at least, more while that takes a small share."""
        chosen = self._tasks.sample(self._ledger.told()) if self._is_trusted else []
        began = time.monotonic()
        while chosen and self._is_trusted and not self._is_doubted:
            self._events.send("rechecking", total=len(chosen))
            self._queue.extend(chosen[:2])
            self._work()
            is_long = time.monotonic() - began > _SHARE_OF_SAMPLE * seconds
            chosen = [] if is_long else chosen[2:]

    def _work(self) -> None:
        """Carry out what is queued, a task a worker."""
        while (self._queue or self._crew.at_work) and self._is_trusted:
            self._hand_out()
            if not self._crew.at_work:
                continue
            is_told, finished = self._crew.wait(self._commands, self._seconds_left())
            if is_told:
                self._read_input()
            for worker in finished:
                # What one result leads to may have ended all other workers.
                if worker in self._crew.workers:
                    self._take(worker)

    def _hand_out(self) -> None:
        if self._seconds_left() == 0:
            self._give_up_mutants()
        while self._queue and self._may_start(self._queue[0]):
            worker = self._crew.idle()
            if worker is None:
                return
            worker.start(self._next_task())

    def _next_task(self) -> Task:
        """Take a task from the queue; where it is worth it, only a share of it, and the others come next."""
        task = self._queue.popleft()
        if task["kind"] != "mutant" or "share" in task:
            return task
        ready = self._ordering.ready(task, self._tasks)
        first, *others = self._shared_out.parts(ready, self._tasks, is_cold=not self._crew.warmth)
        self._queue.extendleft(reversed(others))
        return first

    def _seconds_left(self) -> float | None:
        """Until no mutant may play any more; None where there is no such limit."""
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def _give_up_mutants(self) -> None:
        """Leave the mutants that have not ended for another run: one of them may loop for ever."""
        # What the stems of these workers did not prove yet stands: a sample is checked again.
        unfinished = self._crew.dismiss() if any(task["kind"] == "mutant" for task in self._crew.at_work) else []
        given_up = [task for task in (*unfinished, *self._queue) if self._shared_out.is_open(task)]
        self._is_over = True
        self._ledger.take_back(task for task in given_up if task["kind"] == "mutant")
        self._queue = deque(task for task in given_up if task["kind"] not in ("mutant", "warm"))
        self._deadline = None

    def _may_start(self, task: Task) -> bool:
        """A mutant that may be the one that damages the copy plays alone."""
        running = self._crew.at_work
        return not running or not (task.get("alone") or any(other.get("alone") for other in running))

    def _take(self, worker: Worker) -> None:
        task = worker.task
        result = worker.take_result()
        if result is None:  # its mutant has killed it
            self._crew.lose(worker)
            self._play_again(worker.unproved)
            if task is None:
                return
            result = {"code": -9, "failed": None, "seconds": 0.0, "why": "it ended the process that started it"}
        assert task is not None
        if task["kind"] == "warm":
            if result["code"] != 0:
                self._grow_cold()
        elif task["kind"] == "mutant":
            self._take_mutant(task, result)
        elif task["kind"] == "fell":
            self._play_again(result["doubted"])
        elif task["kind"] == "ahead":
            self._proved.update(task["tests"] if result["code"] == 0 else ())
        elif task["kind"] == "cold":
            self._take_cold(task, result)
        else:
            self._take_proof(task, result)

    def _take_mutant(self, task: Task, result: dict[str, Any]) -> None:
        if "share" in task:
            joined = self._shared_out.join(task, result)
            if joined is None:
                return
            task, result = joined
            self._queue = deque(other for other in self._queue if other.get("mutant") != task["mutant"])
        self._since_look.append(task)
        if result.get("barren"):
            self._ordering.take_barren(task)
        self._learn(self._ledger.take(task, result))
        self._play_again(result.get("doubted", []))
        is_odd = result["code"] not in (*SURVIVED, *KILLED)
        if is_odd or task.get("alone") or len(self._since_look) >= _BETWEEN_LOOKS:
            self._look_after_copy()

    def _learn(self, told: list[Verdict]) -> None:
        """What these verdicts say of the order in which the others are best looked for."""
        for task, result in told:
            failed = result["failed"]
            if failed is not None and result["code"] in KILLED:
                self._ordering.take_killer(task["function"], failed)
            if result["code"] in SURVIVED:
                self._shared_out.found_survivor()

    def _look_after_copy(self) -> bool:
        """Mend the copy where a mutant damaged it, and queue again what has played since it was last seen whole."""
        since, self._since_look = self._since_look, []
        damaged = self._ground.copy.damaged
        if not damaged:
            return False
        unfinished = self._dismiss()
        since += self._recalled(unfinished)
        self._ground.copy.drop(damaged)
        self._ground.mend()
        os.chdir(str(self._ground.copy.tree))
        self._ground.copy.remember_written()
        again = [{**task, "alone": True} for task in since if not task.get("alone")]
        names = {task["mutant"] for task in again}
        self._ledger.drop(names)
        # Proofs that were at work are still to come.
        proofs = [task for task in unfinished if task["kind"] not in ("mutant", "warm", "fell")]
        waiting = [task for task in (*proofs, *self._queue) if task.get("mutant") not in names]
        self._queue = deque([*again, *waiting])
        return bool(again)

    def _take_proof(self, task: Task, result: dict[str, Any]) -> None:
        kind, code = task["kind"], result["code"]
        if kind == "fail" and code == 0:
            self._distrust(*WORDS_OF_LIVING)
        elif kind != "fail" and code != 0:
            if self._crew.warmth:
                self._grow_cold()
                return
            if self._may_split and kind == "clean":
                self._stay_together()
                return
            self._distrust(*words_of_red_tests(result))
        if kind == "clean":
            self._proved.update(task["tests"])
        if self._is_trusted and kind != "measure":
            self._learn(self._ledger.proved())

    def _take_cold(self, task: Task, result: dict[str, Any]) -> None:
        if result["code"] in task["expected"]:
            return
        if self._crew.warmth or self._ordering.may_share:
            self._is_doubted = True
            return
        self.is_contradicted = True
        was, now = status_of(task["expected"][0]), status_of(result["code"])
        self._distrust(
            f"{task['mutant']} was {was}, and checked again in a fresh process it was {now}.",
            "Look for tests that depend on their order, on time or on chance. mutmut's own way of running them, "
            "which is slower, may fit: `testlens mutate --with-mutmut`.",
        )

    def _distrust(self, message: str, advice: str) -> None:
        self._is_trusted = False
        self._events.problem(message, advice, severity="error")

    def _read_input(self) -> None:
        chunk = os.read(self._commands, 65_536)
        if not chunk:
            raise CancelledRunError
        self._input += chunk
