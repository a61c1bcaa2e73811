"""What one source text and one trace say of a file, and what identifies both.

Apart from `examine`, which finds it out: where the store knows all files, its parsers are never loaded.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from testlens.domain.coverage import FileCoverage, Numbers, Trace
from testlens.domain.gaps import Region
from testlens.domain.outline import Function
from testlens.domain.packing import PackedCoverage

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
    """What was found in one file; all lines are those of the text with `text_digest`."""

    text_digest: str
    numbers: Numbers
    packed: PackedCoverage
    functions: tuple[ExaminedFunction, ...]
    findings: tuple[Finding, ...]


def digest(text: str) -> str:
    """Identifies a source text as the parser sees it (decoded, line ends normalised)."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def trace_digest(measured: Measured) -> str:
    """Identifies what was measured for one file."""
    if isinstance(measured, Trace):
        parts: tuple[object, ...] = (sorted(measured.lines), measured.arcs and sorted(measured.arcs))
    else:
        exits = sorted(measured.exit_counts.items())
        parts = (sorted(measured.statements), sorted(measured.missing), exits, sorted(measured.missing_arcs))
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()
