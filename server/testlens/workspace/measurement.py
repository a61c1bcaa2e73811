"""What one data file measured, file by file, whatever its format."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from testlens.domain.coverage import FileCoverage, Trace
from testlens.domain.problems import Problem
from testlens.sources import coverage_data
from testlens.sources.coverage_config import report_filter
from testlens.sources.discovery import DataFile
from testlens.sources.path_mapping import map_paths
from testlens.sources.project_config import ProjectConfig
from testlens.workspace.examined import Measured

NOTHING_KNOWN: Mapping[str, Trace] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Measurement:
    """The files of one data file: `names` has the recorded names of each workspace path (several on merged data).

    `reports` holds the verdicts that a report format brings along; for coverage.py's own data it is None, and traces
    are read on demand, but for those `known` by the names in the data.
    """

    data: DataFile
    names: Mapping[str, tuple[str, ...]]
    reports: Mapping[str, FileCoverage] | None
    problems: tuple[Problem, ...]
    known: Mapping[str, Trace] = field(default_factory=dict)

    def measured(self, paths: Collection[str], problems: list[Problem]) -> Iterator[tuple[str, Measured]]:
        """What was measured for each of `paths`, one at a time; what cannot be read is added to `problems`."""
        if self.reports is not None:
            yield from ((path, self.reports[self.names[path][0]]) for path in self.names if path in paths)
            return
        with coverage_data.open_data(self.data.paths) as data:
            for path, names in self.names.items():
                if path not in paths:
                    continue
                found = (self.known.get(name) or data.trace(name) for name in names)
                traces = [trace for trace in found if trace is not None]
                if traces:
                    yield path, coverage_data.merge(traces)
            problems.extend(data.problems)

    def tests_by_line(self, path: str) -> Mapping[int, tuple[str, ...]]:
        """The node ids of the tests that ran each line of a file (1-based); none where the data does not tell."""
        tests: dict[int, tuple[str, ...]] = {}
        for data, name in self._with_contexts(path):
            for line, nodes in data.contexts_by_line(name).items():
                tests[line] = tuple(sorted({*tests.get(line, ()), *nodes}))
        return tests

    def lines_only_of(self, path: str, tests: Collection[str]) -> frozenset[int]:
        """The lines of a file that these tests alone ran: node ids, or files of tests."""
        found = (data.lines_only_of(name, tests) for data, name in self._with_contexts(path))
        return frozenset[int]().union(*found)

    def contexts_of(self, path: str, lines: range) -> frozenset[str]:
        """All contexts of the data that ran one of these lines of a file, "" being the import."""
        return frozenset[str]().union(*(data.contexts_of(name, lines) for data, name in self._with_contexts(path)))

    def contexts_within(self, bodies: Iterable[coverage_data.Body]) -> frozenset[str]:
        """All contexts that ran one of these bodies of functions, by path, or one of these statements to its end."""
        recorded = [(name, lines) for path, lines in bodies for name in self.names.get(path, ())]
        if not self.data.has_contexts or not recorded:
            return frozenset()
        with coverage_data.open_data(self.data.paths) as data:
            return data.contexts_within(recorded)

    def ran_by(self, bodies: Iterable[coverage_data.Body], contexts: Collection[str]) -> frozenset[coverage_data.Body]:
        """Those of these statements, by path, that were run to their end in one of these contexts."""
        recorded = {(name, lines): (path, lines) for path, lines in bodies for name in self.names.get(path, ())}
        if not self.data.has_contexts or not recorded:
            return frozenset()
        with coverage_data.open_data(self.data.paths) as data:
            return frozenset(recorded[body] for body in data.ran_by(recorded.keys(), contexts))

    def contexts_of_several(self) -> frozenset[str]:
        """The contexts in which code runs for more than one test: at import, or in a fixture that they share."""
        with coverage_data.open_data(self.data.paths) as data:
            return data.contexts_of_several()

    def lines_of_test(self, test: str) -> Mapping[str, frozenset[int]]:
        """The lines that a test ran of each file (1-based); all cases of a parametrised one."""
        if not self.data.has_contexts:
            return {}
        with coverage_data.open_data(self.data.paths) as data:
            found = data.lines_of_test(test)
        nothing = frozenset[int]()
        lines = {path: nothing.union(*(found.get(n, nothing) for n in names)) for path, names in self.names.items()}
        return {path: ran for path, ran in lines.items() if ran}

    def _with_contexts(self, path: str) -> Iterator[tuple[coverage_data.OpenData, str]]:
        """The data, if it tells which test ran a line, with each name of a file in it."""
        if self.data.has_contexts and path in self.names:
            with coverage_data.open_data(self.data.paths) as data:
                yield from ((data, name) for name in self.names[path])


def load_measurement(
    root: Path, config: ProjectConfig, data: DataFile, known: Mapping[str, Trace] = NOTHING_KNOWN
) -> Measurement:
    """Find out which workspace files `data` speaks of; files that the project's report settings omit are left out.

    `known` are traces in it that need not be read.
    """
    reports: Mapping[str, FileCoverage] | None = None
    if (read := _report_reader(data)) is not None:
        reports, problems = read(data.paths[0])
        recorded: Collection[str] = reports
    else:
        recorded, problems = coverage_data.measured_files(data.paths)
    mapped = map_paths(recorded, root, config.coverage.source, config.coverage.paths)
    is_reported = report_filter(config.coverage, root)
    names: dict[str, tuple[str, ...]] = {}
    for name, path in mapped.resolved.items():
        # An installed copy is what coverage.py reports, so it is the copy's path that `omit` and `include` speak of.
        is_copy = name in mapped.by_suffix and Path(name).is_file()
        if is_reported(name if is_copy else path):
            names[path] = (*names.get(path, ()), name)
    return Measurement(data, dict(sorted(names.items())), reports, (*problems, *mapped.problems), known)


def _report_reader(data: DataFile) -> Callable[[Path], tuple[Mapping[str, FileCoverage], tuple[Problem, ...]]] | None:
    # Imported when they are needed: reading XML alone loads more modules than reading coverage.py's own data.
    match data.kind:
        case "json":
            from testlens.sources.coverage_json import read
        case "cobertura":
            from testlens.sources.cobertura import read
        case "lcov":
            from testlens.sources.lcov import read
        case _:
            return None
    return read
