"""Checks a folder against what is required of it: one value that every output of `testlens check` shows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from testlens.domain.baseline import Baseline, Comparison, compare, held
from testlens.domain.changed_lines import ChangedFile, ChangedLines
from testlens.domain.gates import (
    Gate,
    Requirements,
    branches_gate,
    changed_gate,
    coverage_gate,
    files_of,
    glob_gate,
    mutation_gate,
    no_drop_gates,
)
from testlens.domain.outline import MODULE
from testlens.domain.plan import Plan
from testlens.domain.problems import Problem
from testlens.domain.snapshot import FileReport, Snapshot
from testlens.domain.staleness import UNCHANGED, Anchors
from testlens.sources.baseline_file import read_baseline
from testlens.sources.coverage_parse import normalise
from testlens.sources.git_command import Run
from testlens.sources.git_diff import Diff, changed_since, repository_prefix
from testlens.sources.mutation_report import reports_no_mutant
from testlens.workspace.views import PlacedGap, look_at_mutants, place_gaps, text_on_disk, without_echoes
from testlens.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: the requirements, the revision to find changed lines since, and the file with the baseline."""

    requirements: Requirements
    revision: str | None = None
    baseline: Path | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """The answer. `prefix` is the folder's path in its repository, with a slash at the end; empty at its top.

    `gaps` are all that have a place in the texts on disk, riskiest first, survivors among them. `new_gaps` are those on
    changed lines or, without a revision, those of functions that miss more than in the baseline; None where nobody can
    know which are new.
    """

    name: str
    snapshot: Snapshot
    plan: Plan
    gates: tuple[Gate, ...]
    gaps: tuple[PlacedGap, ...]
    new_gaps: tuple[PlacedGap, ...] | None
    changed: ChangedLines | None = None
    comparison: Comparison | None = None
    prefix: str = ""
    problems: tuple[Problem, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every gate holds."""
        return all(gate.passed for gate in self.gates)

    @property
    def failed(self) -> tuple[Gate, ...]:
        """The gates that do not hold."""
        return tuple(gate for gate in self.gates if not gate.passed)


def check(workspace: Workspace, question: Question, run: Run) -> Check | Problem:
    """Judge the newest snapshot; a Problem where what is asked cannot be answered. Asks git, reads measured files."""
    snapshot = workspace.snapshot
    problem = _unanswerable(workspace.root, snapshot, question.requirements)
    if problem is not None:
        return problem
    texts = _Texts(workspace)
    diff = None if question.revision is None else changed_since(workspace.root, question.revision, run)
    if isinstance(diff, Problem):
        return diff
    if diff is not None and question.requirements.changed is not None and (edited := _edited_since(texts, diff)):
        message = f"{edited} was edited after the tests ran, so nobody knows whether they run its changed lines."
        return _error(message, "Run the tests again, such as with `testlens run`.")
    changed = None if diff is None else ChangedLines(question.revision or "", tuple(_changed_files(texts, diff)))
    baseline = None if question.baseline is None else read_baseline(question.baseline)
    if isinstance(baseline, Problem):
        return baseline
    comparison = None if baseline is None else compare(baseline, held(snapshot), existing(workspace.root, baseline))
    gaps = tuple(sorted(texts.gaps(), key=lambda placed: -placed.gap.risk.score))
    return Check(
        name=workspace.root.name or str(workspace.root),
        snapshot=snapshot,
        plan=workspace.plan(),
        gates=tuple(_gates(snapshot, question.requirements, changed, comparison)),
        gaps=gaps,
        new_gaps=_new_gaps(gaps, diff, comparison),
        changed=changed,
        comparison=comparison,
        prefix=repository_prefix(workspace.root, run),
        problems=(*snapshot.problems, *_not_counted(diff)),
    )


def existing(root: Path, baseline: Baseline) -> frozenset[str]:
    """The paths of a baseline that are still files below `root`."""
    return frozenset(path for path in baseline.files if (root / path).is_file())


def _unanswerable(root: Path, snapshot: Snapshot, requirements: Requirements) -> Problem | None:
    # A setting that cannot be used may be the one that asks for more: no gate may be dropped in silence.
    for problem in snapshot.problems:
        if problem.path == "pyproject.toml" and problem.severity != "information":
            return problem
    # A change to documents alone has no mutants: then the report of `testlens mutate --changed` is there, and empty.
    if requirements.mutation is not None and snapshot.mutants.score is None and not reports_no_mutant(root):
        advice = (
            "Run `testlens mutate` first, with a larger --budget if it ran out, or leave out --fail-under-mutation."
        )
        return _error("No mutant was checked, so there is no mutation score.", advice)
    if requirements.branches is not None and not _measures_branches(snapshot):
        advice = "Measure with `testlens run`, `coverage run --branch` or `branch = true` under [tool.coverage.run]."
        return _error("The coverage data knows no branches.", advice)
    unmatched = next((glob for glob in requirements.thresholds if not files_of(snapshot, glob)), None)
    return None if unmatched is None else _matches_nothing(snapshot, unmatched)


def _measures_branches(snapshot: Snapshot) -> bool:
    return any(report.packed.measured_branches for report in snapshot.files.values())


def _matches_nothing(snapshot: Snapshot, glob: str) -> Problem:
    folders = sorted({path.rpartition("/")[0] or "." for path in snapshot.files})
    known = ", ".join(f'"{folder}/**"' for folder in folders[:5])
    advice = f"Write a glob of measured files, such as {known}, or delete the line."
    return Problem(
        f"`{glob}` in [tool.testlens.thresholds] matches no measured file.", advice, "pyproject.toml", severity="error"
    )


def _gates(
    snapshot: Snapshot, wanted: Requirements, changed: ChangedLines | None, comparison: Comparison | None
) -> Iterator[Gate]:
    if wanted.coverage is not None:
        yield coverage_gate(snapshot, wanted.coverage)
    if wanted.branches is not None:
        yield branches_gate(snapshot, wanted.branches)
    for glob, required in wanted.thresholds.items():
        yield glob_gate(snapshot, glob, required)
    if wanted.mutation is not None:
        yield mutation_gate(snapshot, wanted.mutation)
    if wanted.no_drop and comparison is not None:
        yield from no_drop_gates(snapshot, comparison)
    if wanted.changed is not None and changed is not None:
        yield changed_gate(changed, wanted.changed)


@dataclass(slots=True)
class _Texts:
    """The measured files as they are on disk, each read once."""

    workspace: Workspace
    _read: dict[str, str | None] = field(default_factory=dict)

    def text(self, path: str) -> str | None:
        if path not in self._read:
            self._read[path] = text_on_disk(self.workspace.root / path)
        return self._read[path]

    def anchors(self, report: FileReport) -> Anchors:
        """How measured lines lie on disk. Where nobody knows what was measured, as coverage.py takes it: as it is."""
        text = self.text(report.path)
        return UNCHANGED if text is None else self.workspace.anchors(report, text) or UNCHANGED

    def unknown(self, path: str, lines: Collection[int]) -> bool:
        """Whether one of these lines is newer than what was measured, and neither blank nor a comment."""
        moved = self.anchors(self.workspace.snapshot.files[path]).moved
        if moved is None:
            return False
        known, texts = frozenset(moved.values()), normalise(self.text(path) or "").split("\n")
        return any(texts[line - 1].lstrip()[:1] not in ("", "#") for line in lines if line not in known)

    def gaps(self) -> Iterator[PlacedGap]:
        snapshot = self.workspace.snapshot
        for report in snapshot.files.values():
            yield from without_echoes(place_gaps(report.gaps, self.anchors(report))) if report.gaps else ()
        for path, survivors in snapshot.survivors.items():
            text = self.text(path) if survivors.gaps else None
            if text is not None:
                yield from look_at_mutants(self.workspace, survivors, text).survivors


def _changed_files(texts: _Texts, diff: Diff) -> Iterator[ChangedFile]:
    files = texts.workspace.snapshot.files
    for path in sorted(diff.lines.keys() & files.keys()):
        report, lines = files[path], diff.lines[path]
        anchors, coverage = texts.anchors(report), files[path].coverage
        measured = {anchors.current(line) for line in coverage.statements} & lines
        functions = {line: gap.region.function for gap in report.gaps for line in gap.region.statements}
        missing = {anchors.current(line): functions.get(line, MODULE) for line in sorted(coverage.missing)}
        own = {line: function for line, function in missing.items() if line is not None and line in lines}
        if measured:
            yield ChangedFile(path, frozenset(line for line in measured if line), own, diff.moved.get(path))


def _edited_since(texts: _Texts, diff: Diff) -> str | None:
    """The first measured file of which a changed line of code is newer than its data; None where there is none."""
    files = texts.workspace.snapshot.files
    return next(
        (path for path in sorted(diff.lines.keys() & files.keys()) if texts.unknown(path, diff.lines[path])), None
    )


def _new_gaps(
    gaps: tuple[PlacedGap, ...], diff: Diff | None, comparison: Comparison | None
) -> tuple[PlacedGap, ...] | None:
    if diff is not None:
        return tuple(placed for placed in gaps if _touches(placed, diff.lines))
    if comparison is not None:
        more = comparison.more_missing
        return tuple(placed for placed in gaps if (placed.gap.file, placed.gap.region.function) in more)
    return None


def _touches(placed: PlacedGap, lines: Mapping[str, frozenset[int]]) -> bool:
    changed = lines.get(placed.gap.file, frozenset())
    return not changed.isdisjoint(range(placed.first, placed.last + 1))


def _not_counted(diff: Diff | None) -> tuple[Problem, ...]:
    if diff is None or not diff.unknown:
        return ()
    first, count = diff.unknown[0], len(diff.unknown)
    files = f"{first} and {count - 1} more new files are" if count > 1 else f"{first} is"
    message = f"{files} not in git yet, and {'count' if count > 1 else 'counts'} for no changed line."
    return (Problem(message, "Run `git add` on what belongs to the change.", severity="information"),)


def _error(message: str, advice: str) -> Problem:
    return Problem(message, advice, severity="error")
