"""What workers do between two requests of one session, so that the next one has its first verdicts sooner.

Others are made warm, and take the place of those that there are once they are. Then they see whether the tests pass
that may be wanted next.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Callable

from testlens_agent.mutate.crew import Crew
from testlens_agent.mutate.tasks import Task, Tasks
from testlens_agent.mutate.workers import Worker

Finished = Callable[[Crew], "list[Worker]"]


class RequestedError(Exception):
    """A request has come, so there is no time any more."""


def prepare(crew: Crew, tasks: Tasks, proved: set[str], finished: Finished) -> Crew:
    """Have workers ready for the next request, and add to `proved` the tests that pass in them; returns who they are.

    `finished` waits for workers that have a result, and raises RequestedError. Then this ends at once; what a worker is
    still at, it may go on with.
    """
    likely = tasks.likely_next()
    others = [test for test in tasks.short_suite() if test not in set(likely)]
    try:
        crew = _warmed(crew, tasks.to_warm_soon(likely), proved, finished)
        # The slowest first: those that are left when a request comes delay it least.
        order = (*reversed(likely), *reversed(others))
        _prove(crew, tasks.ahead([test for test in order if test not in proved]), proved, finished)
    except RequestedError:
        pass
    return crew


def _warmed(crew: Crew, tests: list[str], proved: set[str], finished: Finished) -> Crew:
    """A crew that is warm with these tests, of which nothing is proved yet; else this one."""
    if not tests or not crew.can_be_warm or crew.warmth.issuperset(tests):
        return crew
    warm, is_warm = crew.successor(tests), False
    try:
        is_warm = crew.can_be_warm = _prove(warm, iter(()), proved, finished)
    finally:
        if not is_warm:
            warm.dismiss()
    if not is_warm:
        return crew
    crew.dismiss()
    proved.clear()
    return warm


def _prove(crew: Crew, portions: Iterator[Task], proved: set[str], finished: Finished) -> bool:
    """Have the workers warm, and then run these portions of tests; False if they cannot be warm."""
    while _hand_out(crew, portions):
        for worker in finished(crew):
            task, result = worker.task, worker.take_result()
            if result is None:
                crew.lose(worker)
            is_green = task is not None and result is not None and result["code"] == 0
            if task is not None and task["kind"] == "warm" and not is_green:
                return False
            if task is not None and task["kind"] == "ahead" and is_green:
                proved.update(task["tests"])
    return True


def _hand_out(crew: Crew, portions: Iterator[Task]) -> bool:
    """Give every worker something to do; whether there is one that has."""
    while (worker := crew.idle()) is not None:
        portion = next(portions, None)
        if portion is None:
            break
        worker.start(portion)
    return bool(crew.at_work)
