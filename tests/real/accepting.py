"""Takes the fixes of survivors one after the other, as a user would who accepts each."""

from __future__ import annotations

import asyncio

from testlens.domain.problems import Problem
from testlens.runners.pytest_runner import run_tests
from testlens.runners.run_log import RunRequest
from testlens.workspace.explorer_session import ExplorerSession
from testlens.workspace.insertion import insert
from testlens.workspace.killing import Killer, Killing
from testlens.workspace.mutation import MutationOutcome, mutate
from testlens.workspace.mutation_job import Listeners
from testlens.workspace.mutation_targets import MutationTarget
from testlens.workspace.named_mutants import mutant_named, other_survivors, take_kills
from testlens.workspace.workspace import Workspace


async def run_all_tests(workspace: Workspace, python: str) -> None:
    """Run the tests with coverage, and see what they call the project's functions with."""
    workspace.own_data.parent.mkdir(exist_ok=True)
    run = await run_tests(RunRequest(workspace.root, python, workspace.own_data), lambda _event: None)
    await asyncio.to_thread(workspace.finish_run, {}, run.sources)


async def checked(workspace: Workspace, python: str, target: MutationTarget) -> MutationOutcome:
    """What becomes of the mutants of `target`."""
    outcome = await mutate(workspace, python, target, Listeners())
    assert outcome.trusted, outcome.problems
    return outcome


async def accept_all(workspace: Workspace, python: str, outcome: MutationOutcome) -> int:
    """Take the fix of each survivor that is still one when it is its turn; how many were taken."""
    session = ExplorerSession(workspace, python, network=False)
    killer = Killer(workspace, session, python)
    taken = 0
    try:
        for survivor in outcome.mutants:
            mutant = mutant_named(workspace, survivor.name)
            if survivor.status != "survived" or isinstance(mutant, Problem) or mutant.status != "survived":
                continue
            killing = await killer.kill(mutant, _no_progress)
            if isinstance(killing, Killing):
                assert insert(workspace.root, killing.written) is None
                others = await killer.also_killed(killing, other_survivors(workspace, mutant), _no_progress)
                test = killing.written.node_ids[0]
                take_kills(workspace, mutant.file, {one.name: test for one in (mutant, *others)})
                taken += 1
    finally:
        await session.close()
    return taken


def _no_progress(_what: str, _tried: int) -> None:
    """Nobody watches."""
