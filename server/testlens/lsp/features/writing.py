"""Jobs that write a test: each has a warm explorer, which ends where the user stops the job or the folder goes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from testlens.lsp.editing import document_uri, insert, save, show
from testlens.lsp.features import problems
from testlens.lsp.features.jobs import Job, Jobs, Work
from testlens.lsp.folders import Folder
from testlens.lsp.protocol import JobResult
from testlens.lsp.scaffolders import Scaffolders
from testlens.lsp.server import TestlensServer
from testlens.lsp.verdicts import line_of_first

if TYPE_CHECKING:
    from testlens.scaffold.render import Written


def register(server: TestlensServer) -> None:
    """Add it to the server: all that write tests share it, since explorers hold much and tests may go into one file."""
    server.writing = Writing(server)


@dataclass(frozen=True, slots=True)
class Placed:
    """A test in the editor: its document, and whether all its files are on disk."""

    uri: str
    is_saved: bool


class Writing:
    """The writing of tests; one test at a time in a folder."""

    def __init__(self, server: TestlensServer) -> None:
        self._server = server
        self._jobs = Jobs(server, "A test of {} is being written already. Wait for it, or cancel it first.")
        self.scaffolders = Scaffolders(server)
        server.on_removal.append(self._forget)
        server.on_shutdown.append(self.scaffolders.close_all)

    def start(self, folder: Folder, title: str, work: Work) -> JobResult:
        """Start to write a test; nothing of it is waited for."""
        return self._jobs.start(folder, lambda job: self._do(job, title, work))

    async def put(self, folder: Folder, written: Written) -> Placed | None:
        """Insert a test, show it and save its files; None, and the user is told why, where it cannot be inserted."""
        problem = await insert(self._server, folder, written)
        if problem is not None:
            problems.tell_as_error(self._server, problem)
            return None
        uri = document_uri(self._server, folder, written.test_file)
        await show(self._server, uri, line_of_first(written, written.files[written.test_file]))
        saved = await save(self._server, [document_uri(self._server, folder, path) for path in written.files])
        return Placed(uri, saved)

    async def _do(self, job: Job, title: str, work: Work) -> None:
        try:
            await job.bar.open_endless(title)
            await work(job)
        except asyncio.CancelledError:
            # Its answers would be those to questions that nobody asks any more.
            await asyncio.shield(self.scaffolders.close(job.folder))
            raise

    def _forget(self, folder: Folder) -> None:
        self._server.spawn(self.scaffolders.close(folder))
