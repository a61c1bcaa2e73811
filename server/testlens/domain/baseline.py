"""What a project held at best, file by file, and what became of it since.

There is no total in a baseline: it follows from the files, so that branches which raised different files merge.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from testlens.domain.coverage import Numbers
from testlens.domain.mutants import FileMutants, counted_statuses, is_noticed
from testlens.domain.snapshot import Gap, Snapshot

NOTHING_MISSING = Numbers()


@dataclass(frozen=True, slots=True)
class MutantCounts:
    """How many mutants were checked, and how many of those the tests noticed."""

    noticed: int = 0
    checked: int = 0

    @property
    def score(self) -> float:
        """The mutation score in percent; 100 where no mutant was checked."""
        return 100.0 * self.noticed / self.checked if self.checked else 100.0

    def __add__(self, other: MutantCounts) -> MutantCounts:
        return MutantCounts(self.noticed + other.noticed, self.checked + other.checked)


@dataclass(frozen=True, slots=True)
class HeldFile:
    """One file: its counts, those of its functions that miss anything (only `missing` and `missing_branches` are set).

    `mutants` is None where none was checked.
    """

    numbers: Numbers
    functions: Mapping[str, Numbers] = field(default_factory=lambda: MappingProxyType({}))
    mutants: MutantCounts | None = None


@dataclass(frozen=True, slots=True)
class Baseline:
    """What is held, by path (POSIX, relative to the workspace folder)."""

    files: Mapping[str, HeldFile]

    @property
    def totals(self) -> Numbers:
        """The counts of all files."""
        return sum((file.numbers for file in self.files.values()), Numbers())


@dataclass(frozen=True, slots=True)
class Comparison:
    """A baseline beside what is now. `more_missing` has what functions (file, name) miss beyond the baseline.

    `mutants_before` and `mutants` speak of the files alone of which as many mutants or more were checked as for the
    baseline: any other score is one of other mutants. `not_measured` are the files that are still there, and that the
    present data says nothing of.
    """

    before: Numbers
    now: Numbers
    more_missing: Mapping[tuple[str, str], Numbers]
    mutants_before: MutantCounts
    mutants: MutantCounts
    files_before: Mapping[str, Numbers]
    not_measured: Mapping[str, Numbers] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def has_dropped(self) -> bool:
        """Whether coverage is lower, and not only because code is gone that was covered."""
        misses = self.now.missing + self.now.missing_branches
        missed = self.before.missing + self.before.missing_branches
        return self.now.percent < self.before.percent and misses > missed


def held(snapshot: Snapshot) -> Baseline:
    """What is proved now."""
    files = {
        path: HeldFile(report.numbers, missing_by_function(report.gaps), _counts(snapshot.mutants.files.get(path)))
        for path, report in snapshot.files.items()
        if report.numbers.statements
    }
    return Baseline(files)


def missing_by_function(gaps: Iterable[Gap]) -> Mapping[str, Numbers]:
    """How many statements and branches each function misses; those that miss nothing are left out."""
    found: dict[str, Numbers] = {}
    for gap in gaps:
        region = gap.region
        own = Numbers(missing=len(region.statements), missing_branches=len(region.arcs))
        if region.size:
            found[region.function] = found.get(region.function, Numbers()) + own
    return found


def raised(old: Baseline, now: Baseline, existing: Collection[str]) -> Baseline:
    """The baseline after an update: of each file the better of both; files that are not `existing` are left out.

    Files that it did not know are taken in, unless together they would lower it: then it knows none of them.
    """
    known = follow_moves(old, now).files
    kept = Baseline({path: file for path, file in known.items() if path in existing or path in now.files})
    better = {path: _better(known[path], file) for path, file in now.files.items() if path in known}
    without = Baseline({**kept.files, **better})
    whole = Baseline({**now.files, **without.files})
    # Code that was covered may go, which lowers the percentage, too.
    least = min(kept.totals.percent, without.totals.percent) if without.files else 0.0
    return whole if whole.totals.percent >= least else without


def compare(old: Baseline, now: Baseline, existing: Collection[str]) -> Comparison:
    """What became of what was held; `existing` are the paths of the baseline that are still there, measured or not."""
    known = follow_moves(old, now)
    more: dict[tuple[str, str], Numbers] = {}
    for path, file in now.files.items():
        before = known.files[path].functions if path in known.files else {}
        for function, missing in file.functions.items():
            lost = _beyond(missing, before.get(function, NOTHING_MISSING))
            if lost.missing or lost.missing_branches:
                more[path, function] = lost
    mutants_before, mutants = _comparable(known, now)
    files_before = {path: file.numbers for path, file in known.files.items()}
    unseen = {path: numbers for path, numbers in files_before.items() if path in existing and path not in now.files}
    return Comparison(old.totals, now.totals, more, mutants_before, mutants, files_before, unseen)


def follow_moves(old: Baseline, now: Baseline) -> Baseline:
    """The baseline with the paths of now for files that were moved: gone there, new here, alike in name or counts."""
    gone = [path for path in sorted(old.files) if path not in now.files]
    new = [path for path in sorted(now.files) if path not in old.files]
    moved: dict[str, str] = {}
    for path in new:
        from_here = [one for one in gone if one not in moved.values() and _looks_moved(old, one, now, path)]
        if len(from_here) == 1:
            moved[path] = from_here[0]
    if not moved:
        return old
    left = {path: file for path, file in old.files.items() if path not in moved.values()}
    return Baseline(left | {path: old.files[before] for path, before in moved.items()})


def _looks_moved(old: Baseline, before: str, now: Baseline, path: str) -> bool:
    held_before, held_now = old.files[before].numbers, now.files[path].numbers
    same_counts = (held_before.statements, held_before.branches) == (held_now.statements, held_now.branches)
    return same_counts or before.rpartition("/")[2] == path.rpartition("/")[2] != "__init__.py"


def _better(old: HeldFile, now: HeldFile) -> HeldFile:
    kept = now if now.numbers.percent >= old.numbers.percent else old
    return HeldFile(kept.numbers, kept.functions, _better_mutants(old.mutants, now.mutants))


def _better_mutants(old: MutantCounts | None, now: MutantCounts | None) -> MutantCounts | None:
    if old is None or now is None:
        return old or now
    return now if now.checked >= old.checked and now.score >= old.score else old


def _beyond(missing: Numbers, before: Numbers) -> Numbers:
    return Numbers(
        missing=max(missing.missing - before.missing, 0),
        missing_branches=max(missing.missing_branches - before.missing_branches, 0),
    )


def _comparable(old: Baseline, now: Baseline) -> tuple[MutantCounts, MutantCounts]:
    before = after = MutantCounts()
    for path, file in now.files.items():
        known = old.files[path].mutants if path in old.files else None
        if known is not None and file.mutants is not None and file.mutants.checked >= known.checked:
            before, after = before + known, after + file.mutants
    return before, after


def _counts(mutants: FileMutants | None) -> MutantCounts | None:
    counted = counted_statuses(mutant.status for mutant in mutants.mutants) if mutants is not None else []
    return MutantCounts(sum(map(is_noticed, counted)), len(counted)) if counted else None
