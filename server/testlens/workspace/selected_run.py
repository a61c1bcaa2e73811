"""Takes over a run of some of the tests: what it found is added to what the last run of all of them found."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from testlens.domain.problems import Problem
from testlens.domain.snapshot import Snapshot, TestResult
from testlens.domain.staleness import Anchors, anchor
from testlens.runners.events import TestFinished
from testlens.sources.coverage_data import node_id
from testlens.sources.coverage_merge import add_data, replace_tests
from testlens.sources.coverage_parse import decode, normalise
from testlens.sources.discovery import DataFile
from testlens.sources.source_text import read_content
from testlens.workspace.left_out import NOTHING, keep_left_out, load_left_out
from testlens.workspace.run_record import AT_THE_END, RunRecord, keep_record, record_run, tells_all, with_some_tests
from testlens.workspace.source_files import SourceFiles, load_run_sources
from testlens.workspace.trend import keep_run
from testlens.workspace.workspace import Workspace

if TYPE_CHECKING:
    from testlens.runners.run_log import RunResult

DATA_NAME = "selected.coverage"
"""Where the data of such a run goes until it is taken over: beside that of the last run of all tests."""


NOTHING_SEEN: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class SelectedRun:
    """A run of `tests` (node ids): its data, and the SHA-256 of what it measured by absolute path.

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


def finish_full_run(workspace: Workspace, result: RunResult, seen: Mapping[str, str] = NOTHING_SEEN) -> Snapshot:
    """Take over a run of all tests, and keep what it was made on; `seen`: see `record_run`."""
    keep_left_out(workspace.root, NOTHING)
    snapshot = workspace.finish_run(outcomes_of(result), result.sources)
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
    base = workspace.data
    # Whatever the data comes from, what tests said last is still what they said last.
    known = workspace.store.outcomes()
    outcomes = {test: result for test, result in known.items() if test.partition("::")[0] not in run.whole}
    outcomes |= run.outcomes
    if base is None or not base.has_contexts or len(base.paths) != 1:
        # Nothing to add to.
        run.data_file.replace(workspace.own_data)
        workspace.finish_run(outcomes, run.sources)
        return None
    root = workspace.root
    keep_left_out(root, load_left_out(root).after(run.tests))
    before = _measured_sources(root, base, workspace.measured_paths)
    now = workspace.run_sources(run.sources)
    changed = {path for path, digest in before.items() if now.get(path) != digest}
    own_files = changed & {test.split("::")[0] for test in run.tests} & now.keys()
    kept = changed - own_files
    problem = add_data(
        base.paths[0],
        run.data_file,
        workspace.own_data,
        lambda name: _relative(name, root) in own_files,
        lambda name: _relative(name, root) in kept,
    )
    run.data_file.unlink(missing_ok=True)
    if problem is not None:
        return problem
    sources = {**before, **{path: digest for path, digest in now.items() if path not in kept}}
    workspace.finish_run(outcomes, {str(root / path): digest for path, digest in sources.items()})
    return None


def replace_results(
    workspace: Workspace, record: RunRecord, result: RunResult, data_file: Path, seen: Mapping[str, str]
) -> Problem | None:
    """Refresh with what affected tests say now in the place of what they said before; all others stand as they were.

    `record` is what was known of the run before; `seen`: see `record_run`. Tests that are no longer found in the files
    that were looked at are forgotten. What other tests ran of a file that was edited goes with its lines.
    """
    base, root = workspace.data, workspace.root
    assert base is not None
    known, outcomes = workspace.snapshot.outcomes, outcomes_of(result)
    again = tests_of(workspace, result)
    before, now = load_run_sources(root), workspace.run_sources(result.sources)

    def moves(name: str) -> Anchors | None:
        path = _relative(name, root)
        return _moves(workspace, path) if path in now and now[path] != before.get(path) else None

    touched = replace_tests(
        base.paths[0], data_file, workspace.own_data, lambda context: node_id(context) in again, moves
    )
    data_file.unlink(missing_ok=True)
    if isinstance(touched, Problem):
        return touched
    if base.kind == "own run":
        workspace.keep_examinations(touched)
    kept = {test: outcome for test, outcome in known.items() if test not in again}
    sources = {str(root / path): digest for path, digest in {**before, **now}.items()}
    snapshot = workspace.finish_run({**kept, **outcomes}, sources)
    keep_record(root, with_some_tests(record, record_run(root, result, snapshot, seen, record), again))
    return None


def tests_of(workspace: Workspace, result: RunResult) -> frozenset[str]:
    """The tests of which a run says something new: those that ran, and those that are no longer found."""
    looked_at, present = set(result.request.tests), result.present or frozenset()
    gone = (test for test in workspace.snapshot.outcomes if test.partition("::")[0] in looked_at)
    ran = {test.nodeid for test in result.results}
    return frozenset(ran | {test for test in gone if test not in present})


def _moves(workspace: Workspace, path: str) -> Anchors:
    """Where the lines of a file that was edited have gone; nowhere where the text is not known that was measured."""
    kept, content = workspace.store.measured_text(path), read_content(workspace.root / path)
    if kept is None or content is None:
        return Anchors({})
    return anchor(kept[1], normalise(decode(content)))


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


def _relative(name: str, root: Path) -> str:
    path = root / name
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else name
