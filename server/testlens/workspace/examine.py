"""One file's text and trace to everything that does not depend on git or settings; runs in worker processes too."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from testlens.analysis.syntax import outline
from testlens.domain.coverage import FileCoverage, Numbers, ParsedSource, Trace, combine
from testlens.domain.gaps import Owners, Region, find_regions, scope_numbers
from testlens.domain.outline import Marker, Outline
from testlens.domain.packing import pack
from testlens.domain.problems import Problem
from testlens.sources.branch_ends import resolve
from testlens.sources.coverage_parse import Parsed, parse
from testlens.workspace.examined import Examined, ExaminedFunction, Finding, Measured, ParseRules, digest


def examine_text(text: str, path: str, measured: Measured, rules: ParseRules) -> Examined | Problem:
    """Examine the text of the file `path` (named in problems only), decoded and normalised."""
    found = read(text, path, rules)
    if isinstance(found, Problem):
        return found
    parsed, shape = found
    coverage = _coverage(measured, parsed.source)
    owners = Owners(shape.scopes)
    regions = find_regions(coverage, shape, owners, parsed.describe)
    marked = _marked_lines(shape.markers)
    findings = tuple(Finding(region, _consequences(region, marked)) for region in regions)
    return Examined(digest(text), coverage.numbers, pack(coverage), _functions(coverage, shape, owners), findings)


# A text is the same while the tests run that an edit of it affects: the time until they end is used to read it.
@lru_cache(maxsize=4)
def read(text: str, path: str, rules: ParseRules) -> tuple[Parsed, Outline] | Problem:
    """What a text says by itself, whatever was measured. Remembered of the last texts that were asked about."""
    parsed = parse(text, path, rules.exclude, rules.no_branch)
    if isinstance(parsed, Problem):
        return parsed
    try:
        return parsed, outline(parsed.tree)
    except RecursionError:
        return Problem("Its code is nested too deeply to be read.", "Exclude this file from coverage.", path)


def _coverage(measured: Measured, source: ParsedSource) -> FileCoverage:
    if isinstance(measured, Trace):
        return combine(source, measured)
    return resolve(measured, source)


def _functions(coverage: FileCoverage, shape: Outline, owners: Owners) -> tuple[ExaminedFunction, ...]:
    numbers = scope_numbers(coverage, owners)
    return tuple(ExaminedFunction(function, numbers.get(function.line, Numbers())) for function in shape.functions)


def _marked_lines(markers: tuple[Marker, ...]) -> Mapping[int, set[str]]:
    marked: dict[int, set[str]] = {}
    for marker in markers:
        for line in range(marker.first, marker.last + 1):
            marked.setdefault(line, set()).add(marker.kind)
    return marked


def _consequences(region: Region, marked: Mapping[int, set[str]]) -> frozenset[str]:
    # For a branch never taken, what lies behind it counts as well as the line itself.
    lines = {*region.statements, region.first, *(end for _, end in region.arcs)}
    return frozenset().union(*(marked[line] for line in lines & marked.keys()))
