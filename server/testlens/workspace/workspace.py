"""One workspace folder: reads its data, holds its snapshot, and answers what is known of a file.

Every method may be called from any thread; those that read files take time and belong in an executor.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from testlens.domain.coverage import Numbers, Trace
from testlens.domain.history import FileHistory
from testlens.domain.mutants import MutationResults
from testlens.domain.plan import Plan, make_plan
from testlens.domain.problems import Problem
from testlens.domain.snapshot import FileReport, FileSurvivors, Snapshot, TestResult
from testlens.domain.staleness import UNCHANGED, Anchors, Marks, anchor, place
from testlens.sources import coverage_data
from testlens.sources.coverage_parse import normalise
from testlens.sources.discovery import OWN_RUN, DataFile, find_data, own_run
from testlens.sources.path_mapping import map_paths
from testlens.sources.project_config import ConfigReader, ProjectConfig
from testlens.sources.replacement import fold
from testlens.workspace.assess import report
from testlens.workspace.change_history import ChangeHistory
from testlens.workspace.examination import Examiner, Progress
from testlens.workspace.examined import Examined, ParseRules, digest
from testlens.workspace.kept_values import KeptValues
from testlens.workspace.known_mutants import KnownMutants, MutatedFile, as_results
from testlens.workspace.left_out import NOTHING, LeftOut, load_left_out, with_doubt, without_doubtful_gaps
from testlens.workspace.measurement import NOTHING_KNOWN, Measurement, load_measurement
from testlens.workspace.other_mutants import OtherMutants
from testlens.workspace.remembered import Remembered
from testlens.workspace.settings import NO_OVERRIDES, Overrides, Settings, settle
from testlens.workspace.source_files import UNSEEN, SourceFile, SourceFiles, digests_by_path, keep_run_sources
from testlens.workspace.store import Store
from testlens.workspace.survivors import AssessedSurvivors, with_survivors
from testlens.workspace.words import edited_since, in_words, relative


def _no_progress(done: int, total: int) -> None:
    """Nobody is watching."""


class Workspace:
    """Holds what is known of one folder. `on_snapshot` hears of each new snapshot, on the thread that made it."""

    def __init__(
        self, root: Path, overrides: Overrides = NO_OVERRIDES, on_snapshot: Callable[[Snapshot], None] | None = None
    ) -> None:
        self.root = root
        self.store = Store(root)
        self._on_snapshot = on_snapshot
        self._refreshing = threading.Lock()
        self._overrides = overrides
        self._settled: tuple[ProjectConfig, Overrides, tuple[Settings, tuple[Problem, ...]]] | None = None
        self._snapshot = self._measured = Snapshot()
        self.kept_values = KeptValues(root, self.store)
        self._known_mutants = KnownMutants(root, self.store)
        self._other_mutants = OtherMutants(root)
        self._assessed = AssessedSurvivors()
        self._mutated: Mapping[str, MutatedFile] = {}
        self._measurement: Measurement | None = None
        self._history = ChangeHistory(root, self.store)
        self._remembered = Remembered()
        self._config = ConfigReader(root)
        self._config_problems: tuple[Problem, ...] = ()
        self._kept_left_out = self._new_left_out = NOTHING
        self.settings = self._load_settings()

    @property
    def snapshot(self) -> Snapshot:
        """The newest snapshot; empty until the first refresh."""
        return self._snapshot

    @property
    def own_data(self) -> Path:
        """Where a run of Testlens leaves its coverage data."""
        return self.root / OWN_RUN

    @property
    def data(self) -> DataFile | None:
        """The data that the newest snapshot was made from, None where there is none."""
        return self._measurement.data if self._measurement is not None else None

    @property
    def left_out(self) -> LeftOut:
        """The slow tests that edits select, and that have not run since."""
        return self._kept_left_out.and_also(self._new_left_out)

    @property
    def measurement(self) -> Measurement | None:
        """This data and the files that it speaks of, None where there is none."""
        return self._measurement

    @property
    def mutated_files(self) -> Mapping[str, MutatedFile]:
        """The mutants of the newest snapshot with the texts that they were made on, by path."""
        return self._mutated

    @property
    def measured_paths(self) -> Collection[str]:
        """The files that this data speaks of."""
        return self._measurement.names.keys() if self._measurement is not None else ()

    def configure(self, overrides: Overrides) -> None:
        """Put other overrides in force; the next refresh uses them."""
        self._overrides = overrides
        self.settings = self._load_settings()

    def plan(self) -> Plan:
        """The plan of the newest snapshot."""
        snapshot = self._snapshot
        return make_plan(snapshot.files.values(), snapshot.totals, self.settings.target, snapshot.survivor_gaps)

    def refresh(self, progress: Progress = _no_progress, known: Mapping[str, Trace] = NOTHING_KNOWN) -> Snapshot:
        """Read the best data of the folder and publish a new snapshot. Never raises on bad content.

        `known` are traces in the data of own runs that need not be read.
        """
        with self._refreshing:
            self.settings = self._load_settings()
            found, problems = find_data(self.root, self.settings.config)
            problems = (*self._config_problems, *problems)
            measurement, unusable = self._first_usable(found, known)
            problems += unusable
            self._measurement = measurement
            if measurement is None:
                return self._publish(Snapshot(problems=problems))
            return self._publish(self._build(measurement, problems, progress))

    def read_history(self) -> bool:
        """Ask git about the files with gaps; if this says true, the next refresh knows more of their risk.

        Runs git, so not in a workspace that the user does not trust. Takes some milliseconds a file the first time.
        """
        snapshot = self._snapshot
        files = {path: file.text_digest for path, file in snapshot.files.items() if file.gaps}
        files |= {path: file.text_digest for path, file in snapshot.survivors.items() if file.gaps}
        known = self._history.problems
        found = self._history.read(files)
        if not found and self._history.problems != known:
            self._publish(replace(self._measured, problems=(*self._measured.problems, *self._history.problems)))
        return found

    def peek(self, paths: Collection[str]) -> Mapping[str, FileReport]:
        """Reports of a few files (relative, POSIX) from the newest data, without waiting for all the others.

        Only coverage.py's own data can be read this way; for other formats, and where nothing is known, it is empty.
        """
        settings = self.settings
        found, _ = find_data(self.root, settings.config)
        if not found or not found[0].has_contexts:
            return {}
        files = SourceFiles(self.root, found[0])
        with coverage_data.open_data(found[0].paths) as data:
            traces = {path: _first_trace(data, self.root, path) for path in paths}
        reports = [self._peek_one(files.read(path), trace) for path, trace in traces.items() if trace]
        return {report.path: report for report in reports if report is not None}

    def tests_by_line(self, path: str) -> Mapping[int, tuple[str, ...]]:
        """The node ids of the tests that ran each line of the text that was measured (1-based)."""
        return self._measurement.tests_by_line(path) if self._measurement is not None else {}

    def lines_only_of(self, path: str, tests: Collection[str]) -> frozenset[int]:
        """The lines that were measured of a file, and that these tests alone ran: node ids, or files of tests."""
        return self._measurement.lines_only_of(path, tests) if self._measurement is not None else frozenset()

    def lines_of_test(self, test: str) -> Mapping[str, frozenset[int]]:
        """The lines that a test ran of each file, as they were measured (1-based); all cases of a parametrised one."""
        return self._measurement.lines_of_test(test) if self._measurement is not None else {}

    def anchors(self, report: FileReport, text: str) -> Anchors | None:
        """How the lines of `report` lie in `text`; None where the text that was measured is not known."""
        measured, current = self.measured_text(report, text), normalise(text)
        if measured is None:
            return None
        return UNCHANGED if measured == current else anchor(measured, current)

    def measured_text(self, report: FileReport, text: str) -> str | None:
        """The text that the lines of `report` belong to, which may be `text`; None where it is not known."""
        if not report.anchored:
            return None
        current = normalise(text)
        if digest(current) == report.text_digest:
            return current
        kept = self.store.measured_text(report.path)
        return kept[1] if kept is not None and kept[0] == report.text_digest else None

    def mutant_anchors(self, path: str, text: str) -> Anchors | None:
        """How the lines that mutants of `path` were made on lie in `text`; None where there are no mutants."""
        mutated = self._mutated.get(path)
        return None if mutated is None else anchor(mutated.text, normalise(text))

    def take_mutants(self, results: MutationResults) -> Snapshot:
        """Put what mutants were found to do in the place of what was known of the same functions, and keep it."""
        with self._refreshing:
            self._known_mutants.take(results)
            return self._publish(self._measured)

    def leave_out(self, tests: LeftOut) -> Snapshot:
        """Make known what edits select and does not run; it takes the place of what was said of this before."""
        with self._refreshing:
            self._new_left_out = tests
            return self._publish(replace(self._measured, left_out=self.left_out.tests))

    def read_mutants(self) -> Snapshot:
        """Read again what others say of mutants. Never raises on bad content."""
        with self._refreshing:
            return self._publish(self._measured)

    def marks(self, report: FileReport, anchors: Anchors) -> Marks:
        """What to paint in a file."""
        marks = place(report.coverage, self._failing_only(report.path), anchors)
        return with_doubt(marks, anchors, self._doubtful(report.path), self._left_out_only(report.path))

    def run_sources(
        self, sources: Mapping[str, str], rewritten: Mapping[str, str] = UNSEEN, seen: Mapping[str, str] = UNSEEN
    ) -> Mapping[str, str]:
        """What a run measured, by absolute path, as relative paths of what it is shown at; see `digests_by_path`."""
        coverage = self.settings.config.coverage
        mapped = map_paths({**sources, **rewritten}, self.root, coverage.source, coverage.paths)
        return digests_by_path(sources, rewritten, mapped.resolved, seen)

    def keep_examinations(self, touched: frozenset[str]) -> None:
        """Keep what was found in files for the own data that has taken the place of that of the newest snapshot.

        It says of each file what that data said, but for those recorded as `touched`.
        """
        measurement, now = self._measurement, own_run(self.root)
        if now is not None and measurement is not None and measurement.data.kind == "own run":
            edited = {path for path, names in measurement.names.items() if not touched.isdisjoint(names)}
            self.store.carry_examinations(repr(measurement.data.signature), repr(now.signature), edited)
            self._measurement = replace(measurement, data=now)

    def fold(self) -> None:
        """Put what lies beside the data of own runs into it, which says the same then. Raises `replacement.DAMAGE`."""
        own = own_run(self.root)
        if own is not None and len(own.paths) > 1:
            fold(own.paths)
            self.keep_examinations(frozenset())

    def finish_run(
        self,
        outcomes: Mapping[str, TestResult],
        sources: Mapping[str, str],
        known: Mapping[str, Trace] = NOTHING_KNOWN,
    ) -> Snapshot:
        """Take over a finished run: its results, and the SHA-256 of what it measured, see `run_sources`.

        `known`: see `refresh`.
        """
        self._new_left_out = NOTHING
        # Where the disk refuses, the files count as edited since, and the store's own problem says why.
        with contextlib.suppress(OSError):
            keep_run_sources(self.root, sources)
        self.store.replace_outcomes(outcomes)
        return self.refresh(known=known)

    def close(self) -> None:
        """Let go of the store."""
        self.store.close()

    def _load_settings(self) -> Settings:
        config, problems = self._config.load()
        if self._settled is None or self._settled[:2] != (config, self._overrides):
            self._settled = (config, self._overrides, settle(config, self._overrides))
        settings, weight_problems = self._settled[2]
        self._config_problems = (*problems, *weight_problems)
        return settings

    @property
    def rules(self) -> ParseRules:
        """How sources are parsed."""
        coverage = self.settings.config.coverage
        return ParseRules(coverage.exclude, coverage.no_branch)

    def _history_of(self, path: str, examined: Examined) -> FileHistory | None:
        return self._history.of(path, examined.text_digest)

    def _first_usable(
        self, found: tuple[DataFile, ...], known: Mapping[str, Trace]
    ) -> tuple[Measurement | None, tuple[Problem, ...]]:
        problems: tuple[Problem, ...] = ()
        for data in found:
            known_here = known if data.kind == "own run" else NOTHING_KNOWN
            measurement = load_measurement(self.root, self.settings.config, data, known_here)
            if measurement.names:
                return measurement, problems
            problems += measurement.problems
        return None, problems

    def _build(self, measurement: Measurement, problems: tuple[Problem, ...], progress: Progress) -> Snapshot:
        own = measurement.data.kind == "own run"
        self._kept_left_out = load_left_out(self.root) if own else NOTHING
        examiner = Examiner(self.root, self.store, measurement, self.rules, self._remembered)
        files: dict[str, FileReport] = {}
        edited: list[str] = []
        for file in examiner.files(progress):
            history = self._history_of(file.path, file.examined)
            files[file.path] = self._remembered.report(file.path, file.examined, self.settings, history, file.anchored)
            if file.edited:
                edited.append(file.path)
        for path in files.keys() & self._kept_left_out.edited.keys():
            files[path] = without_doubtful_gaps(files[path], self._doubtful(path))
        totals = sum((file.numbers for file in files.values()), Numbers())
        source = in_words(self.root, measurement.data)
        self.store.record_percent(source, totals.percent)
        problems += (*measurement.problems, *examiner.problems, *self._history.problems, *self._store_problem())
        if edited:
            problems += (edited_since(sorted(edited)),)
        outcomes = self.store.outcomes() if own else {}
        previous = self.store.previous_percent()
        ordered = MappingProxyType(dict(sorted(files.items())))
        snapshot = Snapshot(source, totals, ordered, MappingProxyType(dict(outcomes)), problems, previous)
        return replace(snapshot, left_out=self.left_out.tests)

    def _publish(self, measured: Snapshot) -> Snapshot:
        """Make what was measured known, with what mutants say beside it."""
        self._measured = measured
        snapshot = self._with_mutants(measured)
        snapshot = replace(snapshot, problems=tuple(relative(problem, self.root) for problem in snapshot.problems))
        self._snapshot = snapshot
        if self._on_snapshot is not None:
            self._on_snapshot(snapshot)
        return snapshot

    def _with_mutants(self, measured: Snapshot) -> Snapshot:
        mutated = self._mutated = self._known_mutants.combined(self._other_mutants.read())
        problems = (*measured.problems, *self._other_mutants.problems)
        if not mutated:
            return replace(measured, problems=problems)
        survivors: dict[str, FileSurvivors] = {}
        files = dict(measured.files)
        for path, file in mutated.items():
            found = files.get(path)
            missing = frozenset[int]() if found is None else self._missing_lines(found, file.text)
            history = self._history.of(path, file.mutants.text_digest)
            survivors[path] = self._assessed.of(file, missing, self.settings, history)
            if found is not None:
                files[path] = with_survivors(found, survivors[path].gaps)
        return replace(
            measured,
            files=MappingProxyType(files),
            problems=problems,
            mutants=as_results(mutated),
            survivors=MappingProxyType(survivors),
        )

    def _missing_lines(self, report: FileReport, text: str) -> frozenset[int]:
        """The lines of `text` that no test runs."""
        anchors = self.anchors(report, text)
        missing = (anchors.current(line) for line in report.coverage.missing) if anchors is not None else ()
        return frozenset(line for line in missing if line is not None)

    def _store_problem(self) -> tuple[Problem, ...]:
        return (self.store.problem,) if self.store.problem else ()

    def _failing_only(self, path: str) -> frozenset[int]:
        outcomes = self._snapshot.outcomes
        if not any(result.failed for result in outcomes.values()):
            return frozenset()
        passed = {test for test, result in outcomes.items() if not result.failed}
        by_line = self.tests_by_line(path)
        return frozenset(line for line, tests in by_line.items() if tests and passed.isdisjoint(tests))

    def _doubtful(self, path: str) -> frozenset[int]:
        """The measured lines of a file that tests may run which were left out."""
        kept = self.store.measured_text(path) if path in self._kept_left_out.edited else None
        return frozenset() if kept is None else self._kept_left_out.doubtful_lines(path, kept[1])

    def _left_out_only(self, path: str) -> frozenset[int]:
        """The measured lines of a file that only such tests ran."""
        tests = self.left_out.tests
        by_line = self.tests_by_line(path) if tests else {}
        return frozenset(line for line, ran in by_line.items() if ran and tests.issuperset(ran))

    def _peek_one(self, source: SourceFile | None, trace: Trace) -> FileReport | None:
        from testlens.workspace.examine import examine_text

        if source is None:
            return None
        examined = examine_text(source.text, source.path, trace, self.rules)
        if isinstance(examined, Problem):
            return None
        return report(source.path, examined, self.settings, self._history_of(source.path, examined), source.fresh)


def _first_trace(data: coverage_data.OpenData, root: Path, path: str) -> Trace | None:
    # Most data names a file absolutely, by its real path; `relative_files` names it from the folder.
    names = dict.fromkeys((str(root.resolve() / path), str(root / path), path))
    return next((trace for name in names if (trace := data.trace(name)) is not None), None)
