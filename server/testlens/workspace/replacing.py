"""Puts what affected tests say now in the place of what they said before; all others stand as they were.

What needs no result is done while the tests run, see `Ahead`.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from testlens.domain.problems import Problem
from testlens.domain.staleness import Anchors, anchor
from testlens.sources.coverage_data import node_id
from testlens.sources.coverage_parse import decode, normalise
from testlens.sources.replacement import DAMAGE, Replacement
from testlens.sources.source_text import read_content
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
        """What was prepared, if it is right for what `tests` say now, after these files were edited."""
        with self._lock:
            prepared = self._prepared
            if prepared is None or not prepared.tests <= tests or prepared.edited != edited:
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


def replace_results(
    workspace: Workspace, record: RunRecord, result: RunResult, ahead: Ahead, seen: Mapping[str, str]
) -> Problem | None:
    """Refresh with what affected tests say now.

    `record` is what was known of the run before; `seen`: see `record_run`. Tests that are no longer found in the files
    that were looked at are forgotten. What other tests ran of a file that was edited goes with its lines.
    """
    root, data_file = workspace.root, result.data_file
    assert workspace.data is not None
    assert data_file is not None
    known, outcomes, again = workspace.snapshot.outcomes, outcomes_of(result), tests_of(workspace, result)
    before, now = load_run_sources(root), workspace.run_sources(result.sources)
    edited = frozenset(path for path, digest in now.items() if before.get(path) != digest)
    try:
        prepared = ahead.take(again, edited) or _prepare(workspace, again, edited)
        touched = _finished(prepared.replacement, again - prepared.tests, data_file)
    except DAMAGE as error:
        message = f"The coverage of these tests could not be added to what is known: {error}."
        return Problem(message, "Run all tests.", severity="error")
    data_file.unlink(missing_ok=True)
    if workspace.data.kind == "own run":
        workspace.keep_examinations(touched)
    kept = {test: outcome for test, outcome in known.items() if test not in again}
    sources = {str(root / path): digest for path, digest in {**before, **now}.items()}
    snapshot = workspace.finish_run({**kept, **outcomes}, sources)
    keep_record(root, with_some_tests(record, record_run(root, result, snapshot, seen, record), again))
    prepared.replacement.drop()
    return None


def tests_of(workspace: Workspace, result: RunResult) -> frozenset[str]:
    """The tests of which a run says something new: those that ran, and those that are no longer found."""
    looked_at, present = set(result.request.tests), result.present or frozenset()
    gone = (test for test in workspace.snapshot.outcomes if test.partition("::")[0] in looked_at)
    ran = {test.nodeid for test in result.results}
    return frozenset(ran | {test for test in gone if test not in present})


def _prepare(workspace: Workspace, tests: frozenset[str], edited: frozenset[str]) -> _Prepared:
    """Raises DAMAGE."""
    data, root = workspace.data, workspace.root
    assert data is not None

    def moves(name: str) -> Anchors | None:
        path = relative_name(name, root)
        return _moves(workspace, path) if path in edited else None

    replacement = Replacement(data.paths[0], workspace.own_data)
    try:
        replacement.forget(lambda context: node_id(context) in tests)
        replacement.move(moves)
    except BaseException:
        replacement.drop()
        raise
    return _Prepared(replacement, tests, edited)


def _finished(replacement: Replacement, more: frozenset[str], addition: Path) -> frozenset[str]:
    """Forget `more` tests, add what was found, and return the files of which that may be news. Raises DAMAGE."""
    try:
        if more:
            replacement.forget(lambda context: node_id(context) in more)
        touched = replacement.add(addition)
        replacement.put()
    except BaseException:
        replacement.drop()
        raise
    return touched


def _moves(workspace: Workspace, path: str) -> Anchors:
    """Where the lines of a file that was edited have gone; nowhere where the text is not known that was measured."""
    kept, content = workspace.store.measured_text(path), read_content(workspace.root / path)
    if kept is None or content is None:
        return Anchors({})
    return anchor(kept[1], normalise(decode(content)))
