"""What one data file measured, file by file, whatever its format."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from testlens.domain.coverage import FileCoverage
from testlens.domain.problems import Problem
from testlens.sources import coverage_data
from testlens.sources.coverage_config import report_filter
from testlens.sources.discovery import DataFile
from testlens.sources.path_mapping import map_paths
from testlens.sources.project_config import ProjectConfig
from testlens.workspace.examined import Measured


@dataclass(frozen=True, slots=True)
class Measurement:
    """The files of one data file: `names` has the recorded names of each workspace path (several on merged data).

    `reports` holds the verdicts that a report format brings along; for coverage.py's own data it is None, and traces
    are read on demand.
    """

    data: DataFile
    names: Mapping[str, tuple[str, ...]]
    reports: Mapping[str, FileCoverage] | None
    problems: tuple[Problem, ...]

    def measured(self, paths: Collection[str], problems: list[Problem]) -> Iterator[tuple[str, Measured]]:
        """What was measured for each of `paths`, one at a time; what cannot be read is added to `problems`."""
        if self.reports is not None:
            yield from ((path, self.reports[self.names[path][0]]) for path in self.names if path in paths)
            return
        with coverage_data.open_data(self.data.paths) as data:
            for path, names in self.names.items():
                if path not in paths:
                    continue
                traces = [trace for name in names if (trace := data.trace(name)) is not None]
                if traces:
                    yield path, coverage_data.merge(traces)
            problems.extend(data.problems)


def load_measurement(root: Path, config: ProjectConfig, data: DataFile) -> Measurement:
    """Find out which workspace files `data` speaks of; files that the project's report settings omit are left out."""
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
    return Measurement(data, dict(sorted(names.items())), reports, (*problems, *mapped.problems))


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
