"""What is checked again after an edit and what is kept, what a target names, and what a budget leaves for later."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.mutating import SOURCE, mutation_python, state_of, write
from testlens.domain.mutants import Mutant
from testlens.domain.problems import Problem
from testlens.runners.process import run_text
from testlens.workspace.mutation import COPY, MutationOutcome, mutate
from testlens.workspace.mutation_job import Listeners, MutationProgress
from testlens.workspace.mutation_targets import MutationTarget, changed_lines
from testlens.workspace.workspace import Workspace

PRICES = "src/shop/prices.py"
ALL = MutationTarget()


@pytest.fixture(scope="module")
def python() -> str:
    """An interpreter with mutmut."""
    return str(mutation_python())


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """The small project."""
    write(tmp_path, SOURCE)
    with contextlib.closing(Workspace(tmp_path)) as opened:
        yield opened


def checked(
    workspace: Workspace, python: str, target: MutationTarget = ALL, budget: float | None = None
) -> tuple[MutationOutcome, list[Mutant]]:
    """The outcome of a run, and the mutants that it checked."""
    told: list[Mutant] = []
    outcome = asyncio.run(mutate(workspace, python, target, Listeners(told.append), budget))
    assert outcome.trusted, outcome.problems
    return outcome, told


def working_in(root: Path) -> list[int]:
    """The processes whose current folder is the project or its copy, oldest first."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "cwd").resolve(strict=True).is_relative_to(root):
                found.append(int(process.name))
    return sorted(found)


def edit(workspace: Workspace, path: str, change: Callable[[str], str]) -> None:
    """Change a file of the project."""
    file = workspace.root / path
    file.write_text(change(file.read_text()))


def test_after_an_edit_only_what_it_may_change_is_checked_again(workspace: Workspace, python: str) -> None:
    """The first run checks all; then an edited function, and functions whose tests were edited; else nothing."""
    first, told = checked(workspace, python)
    assert {mutant.name for mutant in told} == {mutant.name for mutant in first.mutants}
    assert workspace.snapshot.mutants.score == first.score

    _, told = checked(workspace, python)
    assert not told

    edit(workspace, PRICES, lambda text: "import os\n\n\n" + text.replace("price < 10", "price < 20"))
    second, told = checked(workspace, python)
    assert {mutant.function for mutant in told} == {"label"}
    assert len(second.mutants) == len(first.mutants)
    assert {mutant.span.first_line for mutant in second.mutants} > {mutant.span.first_line for mutant in told}
    assert workspace.snapshot.mutants.score == second.score

    edit(
        workspace, "tests/test_prices.py", lambda text: text + "\n\ndef test_dear():\n    assert label(20) == 'dear'\n"
    )
    third, told = checked(workspace, python)
    assert "label" in {mutant.function for mutant in told}
    assert "never_called" not in {mutant.function for mutant in told}
    assert third.score is not None
    assert second.score is not None
    assert third.score > second.score


def test_a_target_is_a_function_or_the_lines_that_were_changed(workspace: Workspace, python: str) -> None:
    """Only mutants of the target are checked, and the outcome is about them alone."""
    outcome, told = checked(workspace, python, MutationTarget(PRICES, "add"))
    assert {mutant.function for mutant in told} == {mutant.function for mutant in outcome.mutants} == {"Basket.add"}
    for command in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a", "commit", "-qm", "a"]):
        subprocess.run(["git", *command], cwd=workspace.root, check=True)
    edit(workspace, PRICES, lambda text: text.replace("price < 10", "price < 20"))
    lines = changed_lines(workspace.root, "HEAD", run_text)
    assert not isinstance(lines, Problem)
    assert list(lines) == [PRICES]
    outcome, told = checked(workspace, python, MutationTarget(lines=lines))
    assert {mutant.function for mutant in outcome.mutants} == {"label"}
    nowhere = changed_lines(workspace.root, "no-such-revision", run_text)
    assert isinstance(nowhere, Problem)
    assert "no-such-revision" in str(nowhere)


