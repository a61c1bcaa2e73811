"""All that is known of one workspace folder at one moment: frozen, and swapped whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from testlens.domain.coverage import NOTHING, FileCoverage, Numbers
from testlens.domain.gaps import Region
from testlens.domain.mutants import NO_MUTANTS, MutationResults
from testlens.domain.outline import Function
from testlens.domain.packing import PackedCoverage
from testlens.domain.problems import Problem
from testlens.domain.risk import Risk
from testlens.domain.survivors import FunctionProof, Survivor


@dataclass(frozen=True, slots=True)
class Gap:
    """A region that the tests do not prove, with its risk. `file` is POSIX and relative to the workspace folder.

    `survivor` is the mutant that no test noticed, for gaps of that kind. Their lines are those of the text that was
    mutated; those of all others are lines of the text that was measured.
    """

    file: str
    region: Region
    risk: Risk
    survivor: Survivor | None = None

    @property
    def title(self) -> str:
        """What is missing, in a few words."""
        region = self.region
        if self.survivor is not None:
            return self.survivor.title
        if region.kind == "partial":
            return region.reason or f"line {region.first}: a branch was never taken"
        where = f"line {region.first}" if region.first == region.last else f"lines {region.first}-{region.last}"
        return f"{where} never run"


@dataclass(frozen=True, slots=True)
class FunctionReport:
    """One function with its own counts (inner functions left out), its CRAP and the highest risk of its gaps."""

    function: Function
    numbers: Numbers
    crap: float
    risk: float


@dataclass(frozen=True, slots=True)
class FileReport:
    """One measured file. `text_digest` identifies the source text that all lines refer to.

    `anchored` is false where the text on disk is younger than the data and the measured one is not known: the counts
    are what coverage.py would say, but no line of it may be painted.
    """

    path: str
    text_digest: str
    numbers: Numbers
    packed: PackedCoverage
    functions: tuple[FunctionReport, ...]
    gaps: tuple[Gap, ...]
    anchored: bool = True

    @property
    def coverage(self) -> FileCoverage:
        """Line by line what ran; unpacked at each call."""
        return self.packed.unpack()


@dataclass(frozen=True, slots=True)
class TestResult:
    """The last known outcome of one test: passed, failed, error, skipped, xfailed or xpassed; seconds.

    `file` (relative, POSIX) and `line` (1-based) are where it failed, and `source` the text of that line without the
    space around it; where `source` is None, they are where the test is defined. `expected` and `actual` are the two
    sides of the comparison that did not hold, where it failed on one.
    """

    outcome: str
    duration: float
    message: str = ""
    file: str | None = None
    line: int | None = None
    source: str | None = None
    expected: str | None = None
    actual: str | None = None

    @property
    def failed(self) -> bool:
        """Whether the test did not do what it should."""
        return self.outcome in ("failed", "error")


@dataclass(frozen=True, slots=True)
class FileSurvivors:
    """What mutants say of one file: its survivors as gaps, by line, and how far each function is proved.

    `text_digest` identifies the source text that all lines refer to. `hidden` counts the survivors that are not among
    `gaps`, by the reason why.
    """

    path: str
    text_digest: str
    gaps: tuple[Gap, ...]
    hidden: Mapping[str, int]
    functions: tuple[FunctionProof, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`source` names in words where the coverage comes from, None where there is none.

    `mutants` is all that is known of mutants, and `survivors` what follows from it for each file that has any.

    `percent` is coverage.py's total. `outcomes` maps node ids to results, known only after Testlens' own runs; those of
    the tests that were `left_out` are from before the last edits.
    """

    source: str | None = None
    totals: Numbers = NOTHING
    files: Mapping[str, FileReport] = field(default_factory=lambda: MappingProxyType({}))
    outcomes: Mapping[str, TestResult] = field(default_factory=lambda: MappingProxyType({}))
    problems: tuple[Problem, ...] = ()
    previous_percent: float | None = None
    mutants: MutationResults = NO_MUTANTS
    survivors: Mapping[str, FileSurvivors] = field(default_factory=lambda: MappingProxyType({}))
    left_out: frozenset[str] = frozenset()

    @property
    def survivor_gaps(self) -> Iterator[Gap]:
        """The survivors of all files, in order of path and line."""
        return (gap for path in sorted(self.survivors) for gap in self.survivors[path].gaps)

    @property
    def percent(self) -> float | None:
        """The workspace's coverage, None without data."""
        return self.totals.percent if self.source is not None else None
