"""What reports show, taken from a workspace once: the plan, and every file with its text and marks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from testlens.domain.plan import Plan
from testlens.domain.snapshot import FileReport, Gap, Snapshot
from testlens.domain.staleness import Anchors, Marks
from testlens.sources.coverage_parse import decode
from testlens.sources.source_text import read_content
from testlens.workspace.known_mutants import MutatedFile
from testlens.workspace.views import look_at_mutants
from testlens.workspace.workspace import Workspace

State = Literal["", "covered", "partial", "uncovered", "stale", "failing"]


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One line of the text as it is now; `note` names the branches that it never took."""

    number: int
    text: str
    state: State
    note: str


@dataclass(frozen=True, slots=True)
class FileView:
    """One measured file. `lines` is empty where no line may be marked, and `note` says why."""

    report: FileReport
    lines: tuple[SourceLine, ...]
    note: str

    @property
    def risk(self) -> float:
        """The highest risk of its gaps."""
        return max((gap.risk.score for gap in self.report.gaps), default=0.0)


@dataclass(frozen=True, slots=True)
class View:
    """A workspace at one moment. `files` has the riskiest first, `mutated` all mutants by path."""

    name: str
    snapshot: Snapshot
    plan: Plan
    files: tuple[FileView, ...]
    mutated: tuple[MutatedFile, ...] = ()


def make_view(workspace: Workspace) -> View:
    """Read what reports show; takes as long as reading the sources does."""
    snapshot = workspace.snapshot
    files = [_file_view(workspace, report) for report in snapshot.files.values()]
    mutated = tuple(workspace.mutated_files.values())
    files.sort(key=lambda file: (-file.risk, file.report.path))
    return View(workspace.root.name or str(workspace.root), snapshot, workspace.plan(), tuple(files), mutated)


def _file_view(workspace: Workspace, report: FileReport) -> FileView:
    content = read_content(workspace.root / report.path)
    if content is None:
        return FileView(report, (), "The file cannot be read any more.")
    text = decode(content)
    anchors = workspace.anchors(report, text)
    if anchors is None:
        return FileView(report, (), "The file has changed since the coverage was measured, so no line is marked.")
    return FileView(report, tuple(_lines(workspace, report, text, anchors)), "")


def _lines(workspace: Workspace, report: FileReport, text: str, anchors: Anchors) -> Iterator[SourceLine]:
    states = _states(workspace.marks(report, anchors))
    survivors = workspace.snapshot.survivors.get(report.path)
    placed = () if survivors is None else look_at_mutants(workspace, survivors, text).survivors
    notes = _notes(report.gaps, anchors)
    for gap in placed:
        notes[gap.first] = "; ".join(filter(None, [notes.get(gap.first), gap.title]))
    for number, line in enumerate(text.rstrip("\n").split("\n"), 1):
        yield SourceLine(number, line, states.get(number, ""), notes.get(number, ""))


def _states(marks: Marks) -> Mapping[int, State]:
    by_state: dict[State, tuple[int, ...]] = {
        "stale": marks.stale,
        "covered": marks.covered,
        "partial": marks.partial,
        "uncovered": marks.uncovered,
        "failing": marks.failing,
    }
    return {line: state for state, lines in by_state.items() for line in lines}


def _notes(gaps: tuple[Gap, ...], anchors: Anchors) -> dict[int, str]:
    notes: dict[int, str] = {}
    for gap in gaps:
        line = anchors.current(gap.region.first)
        if line is not None and gap.region.reason:
            notes[line] = "; ".join(filter(None, [notes.get(line), gap.region.reason]))
    return notes
