"""Runs the tests of a scaffold as any other test of the project, once they are on disk, and says what came of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from testlens.domain.coverage import Trace
from testlens.domain.problems import Problem
from testlens.domain.trials import Trial, TrialOutcome
from testlens.runners.events import Event, Outcome, TestFinished
from testlens.runners.pytest_runner import run_tests
from testlens.runners.run_log import RunRequest, RunResult
from testlens.sources.discovery import DataFile
from testlens.workspace.behave_runs import judge_with_behave
from testlens.workspace.measurement import load_measurement
from testlens.workspace.scaffolding import TIMES, Scaffold, Verdict, judge_runs, normalised, parse_source
from testlens.workspace.selected_run import DATA_NAME, SelectedRun, selected_run
from testlens.workspace.workspace import Workspace

_NOTHING = Trace(frozenset(), frozenset())
_OUTCOMES: Mapping[Outcome, TrialOutcome] = {
    "passed": "passed",
    "xpassed": "passed",
    "failed": "failed",
    "xfailed": "failed",
    "error": "error",
    "skipped": "skipped",
}


@dataclass(frozen=True, slots=True)
class Verification:
    """What came of the tests. `run` is for `selected_run.take_over`, None if nothing was measured."""

    verdict: Verdict
    run: SelectedRun | None
    problems: tuple[Problem, ...]


class Verifier:
    """Runs tests of one workspace in the project's interpreter `python`; `on_event` hears how that gets on."""

    def __init__(self, workspace: Workspace, python: str, on_event: Callable[[Event], None]) -> None:
        self._workspace = workspace
        self._python = python
        self._on_event = on_event

    async def verify(self, scaffold: Scaffold) -> Verification:
        """Run the tests of a scaffold, which has been written to disk, three times in one process.

        So a test that leaves something behind, or finds what another one left, does not pass for a steady one.
        Cancelling ends every process of the run.
        """
        if not scaffold.written.node_ids:
            root, timeout = self._workspace.root, self._workspace.settings.test_timeout
            return Verification(await judge_with_behave(root, self._python, scaffold, timeout), None, ())
        ended: dict[str, list[TestFinished]] = {}

        def take(event: Event) -> None:
            if isinstance(event, TestFinished):
                ended.setdefault(event.nodeid, []).append(event)
            self._on_event(event)

        result = await run_tests(self._request(scaffold), take)
        verdict = await asyncio.to_thread(self._judge, scaffold, result, ended)
        run = None if result.data_file is None else selected_run(result, result.data_file)
        return Verification(verdict, run, result.problems)

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
            # A test that is to be finished fails each time, as it should.
            times=1 if scaffold.has_todo else TIMES,
        )

    def _judge(self, scaffold: Scaffold, result: RunResult, ended: Mapping[str, Sequence[TestFinished]]) -> Verdict:
        parsed = parse_source(scaffold.text, scaffold.gap.file, self._workspace)
        trace = _NOTHING if result.data_file is None else self._trace(result.data_file, scaffold.gap.file)
        runs = [[_trial(each[time], trace) for each in ended.values() if len(each) > time] for time in range(TIMES)]
        if len(ended) < len(scaffold.written.node_ids):
            complaints = chain((problem.sentences for problem in result.problems), ["pytest did not find the test"])
            runs[0].append(Trial("error", message=next(complaints)))
        return judge_runs(scaffold, [[normalised(trial, parsed) for trial in run] for run in runs if run])

    def _trace(self, data_file: Path, path: str) -> Trace:
        data = DataFile("own run", ((str(data_file), 0, 0, 0),))
        measurement = load_measurement(self._workspace.root, self._workspace.settings.config, data)
        found = [measured for _, measured in measurement.measured({path}, []) if isinstance(measured, Trace)]
        return found[0] if found else _NOTHING


def _trial(test: TestFinished, trace: Trace) -> Trial:
    """What came of one test, with what ran in all of them."""
    return Trial(_OUTCOMES[test.outcome], trace.lines, trace.arcs or frozenset(), message=test.message or "")
