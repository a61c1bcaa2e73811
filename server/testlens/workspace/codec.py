"""`Examined` to JSON and back, for the store. JSON, since a store in a cloned folder must not be able to run code."""

from __future__ import annotations

import json
import zlib
from array import array
from functools import lru_cache
from typing import Any

from testlens.domain.coverage import Arc, Numbers
from testlens.domain.gaps import GapKind, Region
from testlens.domain.outline import Function
from testlens.domain.packing import PackedCoverage
from testlens.workspace.examined import Examined, ExaminedFunction, Finding

FORMAT = 3
"""Raise this whenever the encoding, or what `examine` or `module_values` finds, changes.

What is kept in another format is ignored.
"""

_KINDS: dict[str, GapKind] = {"uncovered": "uncovered", "partial": "partial"}


def encode(examined: Examined) -> str:
    """One compact JSON text."""
    packed = examined.packed
    lines = (packed.statements, packed.excluded, packed.missing, packed.exits, packed.missing_arcs)
    value = [
        examined.text_digest,
        _encode_numbers(examined.numbers),
        [*(part.tolist() for part in lines), packed.measured_branches],
        [_encode_function(entry) for entry in examined.functions],
        [_encode_finding(finding) for finding in examined.findings],
    ]
    return json.dumps(value, separators=(",", ":"))


def decode(text: str) -> Examined | None:
    """The value, or None where the text is not one that `encode` wrote."""
    try:
        text_digest, numbers, coverage, functions, findings = json.loads(text)
        return Examined(
            str(text_digest),
            Numbers(*numbers),
            _decode_coverage(coverage),
            tuple(_decode_function(entry) for entry in functions),
            _decode_findings(findings),
        )
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        return None


def encode_text(text: str) -> bytes:
    """A source text, compressed."""
    return zlib.compress(text.encode("utf-8", "surrogatepass"), 1)


def decode_text(packed: bytes) -> str | None:
    """The text, or None where `packed` is not one that `encode_text` wrote."""
    try:
        return zlib.decompress(packed).decode("utf-8", "surrogatepass")
    except (zlib.error, UnicodeDecodeError, TypeError):
        return None


def _decode_coverage(value: Any) -> PackedCoverage:
    *lines, branches = value
    statements, excluded, missing, exits, arcs = (array("i", part) for part in lines)
    return PackedCoverage(statements, excluded, missing, exits, arcs, bool(branches))


def _encode_numbers(numbers: Numbers) -> tuple[int, ...]:
    return numbers.statements, numbers.missing, numbers.branches, numbers.missing_branches


def _encode_function(entry: ExaminedFunction) -> list[Any]:
    function = entry.function
    own = function.name, function.first, function.line, function.last, function.complexity
    return [*own, *_encode_numbers(entry.numbers)]


def _decode_function(value: Any) -> ExaminedFunction:
    return ExaminedFunction(Function(*value[:5]), Numbers(*value[5:]))


def _encode_finding(finding: Finding) -> list[Any]:
    region = finding.region
    return [
        *(region.kind, region.function, region.scope_line, region.first, region.last, region.statements),
        *([line for arc in region.arcs for line in arc], region.reason, "|".join(sorted(finding.consequences))),
    ]


def _decode_findings(values: Any) -> tuple[Finding, ...]:
    # The gaps of a function repeat its name, and those behind one branch its reason: equal texts become one.
    texts: dict[str, str] = {}
    share = texts.setdefault
    findings = []
    for kind, function, scope_line, first, last, statements, arcs, reason, consequences in values:
        region = Region(
            _KINDS[kind],
            share(function, function),
            scope_line,
            first,
            last,
            tuple(statements),
            _decode_arcs(arcs),
            share(reason, reason),
        )
        findings.append(Finding(region, _decode_consequences(consequences)))
    return tuple(findings)


def _decode_arcs(flat: list[int]) -> tuple[Arc, ...]:
    return tuple(zip(flat[::2], flat[1::2], strict=True)) if flat else ()


@lru_cache(maxsize=1000)
def _decode_consequences(names: str) -> frozenset[str]:
    # Many gaps, few combinations: equal ones share one set.
    return frozenset(filter(None, names.split("|")))
