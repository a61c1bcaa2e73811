"""A file report as seen in one text of the file: lines that moved are followed, lines that changed are let go."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from testlens.domain.mutants import Span
from testlens.domain.outline import MODULE
from testlens.domain.snapshot import FileReport, FileSurvivors, FunctionReport, Gap
from testlens.domain.staleness import Anchors, Marks
from testlens.domain.survivors import FunctionProof
from testlens.sources.coverage_parse import decode
from testlens.sources.source_text import read_content
from testlens.workspace.workspace import Workspace

_LINE_NUMBER = re.compile(r"\b(lines?) (\d+)")


@dataclass(frozen=True, slots=True)
class PlacedGap:
    """A gap whose lines are all still there: `first` to `last` in the text that is looked at (1-based).

    `title` and `reason` name lines of that text; `reason` is empty where it is part of the title or not known.
    `span` is the changed expression of a survivor, and None for any other gap.
    """

    gap: Gap
    first: int
    last: int
    title: str
    reason: str
    span: Span | None = None

    @property
    def subject(self) -> str:
        """What the gap is in, as a sentence begins with it."""
        name = self.gap.region.function
        return "Module code" if name == MODULE else name


@dataclass(frozen=True, slots=True)
class PlacedFunction:
    """A function and the line of its `def` in the text that is looked at."""

    report: FunctionReport
    line: int


@dataclass(frozen=True, slots=True)
class View:
    """What is known of a file, in lines of one text of it.

    `anchors` is None where the text that was measured is not known: then nothing has a place.
    """

    report: FileReport
    anchors: Anchors | None
    marks: Marks
    gaps: tuple[PlacedGap, ...]
    functions: tuple[PlacedFunction, ...]

    def measured_line(self, line: int) -> int | None:
        """The measured line that now is `line`, or None for lines that are new or changed."""
        if self.anchors is None:
            return None
        if self.anchors.moved is None:
            return line
        return next((old for old, new in self.anchors.moved.items() if new == line), None)


def look(workspace: Workspace, report: FileReport, text: str) -> View:
    """See `report` in `text`. Reads from the store where the text differs from the measured one."""
    anchors = workspace.anchors(report, text)
    if anchors is None:
        return View(report, None, Marks(), (), ())
    gaps = place_gaps(report.gaps, anchors)
    functions = tuple(
        PlacedFunction(function, line)
        for function in report.functions
        if (line := anchors.current(function.function.line)) is not None
    )
    return View(report, anchors, workspace.marks(report, anchors), gaps, functions)


@dataclass(frozen=True, slots=True)
class PlacedProof:
    """How far mutants prove a function, and the line of its `def` in the text that is looked at.

    `is_stale`: the function was edited since.
    """

    proof: FunctionProof
    line: int
    is_stale: bool


@dataclass(frozen=True, slots=True)
class MutantView:
    """What mutants say of a file, in lines of one text of it: survivors by place, and functions by line.

    A survivor whose text was edited since has no place, and is left out; so is what was known of a function's proof
    once its `def` was edited.
    """

    survivors: tuple[PlacedGap, ...] = ()
    functions: tuple[PlacedProof, ...] = ()
    hidden: Mapping[str, int] = field(default_factory=dict)


NO_MUTANT_VIEW = MutantView()


def look_at_mutants(workspace: Workspace, found: FileSurvivors, text: str) -> MutantView:
    """See what mutants say of a file in `text`."""
    anchors = workspace.mutant_anchors(found.path, text)
    if anchors is None:
        return NO_MUTANT_VIEW
    functions = tuple(
        PlacedProof(proof, line, _is_edited(proof, anchors))
        for proof in found.functions
        if (line := anchors.current(proof.line)) is not None
    )
    return MutantView(place_survivors(found.gaps, anchors), functions, found.hidden)


def functions_to_mutate(view: View | None, mutants: MutantView | None) -> Iterator[PlacedFunction]:
    """Those functions that tests run, and of whose mutants nothing is known."""
    known = set() if mutants is None else {placed.proof.name for placed in mutants.functions}
    for placed in () if view is None else view.functions:
        function, numbers = placed.report.function, placed.report.numbers
        if function.name not in known and numbers.missing < numbers.statements:
            yield placed


def place_survivors(gaps: Iterable[Gap], anchors: Anchors) -> tuple[PlacedGap, ...]:
    """The survivors whose every line is still as it was when it was mutated, where they are now."""
    placed = (_place_survivor(gap, anchors) for gap in gaps)
    return tuple(gap for gap in placed if gap is not None)


def text_on_disk(file: Path) -> str | None:
    """The text of a source file as its lines are counted, or None where it cannot be read."""
    content = read_content(file)
    return None if content is None else decode(content)


def place_gaps(gaps: Iterable[Gap], anchors: Anchors) -> tuple[PlacedGap, ...]:
    """The gaps of which no line was changed or deleted, where they are now."""
    placed = (_place(gap, anchors) for gap in gaps)
    return tuple(gap for gap in placed if gap is not None)


def without_echoes(gaps: Iterable[PlacedGap]) -> tuple[PlacedGap, ...]:
    """Leaves out each branch never taken that leads into a gap of the same function, which names it as its reason."""
    found = tuple(gaps)
    entries = {(gap.gap.region.function, gap.gap.region.first) for gap in found if gap.gap.region.kind == "uncovered"}
    return tuple(gap for gap in found if not _echoes(gap.gap, entries))


def tests_of(tests_by_line: Mapping[int, tuple[str, ...]], first: int, last: int) -> tuple[str, ...]:
    """The tests that ran any of the measured lines from `first` to `last`, sorted."""
    return tuple(sorted({test for line in range(first, last + 1) for test in tests_by_line.get(line, ())}))


def _echoes(gap: Gap, entries: set[tuple[str, int]]) -> bool:
    region = gap.region
    return region.kind == "partial" and len(region.arcs) == 1 and (region.function, region.arcs[0][1]) in entries


def _place(gap: Gap, anchors: Anchors) -> PlacedGap | None:
    region = gap.region
    lines = [anchors.current(line) for line in range(region.first, region.last + 1)]
    first, last = lines[0], lines[-1]
    if first is None or last is None or None in lines:
        return None
    reason = "" if region.kind == "partial" else region.reason
    if anchors.moved is None:
        return PlacedGap(gap, first, last, gap.title, reason)
    return PlacedGap(gap, first, last, _title(gap, first, last, anchors), renumbered(reason, anchors) or "")


def _is_edited(proof: FunctionProof, anchors: Anchors) -> bool:
    lines = [anchors.current(line) for line in range(proof.line, proof.last + 1)]
    first, last = lines[0], lines[-1]
    return None in lines or first is None or last is None or last - first != proof.last - proof.line


def _place_survivor(gap: Gap, anchors: Anchors) -> PlacedGap | None:
    placed = _place(gap, anchors)
    # Lines that came in between are part of no change that was tried.
    if placed is None or gap.survivor is None or placed.last - placed.first != gap.region.last - gap.region.first:
        return None
    span = gap.survivor.mutant.span
    moved = Span(placed.first, span.first_column, placed.last, span.last_column)
    return replace(placed, title=gap.title, span=moved)


def _title(gap: Gap, first: int, last: int, anchors: Anchors) -> str:
    if gap.region.kind == "partial":
        return renumbered(gap.title, anchors) or f"line {first}: a branch was never taken"
    return f"line {first} never run" if first == last else f"lines {first}-{last} never run"


def renumbered(text: str, anchors: Anchors) -> str | None:
    """`text` with the lines it names where they are now; None if one of them is gone."""
    lost = False

    def moved(match: re.Match[str]) -> str:
        nonlocal lost
        line = anchors.current(int(match[2]))
        lost = lost or line is None
        return f"{match[1]} {line}"

    result = _LINE_NUMBER.sub(moved, text)
    return None if lost else result
