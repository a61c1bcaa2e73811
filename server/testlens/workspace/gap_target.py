"""Finds the gap at a line, and what has to be called to reach it."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from testlens.analysis.boundaries import find_markers
from testlens.domain.gaps import Region
from testlens.domain.outline import Marker
from testlens.domain.snapshot import Gap
from testlens.domain.staleness import Anchors
from testlens.scaffold.target import NoTarget, Target, find_target
from testlens.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class GapTarget:
    """A gap and its target, both in lines of `text`."""

    gap: Gap
    target: Target
    text: str


@dataclass(frozen=True, slots=True)
class ParsedText:
    """A source text, its syntax tree and what its lines do to the outside: for those who look at many of its gaps."""

    text: str
    tree: ast.Module
    markers: tuple[Marker, ...]


def gap_at(workspace: Workspace, path: str, line: int, text: str) -> GapTarget | NoTarget:
    """The gap on `line` (1-based) of `text`, the present text of the source file `path` (relative, POSIX).

    Of several it is one that begins there, then the riskiest, then the narrowest.
    """
    report = workspace.snapshot.files.get(path)
    if report is None:
        return NoTarget(f"{path} was not measured: run the tests with coverage first")
    anchors = workspace.anchors(report, text)
    if anchors is None:
        return NoTarget(f"{path} was edited since the last run: run the tests again")
    moved = (moved_gap(gap, anchors) for gap in report.gaps)
    here = [gap for gap in moved if gap is not None and gap.region.first <= line <= gap.region.last]
    if not here:
        return NoTarget(f"line {line} of {path} is in no gap")
    chosen = max(here, key=lambda gap: (gap.region.first == line, *_risky_and_narrow(gap)))
    return target_of(workspace.root, chosen, text)


def target_of(root: Path, gap: Gap, text: str) -> GapTarget | NoTarget:
    """The target of a gap whose lines are those of `text`."""
    return target_in(root, gap, parse_text(text))


def parse_text(text: str) -> ParsedText | NoTarget:
    """Parse a source text; takes some milliseconds a thousand lines."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError) as error:
        return NoTarget(f"the file cannot be parsed: {error}")
    return ParsedText(text, tree, tuple(find_markers(tree)))


def target_in(root: Path, gap: Gap, parsed: ParsedText | NoTarget) -> GapTarget | NoTarget:
    """The target of a gap whose lines are those of the parsed text."""
    if isinstance(parsed, NoTarget):
        return parsed
    target = find_target(gap.file, module_name(root, gap.file), parsed.tree, gap.region, parsed.markers)
    return target if isinstance(target, NoTarget) else GapTarget(gap, target, parsed.text)


def moved_gap(gap: Gap, anchors: Anchors) -> Gap | None:
    """The gap in the lines of the present text; None where one of its lines was changed."""
    if anchors.moved is None:
        return gap
    region = gap.region
    arcs = tuple((_moved(start, anchors), _moved(end, anchors)) for start, end in region.arcs)
    lines = [anchors.current(line) for line in (region.first, region.last, *region.statements)]
    scope = _moved(region.scope_line, anchors)
    if None in lines or scope is None or any(None in arc for arc in arcs):
        return None
    first, last, *statements = [line for line in lines if line is not None]
    known = tuple((start, end) for start, end in arcs if start is not None and end is not None)
    moved = Region(region.kind, region.function, scope, first, last, tuple(statements), known, region.reason)
    return replace(gap, region=moved)


def _moved(line: int, anchors: Anchors) -> int | None:
    if line <= 0:
        moved = anchors.current(-line) if line else 0
        return None if moved is None else -moved
    return anchors.current(line)


def _risky_and_narrow(gap: Gap) -> tuple[float, int]:
    return gap.risk.score, gap.region.first - gap.region.last


def module_name(root: Path, path: str) -> str:
    """The dotted name that a source file (relative, POSIX) is most likely imported under."""
    parts = [*Path(path).parts[:-1], Path(path).stem]
    first = _first_package(root, parts)
    names = parts[first:]
    if names[-1] == "__init__" and len(names) > 1:
        names = names[:-1]
    return ".".join(names)


def _first_package(root: Path, parts: list[str]) -> int:
    """Where the import name begins: at the outermost of the packages around the file, `src` and the like left out."""
    first = len(parts) - 1
    while first > 0 and root.joinpath(*parts[:first], "__init__.py").is_file():
        first -= 1
    if first == len(parts) - 1 and first > 0 and parts[0] not in _SOURCE_ROOTS:
        # A namespace package has no `__init__.py`; a plain folder of scripts looks the same, and is rarer.
        return 0 if _all_identifiers(parts) else first
    if first == len(parts) - 1 and parts[0] in _SOURCE_ROOTS:
        return 1
    return first


_SOURCE_ROOTS = frozenset({"src", "lib", "source", "python"})


def _all_identifiers(parts: Iterable[str]) -> bool:
    return all(part.isidentifier() for part in parts)
