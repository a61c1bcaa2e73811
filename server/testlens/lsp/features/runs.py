"""Test runs: started by a command, shown as progress and status, and taken over into the snapshot."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from testlens.lsp.features import problems
from testlens.lsp.features.arguments import folder_of, parse
from testlens.lsp.features.jobs import Job, Jobs
from testlens.lsp.folders import Folder, RunCounts
from testlens.lsp.protocol import CANCEL_RUN, RUN_TESTS, FolderArguments, JobResult, RunTestsArguments
from testlens.lsp.run_shown import RunShown
from testlens.lsp.server import TestlensServer

if TYPE_CHECKING:
    from testlens.domain.problems import Problem
    from testlens.runners.run_log import RunResult
    from testlens.workspace.selected_run import SelectedRun

logger = logging.getLogger(__name__)

_NO_TESTS = 5
"""pytest's exit code where it found nothing to run."""


def register(server: TestlensServer) -> None:
    """Add the feature to the server."""
    feature = _Runs(server)

    @server.command(RUN_TESTS)
    def run_tests(ls: TestlensServer, *arguments: object) -> dict[str, Any]:
        wanted = parse(arguments, RunTestsArguments)
        return attrs.asdict(feature.start(folder_of(ls, wanted.folder), tuple(wanted.tests or ()), wanted.job))

    @server.command(CANCEL_RUN)
    def cancel_run(ls: TestlensServer, *arguments: object) -> None:
        run = folder_of(ls, parse(arguments, FolderArguments).folder).run
        if run is not None and run.cancel is not None:
            run.cancel()


class _Runs:
    def __init__(self, server: TestlensServer) -> None:
        self._server = server
        self._jobs = Jobs(server, "Tests of {} are already running. Cancel that run first.")

    def start(self, folder: Folder, tests: tuple[str, ...], job: str | None) -> JobResult:
        """Start a run, named `job` if that is given; nothing of it is waited for."""
        if folder.run is not None:
            # That of a test that was just written is no job of its own.
            raise self._jobs.busy(folder)
        started = self._jobs.start(folder, lambda job: self._run(job, counts, tests), lambda: self._end(folder))
        counts = folder.run = RunCounts(job or started.job, cancel=lambda: self._jobs.cancel(folder), whole=not tests)
        self._server.announce_state(folder)
        return JobResult(counts.job)

    def _end(self, folder: Folder) -> None:
        folder.run = None
        self._server.announce_state(folder)

    async def _run(self, job: Job, counts: RunCounts, tests: tuple[str, ...]) -> None:
        from testlens.runners.pytest_runner import run_tests
        from testlens.runners.run_log import RunRequest
        from testlens.workspace.selected_run import DATA_NAME, selected_run

        folder, workspace = job.folder, job.folder.workspace
        assert workspace is not None
        await job.bar.open(f"Testing {folder.root.name}")
        settings = workspace.settings
        request = RunRequest(
            root=folder.root,
            python=job.python,
            data_file=workspace.own_data.with_name(DATA_NAME) if tests else workspace.own_data,
            tests=tests,
            pytest_args=settings.config.pytest_args,
            test_timeout=settings.test_timeout,
            record_values=settings.config.record_values,
        )
        result = await run_tests(request, RunShown(self._server, folder, counts, job.bar).take)
        problems.tell(self._server, result.problems)
        if result.exit_code == _NO_TESTS:
            problems.tell_as_error(self._server, _no_tests(folder))
        if result.data_file is None:
            return
        if tests:
            await self._add(folder, selected_run(result, result.data_file))
        else:
            await self._take_over(folder, result, result.data_file)

    async def _add(self, folder: Folder, run: SelectedRun) -> None:
        """Add the results of a run of some tests to what is known."""
        problem = await folder.add(run)
        if problem is not None:
            problems.tell_as_error(self._server, problem)

    async def _take_over(self, folder: Folder, result: RunResult, data: Path) -> None:
        """Put the results of a run of all tests in place of what is known."""
        from testlens.workspace.selected_run import finish_full_run

        workspace = folder.workspace
        assert workspace is not None
        is_elsewhere = data != workspace.own_data
        if is_elsewhere:
            # The disk refused the data a place in the project: it is read where it is, and let go of.
            overrides = replace(self._server.options.overrides(), data=(str(data),))
            await folder.background.do(workspace.configure, overrides)
        await folder.take(lambda: finish_full_run(workspace, result))
        if is_elsewhere:
            await folder.background.do(data.unlink, missing_ok=True)


def _no_tests(folder: Folder) -> Problem:
    from testlens.domain.problems import Problem

    advice = "It looks for functions test_* in files test_*.py; check `testpaths` and the setting testlens.pytestArgs."
    return Problem(f"pytest found no tests to run in {folder.root}.", advice)
