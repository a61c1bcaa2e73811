"""Takes over a run of some of the tests: what it found is added to what the last run of all of them found."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from testlens.domain.problems import Problem
from testlens.domain.snapshot import Snapshot, TestResult
from testlens.runners.events import TestFinished
from testlens.sources.coverage_merge import add_data, not_added
from testlens.sources.discovery import DataFile
from testlens.sources.replacement import DAMAGE
from testlens.workspace.left_out import NOTHING, keep_left_out, load_left_out
from testlens.workspace.run_record import AT_THE_END, keep_record, record_run, tells_all
from testlens.workspace.source_files import UNSEEN, SourceFiles, load_run_sources
from testlens.workspace.trend import keep_run
from testlens.workspace.workspace import Workspace

if TYPE_CHECKING:
    from testlens.runners.run_log import RunResult

DATA_NAME = "selected.coverage"
"""Where the data of such a run goes until it is taken over: beside that of the last run of all tests."""


@dataclass(frozen=True, slots=True)
class SelectedRun:
    """A run of `tests` (node ids): its data, and the SHA-256 of what it measured, by absolute path.

    `whole` are the test files all of whose tests ran: others that were known of them are gone.
    """

    tests: tuple[str, ...]
    data_file: Path
    outcomes: Mapping[str, TestResult]
    sources: Mapping[str, str]
    whole: frozenset[str]


def outcomes_of(result: RunResult) -> Mapping[str, TestResult]:
    """The results of a run by node id."""
    return {test.nodeid: outcome_of(test) for test in result.results}


def outcome_of(test: TestFinished) -> TestResult:
    """What a test that ended is remembered by."""
    message = test.message or ""
    return TestResult(
        test.outcome, test.duration, message, test.file, test.line, test.source, test.expected, test.actual
    )


def finish_full_run(workspace: Workspace, result: RunResult, seen: Mapping[str, str] = UNSEEN) -> Snapshot:
    """Take over a run of all tests, and keep what it was made on; `seen`: see `record_run`."""
    keep_left_out(workspace.root, NOTHING)
    snapshot = workspace.finish_run(outcomes_of(result), workspace.run_sources(result.sources, result.rewritten, seen))
    tells = tells_all(workspace.root, result)
    keep_record(workspace.root, record_run(workspace.root, result, snapshot, seen) if tells else None)
    if tells:
        keep_run(workspace.root, snapshot)
    return snapshot


def selected_run(result: RunResult, data_file: Path) -> SelectedRun:
    """A run of some tests, and the data that came of it, as it can be taken over."""
    outcomes = outcomes_of(result)
    is_complete = result.exit_code in AT_THE_END and len(result.results) >= result.total
    whole = frozenset(test for test in result.request.tests if "::" not in test) if is_complete else frozenset[str]()
    return SelectedRun(tuple(outcomes), data_file, outcomes, result.sources, whole)


def take_over(workspace: Workspace, run: SelectedRun) -> Problem | None:
    """Refresh with what the run found. Lines that only an earlier run reached stay covered until all tests run again.

    Of a file that was edited since all tests ran, the older data is kept, with its edited lines stale: these tests
    alone would show the rest of the file as never run. Files that hold the tests themselves are taken as they are now.
    """
    try:
        workspace.fold()
    except DAMAGE as error:
        return not_added(error)
    base, measured = workspace.data, workspace.run_sources(run.sources)
    # Whatever the data comes from, what tests said last is still what they said last.
    known = workspace.store.outcomes()
    outcomes = {test: result for test, result in known.items() if test.partition("::")[0] not in run.whole}
    outcomes |= run.outcomes
    if base is None or not base.has_contexts or len(base.paths) != 1:
        # Nothing to add to.
        run.data_file.replace(workspace.own_data)
        workspace.finish_run(outcomes, measured)
        return None
    root = workspace.root
    keep_left_out(root, load_left_out(root).after(run.tests))
    before = _measured_sources(root, base, workspace.measured_paths)
    changed = {path for path, digest in before.items() if measured.get(path) != digest}
    own_files = changed & {test.split("::")[0] for test in run.tests} & measured.keys()
    kept = changed - own_files
    problem = add_data(
        base.paths[0],
        run.data_file,
        workspace.own_data,
        lambda name: relative_name(name, root) in own_files,
        lambda name: relative_name(name, root) in kept,
    )
    run.data_file.unlink(missing_ok=True)
    if problem is not None:
        return problem
    sources = {**before, **{path: digest for path, digest in measured.items() if path not in kept}}
    workspace.finish_run(outcomes, sources)
    return None


def _measured_sources(root: Path, data: DataFile, paths: Collection[str]) -> Mapping[str, str]:
    """SHA-256 of each file as `data` measured it, by relative path; empty text for those edited since."""
    if data.kind == "own run":
        return load_run_sources(root)
    files = SourceFiles(root, data)
    found = {path: files.read(path) for path in paths}
    return {
        path: hashlib.sha256(source.content).hexdigest() if source.fresh else ""
        for path, source in found.items()
        if source is not None
    }


def relative_name(name: str, root: Path) -> str:
    """The name of a file in the data as a path relative to the workspace folder, if it lies there."""
    path = root / name
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else name
