"""A file's coverage in a tenth of the memory: a snapshot holds thousands, and few are looked at."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass

from testlens.domain.coverage import Arc, FileCoverage


@dataclass(frozen=True, slots=True)
class PackedCoverage:
    """The same facts as `FileCoverage`, pairs flattened."""

    statements: array[int]
    excluded: array[int]
    missing: array[int]
    exits: array[int]
    missing_arcs: array[int]
    measured_branches: bool

    def unpack(self) -> FileCoverage:
        """The coverage that was packed."""
        return FileCoverage(
            frozenset(self.statements),
            frozenset(self.excluded),
            frozenset(self.missing),
            dict(_pairs(self.exits)),
            frozenset(_pairs(self.missing_arcs)),
            self.measured_branches,
        )


def pack(coverage: FileCoverage) -> PackedCoverage:
    """The coverage of one file, packed."""
    return PackedCoverage(
        array("i", sorted(coverage.statements)),
        array("i", sorted(coverage.excluded)),
        array("i", sorted(coverage.missing)),
        _flat(sorted(coverage.exit_counts.items())),
        _flat(sorted(coverage.missing_arcs)),
        coverage.measured_branches,
    )


def _flat(pairs: Iterable[Arc]) -> array[int]:
    return array("i", (number for pair in pairs for number in pair))


def _pairs(flat: array[int]) -> Iterable[Arc]:
    return zip(flat[::2], flat[1::2], strict=True)
