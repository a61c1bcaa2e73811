"""Writes a test for a gap: looks for a way there, adds the test to its file, runs it, and says what came of it."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import TYPE_CHECKING, Any

import attrs
from lsprotocol.types import MessageType, ShowMessageParams

from testlens.lsp.convert import path_of
from testlens.lsp.editing import document_uri, insert, save, show
from testlens.lsp.features import problems
from testlens.lsp.features.arguments import folder_of, parse, refusal
from testlens.lsp.features.code_lens import refresh_lenses
from testlens.lsp.features.equipment import has_libraries, ready_interpreter
from testlens.lsp.folders import Folder, RunCounts
from testlens.lsp.progress import ProgressBar
from testlens.lsp.protocol import SCAFFOLD, JobResult, ScaffoldArguments
from testlens.lsp.run_shown import RunShown
from testlens.lsp.scaffolders import Scaffolders
from testlens.lsp.server import TestlensServer
from testlens.lsp.verdicts import line_of_first

if TYPE_CHECKING:
    from testlens.workspace.gap_target import GapTarget
    from testlens.workspace.scaffolding import Progress, Scaffold, Scaffolder, Verdict

_PROGRESS_EVERY = 0.1
_LONGEST_GOODBYE = 3.0


def register(server: TestlensServer) -> None:
    """Add the feature to the server."""
    feature = _Scaffolding(server)

    @server.command(SCAFFOLD)
    def scaffold(_ls: TestlensServer, *arguments: object) -> dict[str, Any]:
        return attrs.asdict(feature.start(parse(arguments, ScaffoldArguments)))

    server.on_removal.append(feature.forget)
    server.on_shutdown.append(feature.end_all)


class _Scaffolding:
    def __init__(self, server: TestlensServer) -> None:
        self._server = server
        self._scaffolders = Scaffolders(server)
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, wanted: ScaffoldArguments) -> JobResult:
        """Start to write a test; nothing of it is waited for."""
        folder = self._folder(wanted)
        if not self._server.options.trusted:
            raise refusal("Testlens runs no tests in a workspace that is not trusted. Trust it, then ask again.")
        if folder.workspace is None:
            raise refusal("Testlens is still opening the folder. Try again in a moment.")
        if folder.uri in self._tasks:
            raise refusal(f"A test of {folder.root.name} is being written already. Wait for it, or cancel it first.")
        if folder.run is not None:
            raise refusal(f"Tests of {folder.root.name} are running. Wait for them, or cancel that run first.")
        self._tasks[folder.uri] = self._server.spawn(self._job(folder, wanted))
        return JobResult(str(uuid.uuid4()))

    def cancel(self, folder: Folder) -> None:
        """Stop the writing of a test in a folder."""
        task = self._tasks.get(folder.uri)
        if task is not None:
            task.cancel()

    def forget(self, folder: Folder) -> None:
        """Stop everything in a folder that is gone."""
        self.cancel(folder)
        self._server.spawn(self._scaffolders.close(folder))

    async def end_all(self) -> None:
        """Stop everything and wait, a little, until the processes are gone."""
        for task in self._tasks.values():
            task.cancel()
        if self._tasks:
            await asyncio.wait(list(self._tasks.values()), timeout=_LONGEST_GOODBYE)
        await self._scaffolders.close_all()

    def _folder(self, wanted: ScaffoldArguments) -> Folder:
        path = path_of(wanted.uri)
        owner = self._server.folders.owner(path) if path is not None and wanted.folder is None else None
        return owner or folder_of(self._server, wanted.folder)

    async def _job(self, folder: Folder, wanted: ScaffoldArguments) -> None:
        bar = ProgressBar(self._server)
        try:
            python = await ready_interpreter(self._server, folder)
            if python is not None:
                await bar.open_endless("Writing a test", lambda: self.cancel(folder))
                await self._write(folder, wanted, python, bar)
        except asyncio.CancelledError:
            # Its answers would be those to questions that nobody asks any more.
            await asyncio.shield(self._scaffolders.close(folder))
            raise
        finally:
            bar.close()
            self._tasks.pop(folder.uri, None)

    async def _write(self, folder: Folder, wanted: ScaffoldArguments, python: str, bar: ProgressBar) -> None:
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
        problem = await insert(self._server, folder, written)
        if problem is not None:
            problems.tell_as_error(self._server, problem)
            return
        uri = document_uri(self._server, folder, written.test_file)
        await show(self._server, uri, line_of_first(written, written.files[written.test_file]))
        if await save(self._server, [document_uri(self._server, folder, path) for path in written.files]):
            verdict = await self._run(folder, scaffold, python, bar)
        else:
            verdict = await scaffolder.try_out(scaffold, shown_progress(bar))
        self._server.verdicts.tell(document_uri(self._server, folder, written.test_file), written, verdict)
        refresh_lenses(self._server)

    async def _ready(self, folder: Folder, python: str, found: GapTarget, recipe: str | None) -> Scaffolder | None:
        """A scaffolder whose interpreter has what the recipe's tests import; None where the user does not want that."""
        scaffolder = await self._scaffolders.ready(folder, python)
        fitting = await scaffolder.fitting(found)
        chosen = next((offer for offer in fitting if recipe in (None, offer.recipe)), None)
        if chosen is None or not chosen.needs:
            return scaffolder
        if not await has_libraries(self._server, folder, python, chosen.needs):
            return None
        # A session that began without them would not find them.
        await self._scaffolders.close(folder)
        return await self._scaffolders.ready(folder, python)

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


def shown_progress(bar: ProgressBar) -> Progress:
    """Shows what is done and how much was tried, at most ten times a second."""
    shown_at = 0.0
    shown = ""

    def say(what: str, tried: int) -> None:
        nonlocal shown_at, shown
        now = time.monotonic()
        if what == shown and now - shown_at < _PROGRESS_EVERY:
            return
        shown, shown_at = what, now
        bar.say(f"{what}, {tried} tried" if tried else what)

    return say
