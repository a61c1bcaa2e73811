"""`Examined` to JSON and back, for the store. JSON, since a store in a cloned folder must not be able to run code."""

from __future__ import annotations

import json
from typing import Any

from testlens.domain.coverage import FileCoverage, Numbers
from testlens.domain.gaps import Region
from testlens.domain.outline import Function
from testlens.workspace.examine import Examined, ExaminedFunction, Finding

FORMAT = 1
"""Raise this whenever the encoding, or what `examine` finds, changes: kept results of another format are ignored."""


def encode(examined: Examined) -> str:
    """One compact JSON text."""
    coverage = examined.coverage
    value = [
        examined.text_digest,
        [
            sorted(coverage.statements),
            sorted(coverage.excluded),
            sorted(coverage.missing),
            sorted(coverage.exit_counts.items()),
            sorted(coverage.missing_arcs),
            coverage.measured_branches,
        ],
        [_encode_function(entry) for entry in examined.functions],
        [_encode_finding(finding) for finding in examined.findings],
    ]
    return json.dumps(value, separators=(",", ":"))


def decode(text: str) -> Examined | None:
    """The value, or None where the text is not one that `encode` wrote."""
    try:
        text_digest, coverage, functions, findings = json.loads(text)
        return Examined(
            str(text_digest),
            _decode_coverage(coverage),
            tuple(_decode_function(entry) for entry in functions),
            tuple(_decode_finding(entry) for entry in findings),
        )
    except (ValueError, TypeError, KeyError):
        return None


def _decode_coverage(value: Any) -> FileCoverage:
    statements, excluded, missing, exits, arcs, branches = value
    return FileCoverage(
        frozenset(statements),
        frozenset(excluded),
        frozenset(missing),
        dict(exits),
        frozenset((start, end) for start, end in arcs),
        bool(branches),
    )


def _encode_function(entry: ExaminedFunction) -> list[Any]:
    function, numbers = entry.function, entry.numbers
    return [
        *(function.name, function.first, function.line, function.last, function.complexity),
        *(numbers.statements, numbers.missing, numbers.branches, numbers.missing_branches),
    ]


def _decode_function(value: Any) -> ExaminedFunction:
    return ExaminedFunction(Function(*value[:5]), Numbers(*value[5:]))


def _encode_finding(finding: Finding) -> list[Any]:
    region = finding.region
    return [
        *(region.kind, region.function, region.scope_line, region.first, region.last),
        *(region.statements, region.arcs, region.reason, sorted(finding.consequences)),
    ]


def _decode_finding(value: Any) -> Finding:
    kind, function, scope_line, first, last, statements, arcs, reason, consequences = value
    pairs = tuple((start, end) for start, end in arcs)
    region = Region(kind, function, scope_line, first, last, tuple(statements), pairs, reason)
    return Finding(region, frozenset(consequences))
