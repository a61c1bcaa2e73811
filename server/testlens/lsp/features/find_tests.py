"""Finds the tests of a folder without running them: pytest collects them, which imports the files that they are in."""

from __future__ import annotations

import asyncio
import uuid

from testlens.lsp.explorer_messages import FindTestsResult
from testlens.lsp.features.arguments import folder_of
from testlens.lsp.features.jobs import Job, Jobs
from testlens.lsp.folders import Folder, RunCounts
from testlens.lsp.protocol import FIND_TESTS, FolderParams
from testlens.lsp.server import TestlensServer

_NO_TEST = "no test has this name"


def register(server: TestlensServer) -> None:
    """Add the feature to the server."""
    feature = _Finder(server)

    @server.feature(FIND_TESTS)
    async def find_tests(params: FolderParams) -> FindTestsResult:
        return await feature.find(folder_of(server, params.folder))


class _Finder:
    def __init__(self, server: TestlensServer) -> None:
        self._server = server
        self._jobs = Jobs(server, "Tests of {} are already running. Wait for their end, or cancel that run.")

    async def find(self, folder: Folder) -> FindTestsResult:
        """Find the tests, and tell the client of them as of others."""
        if folder.run is not None:
            raise self._jobs.busy(folder)
        answer: asyncio.Future[FindTestsResult] = asyncio.get_running_loop().create_future()

        async def work(job: Job) -> None:
            answer.set_result(await self._find(job))

        def end() -> None:
            folder.run = None
            self._server.announce_state(folder)
            if not answer.done():
                answer.set_result(FindTestsResult(found=0, note="The tests were not looked for to the end."))

        self._jobs.start(folder, work, end)
        # Nobody else may start pytest meanwhile.
        folder.run = RunCounts(str(uuid.uuid4()), cancel=lambda: self._jobs.cancel(folder))
        self._server.announce_state(folder)
        try:
            return await asyncio.shield(answer)
        finally:
            self._jobs.cancel(folder)  # the client has lost interest, or it is over anyway

    async def _find(self, job: Job) -> FindTestsResult:
        from testlens.runners.events import Collected, Event
        from testlens.runners.pytest_runner import run_tests
        from testlens.runners.run_log import RunRequest
        from testlens.workspace.selected_run import DATA_NAME

        folder, workspace = job.folder, job.folder.workspace
        assert workspace is not None
        await job.bar.open(f"Finding the tests of {folder.root.name}")
        found: frozenset[str] | None = None

        def take(event: Event) -> None:
            nonlocal found
            if isinstance(event, Collected):
                found = event.present

        request = RunRequest(
            root=folder.root,
            python=job.python,
            data_file=workspace.own_data.with_name(DATA_NAME),
            pytest_args=workspace.settings.config.pytest_args,
            test_timeout=workspace.settings.test_timeout,
            record_values=False,
            chosen=(_NO_TEST,),
        )
        result = await run_tests(request, take)
        note = " ".join(problem.sentences for problem in result.problems)
        if found is None:
            return FindTestsResult(found=0, note=note or "pytest could not collect the tests.")
        await self._server.test_explorer.take_found(folder, found)
        return FindTestsResult(found=len(found), note=note)
