"""Runs the tests of a scaffold as any other test of the project, once they are on disk, and says what came of them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from testlens.domain.coverage import Trace
from testlens.domain.problems import Problem
from testlens.domain.trials import Trial, TrialOutcome
from testlens.runners.events import Event, Outcome
from testlens.runners.pytest_runner import RunRequest, RunResult, run_tests
from testlens.sources.discovery import DataFile
from testlens.workspace.measurement import load_measurement
from testlens.workspace.scaffolding import TIMES, Scaffold, Verdict, judge_runs, normalised, parse_source
from testlens.workspace.selected_run import DATA_NAME, SelectedRun, selected_run
from testlens.workspace.workspace import Workspace

_AGAIN_DATA = "again.coverage"
_NOTHING = Trace(frozenset(), frozenset())
_OUTCOMES: dict[Outcome, TrialOutcome] = {
    "passed": "passed",
    "xpassed": "passed",
    "failed": "failed",
    "xfailed": "failed",
    "error": "error",
    "skipped": "skipped",
}


@dataclass(frozen=True, slots=True)
class Verification:
    """What came of the runs. `run` is the first of them, for `selected_run.take_over`; None if nothing was measured."""

    verdict: Verdict
    run: SelectedRun | None
    problems: tuple[Problem, ...]


class Verifier:
    """Runs tests of one workspace in the project's interpreter `python`; `on_event` hears how the runs get on."""

    def __init__(self, workspace: Workspace, python: str, on_event: Callable[[Event], None]) -> None:
        self._workspace = workspace
        self._python = python
        self._on_event = on_event

    async def verify(self, scaffold: Scaffold) -> Verification:
        """Run the tests of a scaffold, which has been written to disk, as often as it takes to call them steady.

        Cancelling ends every process of the run.
        """
        request = self._request(scaffold)
        first = await run_tests(request, self._on_event)
        runs = [await asyncio.to_thread(self._trials, scaffold, first)]
        # A test that is to be finished fails each time, as it should.
        for _ in range(0 if scaffold.has_todo else TIMES - 1):
            again = await run_tests(_once_more(request), self._on_event)
            runs.append(_outcomes(scaffold, again, _NOTHING))
            with contextlib.suppress(OSError):
                if again.data_file is not None:
                    again.data_file.unlink()
        run = None if first.data_file is None else selected_run(first, first.data_file)
        return Verification(judge_runs(scaffold, runs), run, first.problems)

    def _request(self, scaffold: Scaffold) -> RunRequest:
        settings = self._workspace.settings
        return RunRequest(
            root=self._workspace.root,
            python=self._python,
            data_file=self._workspace.own_data.with_name(DATA_NAME),
            tests=scaffold.written.node_ids,
            pytest_args=settings.config.pytest_args,
            test_timeout=settings.test_timeout,
            record_values=settings.config.record_values,
        )

    def _trials(self, scaffold: Scaffold, run: RunResult) -> list[Trial]:
        parsed = parse_source(scaffold.text, scaffold.gap.file, self._workspace)
        trace = _NOTHING if run.data_file is None else self._trace(run.data_file, scaffold.gap.file)
        return [normalised(trial, parsed) for trial in _outcomes(scaffold, run, trace)]

    def _trace(self, data_file: Path, path: str) -> Trace:
        data = DataFile("own run", ((str(data_file), 0, 0, 0),))
        measurement = load_measurement(self._workspace.root, self._workspace.settings.config, data)
        found = [measured for _, measured in measurement.measured({path}, []) if isinstance(measured, Trace)]
        return found[0] if found else _NOTHING


def _once_more(request: RunRequest) -> RunRequest:
    return replace(request, data_file=request.data_file.with_name(_AGAIN_DATA), record_values=False)


def _outcomes(scaffold: Scaffold, run: RunResult, trace: Trace) -> list[Trial]:
    """A trial for each test that ran, all with what ran in all of them."""
    trials = [
        Trial(_OUTCOMES[test.outcome], trace.lines, trace.arcs or frozenset(), message=test.message or "")
        for test in run.results
    ]
    if len(trials) < len(scaffold.written.node_ids):
        trials.append(Trial("error", message=next(_complaints(run))))
    return trials


def _complaints(run: RunResult) -> Iterator[str]:
    yield from (problem.sentences for problem in run.problems)
    yield "pytest did not find the test"
