"""Every measured file as a report shows it: its text with marks, named branches, covering tests and survivors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from testlens.domain.snapshot import FileReport
from testlens.domain.staleness import Anchors, Marks
from testlens.sources.coverage_parse import decode
from testlens.sources.source_text import read_content
from testlens.workspace.covering_tests import TestsByLine, open_tests
from testlens.workspace.views import PlacedFunction, PlacedGap, look, look_at_mutants
from testlens.workspace.workspace import Workspace

State = Literal["", "covered", "partial", "uncovered", "stale", "failing"]

_UNREADABLE = "The file cannot be read any more."
_EDITED = "The file has changed since the coverage was measured, so no line is marked."


@dataclass(frozen=True, slots=True)
class FileView:
    """One measured file in the text that it has now; all lines are 1-based.

    `lines` are without their ends. `gaps` have survivors among them, by line. Where no line may be marked, `note` says
    why and all else is empty.
    """

    report: FileReport
    lines: tuple[str, ...] = ()
    states: Mapping[int, State] = field(default_factory=dict)
    gaps: tuple[PlacedGap, ...] = ()
    functions: tuple[PlacedFunction, ...] = ()
    tests: TestsByLine = field(default_factory=dict)
    note: str = ""


def read_files(workspace: Workspace) -> Iterator[FileView]:
    """Every measured file, in order of path; takes as long as reading the sources and contexts does."""
    files = workspace.snapshot.files
    with open_tests(workspace.measurement) as tests_of:
        for path in sorted(files):
            yield _file_view(workspace, files[path], tests_of(path))


def _file_view(workspace: Workspace, report: FileReport, tests: TestsByLine) -> FileView:
    content = read_content(workspace.root / report.path)
    if content is None:
        return FileView(report, note=_UNREADABLE)
    text = decode(content)
    lines = tuple(text.rstrip("\n").split("\n"))
    view = look(workspace, report, text)
    if view.anchors is None:
        return FileView(report, lines, note=_EDITED)
    survivors = workspace.snapshot.survivors.get(report.path)
    placed = () if survivors is None else look_at_mutants(workspace, survivors, text).survivors
    gaps = sorted((*view.gaps, *placed), key=lambda gap: gap.first)
    moved = _moved(tests, view.anchors)
    return FileView(report, lines, _states(view.marks), tuple(gaps), view.functions, moved)


def _moved(tests: TestsByLine, anchors: Anchors) -> TestsByLine:
    if anchors.moved is None:
        return tests
    places = ((anchors.current(line), names) for line, names in tests.items())
    return {line: names for line, names in places if line is not None}


def _states(marks: Marks) -> Mapping[int, State]:
    by_state: dict[State, tuple[int, ...]] = {
        "stale": marks.stale,
        "covered": marks.covered,
        "partial": marks.partial,
        "uncovered": marks.uncovered,
        "failing": marks.failing,
    }
    return {line: state for state, lines in by_state.items() for line in lines}
