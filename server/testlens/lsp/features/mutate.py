"""Runs mutants: started by a command, shown as progress, and taken over into the snapshot as their verdicts come."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from typing import TYPE_CHECKING, Any

import attrs
from lsprotocol.types import MessageType, ShowMessageParams

from testlens.lsp.convert import path_of
from testlens.lsp.features import problems
from testlens.lsp.features.arguments import folder_of, parse, refusal
from testlens.lsp.features.code_lens import refresh_lenses
from testlens.lsp.features.equipment import has_libraries, ready_interpreter
from testlens.lsp.features.mutmut_configuration import offer_configuration
from testlens.lsp.folders import Folder
from testlens.lsp.progress import ProgressBar
from testlens.lsp.protocol import MUTATE, JobResult, MutateArguments
from testlens.lsp.server import TestlensServer

if TYPE_CHECKING:
    from testlens.domain.mutants import Mutant
    from testlens.domain.problems import Problem
    from testlens.workspace.mutation import MutationOutcome, MutationProgress
    from testlens.workspace.mutation_targets import MutationTarget

_ANNOUNCE_EVERY = 0.5
_LONGEST_GOODBYE = 3.0
_WORKSPACE_BUDGET = 300.0
"""Seconds for the mutants of a whole workspace: the riskiest come first, and the next run goes on from there."""


def register(server: TestlensServer) -> None:
    """Add the feature to the server."""
    feature = _Mutations(server)

    @server.command(MUTATE)
    def mutate(_ls: TestlensServer, *arguments: object) -> dict[str, Any]:
        return attrs.asdict(feature.start(parse(arguments, MutateArguments)))

    server.on_removal.append(feature.cancel)
    server.on_shutdown.append(feature.end_all)


class _Mutations:
    def __init__(self, server: TestlensServer) -> None:
        self._server = server
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, wanted: MutateArguments) -> JobResult:
        """Start to run mutants; nothing of it is waited for."""
        folder = self._folder(wanted)
        if not self._server.options.trusted:
            raise refusal("Testlens runs no mutants in a workspace that is not trusted. Trust it, then run them.")
        if folder.workspace is None:
            raise refusal("Testlens is still opening the folder. Try again in a moment.")
        if folder.uri in self._tasks:
            raise refusal(f"Mutants of {folder.root.name} are already running. Cancel that run first.")
        self._tasks[folder.uri] = self._server.spawn(self._job(folder, wanted))
        return JobResult(str(uuid.uuid4()))

    def cancel(self, folder: Folder) -> None:
        """Stop the run of a folder; what it has found stays."""
        task = self._tasks.get(folder.uri)
        if task is not None:
            task.cancel()

    async def end_all(self) -> None:
        """Stop all runs and wait, a little, until their processes are gone."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_LONGEST_GOODBYE)

    def _folder(self, wanted: MutateArguments) -> Folder:
        path = path_of(wanted.uri) if wanted.uri is not None else None
        owner = self._server.folders.owner(path) if path is not None and wanted.folder is None else None
        return owner or folder_of(self._server, wanted.folder)

    async def _job(self, folder: Folder, wanted: MutateArguments) -> None:
        bar = ProgressBar(self._server)
        try:
            python = await ready_interpreter(self._server, folder)
            target = None if python is None else await self._target(folder, wanted)
            if python is not None and target is not None:
                await bar.open(f"Mutating {_in_words(folder, wanted)}", lambda: self.cancel(folder))
                budget = None if wanted.uri or wanted.changed else _WORKSPACE_BUDGET
                await self._run(folder, target, python, budget, bar)
        finally:
            bar.close()
            self._tasks.pop(folder.uri, None)
            # What was found until a user's wish to stop is known, too.
            self._server.spawn(folder.announce())
            refresh_lenses(self._server)

    async def _target(self, folder: Folder, wanted: MutateArguments) -> MutationTarget | None:
        from testlens.domain.problems import Problem
        from testlens.runners.process import run_text
        from testlens.workspace.mutation_targets import MutationTarget, changed_lines

        if wanted.changed is not None:
            lines = await asyncio.to_thread(changed_lines, folder.root, wanted.changed, run_text)
            if isinstance(lines, Problem):
                problems.tell_as_error(self._server, lines)
                return None
            return MutationTarget(lines=lines)
        path = path_of(wanted.uri) if wanted.uri is not None else None
        return MutationTarget(None if path is None else folder.relative(path), wanted.function)

    async def _run(
        self, folder: Folder, target: MutationTarget, python: str, budget: float | None, bar: ProgressBar
    ) -> None:
        outcome = await self._mutate(folder, target, python, budget, bar)
        if outcome.missing and await has_libraries(self._server, folder, python, outcome.missing):
            outcome = await self._mutate(folder, target, python, budget, bar)
        elif outcome.missing:
            return
        for problem in outcome.problems:
            _tell(self._server, problem)
        self._server.window_show_message(ShowMessageParams(MessageType.Info, _summary(outcome)))
        if outcome.mutants:
            # The run is over, whenever the user may answer.
            folder.spawn(offer_configuration(self._server, folder, outcome.mutants))

    async def _mutate(
        self, folder: Folder, target: MutationTarget, python: str, budget: float | None, bar: ProgressBar
    ) -> MutationOutcome:
        from testlens.workspace.mutation import mutate

        assert folder.workspace is not None

        def show(progress: MutationProgress) -> None:
            bar.report(progress.done, progress.total, _how_far(progress))

        announcing = self._server.spawn(_announce_changes(folder))
        try:
            return await mutate(folder.workspace, python, target, _nobody, show, budget)
        finally:
            announcing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await announcing


async def _announce_changes(folder: Folder) -> None:
    """Show verdicts as they come: the run puts them into snapshots by itself."""
    assert folder.workspace is not None
    shown = folder.workspace.snapshot
    while True:
        await asyncio.sleep(_ANNOUNCE_EVERY)
        if folder.workspace.snapshot is not shown:
            shown = folder.workspace.snapshot
            await folder.announce()


def _nobody(_mutant: Mutant) -> None:
    """Each mutant is shown with the snapshot that it comes in."""


def _tell(server: TestlensServer, problem: Problem) -> None:
    if problem.severity == "error":
        problems.tell_as_error(server, problem)
    else:
        problems.tell(server, (problem,))


def _in_words(folder: Folder, wanted: MutateArguments) -> str:
    if wanted.function is not None:
        return wanted.function
    path = path_of(wanted.uri) if wanted.uri is not None else None
    if path is not None:
        return path.name
    return folder.root.name if wanted.changed is None else f"what changed since {wanted.changed}"


def _how_far(progress: MutationProgress) -> str:
    if not progress.total:
        return progress.stage
    count = f"{progress.done} of {progress.total} mutants"
    return count if progress.seconds_left is None else f"{count}, {_duration(progress.seconds_left)} left"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _summary(outcome: MutationOutcome) -> str:
    if not outcome.trusted:
        return "The verdicts of this run cannot be trusted, so there is no mutation score."
    if outcome.score is None:
        reasons = {reason for functions in outcome.not_mutated.values() for reason in functions.values()}
        why = f": {', '.join(sorted(reasons))}" if reasons else ""
        return f"Not mutated{why}. Nothing is known of what its tests prove."
    survived = sum(mutant.status == "survived" for mutant in outcome.mutants)
    survivors = "no survivor" if not survived else f"{survived} of {len(outcome.mutants)} mutants survive"
    rest = "" if outcome.is_complete else " Not all were checked: run them again to go on."
    return f"Mutation score {outcome.score:.0f} %, {survivors}.{rest}"
