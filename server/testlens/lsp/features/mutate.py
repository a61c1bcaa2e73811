"""Runs mutants: started by a command, shown as progress, and taken over into the snapshot as their verdicts come."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from typing import TYPE_CHECKING, Any

import attrs
from lsprotocol.types import MessageActionItem, MessageType, ShowMessageParams, ShowMessageRequestParams

from testlens.domain.coverage import percent_text
from testlens.lsp.convert import path_of
from testlens.lsp.features import problems
from testlens.lsp.features.arguments import folder_at, parse
from testlens.lsp.features.code_lens import refresh_lenses
from testlens.lsp.features.equipment import has_libraries
from testlens.lsp.features.jobs import Job, Jobs
from testlens.lsp.features.mutmut_configuration import offer_configuration
from testlens.lsp.folders import Folder
from testlens.lsp.protocol import MUTATE, JobResult, MutateArguments
from testlens.lsp.server import TestlensServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from testlens.domain.problems import Problem
    from testlens.runners.mutation_runner import MutationAgent
    from testlens.workspace.mutation import MutationOutcome, Run
    from testlens.workspace.mutation_job import MutationProgress
    from testlens.workspace.mutation_targets import MutationTarget

# The agent holds the project's modules in memory, so that the next function's mutants begin at once.
_IDLE_SECONDS = 300.0
_WORKSPACE_BUDGET = 300.0
"""Seconds for the mutants of a whole workspace: the riskiest come first, and the next run goes on from there."""


def register(server: TestlensServer) -> None:
    """Add the feature to the server."""
    feature = _Mutations(server)

    @server.command(MUTATE)
    def mutate(_ls: TestlensServer, *arguments: object) -> dict[str, Any]:
        return attrs.asdict(feature.start(parse(arguments, MutateArguments)))


class _Mutations:
    def __init__(self, server: TestlensServer) -> None:
        self._server = server
        self._jobs = Jobs(server, "Mutants of {} are already running. Cancel that run first.")
        self._agents: dict[str, MutationAgent] = {}
        server.on_removal.append(self._forget)
        server.on_shutdown.append(self._close)

    def start(self, wanted: MutateArguments) -> JobResult:
        """Start to run mutants; nothing of it is waited for."""
        folder = folder_at(self._server, wanted.folder, wanted.uri)
        return self._start(folder, wanted, lambda: self._agent(folder).run)

    def _start(self, folder: Folder, wanted: MutateArguments, runner: Callable[[], Run]) -> JobResult:
        return self._jobs.start(folder, lambda job: self._run(job, wanted, runner()), lambda: self._end(folder))

    def _end(self, folder: Folder) -> None:
        # What was found until a user's wish to stop is known, too.
        folder.spawn(folder.announce())
        refresh_lenses(self._server)

    def _agent(self, folder: Folder) -> MutationAgent:
        from testlens.runners.mutation_runner import MutationAgent

        if folder.uri not in self._agents:
            self._agents[folder.uri] = MutationAgent(_IDLE_SECONDS)
        return self._agents[folder.uri]

    def _forget(self, folder: Folder) -> None:
        agent = self._agents.pop(folder.uri, None)
        if agent is not None:
            self._server.spawn(agent.close())

    async def _close(self) -> None:
        await asyncio.gather(*(agent.close() for agent in self._agents.values()), return_exceptions=True)

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

    async def _run(self, job: Job, wanted: MutateArguments, run: Run) -> None:
        # What takes long to import does so where it keeps no request waiting.
        await asyncio.to_thread(importlib.import_module, "testlens.workspace.mutation")
        target = await self._target(job.folder, wanted)
        if target is None:
            return
        await job.bar.open(f"Mutating {_in_words(job.folder, wanted)}")
        budget = None if wanted.uri or wanted.changed else _WORKSPACE_BUDGET
        outcome = await self._mutate(job, target, budget, run)
        if outcome.missing and await has_libraries(self._server, job.folder, job.python, outcome.missing):
            outcome = await self._mutate(job, target, budget, run)
        elif outcome.missing:
            return
        for problem in outcome.problems:
            _tell(self._server, problem)
        self._server.window_show_message(ShowMessageParams(MessageType.Info, _summary(outcome)))
        if outcome.is_contradicted:
            job.folder.spawn(self._offer_mutmut(job.folder, wanted))
        if outcome.mutants:
            # The run is over, whenever the user may answer.
            job.folder.spawn(offer_configuration(self._server, job.folder, outcome.mutants))

    async def _offer_mutmut(self, folder: Folder, wanted: MutateArguments) -> None:
        """Where our way of playing mutants cannot be believed, mutmut's own may be; it is slower."""
        from testlens.runners.mutation_runner import run_with_mutmut

        question = "These tests do not fit the way in which Testlens runs mutants. mutmut's own way is slower."
        let = MessageActionItem(title="Let mutmut Itself Run Them")
        request = ShowMessageRequestParams(MessageType.Warning, question, [let])
        answer = await self._server.window_show_message_request_async(request)
        if answer is not None and answer.title == let.title:
            self._start(folder, wanted, lambda: run_with_mutmut)

    async def _mutate(self, job: Job, target: MutationTarget, budget: float | None, run: Run) -> MutationOutcome:
        from testlens.workspace.mutation import mutate
        from testlens.workspace.mutation_job import Listeners

        workspace = job.folder.workspace
        assert workspace is not None

        def show(progress: MutationProgress) -> None:
            job.bar.report(progress.done, progress.total, _how_far(progress))

        news = asyncio.Event()
        announcing = self._server.spawn(_announce(job.folder, news))
        try:
            listeners = Listeners(on_progress=show, on_kept=news.set)
            return await mutate(workspace, job.python, target, listeners, budget, run)
        finally:
            announcing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await announcing


async def _announce(folder: Folder, news: asyncio.Event) -> None:
    """Show verdicts as they come: the run puts them into snapshots by itself."""
    while True:
        await news.wait()
        news.clear()
        await folder.announce()


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
    return f"Mutation score {percent_text(outcome.score, 0)} %, {survivors}.{rest}"
