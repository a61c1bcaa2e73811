"""All that one source text and one trace say of a file, whatever git and the settings add to it."""

from __future__ import annotations

from dataclasses import dataclass

from testlens.domain.coverage import Numbers
from testlens.domain.gaps import Region
from testlens.domain.outline import Function
from testlens.domain.packing import PackedCoverage


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
