"""Which of the tests that an edit selects are slow, and what it means to leave them out."""

from __future__ import annotations

from testlens.analysis.fingerprints import changed_blocks
from testlens.sources.coverage_data import node_id
from testlens.sources.coverage_parse import decode
from testlens.sources.source_text import read_content
from testlens.workspace.impact import Affected, Known
from testlens.workspace.left_out import LeftOut


def slow_tests(known: Known, selected: Affected, limit: float) -> frozenset[str]:
    """Those of the selected tests that took `limit` seconds or more the last time.

    There are none where `limit` is 0, and where no run is known that what they said before could be kept from.
    """
    if limit <= 0 or known.record is None:
        return frozenset()
    chosen = frozenset(selected.tests)
    slow = frozenset(test for test, result in known.outcomes.items() if result.duration >= limit)
    if selected.everything:
        return slow
    return frozenset(test for test in slow if test in chosen or test.partition("::")[0] in chosen)


def leaving_out(known: Known, selected: Affected, tests: frozenset[str]) -> LeftOut:
    """What it means that these tests do not run now; reads files."""
    record = known.record
    edited = {}
    for path, identified in {} if record is None or not tests else selected.seen.items():
        if record is not None and path in record.measured and record.files.get(path) != identified:
            names = _edited_blocks(known, path, tests)
            edited.update({path: names} if names else {})
    return LeftOut(tests, selected.everything and bool(tests), edited)


def _edited_blocks(known: Known, path: str, tests: frozenset[str]) -> frozenset[str]:
    kept, content = known.measured_text(path), read_content(known.root / path)
    if kept is None or content is None:
        return frozenset()
    try:
        changes = changed_blocks(kept[1], decode(content))
    except (SyntaxError, ValueError, RecursionError):
        return frozenset()
    ran = {
        change.before.name
        for change in changes
        if change.before is not None
        and tests.intersection(map(node_id, known.contexts_within(path, change.before.body)))
    }
    return frozenset(ran)
