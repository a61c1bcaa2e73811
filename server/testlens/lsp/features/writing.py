"""Jobs that write a test: each has a warm explorer, which ends where the user stops the job or the folder goes."""

from __future__ import annotations

import asyncio

from testlens.lsp.features.jobs import Job, Jobs, Work
from testlens.lsp.folders import Folder
from testlens.lsp.protocol import JobResult
from testlens.lsp.scaffolders import Scaffolders
from testlens.lsp.server import TestlensServer


class Writing:
    """The writing of tests by one feature; one test at a time in a folder."""

    def __init__(self, server: TestlensServer) -> None:
        self._server = server
        self._jobs = Jobs(server, "A test of {} is being written already. Wait for it, or cancel it first.")
        self.scaffolders = Scaffolders(server)
        server.on_removal.append(self._forget)
        server.on_shutdown.append(self.scaffolders.close_all)

    def start(self, folder: Folder, title: str, work: Work) -> JobResult:
        """Start to write a test; nothing of it is waited for."""
        return self._jobs.start(folder, lambda job: self._do(job, title, work))

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
