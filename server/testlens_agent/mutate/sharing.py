"""Mutants whose tests are shared out between workers, so that the first survivor of a run is known sooner.

A survivor runs all of its tests, while most mutants die of one of the first. So to look for a survivor with all workers
at once takes a part of the time, but costs the beginning of every mutant once more; it is done until there is one.
"""

from __future__ import annotations

from typing import Any

from testlens_agent.mutate.tasks import Task, Tasks
from testlens_agent.mutate.verdicts import SURVIVED

_MOST = 4  # mutants that die, for each of which all but one worker has begun in vain


class SharedOut:
    """The mutants that are shared out now, between `workers`; a share is a task with the number of its `share`."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._left = _MOST if workers > 1 else 0
        self._is_first = True
        self._open: dict[str, tuple[Task, list[dict[str, Any]]]] = {}

    def parts(self, task: Task, tasks: Tasks, is_cold: bool) -> list[Task]:
        """The mutant, ready to be played; or its shares, where it is worth it that all workers play it.

        To workers that are cold a share costs as much as a stem does, which the mutants after it can use.
        """
        if task.get("alone") or self._left == 0 or (is_cold and task["begins_alike"]):
            return [task]
        if tasks.are_worth_all_workers(task):
            return self._share_out(task, tasks)
        is_first, self._is_first = self._is_first, False
        return [{**task, "on_stem": False}] if is_first else [task]  # to grow a stem would only delay the first

    def found_survivor(self) -> None:
        """There is one, so from now on it is the whole that has to be fast."""
        self._left = 0

    def join(self, share: Task, result: dict[str, Any]) -> tuple[Task, dict[str, Any]] | None:
        """The mutant and its result, if this share of it decides; others may come after that, and are nothing."""
        if share["mutant"] not in self._open:
            return None
        task, results = self._open[share["mutant"]]
        results.append(result)
        if result["code"] in SURVIVED and len(results) < share["shares"]:
            return None
        del self._open[share["mutant"]]
        return task, {**result, "seconds": sum(each["seconds"] for each in results)}

    def is_open(self, task: Task) -> bool:
        """Whether the verdict of this task still counts: that of a share does until another share decided."""
        return "share" not in task or task["mutant"] in self._open

    def recall(self) -> list[Task]:
        """The mutants of which not every share is done; from now on they are not shared out."""
        unfinished = [task for task, _ in self._open.values()]
        self._open.clear()
        return unfinished

    def _share_out(self, task: Task, tasks: Tasks) -> list[Task]:
        self._left -= 1
        self._open[task["mutant"]] = (task, [])
        shares = tasks.shares(task["tests"], self._workers)
        of_each = {"shares": len(shares), "on_stem": False}
        return [{**task, "tests": share, "share": number, **of_each} for number, share in enumerate(shares)]
