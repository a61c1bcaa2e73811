"""Accepting the fixes for survivors of the example raises its mutation score, from end to end.

On one function: checking and killing all that survives in the example takes an hour of a busy machine.
"""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from real.test_example_clarity import EXAMPLE, example_python
from testlens.domain.problems import Problem
from testlens.runners.pytest_runner import RunRequest, run_tests
from testlens.workspace.explorer_session import ExplorerSession
from testlens.workspace.insertion import insert
from testlens.workspace.killing import Killer, Killing
from testlens.workspace.mutation import MutationOutcome, mutate
from testlens.workspace.mutation_targets import MutationTarget
from testlens.workspace.named_mutants import mutant_named, other_survivors, take_kills
from testlens.workspace.workspace import Workspace

pytestmark = pytest.mark.real

TARGET = MutationTarget(file="src/clarity/services/sns_service.py", function="reasons_for_concern")
POINTS = 20


async def test_accepting_the_fixes_raises_the_mutation_score_by_at_least_20_points(tmp_path: Path) -> None:
    ignored = shutil.ignore_patterns(".venv", ".testlens", "mutants", "__pycache__")
    root = Path(shutil.copytree(EXAMPLE, tmp_path / "clarity", ignore=ignored))
    python = example_python()
    workspace = Workspace(root)
    try:
        run = await run_tests(RunRequest(root, python, _data_of(workspace)), lambda _event: None)
        await asyncio.to_thread(workspace.finish_run, {}, run.sources)
        before = await _checked(workspace, python)
        await _accept_all(workspace, python, before)
        after = await _checked(workspace, python)
    finally:
        workspace.close()

    assert before.score is not None
    assert after.score is not None
    assert after.score - before.score >= POINTS


def _data_of(workspace: Workspace) -> Path:
    workspace.own_data.parent.mkdir(exist_ok=True)
    return workspace.own_data


async def _checked(workspace: Workspace, python: str) -> MutationOutcome:
    outcome = await mutate(workspace, python, TARGET, lambda _mutant: None, lambda _progress: None)
    assert outcome.trusted, outcome.problems
    return outcome


async def _accept_all(workspace: Workspace, python: str, outcome: MutationOutcome) -> None:
    """Take the fix of each survivor that is still one when it is its turn."""
    session = ExplorerSession(workspace, python, network=False)
    killer = Killer(workspace, session, python)
    try:
        for survivor in outcome.mutants:
            mutant = mutant_named(workspace, survivor.name)
            if survivor.status != "survived" or isinstance(mutant, Problem):
                continue
            killing = await killer.kill(mutant, _no_progress)
            if isinstance(killing, Killing):
                assert insert(workspace.root, killing.written) is None
                others = await killer.also_killed(killing, other_survivors(workspace, mutant), _no_progress)
                test = killing.written.node_ids[0]
                take_kills(workspace, mutant.file, {one.name: test for one in (mutant, *others)})
    finally:
        await session.close()


def _no_progress(_what: str, _tried: int) -> None:
    """Nobody watches."""
