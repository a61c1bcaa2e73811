"""Writes a test for a gap: looks for a way there, adds the test to its file, runs it, and says what came of it."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Any

import attrs
from lsprotocol.types import MessageType, ShowMessageParams

from testlens.lsp.features import problems
from testlens.lsp.features.arguments import folder_at, parse, refusal
from testlens.lsp.features.code_lens import refresh_lenses
from testlens.lsp.features.equipment import has_libraries
from testlens.lsp.features.jobs import Job
from testlens.lsp.folders import Folder, RunCounts
from testlens.lsp.progress import ProgressBar, shown_progress
from testlens.lsp.protocol import SCAFFOLD, JobResult, ScaffoldArguments
from testlens.lsp.run_shown import RunShown
from testlens.lsp.server import TestlensServer

if TYPE_CHECKING:
    from testlens.workspace.gap_target import GapTarget
    from testlens.workspace.scaffolding import Scaffold, Scaffolder, Verdict

_PROGRESS_EVERY = 0.1


def register(server: TestlensServer) -> None:
    """Add the feature to the server."""
    feature = _Scaffolding(server)

    @server.command(SCAFFOLD)
    def scaffold(_ls: TestlensServer, *arguments: object) -> dict[str, Any]:
        return attrs.asdict(feature.start(parse(arguments, ScaffoldArguments)))


class _Scaffolding:
    def __init__(self, server: TestlensServer) -> None:
        self._server = server
        self._writing = server.writing

    def start(self, wanted: ScaffoldArguments) -> JobResult:
        """Start to write a test; nothing of it is waited for."""
        folder = folder_at(self._server, wanted.folder, wanted.uri)
        if folder.run is not None:
            raise refusal(f"Tests of {folder.root.name} are running. Wait for them, or cancel that run first.")
        return self._writing.start(folder, "Writing a test", lambda job: self._write(job, wanted))

    async def _write(self, job: Job, wanted: ScaffoldArguments) -> None:
        folder, python, bar = job.folder, job.python, job.bar
        found = await self._found(folder, wanted)
        if found is None:
            return
        scaffolder = await self._ready(folder, python, found, wanted.recipe)
        if scaffolder is None:
            return
        scaffold = await self._scaffold(scaffolder, found, wanted.recipe, bar)
        if scaffold is None:
            return
        written = scaffold.written
        placed = await self._writing.put(folder, written)
        if placed is None:
            return
        if placed.is_saved:
            verdict = await self._run(folder, scaffold, python, bar)
        else:
            verdict = await scaffolder.try_out(scaffold, shown_progress(bar))
        self._server.verdicts.tell(placed.uri, written, verdict)
        refresh_lenses(self._server)

    async def _ready(self, folder: Folder, python: str, found: GapTarget, recipe: str | None) -> Scaffolder | None:
        """A scaffolder whose interpreter has what the recipe's tests import; None where the user does not want that."""
        scaffolder = await self._writing.scaffolders.ready(folder, python)
        fitting = await scaffolder.fitting(found)
        chosen = next((offer for offer in fitting if recipe in (None, offer.recipe)), None)
        if chosen is None or not chosen.needs:
            return scaffolder
        if not await has_libraries(self._server, folder, python, chosen.needs):
            return None
        # A session that began without them would not find them.
        await self._writing.scaffolders.close(folder)
        return await self._writing.scaffolders.ready(folder, python)

    async def _found(self, folder: Folder, wanted: ScaffoldArguments) -> GapTarget | None:
        from testlens.workspace.gap_target import GapTarget

        found = await self._server.gap_targets.target(folder, wanted.uri, wanted.version, wanted.line + 1)
        if isinstance(found, GapTarget):
            return found
        message = f"Testlens writes no test here: {found.reason}."
        self._server.window_show_message(ShowMessageParams(MessageType.Warning, message))
        return None

    async def _scaffold(
        self, scaffolder: Scaffolder, found: GapTarget, recipe: str | None, bar: ProgressBar
    ) -> Scaffold | None:
        from testlens.domain.problems import Problem

        scaffold = await scaffolder.scaffold(found, recipe, shown_progress(bar))
        if isinstance(scaffold, Problem):
            problems.tell_as_error(self._server, scaffold)
            return None
        return scaffold

    async def _run(self, folder: Folder, scaffold: Scaffold, python: str, bar: ProgressBar) -> Verdict:
        """Run the new tests as any others, and add what they cover to what is known."""
        from testlens.workspace.verification import Verifier

        assert folder.workspace is not None
        while folder.run is not None:
            bar.say("Waiting for the tests that are running")
            await asyncio.sleep(_PROGRESS_EVERY)
        bar.say("Running the new tests")
        counts = folder.run = RunCounts(str(uuid.uuid4()))
        self._server.announce_state(folder)
        try:
            shown = RunShown(self._server, folder, counts, bar)
            verification = await Verifier(folder.workspace, python, shown.take).verify(scaffold)
            problem = None if verification.run is None else await folder.add(verification.run)
        finally:
            folder.run = None
            self._server.announce_state(folder)
        problems.tell(self._server, verification.problems)
        if problem is not None:
            problems.tell_as_error(self._server, problem)
        return verification.verdict
