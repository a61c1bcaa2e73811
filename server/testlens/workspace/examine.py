"""One file's text and trace to everything that does not depend on git or settings; runs in worker processes too."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from testlens.analysis.syntax import outline
from testlens.domain.coverage import FileCoverage, Numbers, ParsedSource, Trace, combine
from testlens.domain.gaps import Owners, Region, find_regions, scope_numbers
from testlens.domain.outline import Function, Marker, Outline
from testlens.domain.problems import Problem
from testlens.sources.branch_ends import resolve
from testlens.sources.coverage_parse import decode, parse

Measured = Trace | FileCoverage
"""What a reader found for a file: a raw trace, or the verdict of a report."""


@dataclass(frozen=True, slots=True)
class ParseRules:
    """coverage.py's regular expressions for excluded lines and for branches that are meant to be partial."""

    exclude: str
    no_branch: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A region and the names of what its lines do to the outside ("data write", "error handler")."""

    region: Region
    consequences: frozenset[str]


@dataclass(frozen=True, slots=True)
class ExaminedFunction:
    """A function and the counts of its own body."""

    function: Function
    numbers: Numbers


@dataclass(frozen=True, slots=True)
class Examined:
    """All that one text and one trace say. `statement_lines` of a function are those of `coverage` within it."""

    text_digest: str
    coverage: FileCoverage
    functions: tuple[ExaminedFunction, ...]
    findings: tuple[Finding, ...]


def digest(text: str) -> str:
    """Identifies a source text as the parser sees it (decoded, line ends normalised)."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def examine(content: bytes, path: str, measured: Measured, rules: ParseRules) -> Examined | Problem:
    """Examine the file `path` (named in problems only) with the given content."""
    return examine_text(decode(content), path, measured, rules)


def examine_text(text: str, path: str, measured: Measured, rules: ParseRules) -> Examined | Problem:
    """Examine a text that is already decoded and normalised."""
    parsed = parse(text, path, rules.exclude, rules.no_branch)
    if isinstance(parsed, Problem):
        return parsed
    try:
        shape = outline(parsed.tree)
    except RecursionError:
        return Problem("Its code is nested too deeply to be read.", "Exclude this file from coverage.", path)
    coverage = _coverage(measured, parsed.source)
    owners = Owners(shape.scopes)
    regions = find_regions(coverage, shape, owners, parsed.describe)
    findings = tuple(Finding(region, _consequences(region, shape.markers)) for region in regions)
    return Examined(digest(text), coverage, _functions(coverage, shape, owners), findings)


def _coverage(measured: Measured, source: ParsedSource) -> FileCoverage:
    if isinstance(measured, Trace):
        return combine(source, measured)
    return resolve(measured, source)


def _functions(coverage: FileCoverage, shape: Outline, owners: Owners) -> tuple[ExaminedFunction, ...]:
    numbers = scope_numbers(coverage, owners)
    return tuple(ExaminedFunction(function, numbers.get(function.line, Numbers())) for function in shape.functions)


def _consequences(region: Region, markers: tuple[Marker, ...]) -> frozenset[str]:
    # For a branch never taken, what lies behind it counts as well as the line itself.
    lines = (*region.statements, region.first, *(end for _, end in region.arcs if end > 0))
    return frozenset(marker.kind for marker in markers if any(marker.first <= line <= marker.last for line in lines))
