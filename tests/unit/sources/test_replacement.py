"""What some tests say now takes the place of what they said, and it is known which files may look another way then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from coverage import CoverageData

from testlens.domain.coverage import Arc
from testlens.domain.staleness import Anchors, anchor
from testlens.sources.coverage_data import contexts_by_line, node_id, read_trace
from testlens.sources.replacement import Replacement

Data = Mapping[str, Mapping[str, Sequence[Arc]]]
"""The arcs of files by context."""

_BEFORE: Data = {
    "": {"/a.py": [(1, 2)], "/b.py": [(1, 2)]},
    "t.py::one|run": {"/a.py": [(5, 6), (6, 7)], "/b.py": [(5, 6)]},
    "t.py::two|run": {"/b.py": [(5, 6)]},
}


def written(path: Path, data: Data) -> Path:
    """A data file."""
    file = CoverageData(str(path))
    file.read()
    for context, arcs in data.items():
        file.set_context(context)
        file.add_arcs(arcs)
    file.close()
    return path


def replaced(tmp_path: Path, now: Data, moves: Mapping[str, Anchors] | None = None) -> frozenset[str]:
    """What may have changed when `one` has run again; the result is in `base`."""
    base, addition = written(tmp_path / "base", _BEFORE), written(tmp_path / "addition", now)
    replacement = Replacement(base, base)
    replacement.forget(lambda context: node_id(context) == "t.py::one")
    replacement.move((moves or {}).get)
    touched = replacement.add(addition)
    replacement.put()
    assert [path.name for path in tmp_path.iterdir() if path not in (base, addition)] == []
    return touched


def test_a_test_that_runs_the_same_again_changes_no_file(tmp_path: Path) -> None:
    assert replaced(tmp_path, {context: arcs for context, arcs in _BEFORE.items() if "two" not in context}) == set()


@pytest.mark.parametrize(
    ("now", "changed"),
    [
        ({"/a.py": [(5, 6)], "/b.py": [(5, 6)]}, "/a.py"),
        ({"/a.py": [(5, 6), (6, 7), (7, 8)], "/b.py": [(5, 6)]}, "/a.py"),
        ({"/a.py": [(5, 6), (6, 7)], "/b.py": [(5, 6)], "/c.py": [(1, 2)]}, "/c.py"),
        ({"/b.py": [(5, 6)]}, "/a.py"),
    ],
    ids=["less", "more", "a new file", "nothing"],
)
def test_a_test_that_runs_something_else_changes_that_file(
    now: Mapping[str, Sequence[Arc]], changed: str, tmp_path: Path
) -> None:
    assert replaced(tmp_path, {"t.py::one|run": now}) == {changed}
    trace = read_trace([tmp_path / "base"], changed)
    before = frozenset(_BEFORE[""].get(changed, ()))
    assert (trace.arcs if trace else frozenset()) == before | frozenset(now.get(changed, ()))


def test_what_was_edited_has_changed_even_where_it_is_run_as_before(tmp_path: Path) -> None:
    now = {"t.py::one|run": {"/a.py": [(6, 7), (7, 8)], "/b.py": [(5, 6)]}}
    below = anchor("\n" * 9 + "last\n", "\n" * 10 + "last\n")
    assert replaced(tmp_path, now, {"/a.py": below}) == {"/a.py"}


def test_what_other_tests_said_stays(tmp_path: Path) -> None:
    replaced(tmp_path, {"t.py::one|run": {"/a.py": [(5, 6)]}})
    assert contexts_by_line([tmp_path / "base"], "/b.py") == {5: ("t.py::two",), 6: ("t.py::two",)}
