"""What some tests say now takes the place of what they said, and it is known which files may look another way then."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from coverage import CoverageData

from testlens.domain.coverage import Arc
from testlens.domain.staleness import Anchors, anchor
from testlens.sources.coverage_data import contexts_by_line, node_id, read_traces
from testlens.sources.discovery import OWN_RUN, own_run
from testlens.sources.replacement import DAMAGE, Replacement, arcs_in, fold

Data = Mapping[str, Mapping[str, Sequence[Arc]]]
"""The arcs of files by context."""

_BEFORE: Data = {
    "": {"/a.py": [(1, 2)], "/b.py": [(1, 2)]},
    "t.py::one|run": {"/a.py": [(5, 6), (6, 7)], "/b.py": [(5, 6)]},
    "t.py::two|run": {"/b.py": [(5, 6)]},
}


def written(path: Path, data: Data) -> Path:
    """A data file."""
    path.parent.mkdir(exist_ok=True)
    file = CoverageData(str(path))
    file.read()
    for context, arcs in data.items():
        file.set_context(context)
        file.add_arcs(arcs)
    file.close()
    return path


def replaced(tmp_path: Path, now: Data, moves: Mapping[str, Anchors] | None = None) -> frozenset[str]:
    """What may have changed when `one` has run again; the result is in `own`."""
    own, addition = written(tmp_path / OWN_RUN, _BEFORE), written(tmp_path / "addition", now)
    replacement = Replacement([own], own)
    replacement.forget(lambda context: node_id(context) == "t.py::one")
    replacement.move((moves or {}).get)
    replacement.prepare()
    found = arcs_in(addition)
    touched = replacement.touched(found)
    for name, arcs in replacement.arcs(found).items():
        found = {**found, name: arcs}
    replacement.put(addition)
    replacement.drop()
    assert found_in(tmp_path).keys() >= found.keys()
    assert all(found_in(tmp_path)[name] == found[name] for name in moves or ())
    return touched


def found_in(root: Path) -> Mapping[str, frozenset[Arc]]:
    """All arcs in the data of own runs."""
    data = own_run(root)
    assert data is not None
    traces, problems = read_traces(data.paths)
    assert problems == ()
    return {name: trace.arcs or frozenset() for name, trace in traces.items()}


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
    assert found_in(tmp_path)[changed] == {*_BEFORE[""].get(changed, ()), *now.get(changed, ())}


def test_what_was_edited_has_changed_even_where_it_is_run_as_before(tmp_path: Path) -> None:
    now = {"t.py::one|run": {"/a.py": [(6, 7), (7, 8)], "/b.py": [(5, 6)]}}
    below = anchor("\n" * 9 + "last\n", "\n" * 10 + "last\n")
    assert replaced(tmp_path, now, {"/a.py": below}) == {"/a.py"}


def test_what_other_tests_said_stays(tmp_path: Path) -> None:
    replaced(tmp_path, {"t.py::one|run": {"/a.py": [(5, 6)]}})
    data = own_run(tmp_path)
    assert data is not None
    assert contexts_by_line(data.paths, "/b.py") == {5: ("t.py::two",), 6: ("t.py::two",)}


def test_what_lies_beside_the_data_is_in_it_in_the_end(tmp_path: Path) -> None:
    """And those who still read both find the same."""
    replaced(tmp_path, {"t.py::one|run": {"/a.py": [(5, 6), (7, 8)], "/c.py": [(1, 2)]}})
    beside, before = own_run(tmp_path), found_in(tmp_path)
    assert beside is not None
    assert len(beside.paths) == 2
    fold(beside.paths)
    folded = own_run(tmp_path)
    assert folded is not None
    assert folded.paths == (tmp_path / OWN_RUN,)
    assert found_in(tmp_path) == before
    assert {name: trace.arcs for name, trace in read_traces(beside.paths)[0].items()} == before
    assert contexts_by_line(folded.paths, "/c.py") == {1: ("t.py::one",), 2: ("t.py::one",)}


def test_what_lies_beside_other_data_is_none_of_this(tmp_path: Path) -> None:
    """As when all tests have run since, and it is removed the next time."""
    replaced(tmp_path, {"t.py::one|run": {"/a.py": [(7, 8)]}})
    (tmp_path / OWN_RUN).unlink()
    replaced(tmp_path, {"t.py::one|run": {"/a.py": [(8, 9)]}})
    assert found_in(tmp_path)["/a.py"] == {(1, 2), (8, 9)}
    assert len(list((tmp_path / OWN_RUN).parent.iterdir())) == 2


def test_nothing_is_changed_where_the_data_cannot_be_read(tmp_path: Path) -> None:
    own, addition = written(tmp_path / OWN_RUN, _BEFORE), tmp_path / "addition"
    addition.write_text("no data")
    before = found_in(tmp_path)
    for refused in (fold, lambda paths: Replacement(paths, own)):
        with pytest.raises(DAMAGE):
            refused([own, addition])
    assert found_in(tmp_path) == before
    assert [path.name for path in own.parent.iterdir()] == [own.name]


@pytest.mark.parametrize("seed", range(30))
def test_arcs_go_where_their_lines_have_gone(seed: int, tmp_path: Path) -> None:
    """After any edits of lines, of which each has a text of its own; what ran of a changed one is forgotten."""
    chance = random.Random(seed)
    before = [f"line {number}" for number in range(1, 13)]
    after = list(before)
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(after))
        after[at : at + chance.randint(0, 2)] = [f"new {chance.random()}" for _ in range(chance.randint(0, 2))]
    numbers = [sign * number for number in range(1, 13) for sign in (1, -1)]
    arcs = {(chance.choice(numbers), chance.choice(numbers)) for _ in range(40)}
    own = written(tmp_path / OWN_RUN, {"t.py::two|run": {"/a.py": [*arcs], "/b.py": [(3, 4)]}})
    replacement = Replacement([own], own)
    replacement.move({"/a.py": anchor("\n".join(before), "\n".join(after))}.get)
    replacement.put()
    now = {number: after.index(text) + 1 for number, text in enumerate(before, 1) if text in after}
    places = {sign * old: sign * new for old, new in now.items() for sign in (1, -1)}
    expected = {(places[start], places[end]) for start, end in arcs if start in places and end in places}
    assert found_in(tmp_path).get("/a.py", frozenset()) == expected
    assert found_in(tmp_path)["/b.py"] == {(3, 4)}
