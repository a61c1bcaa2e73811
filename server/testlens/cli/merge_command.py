"""`testlens merge`: make one of what many jobs measured: coverage data files, and the mutation reports of shards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testlens.cli.failure import Failure
from testlens.cli.sharding import write_report
from testlens.cli.terminal import print_json, print_problems
from testlens.domain.coverage import percent_text
from testlens.domain.problems import Problem
from testlens.report.plan_json import VERSION, problems_json
from testlens.sources.ci_artifacts import Artifacts, find_artifacts
from testlens.sources.coverage_combine import Combined, combine, names_in
from testlens.sources.mutation_merge import Conflict, MergedMutants, merge_reports, read_shard_report
from testlens.sources.path_mapping import PathMap, map_paths
from testlens.sources.project_config import ProjectConfig, load

_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to merge (files and folders as named) and where to; None for the customary places of the project."""

    root: Path
    inputs: tuple[str, ...]
    coverage_file: Path | None = None
    mutation_file: Path | None = None


@dataclass(frozen=True, slots=True)
class _Merged:
    found: Artifacts
    coverage_file: Path
    coverage: Combined | None
    mutation_file: Path
    mutants: MergedMutants | None
    problems: tuple[Problem, ...]

    @property
    def status(self) -> int:
        return 1 if any(problem.severity == "error" for problem in self.problems) else 0


def merge(wanted: Wanted) -> int:
    """Merge and say what came of it; returns the exit status: 1 where a shard of the mutants is missing."""
    merged = _merge(wanted)
    print_problems(merged.problems)
    if merged.coverage is not None:
        count = _count(len(merged.found.coverage), "data file")
        contents = f"{_count(merged.coverage.files, 'file')}, {_count(merged.coverage.contexts, 'context')}"
        print(f"Merged {count} into {merged.coverage_file}: {contents}.")
    if merged.mutants is not None:
        count = _count(len(merged.found.reports), "mutation report")
        print(f"Merged {count} into {merged.mutation_file}: {summary(merged.mutants)}.")
    return merged.status


def merge_as_json(wanted: Wanted) -> int:
    """Merge and print what came of it as one JSON object; returns the exit status."""
    merged = _merge(wanted)
    print_json(
        {
            "version": VERSION,
            "exit_code": merged.status,
            "coverage": _coverage_json(merged),
            "mutation": _mutation_json(merged),
            "problems": problems_json(merged.problems),
        }
    )
    return merged.status


def _merge(wanted: Wanted) -> _Merged:
    config, problems = load(wanted.root)
    coverage_file = wanted.coverage_file or wanted.root / config.coverage.data_file
    mutation_file = wanted.mutation_file or wanted.root / "mutation-report.json"
    found = find_artifacts(wanted.inputs, coverage_file, mutation_file)
    if isinstance(found, Problem):
        raise Failure(found)
    # All is read before anything is written: where one input is bad, nothing has changed.
    names = names_in([Path(file) for file in found.coverage])
    if isinstance(names, Problem):
        raise Failure(names)
    paths = map_paths(names, wanted.root, config.coverage.source, config.coverage.paths)
    mutants = _mutants(wanted.root, found.reports)
    coverage = _combined(wanted.root, config, found.coverage, coverage_file, paths)
    if mutants is not None:
        write_report(mutation_file, mutants.document)
        problems += _contested(mutants.conflicts) + _missing(mutants)
    return _Merged(found, coverage_file, coverage, mutation_file, mutants, (*problems, *paths.problems))


def _combined(
    root: Path, config: ProjectConfig, files: Sequence[Path], target: Path, paths: PathMap
) -> Combined | None:
    if not files:
        return None
    if target.is_dir() or target.suffix in (".py", ".pyi"):
        raise Failure(Problem("Coverage data does not replace this.", "Name another file.", str(target)))
    combined = combine(files, target, _rename(root, config, paths))
    if isinstance(combined, Problem):
        raise Failure(combined)
    return combined


def _rename(root: Path, config: ProjectConfig, paths: PathMap) -> Callable[[str], str | None]:
    """The names under which coverage.py's own reports find the files of this checkout."""

    def rename(name: str) -> str | None:
        inside = paths.resolved.get(name)
        if inside is None or config.coverage.relative_files:
            return inside
        return str(root / inside)

    return rename


def _mutants(root: Path, files: Sequence[Path]) -> MergedMutants | None:
    if not files:
        return None
    reports = []
    for file in files:
        report = read_shard_report(file, str(file))
        if isinstance(report, Problem):
            raise Failure(report)
        reports.append(report)
    paths = map_paths({name for report in reports for name in report.document["files"]}, root, (), {}).resolved
    merged = merge_reports(reports, lambda name: paths.get(name, name))
    if isinstance(merged, Problem):
        raise Failure(merged)
    return merged


def _contested(conflicts: Sequence[Conflict]) -> tuple[Problem, ...]:
    problems = [
        Problem(
            f"{conflict.name}: {', '.join(f'{status} in {file}' for file, status in conflict.verdicts.items())}.",
            "It counts as not noticed; find out which of its tests is not deterministic.",
            conflict.path,
        )
        for conflict in conflicts[:_MOST_NAMED]
    ]
    if len(conflicts) > _MOST_NAMED:
        message = f"{len(conflicts) - _MOST_NAMED} more mutants have contrary verdicts."
        problems.append(Problem(message, "--json lists all."))
    return tuple(problems)


def _missing(mutants: MergedMutants) -> tuple[Problem, ...]:
    if not mutants.missing:
        return ()
    named = ", ".join(map(str, mutants.missing))
    message = f"No report has shard {named}: its mutants are not checked."
    return (Problem(message, "Run that job again, and merge once more.", severity="error"),)


def summary(mutants: MergedMutants) -> str:
    """How many mutants a merged report has, and what became of them, in words."""
    counts = Counter(mutants.statuses)
    score = "no score" if mutants.score is None else f"mutation score {percent_text(mutants.score)} %"
    parts = [f"{count} {status}" for status, count in counts.most_common()]
    return f"{_count(len(mutants.statuses), 'mutant')}, {score}: {', '.join(parts) or 'none'}"


def _coverage_json(merged: _Merged) -> dict[str, Any] | None:
    if merged.coverage is None:
        return None
    return {
        "file": str(merged.coverage_file),
        "inputs": [str(file) for file in merged.found.coverage],
        "files": merged.coverage.files,
        "contexts": merged.coverage.contexts,
        "duplicates": merged.coverage.duplicates,
    }


def _mutation_json(merged: _Merged) -> dict[str, Any] | None:
    mutants = merged.mutants
    if mutants is None:
        return None
    return {
        "file": str(merged.mutation_file),
        "inputs": [str(file) for file in merged.found.reports],
        "mutants": len(mutants.statuses),
        "score": None if mutants.score is None else round(mutants.score, 1),
        "statuses": dict(Counter(mutants.statuses)),
        "missing": [str(shard) for shard in mutants.missing],
        "conflicts": [
            {"file": one.path, "name": one.name, "verdicts": dict(one.verdicts)} for one in mutants.conflicts
        ],
    }


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"
