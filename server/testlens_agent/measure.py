"""Measures coverage in the process that runs pytest: branches, and one context for each phase of each test.

What ran is written down at every change of context, so a process that dies loses at most the phase that it died in: in
a log, or in coverage.py's data file where the log is not proven. A failure to measure is reported once and never
reaches the tests.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Callable

import coverage
from coverage.exceptions import ConfigError

from testlens_agent.arc_log import ArcLog
from testlens_agent.default_source import OMIT, default_source
from testlens_agent.monitoring import MonitoringTracer, free_tool
from testlens_agent.traced import TracedArcs, can_be_taken
from testlens_agent.wire import EventStream

# Said of nearly every run, or of the moment when the data is first saved, and no news to anybody.
_EXPECTED_WARNINGS = {"no-data-collected", "module-not-imported", "module-not-measured", "already-imported"}
_SOURCE_OPTIONS = ("run:source", "run:source_pkgs", "run:source_dirs", "run:include")

# Where tests/agent/test_monitoring.py and tests/real/test_monitoring.py find no difference to coverage.py's C tracer.
_PROVEN_PYTHON = ((3, 12), (3, 13))
_PROVEN_COVERAGE = ((7, 17),)
_NEED_ITS_CORE = ("run:plugins", "run:patch", "run:timid", "run:sigterm", "run:debug")
_TRACERS = ("ctrace", "pytrace")


class QuietCoverage(coverage.Coverage):
    """Collects coverage.py's warnings, which would fail projects that turn Python warnings into errors."""

    def __init__(self, **options: Any) -> None:
        self.collected_warnings: list[str] = []
        super().__init__(**options)

    def use_instead_of_its_core(self, tracer: MonitoringTracer) -> None:
        """Have this tracer do the work, which must be proven for this version of coverage.py; not yet started."""
        self._init()
        self._init_for_start()
        self._inited_for_start = True
        collector: Any = self._collector
        core = collector.core
        core.tracer_class, core.tracer_kwargs, core.systrace, core.packed_arcs = (lambda: tracer), {}, False, False

    def names_of_sources(self) -> Iterator[str]:
        """The files of the sources to measure, whether they ran or not; once it was started."""
        inorout: Any = self._inorout
        yield from (self.name_in_data(name) for name, _plugin in inorout.find_possibly_unexecuted_files())

    def name_in_data(self, file: str) -> str:
        """What a file is called in a data file; once it was started."""
        collector: Any = self._collector
        name: str = collector.cached_mapped_file(file)
        return name

    def _warn(self, msg: str, slug: str | None = None, once: bool = False) -> None:
        if slug not in _EXPECTED_WARNINGS and msg not in self.collected_warnings:
            self.collected_warnings.append(msg)


