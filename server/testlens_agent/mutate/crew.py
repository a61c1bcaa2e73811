"""The workers of a session, as many as may play at a time, and whether they are warm.

A warm worker has run the tests once, with no mutant, before it makes copies of itself that play one: what the tests'
libraries read and compute once is there then. So it is with mutmut, which forks after its own runs of the tests.
"""

from __future__ import annotations

import select
from pathlib import Path
from typing import Any

from testlens_agent.mutate.tasks import Task
from testlens_agent.mutate.workers import Worker


class Crew:
    """Up to `size` workers. `foreign` are descriptors of the session that no worker has a use for."""

    def __init__(self, session: Any, scratch: Path, memory_mb: int, size: int, foreign: list[int]) -> None:
        self._session = session
        self._scratch = scratch
        self._memory_mb = memory_mb
        self._foreign = foreign
        self.size = size
        self.workers: list[Worker] = []
        self.warmth: frozenset[str] = frozenset()
        self.can_be_warm = True
        self._hired = 0
        self._predecessor: Crew | None = None
        self._tests: list[str] = []

    @property
    def at_work(self) -> list[Task]:
        """The tasks that are being done."""
        return [worker.task for worker in self.workers if worker.task is not None]

    def warm(self, tests: list[str]) -> bool:
        """From now on workers run these tests before anything else; no tests let them be cold.

        Returns whether they have to begin anew for it, so that what was seen of these tests does not hold for them.
        """
        if tests and self.warmth.issuperset(tests):
            return False
        self.dismiss()
        self.warmth = frozenset(tests)
        self._tests = tests
        return True

    def successor(self, tests: list[str]) -> Crew:
        """Another crew, whose workers are warm with these tests, while this one goes on as it is."""
        other = Crew(self._session, self._scratch, self._memory_mb, self.size, self._foreign)
        other._predecessor, self._predecessor = self, None
        other._hired = self._hired + self.size  # their folders have names of their own
        other.warm(tests)
        return other

    def idle(self) -> Worker | None:
        """A worker that can begin a task now, if there is one."""
        for worker in self.workers:
            if worker.task is None:
                return worker
        if len(self.workers) == self.size:
            return None
        foreign = [*self._foreign, *self._descriptors]
        self._hired += 1
        worker = Worker(self._session, self._scratch / f"worker{self._hired}", self._memory_mb, foreign)
        self.workers.append(worker)
        if not self.warmth:
            return worker
        worker.start({"kind": "warm", "tests": self._tests})
        return self.idle()

    def wait(self, commands: int, patience: float | None) -> tuple[bool, list[Worker]]:
        """Wait until `commands` or results can be read: whether there is a command, and the workers with a result.

        After `patience` seconds there may be neither.
        """
        ready = select.select([commands, *[worker.results for worker in self.workers]], [], [], patience)[0]
        return commands in ready, [worker for worker in self.workers if worker.results in ready]

    @property
    def _descriptors(self) -> list[int]:
        """What the session holds of all workers there are, those of the crew before included."""
        before = [] if self._predecessor is None else self._predecessor._descriptors
        return before + [place for worker in self.workers for place in worker.descriptors]

    def lose(self, worker: Worker) -> None:
        """A worker has died of its mutant."""
        self.workers.remove(worker)
        worker.end()

    def dismiss(self) -> list[Task]:
        """End all workers; returns what they were at."""
        unfinished = self.at_work
        for worker in self.workers:
            worker.end()
        self.workers = []
        return unfinished
