"""Test runs: started by a command, shown as progress and status, and taken over into the snapshot."""

from __future__ import annotations

import asyncio
import logging
import uuid
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from testlens.lsp.features import problems
from testlens.lsp.features.arguments import folder_of, parse, refusal
from testlens.lsp.features.equipment import ready_interpreter
from testlens.lsp.folders import Folder, RunCounts
from testlens.lsp.progress import ProgressBar
from testlens.lsp.protocol import CANCEL_RUN, RUN_TESTS, FolderArguments, JobResult, RunTestsArguments
from testlens.lsp.run_shown import RunShown
from testlens.lsp.server import TestlensServer

if TYPE_CHECKING:
    from testlens.domain.problems import Problem
    from testlens.runners.pytest_runner import RunResult
    from testlens.workspace.selected_run import SelectedRun

logger = logging.getLogger(__name__)

_LONGEST_GOODBYE = 3.0
_NO_TESTS = 5
"""pytest's exit code where it found nothing to run."""


def register(server: TestlensServer) -> None:
    """Add the feature to the server."""
    feature = _Runs(server)

    @server.command(RUN_TESTS)
    def run_tests(ls: TestlensServer, *arguments: object) -> dict[str, Any]:
        wanted = parse(arguments, RunTestsArguments)
        return attrs.asdict(feature.start(folder_of(ls, wanted.folder), tuple(wanted.tests or ())))

    @server.command(CANCEL_RUN)
    def cancel_run(ls: TestlensServer, *arguments: object) -> None:
        feature.cancel(folder_of(ls, parse(arguments, FolderArguments).folder))

    server.on_shutdown.append(feature.end_all)


class _Runs:
    def __init__(self, server: TestlensServer) -> None:
        self._server = server
        self._tasks: dict[Folder, asyncio.Task[None]] = {}

    def start(self, folder: Folder, tests: tuple[str, ...]) -> JobResult:
        """Start a run; nothing of it is waited for."""
        if not self._server.options.trusted:
            raise refusal("Testlens runs no tests in a workspace that is not trusted. Trust it, then run them.")
        if folder.workspace is None:
            raise refusal("Testlens is still opening the folder. Try again in a moment.")
        if folder.run is not None:
            raise refusal(f"Tests of {folder.root.name} are already running. Cancel that run first.")
        folder.run = RunCounts(str(uuid.uuid4()))
        self._tasks[folder] = folder.spawn(self._run(folder, folder.run, tests))
        return JobResult(folder.run.job)

    def cancel(self, folder: Folder) -> None:
        """Stop the run of a folder, if there is one."""
        task = self._tasks.get(folder)
        if task is not None:
            task.cancel()

    async def end_all(self) -> None:
        """Stop all runs and wait, a little, until their processes are gone."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_LONGEST_GOODBYE)

    async def _run(self, folder: Folder, counts: RunCounts, tests: tuple[str, ...]) -> None:
        bar = ProgressBar(self._server)
        self._server.announce_state(folder)
        try:
            python = await ready_interpreter(self._server, folder)
            if python is not None:
                await bar.open(f"Testing {folder.root.name}", lambda: self.cancel(folder))
                await self._execute(folder, counts, tests, python, bar)
        finally:
            bar.close()
            folder.run = None
            self._tasks.pop(folder, None)
            self._server.announce_state(folder)

    async def _execute(
        self, folder: Folder, counts: RunCounts, tests: tuple[str, ...], python: str, bar: ProgressBar
    ) -> None:
        from testlens.runners.pytest_runner import RunRequest, run_tests
        from testlens.workspace.selected_run import DATA_NAME, selected_run

        workspace = folder.workspace
        assert workspace is not None
        settings = workspace.settings
        request = RunRequest(
            root=folder.root,
            python=python,
            data_file=workspace.own_data.with_name(DATA_NAME) if tests else workspace.own_data,
            tests=tests,
            pytest_args=settings.config.pytest_args,
            test_timeout=settings.test_timeout,
            record_values=settings.config.record_values,
        )
        result = await run_tests(request, RunShown(self._server, folder, counts, bar).take)
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
        from testlens.workspace.selected_run import outcomes_of

        workspace = folder.workspace
        assert workspace is not None
        is_elsewhere = data != workspace.own_data
        if is_elsewhere:
            # The disk refused the data a place in the project: it is read where it is, and let go of.
            overrides = replace(self._server.options.overrides(), data=(str(data),))
            await folder.background.do(workspace.configure, overrides)
        await folder.take(lambda: workspace.finish_run(outcomes_of(result), result.sources))
        if is_elsewhere:
            await folder.background.do(data.unlink, missing_ok=True)


def _no_tests(folder: Folder) -> Problem:
    from testlens.domain.problems import Problem

    advice = "It looks for functions test_* in files test_*.py; check `testpaths` and the setting testlens.pytestArgs."
    return Problem(f"pytest found no tests to run in {folder.root}.", advice)