class Measurement:
    """One process's coverage measurement; `piece` is the data file's name before coverage.py adds its suffix.

    `files` are those that were measured, once it is finished.
    """

    def __init__(self, root: Path, piece: str, events: EventStream) -> None:
        self._root = root
        self._piece = piece
        self._events = events
        self._coverage: QuietCoverage | None = None
        self._logged: _Logged | None = None
        self.files: set[str] = set()

    def start(self, config_file: str | None, cov_sources: list[str]) -> None:
        """Start to measure. `cov_sources`, given to `--cov` by the user, count where the configuration has none."""
        wants_tracer = os.environ.get("COVERAGE_CORE") in _TRACERS
        with self._reporting_trouble(), _tracer_with_contexts(), _without_origin():
            measuring = QuietCoverage(
                data_file=self._piece, data_suffix=True, branch=True, config_file=config_file or True
            )
            _configure(measuring, self._root, cov_sources)
            _prepare_subprocesses(measuring, self._piece)
            self._logged = None if wants_tracer else _monitored(measuring, self._piece)
            measuring.start()
            self._logged = self._logged or _traced(measuring, self._piece)
            self._coverage = measuring
            self._events.send("paths", paths=_absolute_paths(measuring, self._root))

    def switch_context(self, context: str, is_between: bool = False) -> None:
        """Credit what runs from now on to `context`, and commit what ran before.

        Nothing of the project's waits to go on, in this thread, where it `is_between` two steps of a test.
        """
        logged = self._logged
        if logged is None:
            self._call(lambda measuring: measuring.switch_context(context))
        else:
            self._call(lambda _: logged.seen.begin(context, is_between))

    def commit(self) -> None:
        """Commit what ran."""
        logged = self._logged
        self._call(lambda measuring: measuring.save() if logged is None else logged.seen.save())

    def save(self) -> None:
        """Commit what ran, and the names of the source files that nothing has run."""
        logged = self._logged
        self._call(lambda measuring: measuring.save() if logged is None else logged.save(measuring))

    def finish(self) -> None:
        """Stop, commit, and report what coverage.py warned of."""
        measuring = self._coverage
        self._call(lambda started: started.stop())
        self.save()
        self._call(lambda stopped: self.files.update(self._measured_files(stopped)))
        self._coverage = None
        for warning in measuring.collected_warnings if measuring else ():
            self._events.problem(f"coverage.py says: {warning}", "See its documentation of warnings.")

    def _measured_files(self, measuring: QuietCoverage) -> Iterable[str]:
        return measuring.get_data().measured_files() if self._logged is None else self._logged.log.files

    def _call(self, action: Callable[[QuietCoverage], object]) -> None:
        if self._coverage is None:
            return
        with self._reporting_trouble():
            action(self._coverage)

    @contextlib.contextmanager
    def _reporting_trouble(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # noqa: BLE001  (whatever goes wrong in coverage.py or its plugins, the tests go on)
            self._coverage = None
            self._events.problem(
                f"The coverage of this run is incomplete: {type(error).__name__}: {error}",
                "Correct the coverage configuration or the free space that the message names, then run again.",
            )


class _Logged:
    """A log in the place of coverage.py's data file. `seen` has what is to be written down."""

    def __init__(self, log: ArcLog, seen: MonitoringTracer | TracedArcs) -> None:
        self.log = log
        self.seen = seen

    def save(self, measuring: QuietCoverage) -> None:
        """Write down what ran, and which sources there are."""
        self.seen.save()
        self.log.write_files(measuring.names_of_sources())


def _monitored(measuring: QuietCoverage, piece: str) -> _Logged | None:
    """sys.monitoring where it is known to find what coverage.py's C tracer does; None where that is not so."""
    tool = free_tool()
    if tool is None or not _is_proven(measuring):
        return None
    log = ArcLog(piece)
    tracer = MonitoringTracer(tool, log, measuring.name_in_data)
    measuring.use_instead_of_its_core(tracer)
    return _Logged(log, tracer)


def _traced(measuring: QuietCoverage, piece: str) -> _Logged | None:
    """The log of coverage.py's C tracer, once that has started; None where coverage.py has to keep its own data."""
    collector: Any = measuring._collector
    if not _is_plain(measuring) or not can_be_taken(collector):
        return None
    log = ArcLog(piece)
    return _Logged(log, TracedArcs(collector, log, measuring.name_in_data))


def _is_proven(measuring: QuietCoverage) -> bool:
    # The bytecode of these versions, and the parts of coverage.py that are used beside its documented ones.
    if sys.implementation.name != "cpython" or sys.version_info[:2] not in _PROVEN_PYTHON or not _has_c_tracer():
        return False
    if coverage.version_info[:2] not in _PROVEN_COVERAGE or not getattr(sys, "_is_gil_enabled", lambda: True)():
        return False
    return _is_plain(measuring)


def _is_plain(measuring: QuietCoverage) -> bool:
    """Whether nothing is configured that has a hand in what coverage.py's tracers see."""
    concurrency = _option(measuring, "run:concurrency") or []
    return set(concurrency) <= {"thread"} and not any(_option(measuring, name) for name in _NEED_ITS_CORE)


def _configure(measuring: QuietCoverage, root: Path, cov_sources: list[str]) -> None:
    if not any(_option(measuring, name) for name in _SOURCE_OPTIONS):
        measuring.set_option("run:source", cov_sources or default_source(root))
        if not cov_sources:
            measuring.set_option("run:omit", [*(_option(measuring, "run:omit") or []), *OMIT])
    # These three would change the contexts' names and the paths, which the server relies on.
    measuring.set_option("run:dynamic_context", "none")
    measuring.set_option("run:context", "")
    measuring.set_option("run:relative_files", False)


def _absolute_paths(measuring: QuietCoverage, root: Path) -> dict[str, list[str]]:
    """The configuration's `[paths]`, which say where the source of an installed package is, for any working folder."""
    paths: dict[str, list[str]] = _option(measuring, "paths") or {}
    return {
        name: [entry if entry.startswith("*") else str(root / entry) for entry in entries]
        for name, entries in paths.items()
    }


def _option(measuring: QuietCoverage, name: str) -> Any:
    try:
        return measuring.get_option(name)
    except (coverage.CoverageException, ConfigError):  # an option that this version of coverage.py does not have
        return None


def _prepare_subprocesses(measuring: QuietCoverage, piece: str) -> None:
    """Lead the processes that coverage.py's multiprocessing support starts to our data file, with branches.

    They read the user's configuration anew, and would otherwise write their pieces into the user's folder.
    """
    if "multiprocessing" not in (_option(measuring, "run:concurrency") or []):
        return
    os.environ["COVERAGE_FILE"] = piece
    branches = Path(piece).with_name("branches.ini")
    branches.write_text("[run]\nbranch = true\n", encoding="ascii")
    os.environ["COVERAGE_FORCE_CONFIG"] = str(branches)


@contextlib.contextmanager
def _tracer_with_contexts() -> Iterator[None]:
    """Choose the tracer while coverage.py starts: sys.monitoring, the default since Python 3.14, knows no contexts."""
    before = os.environ.get("COVERAGE_CORE")
    os.environ["COVERAGE_CORE"] = "ctrace" if _has_c_tracer() else "pytrace"
    try:
        yield
    finally:
        if before is None:
            del os.environ["COVERAGE_CORE"]
        else:
            os.environ["COVERAGE_CORE"] = before


@contextlib.contextmanager
def _without_origin() -> Iterator[None]:
    """Keep coverage.py from writing down who starts it, for its own debugging: the longer, the more is imported."""
    import coverage.collector

    collector: Any = coverage.collector
    before = getattr(collector, "short_stack", None)
    collector.short_stack = lambda *_arguments, **_options: ""
    try:
        yield
    finally:
        collector.short_stack = before


def _has_c_tracer() -> bool:
    try:
        import coverage.tracer  # noqa: F401
    except ImportError:
        return False
    return "coverage.tracer" in sys.modules
