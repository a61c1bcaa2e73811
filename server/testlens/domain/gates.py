"""Gates: what a project must not fall below, what it lost where it does, and the shortest way back.

Percentages are compared as they are, not as they are shown: 84.96 % is not 85 %.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from testlens.domain.baseline import Comparison, missing_by_function
from testlens.domain.changed_lines import ChangedLines
from testlens.domain.coverage import Numbers
from testlens.domain.globs import matches
from testlens.domain.mutants import counted_statuses, is_noticed
from testlens.domain.outline import MODULE
from testlens.domain.plan import Step, shortest_way
from testlens.domain.snapshot import FileReport, Snapshot

_DECIMALS = (2, 4, 6, 8, 10)

Place = tuple[str, str]
"""A file and the dotted name of one of its functions."""


@dataclass(frozen=True, slots=True)
class Requirements:
    """What must hold, in percent; None where nothing is asked for. `thresholds` are by glob.

    `changed` is for changed lines; `no_drop` means that nothing may be lost of the baseline.
    """

    coverage: float | None = None
    branches: float | None = None
    mutation: float | None = None
    changed: float | None = None
    thresholds: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    no_drop: bool = False

    @property
    def has_any(self) -> bool:
        """Whether anything is asked for."""
        levels = (self.coverage, self.branches, self.mutation, self.changed)
        return self.no_drop or bool(self.thresholds) or any(level is not None for level in levels)


@dataclass(frozen=True, slots=True)
class Loss:
    """What tests do not prove of one function: statements and branches that they never ran, mutants that survived."""

    file: str
    function: str
    statements: int = 0
    branches: int = 0
    mutants: int = 0

    @property
    def size(self) -> int:
        """All of it."""
        return self.statements + self.branches + self.mutants

    @property
    def in_words(self) -> str:
        """Such as `4 statements and 1 branch`."""
        counts = ((self.statements, "statement"), (self.branches, "branch"), (self.mutants, "mutant"))
        return " and ".join(_counted(count, noun) for count, noun in counts if count)


@dataclass(frozen=True, slots=True)
class Gate:
    """One thing that must hold. `losses` has the largest first, and is empty where the gate holds.

    `way_back` is the fewest functions that lead back to what is required, None where no set of them does.
    """

    name: str
    required: float
    actual: float
    passed: bool
    losses: tuple[Loss, ...] = ()
    way_back: tuple[Step, ...] | None = ()
    note: str = ""

    @property
    def summary(self) -> str:
        """One sentence: what is, and what must be."""
        actual, required = self.figures
        shown = f"{self.name}: {actual}, at least {required} required"
        return f"{shown} ({self.note})" if self.note else shown

    @property
    def figures(self) -> tuple[str, str]:
        """What is and what must be, with as many decimals as tell them apart where the gate does not hold."""
        pairs = [(in_percent(self.actual, more), in_percent(self.required, more)) for more in _DECIMALS]
        return pairs[0] if self.passed else next((pair for pair in pairs if pair[0] != pair[1]), pairs[-1])

    @property
    def losses_title(self) -> str:
        """What the losses are."""
        return "Lost" if self.name.startswith("no drop") else "Missing"


def in_percent(percent: float, decimals: int = _DECIMALS[0]) -> str:
    """With two decimals at most, or so many, cut and not rounded, so that it never says more than there is."""
    scale = 10**decimals
    shown = f"{math.floor(percent * scale + 1e-6) / scale:.{decimals}f}"
    return f"{shown.rstrip('0').rstrip('.')} %"


def coverage_gate(snapshot: Snapshot, required: float) -> Gate:
    """Statements and branches of the whole project, as coverage.py counts them."""
    return _files_gate("coverage", snapshot.files.values(), required)


def branches_gate(snapshot: Snapshot, required: float) -> Gate:
    """Branches of the whole project."""
    losses = [Loss(one.file, one.function, 0, one.branches) for one in _missing(snapshot.files.values())]
    totals = snapshot.totals
    return _gate("branches", required, totals.percent_branches, losses, totals.branches)


def glob_gate(snapshot: Snapshot, glob: str, required: float) -> Gate:
    """All files together that match a glob."""
    return _files_gate(f"coverage of {glob}", files_of(snapshot, glob), required)


def files_of(snapshot: Snapshot, glob: str) -> tuple[FileReport, ...]:
    """The measured files that match a glob."""
    return tuple(report for path, report in snapshot.files.items() if matches(path, glob))


def mutation_gate(snapshot: Snapshot, required: float) -> Gate:
    """All mutants that were checked; where there is none, nothing can go unnoticed."""
    score = snapshot.mutants.score
    if score is None:
        return Gate("mutation score", required, 100.0, True, note="there was nothing to mutate")
    checked = sum(snapshot.mutants.counted.values())
    return _gate("mutation score", required, score, _unnoticed(snapshot), checked)


def changed_gate(changed: ChangedLines, required: float) -> Gate:
    """Changed statements, as diff-cover counts them."""
    lost: dict[Place, int] = {}
    for file in changed.files:
        for function in file.missing.values():
            lost[file.path, function] = lost.get((file.path, function), 0) + 1
    losses = [Loss(*place, count) for place, count in lost.items()]
    numbers = changed.numbers
    note = "" if numbers.statements else "no measured line changed"
    return _gate("changed lines", required, numbers.percent, losses, numbers.statements, note)


def no_drop_gates(snapshot: Snapshot, comparison: Comparison) -> tuple[Gate, ...]:
    """Coverage against the baseline, and files and the mutation score where there is something to say of them."""
    return (
        _no_drop_of_coverage(snapshot, comparison),
        *_no_drop_of_files(comparison),
        *_no_drop_of_mutants(snapshot, comparison),
    )


def _no_drop_of_coverage(snapshot: Snapshot, comparison: Comparison) -> Gate:
    before, now = comparison.before.percent, comparison.now.percent
    name = "no drop in coverage"
    if not comparison.has_dropped:
        note = "nothing more is missing: what is gone was covered" if now < before else ""
        return Gate(name, before, now, True, note=note)
    losses = (Loss(*place, more.missing, more.missing_branches) for place, more in comparison.more_missing.items())
    counted = comparison.now.statements + comparison.now.branches
    way = _way_back(_missing(snapshot.files.values()), counted, now, before)
    return Gate(name, before, now, False, _largest_first(losses), way)


def _no_drop_of_files(comparison: Comparison) -> Iterable[Gate]:
    # Where the last test that imports a file goes, the data forgets the file, and the percentage may even rise.
    unseen = comparison.not_measured
    if not unseen:
        return ()
    share = 100.0 * (len(comparison.files_before) - len(unseen)) / len(comparison.files_before)
    losses = (Loss(path, MODULE, numbers.statements - numbers.missing) for path, numbers in unseen.items())
    note = "run tests that import them, or delete their entries from the baseline"
    return (Gate("no drop in measured files", 100.0, share, False, _largest_first(losses), (), note),)


def _no_drop_of_mutants(snapshot: Snapshot, comparison: Comparison) -> Iterable[Gate]:
    before, now = comparison.mutants_before, comparison.mutants
    if not before.checked:
        return ()
    return (_gate("no drop in mutation score", before.score, now.score, _unnoticed(snapshot), now.checked),)


def _files_gate(name: str, reports: Iterable[FileReport], required: float) -> Gate:
    found = tuple(reports)
    numbers = sum((report.numbers for report in found), Numbers())
    return _gate(name, required, numbers.percent, _missing(found), numbers.statements + numbers.branches)


def _gate(name: str, required: float, actual: float, losses: Iterable[Loss], counted: int, note: str = "") -> Gate:
    """A gate of `counted` things of which `losses` are missing."""
    if actual >= required:
        return Gate(name, required, actual, True, note=note)
    found = _largest_first(losses)
    return Gate(name, required, actual, False, found, _way_back(found, counted, actual, required), note)


def _way_back(losses: Iterable[Loss], counted: int, actual: float, required: float) -> tuple[Step, ...] | None:
    gains = {(loss.file, loss.function): 100.0 * loss.size / counted for loss in losses}
    return shortest_way(gains, actual, required)


def _missing(reports: Iterable[FileReport]) -> list[Loss]:
    return [
        Loss(report.path, function, numbers.missing, numbers.missing_branches)
        for report in reports
        for function, numbers in missing_by_function(report.gaps).items()
    ]


def _unnoticed(snapshot: Snapshot) -> list[Loss]:
    lost: dict[Place, int] = {}
    for path, file in snapshot.mutants.files.items():
        for mutant in file.mutants:
            if counted_statuses([mutant.status]) and not is_noticed(mutant.status):
                lost[path, mutant.function] = lost.get((path, mutant.function), 0) + 1
    return [Loss(*place, mutants=count) for place, count in lost.items()]


def _largest_first(losses: Iterable[Loss]) -> tuple[Loss, ...]:
    size: Callable[[Loss], tuple[int, str, str]] = lambda loss: (-loss.size, loss.file, loss.function)  # noqa: E731
    return tuple(sorted((loss for loss in losses if loss.size), key=size))


def _counted(count: int, noun: str) -> str:
    plural = f"{noun}es" if noun.endswith("ch") else f"{noun}s"
    return f"{count} {noun if count == 1 else plural}"