def test_what_a_budget_or_a_cancel_leaves_is_done_by_the_next_run(workspace: Workspace, python: str) -> None:
    """Nothing that was found is lost."""
    seen: list[Mutant] = []
    progress: list[MutationProgress] = []

    async def stop_after_three() -> None:
        enough = asyncio.Event()

        def take(mutant: Mutant) -> None:
            seen.append(mutant)
            if len(seen) == 3:
                enough.set()

        running = asyncio.create_task(mutate(workspace, python, ALL, Listeners(take, progress.append)))
        await enough.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(stop_after_three())
    known = {mutant.name for mutant in seen}
    assert progress[-1].total >= progress[-1].done >= 3
    assert {mutant.name for mutant in workspace.snapshot.mutants.files[PRICES].mutants} >= known
    outcome, told = checked(workspace, python)
    assert known.isdisjoint(mutant.name for mutant in told)
    assert len(told) + len(known) == len(outcome.mutants)
    assert outcome.is_complete


def test_functions_without_mutants_are_told_with_the_reason(workspace: Workspace, python: str) -> None:
    """Nothing is known of what their tests prove."""
    decorated = "\n\nimport functools\n\n\n@functools.lru_cache\ndef remembered(price):\n    return price + 1\n"
    edit(workspace, PRICES, lambda text: text + decorated)
    outcome, _ = checked(workspace, python, MutationTarget(PRICES))
    assert outcome.not_mutated[PRICES]["remembered"] == "it is decorated"
    assert "remembered" not in {mutant.function for mutant in outcome.mutants}


def test_an_agent_that_is_killed_loses_nothing_and_leaves_nothing(workspace: Workspace, python: str) -> None:
    """The user's files are byte for byte the same, no process stays, and the next run does what is left."""
    before = state_of(workspace.root)
    told: list[Mutant] = []

    def kill_agent(mutant: Mutant) -> None:
        told.append(mutant)
        if len(told) == 3:
            os.kill(working_in(workspace.root)[0], signal.SIGKILL)

    outcome = asyncio.run(mutate(workspace, python, ALL, Listeners(kill_agent)))
    assert not outcome.is_complete
    assert "ended early (signal 9)" in str(outcome.problems)
    assert 3 <= outcome.known < len(outcome.mutants)
    assert state_of(workspace.root) == before
    assert not working_in(workspace.root)
    known = {mutant.name for mutant in told}
    again, checked_again = checked(workspace, python)
    assert known.isdisjoint(mutant.name for mutant in checked_again)
    assert again.is_complete


def test_a_budget_that_is_spent_says_of_how_many_the_score_speaks(workspace: Workspace, python: str) -> None:
    """One mutant hangs, so that time is over before all are checked; what was found is kept for the next run."""
    hangs = "\n\ndef wait(times):\n    while times > 0:\n        times -= 1\n    return times\n"
    edit(workspace, PRICES, lambda text: text + hangs)
    edit(
        workspace,
        "tests/test_prices.py",
        lambda text: text + "\n\ndef test_wait():\n    from shop.prices import wait\n    assert wait(2) == 0\n",
    )
    edit(workspace, "pyproject.toml", lambda text: text.replace("timeout_constant = 2.5", "timeout_constant = 30.0"))
    outcome, _ = checked(workspace, python, budget=8)
    assert not outcome.is_complete
    assert 0 < outcome.known < len(outcome.mutants)
    assert outcome.score is not None


def test_a_copy_that_cannot_be_written_is_said_and_loses_nothing_that_was_known(
    workspace: Workspace, python: str
) -> None:
    first, _ = checked(workspace, python, MutationTarget(PRICES, "label"))
    copy = workspace.root / COPY
    shutil.rmtree(copy)
    copy.write_text("in the way", encoding="utf-8")
    outcome, told = checked(workspace, python)
    assert "could not be written" in str(outcome.problems)
    assert not outcome.is_complete
    assert told == []
    copy.unlink()
    again, told = checked(workspace, python, MutationTarget(PRICES, "label"))
    assert told == [], "all of this was known"
    assert again.score == first.score
