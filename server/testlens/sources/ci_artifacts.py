"""Finds what jobs have left: coverage data files and mutation reports, in files and folders that the user names."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from testlens.domain.problems import Problem
from testlens.sources.mutation_merge import is_report
from testlens.sources.mutation_report import LARGEST

_SKIPPED = frozenset({".git", ".hg", ".testlens", ".tox", ".nox", ".venv", "venv", "node_modules", "__pycache__"})
_BESIDE = ("-journal", "-wal", "-shm", ".xml", ".json", ".lcov", ".info", ".html")


@dataclass(frozen=True, slots=True)
class Artifacts:
    """Absolute paths, sorted by name where a folder was searched."""

    coverage: tuple[Path, ...]
    reports: tuple[Path, ...]


def find_artifacts(named: Sequence[str], coverage_file: Path, mutation_file: Path) -> Artifacts | Problem:
    """What the named files and folders hold; without any, the parallel data files beside `coverage_file`.

    In folders only what has the name of such files counts, and the results of an earlier merge do not: these are
    `coverage_file` and `mutation_file`. A Problem where a name means nothing, or nothing is found.
    """
    base = coverage_file.name
    own = {coverage_file.absolute(), mutation_file.absolute()}
    coverage: list[Path] = []
    reports: list[Path] = []
    for name in named:
        place = Path(name).expanduser().absolute()
        if place.is_dir():
            files = [file for file in _files(place) if file not in own]
            coverage += [file for file in files if _is_data_name(file.name, base)]
            reports += [file for file in files if file.suffix == ".json" and _is_report(file)]
        elif not place.is_file():
            return _nothing_there(name)
        elif place.suffix == ".json":
            reports.append(place)
        else:
            coverage.append(place)
    if not named:
        files = sorted(file for file in coverage_file.parent.glob("*") if file.is_file())
        coverage = [file for file in files if file not in own and _is_data_name(file.name, base)]
    if not coverage and not reports:
        return _none_found(named, coverage_file.parent)
    return Artifacts(tuple(dict.fromkeys(coverage)), tuple(dict.fromkeys(reports)))


def _files(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED)
        yield from (Path(place, name) for name in sorted(files))


def _is_data_name(name: str, base: str) -> bool:
    if name.endswith(_BESIDE) or name == ".coveragerc":
        return False
    return any(name == known or name.startswith(f"{known}.") for known in {".coverage", base})


def _is_report(file: Path) -> bool:
    try:
        if file.stat().st_size > LARGEST:
            return False
        return is_report(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError):
        # One whose name says that it is a report is to be merged, and is then found to be damaged.
        return "mutation" in file.name


def _nothing_there(name: str) -> Problem:
    advice = "Name data files such as .coverage.linux, mutation reports (.json), or a folder that has them."
    return Problem("There is no such file or folder.", advice, name, severity="error")


def _none_found(named: Sequence[str], folder: Path) -> Problem:
    place = ", ".join(named) or str(folder)
    advice = (
        "Keep the data files of the jobs (.coverage.NAME; hidden files are often left out of artifacts) "
        "and what `testlens mutate --report FILE` has written, and name the folder."
    )
    return Problem(f"There is neither coverage data nor a mutation report in {place}.", advice, severity="error")
