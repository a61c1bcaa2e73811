"""What workers do between two requests of one session, so that the next one has its first verdicts sooner."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Callable

from testlens_agent.mutate.crew import Crew
from testlens_agent.mutate.tasks import Tasks
from testlens_agent.mutate.workers import Worker

Finished = Callable[[], "list[Worker]"]


def prepare(crew: Crew, tasks: Tasks, proved: set[str], finished: Finished) -> None:
    """Warm the workers up, and see whether all tests of a short suite pass there; they join the `proved` ones.

    `finished` waits for workers that have a result, and returns none once a command has come. Then this ends at once;
    what a worker is still at, it may go on with.
    """
    tests = tasks.short_suite()
    if not tests:
        return
    if crew.can_be_warm and crew.warm(tests):
        if _are_warm(crew, finished):
            proved.clear()
        else:
            # In cold workers what was proved before still holds.
            crew.warm([])
            if crew.can_be_warm:
                return
    _prove(crew, tasks, proved, finished)


def _are_warm(crew: Crew, finished: Finished) -> bool:
    crew.idle()  # which has all of them begin
    while crew.at_work:
        workers = finished()
        if not workers:
            return False
        for worker in workers:
            result = worker.take_result()
            if result is None or result["code"] != 0:
                crew.can_be_warm = False
                return False
    return True


def _prove(crew: Crew, tasks: Tasks, proved: set[str], finished: Finished) -> None:
    portions = tasks.ahead([test for test in tasks.short_suite() if test not in proved])
    while _hand_out(crew, portions):
        workers = finished()
        if not workers:
            return
        for worker in workers:
            task, result = worker.task, worker.take_result()
            if result is None:
                crew.lose(worker)
            is_green = task is not None and result is not None and result["code"] == 0
            if task is None or (task["kind"] == "warm" and not is_green):
                # One that had to begin anew did not become warm: none is, from now on.
                crew.warm([])
                crew.can_be_warm = False
                proved.clear()
                return
            if task["kind"] == "ahead" and is_green:
                proved.update(task["tests"])


def _hand_out(crew: Crew, portions: Iterator[dict[str, object]]) -> bool:
    """Give every worker something to do; whether there is one that has."""
    while (worker := crew.idle()) is not None:
        portion = next(portions, None)
        if portion is None:
            break
        worker.start(portion)
    return bool(crew.at_work)
