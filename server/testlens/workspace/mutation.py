"""Mutation runs of a workspace, from what is asked for to what came of it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from testlens.domain.mutants import Mutant, mutation_score
from testlens.domain.problems import Problem
from testlens.runners.finishing import finish
from testlens.runners.mutation_runner import (
    Made,
    MutationEnd,
    MutationEvent,
    MutationRequest,
    WantedMutant,
    run_mutants,
)
from testlens.workspace.mutation_job import Listeners, MutationJob
from testlens.workspace.mutation_store import VerdictStore
from testlens.workspace.mutation_targets import MutationTarget
from testlens.workspace.store import FOLDER
from testlens.workspace.trend import keep_mutation_run
from testlens.workspace.workspace import Workspace

Run = Callable[
    [MutationRequest, Callable[[Made], Sequence[WantedMutant]], Callable[[MutationEvent], None]],
    Coroutine[Any, Any, MutationEnd],
]
COPY = f"{FOLDER}/mutation"
_REST = 4  # times as long as it took to keep and show what was found
_LONGEST_PAUSE = 1.0


@dataclass(frozen=True, slots=True)
class MutationOutcome:
    """What came of a run: the mutants of the target, checked now or known from before, in order of file and place.

    `trusted` False means that their verdicts count for nothing, and why is among the `problems`. `is_complete` is
    False where the budget was spent, or the agent ended, first. `not_mutated` has the functions of the target that no
    mutant was made for, with the reason, by path. `checked` counts the mutants that were checked now. `is_contradicted`
    says that mutmut's own runner may be trusted where ours is not.
    """

    mutants: tuple[Mutant, ...]
    not_mutated: Mapping[str, Mapping[str, str]]
    trusted: bool
    is_complete: bool
    checked: int
    problems: tuple[Problem, ...] = ()
    missing: tuple[str, ...] = ()
    is_contradicted: bool = False

    @property
    def known(self) -> int:
        """How many of the mutants have a verdict, from now or from before; the score speaks of these alone."""
        return sum(mutant.status != "not checked" for mutant in self.mutants)

    @property
    def score(self) -> float | None:
        """The mutation score of the target; None where nothing was checked or the verdicts cannot be trusted."""
        return mutation_score(mutant.status for mutant in self.mutants) if self.trusted else None


async def mutate(
    workspace: Workspace,
    python: str,
    target: MutationTarget,
    listeners: Listeners,
    budget: float | None = None,
    run: Run = run_mutants,
) -> MutationOutcome:
    """Check the mutants of `target` that are not known yet; after `budget` seconds no further one begins.

    What is found is kept and put into the workspace's snapshot as it comes. Cancelling loses none of it, and the next
    run goes on from there. `run` is how the agent is reached.
    """
    store = await asyncio.to_thread(VerdictStore, workspace.root)
    job = MutationJob(workspace, store, target, listeners)
    request = MutationRequest(
        root=workspace.root,
        python=python,
        folder=workspace.root / COPY,
        files=target.files,
        workers=max(1, os.cpu_count() or 1),
        seconds=budget,
    )
    saving = asyncio.create_task(_save_now_and_then(job))
    end: MutationEnd | None = None
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(budget) as job.patience:
                end = await run(request, job.choose, job.take)
    finally:
        try:
            saving.cancel()
            await asyncio.wait([saving])
            if end is not None and not end.trusted and not end.is_cut_short:
                job.distrust()
            await _save(job)
        finally:
            store.close()
    if job.fresh:
        await asyncio.to_thread(keep_mutation_run, workspace.root, workspace.snapshot)
    return _outcome(job, end, store)


async def _save_now_and_then(job: MutationJob) -> None:
    """Keep and show what comes: kills now and then, survivors at once, as long as that takes little of the time."""
    while True:
        await job.news.wait()
        job.news.clear()
        job.survived.clear()
        began = time.monotonic()
        await _save(job)
        job.listeners.on_kept()
        await asyncio.sleep(_REST * (time.monotonic() - began))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LONGEST_PAUSE):  # wait_for() may swallow what cancels this task
                await job.survived.wait()


async def _save(job: MutationJob) -> None:
    """Keep what there is: two may not save at once."""
    await finish(asyncio.to_thread(job.save))


def _outcome(job: MutationJob, end: MutationEnd | None, store: VerdictStore) -> MutationOutcome:
    mutants = [one.mutant for one in job.found.values() if one.in_target]
    mutants.sort(key=lambda mutant: (mutant.file, mutant.span.first_line, mutant.span.first_column))
    problems = () if end is None else end.problems
    if store.problem is not None:
        problems += (store.problem,)
    silent = {
        path: {name: reason for name, reason in functions.items() if job.target.has_function(name)}
        for path, functions in job.silent.items()
    }
    return MutationOutcome(
        mutants=tuple(mutants),
        not_mutated={path: functions for path, functions in silent.items() if functions},
        trusted=end is None or end.trusted or end.is_cut_short,
        is_complete=end is not None
        and not end.is_cut_short
        and all(mutant.status != "not checked" for mutant in mutants),
        checked=len(job.fresh),
        problems=problems,
        missing=() if end is None else end.missing,
        is_contradicted=end is not None and end.is_contradicted,
    )
