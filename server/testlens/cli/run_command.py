"""`testlens run`: run the tests in the project's interpreter, then say what failed and what stays unproven."""

from __future__ import annotations

import contextlib
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path

from testlens.cli.equipment import ready_interpreter
from testlens.cli.reading import learn_changes
from testlens.cli.run_progress import RunProgress
from testlens.cli.run_report import Report, print_report, report_json
from testlens.cli.stoppable import run_stoppable
from testlens.cli.terminal import print_json, progress
from testlens.domain.problems import Problem
from testlens.domain.snapshot import Snapshot
from testlens.runners.interpreter import Wishes
from testlens.runners.pytest_runner import run_tests
from testlens.runners.run_log import RunRequest, RunResult
from testlens.workspace.selected_run import finish_full_run
from testlens.workspace.settings import Overrides
from testlens.workspace.trend import outlook_now
from testlens.workspace.workspace import Workspace

NO_TESTS = 5
"""pytest's exit code where it found nothing to run."""
TESTS_SPEAK = (1, 2, NO_TESTS)
"""pytest's exit codes that tell of the tests: some failed, they could not be collected, there were none."""


@dataclass(frozen=True, slots=True)
class Run:
    """What to run, and how many gaps to show afterwards."""

    root: Path
    overrides: Overrides
    top: int


def run(wanted: Run) -> int:
    """Run the tests and print the result for people; returns the exit status."""
    with contextlib.closing(Workspace(wanted.root, wanted.overrides)) as workspace:
        report = _run(workspace, wanted)
        plan = workspace.plan()
    print_report(report, plan, wanted.top, outlook_now(wanted.root, plan))
    return report.exit_code


def run_as_json(wanted: Run) -> int:
    """Run the tests and print the result as one JSON object; returns the exit status."""
    with contextlib.closing(Workspace(wanted.root, wanted.overrides)) as workspace:
        report = _run(workspace, wanted)
    print_json(report_json(report))
    return report.exit_code


def _run(workspace: Workspace, wanted: Run) -> Report:
    settings = workspace.settings
    wishes = Wishes(explicit=wanted.overrides.python, configured=settings.config.python, explicit_name="--python")
    request = RunRequest(
        root=wanted.root,
        python=ready_interpreter(wanted.root, wishes).path,
        data_file=workspace.own_data,
        pytest_args=settings.config.pytest_args,
        test_timeout=settings.test_timeout,
        record_values=settings.config.record_values,
    )
    began = time.monotonic()
    with RunProgress(progress()) as shown:
        result = run_stoppable(run_tests(request, shown.take))
    seconds = time.monotonic() - began
    return _report(result, _take_over(workspace, wanted.overrides, result), seconds, wanted.root)


def _take_over(workspace: Workspace, overrides: Overrides, result: RunResult) -> Snapshot | None:
    """The snapshot after the run; None where nothing was measured."""
    if result.data_file is None:
        return None
    is_elsewhere = result.data_file != workspace.own_data
    if is_elsewhere:
        # The disk refused the data a place in the project: it is read where it is, and let go of.
        workspace.configure(replace(overrides, data=(str(result.data_file),)))
    finish_full_run(workspace, result)
    learn_changes(workspace)
    if is_elsewhere:
        # Data that is not where it was wanted is in the run's own temporary folder.
        shutil.rmtree(result.data_file.parent, ignore_errors=True)
    return workspace.snapshot


def _report(result: RunResult, snapshot: Snapshot | None, seconds: float, root: Path) -> Report:
    problems = result.problems
    if result.exit_code == NO_TESTS:
        problems += (_no_tests(root),)
    if snapshot is not None:
        problems += snapshot.problems
    return Report(_exit_code(result), result.results, snapshot, problems, seconds)


def _exit_code(result: RunResult) -> int:
    if result.exit_code == 0:
        return 0
    failed = any(test.outcome in ("failed", "error") for test in result.results)
    return 1 if failed or result.exit_code in TESTS_SPEAK else 2


def _no_tests(root: Path) -> Problem:
    return Problem(
        f"pytest found no tests to run in {root}.",
        "It looks for functions test_* in files test_*.py; check `testpaths`, and what you passed after --.",
        severity="error",
    )
