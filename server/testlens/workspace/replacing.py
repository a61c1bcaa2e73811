"""Puts what affected tests say now in the place of what they said before; all others stand as they were.

What needs no result is done while the tests run, see `Ahead`; what nobody waits for is done after it is shown.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from testlens.domain.coverage import Trace
from testlens.domain.problems import Problem
from testlens.domain.snapshot import Snapshot
from testlens.domain.staleness import Anchors, anchor
from testlens.sources.coverage_data import node_id, trace_of
from testlens.sources.coverage_merge import not_added
from testlens.sources.coverage_parse import decode, normalise
from testlens.sources.discovery import own_run
from testlens.sources.replacement import DAMAGE, Replacement, arcs_in, sweep
from testlens.sources.source_text import read_content
from testlens.workspace.left_out import LeftOut, keep_left_out, load_left_out
from testlens.workspace.run_record import RunRecord, keep_record, record_run, with_some_tests
from testlens.workspace.selected_run import outcomes_of, relative_name
from testlens.workspace.source_files import load_run_sources
from testlens.workspace.workspace import Workspace

if TYPE_CHECKING:
    from testlens.runners.run_log import RunResult


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A copy of what is known without what `tests` said, and with the lines of `edited` files where they are now."""

    replacement: Replacement
    tests: frozenset[str]
    edited: frozenset[str]


class Ahead:
    """What is prepared on a thread while tests run, and may be wanted in the end or not."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._prepared: _Prepared | None = None
        self._is_wanted = True

    def prepare(self, workspace: Workspace, tests: frozenset[str], seen: Mapping[str, str]) -> None:
        """Prepare for what `tests` will say of the files as they were `seen`; where that cannot be, it is not."""
        measured = load_run_sources(workspace.root)
        edited = frozenset(path for path, digest in measured.items() if seen.get(path, digest) != digest)
        try:
            prepared = _prepare(workspace, tests, edited)
        except DAMAGE:  # it is told when it comes to that
            return
        with self._lock:
            if self._is_wanted:
                self._prepared = prepared
                return
        prepared.replacement.drop()

    def take(self, tests: frozenset[str], edited: frozenset[str]) -> _Prepared | None:
        """What was prepared, if it is part of what is right where `tests` say something new of files so `edited`."""
        with self._lock:
            prepared = self._prepared
            if prepared is None or not (prepared.tests <= tests and prepared.edited <= edited):
                return None
            self._prepared = None
            return prepared

    def drop(self) -> None:
        """Let go of what is not taken, and of what comes later."""
        with self._lock:
            self._is_wanted = False
            prepared, self._prepared = self._prepared, None
        if prepared is not None:
            prepared.replacement.drop()


class Replaced:
    """What affected tests say now, in the place of what they said before.

    `record` is what was known of the run before; `seen`: see `record_run`. Tests that are no longer found in the files
    that were looked at are forgotten. What other tests ran of a file that was edited goes with its lines.
    """

    def __init__(
        self, workspace: Workspace, record: RunRecord, result: RunResult, ahead: Ahead, seen: Mapping[str, str]
    ) -> None:
        self._workspace = workspace
        self._record = record
        self._result = result
        self._ahead = ahead
        self._seen = seen
        self._tests = tests_of(workspace, result)
        self._replacement: Replacement | None = None
        self._snapshot: Snapshot | None = None

    def show(self, left_out: LeftOut) -> Problem | None:
        """Refresh with it, and with what was `left_out`; what keeps that from being done."""
        workspace, result = self._workspace, self._result
        ran = {test.nodeid for test in result.results}
        keep_left_out(workspace.root, load_left_out(workspace.root).after(ran).and_also(left_out))
        before = load_run_sources(workspace.root)
        now = workspace.run_sources(result.sources, result.rewritten, self._seen)
        edited = frozenset(path for path, digest in now.items() if before.get(path) != digest)
        known, outcomes = workspace.store.outcomes(), outcomes_of(result)
        try:
            touched, traces = self._put(edited)
        except DAMAGE as error:
            return not_added(error)
        workspace.keep_examinations(touched)
        kept = {test: outcome for test, outcome in known.items() if test not in self._tests}
        self._snapshot = workspace.finish_run({**kept, **outcomes}, {**before, **now}, traces)
        return None

    def settle(self) -> None:
        """Do what is left to do once it is shown, or could not be."""
        try:
            if self._snapshot is not None:
                self._keep(self._snapshot)
        finally:
            if self._replacement is not None:
                self._replacement.drop()

    def _keep(self, snapshot: Snapshot) -> None:
        workspace, record = self._workspace, self._record
        with contextlib.suppress(*DAMAGE):  # it stays beside what is known then, and counts as well
            workspace.fold()
        now = record_run(workspace.root, self._result, snapshot, self._seen, record)
        keep_record(workspace.root, with_some_tests(record, now, self._tests))
        with contextlib.suppress(*DAMAGE):
            sweep(workspace.own_data)

    def _put(self, edited: frozenset[str]) -> tuple[frozenset[str], Mapping[str, Trace]]:
        """Put it in its place; the files of which that may be news, and what is known of some. Raises DAMAGE."""
        result, addition = self._result, self._result.data_file
        assert addition is not None
        prepared = self._ahead.take(self._tests, edited) or _prepare(self._workspace, self._tests, edited)
        self._replacement = replacement = prepared.replacement
        more_tests, more_files = self._tests - prepared.tests, edited - prepared.edited
        if more_tests:
            replacement.forget(lambda context: node_id(context) in more_tests)
        if more_files:
            _move(self._workspace, replacement, more_files)
        found = arcs_in(addition) if result.arcs is None else result.arcs
        touched = replacement.touched(found)
        replacement.put(addition)
        return touched, {name: trace_of(arcs) for name, arcs in replacement.arcs(found).items()}


def tests_of(workspace: Workspace, result: RunResult) -> frozenset[str]:
    """The tests of which a run says something new: those that ran, and those that are no longer found."""
    looked_at, present = set(result.request.tests), result.present or frozenset()
    gone = (test for test in workspace.store.outcomes() if test.partition("::")[0] in looked_at)
    ran = {test.nodeid for test in result.results}
    return frozenset(ran | {test for test in gone if test not in present})


def _prepare(workspace: Workspace, tests: frozenset[str], edited: frozenset[str]) -> _Prepared:
    """Raises DAMAGE."""
    data = own_run(workspace.root)
    if data is None:
        raise FileNotFoundError(f"{workspace.own_data} is gone")
    replacement = Replacement(data.paths, workspace.own_data)
    try:
        replacement.forget(lambda context: node_id(context) in tests)
        _move(workspace, replacement, edited)
        replacement.prepare()
    except BaseException:
        replacement.drop()
        raise
    return _Prepared(replacement, tests, edited)


def _move(workspace: Workspace, replacement: Replacement, edited: frozenset[str]) -> None:
    """Have the lines of edited files where they are now. Raises DAMAGE."""

    def moves(name: str) -> Anchors | None:
        path = relative_name(name, workspace.root)
        return _moves(workspace, path) if path in edited else None

    replacement.move(moves)


def _moves(workspace: Workspace, path: str) -> Anchors:
    """Where the lines of a file that was edited have gone; nowhere where the text is not known that was measured."""
    kept, content = workspace.store.measured_text(path), read_content(workspace.root / path)
    if kept is None or content is None:
        return Anchors({})
    return anchor(kept[1], normalise(decode(content)))
