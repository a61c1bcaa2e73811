"""The verdicts of one run: what was told of each mutant, and what waits until it can be believed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from testlens_agent.mutate.tasks import Task
from testlens_agent.mutate.verdicts import CAUGHT_BY_TYPES, NO_TESTS, mutant_event, status_of
from testlens_agent.wire import EventStream

Verdict = tuple[Task, dict[str, Any]]  # a mutant, and what came of its tests


class Ledger:
    """Tells verdicts as they come, but none before all that has to be proved at first is `proved`."""

    def __init__(self, events: EventStream) -> None:
        self._events = events
        self._unproved = 0
        self._held: list[Verdict] = []
        self._told: dict[str, tuple[Task, int]] = {}

    def wait_for(self, proofs: int) -> None:
        """Hold verdicts back until so many proofs are there."""
        self._unproved = proofs

    def proved(self) -> list[Verdict]:
        """One of the proofs is there; returns what is told now that it is."""
        self._unproved -= 1
        if self._unproved:
            return []
        held, self._held = self._held, []
        for task, result in held:
            self.tell(task, result)
        return held

    def take(self, task: Task, result: dict[str, Any]) -> list[Verdict]:
        """A mutant has its result; returns what is told, which is nothing as long as a proof is missing."""
        if self._unproved:
            self._held.append((task, result))
            return []
        self.tell(task, result)
        return [(task, result)]

    def tell(self, task: Task, result: dict[str, Any]) -> None:
        """A verdict that needs no proof, or has it."""
        self._told[task["mutant"]] = (task, result["code"])
        self._events.send("mutant", **mutant_event(task, status_of(result["code"]), result))

    def told(self) -> list[tuple[Task, int]]:
        """The mutants with the exit codes that were told of them."""
        return list(self._told.values())

    def played(self) -> list[Task]:
        """The mutants of which a verdict was told that comes from their tests."""
        return [task for task, code in self._told.values() if code not in (NO_TESTS, CAUGHT_BY_TYPES)]

    def take_back(self, tasks: Iterable[Task]) -> None:
        """What was told of these mutants holds no longer."""
        for task in tasks:
            if self._told.pop(task["mutant"], None) is not None:
                nothing = {"code": None, "failed": None, "seconds": 0.0}
                self._events.send("mutant", **mutant_event(task, "not checked", nothing))

    def forget(self, mutants: Iterable[str]) -> list[Task]:
        """Take back what was told of mutants, or would be; returns them as they are to be played again."""
        names = set(mutants)
        told = [task for task, _ in self._told.values() if task["mutant"] in names]
        self.take_back(told)
        return told + self.drop(names)

    def drop(self, mutants: Iterable[str]) -> list[Task]:
        """Forget what is held of mutants, and leave what was told; returns those that were held."""
        names = set(mutants)
        dropped = [task for task, _ in self._held if task["mutant"] in names]
        self._held = [(task, result) for task, result in self._held if task["mutant"] not in names]
        return dropped

    def held(self) -> list[Task]:
        """The mutants whose results wait for a proof."""
        return [task for task, _ in self._held]
