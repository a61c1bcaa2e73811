"""Finds the data files and reports of a workspace folder, best first. Looks only where they customarily lie."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from testlens.domain.problems import Problem
from testlens.sources.project_config import ProjectConfig

DataKind = Literal["own run", "coverage.py", "json", "cobertura", "lcov"]
Signature = tuple[tuple[str, int, int, int], ...]

OWN_RUN = ".testlens/run.coverage"
"""Where Testlens' own test runs leave their data, relative to the workspace folder."""

_REPORT_FOLDERS = ("", "coverage", "reports", "build")
_REPORT_KINDS: dict[str, DataKind] = {
    "coverage.json": "json",
    "coverage.xml": "cobertura",
    "cobertura.xml": "cobertura",
    "lcov.info": "lcov",
    "coverage.lcov": "lcov",
}
_SUFFIX_KINDS: dict[str, DataKind] = {".json": "json", ".xml": "cobertura", ".info": "lcov", ".lcov": "lcov"}
_DERIVED_WITHIN_NS = 60_000_000_000


@dataclass(frozen=True, slots=True)
class DataFile:
    """Coverage data in one format: one file, or the parallel data files of one run.

    `signature` changes whenever any of the files does: path, size in bytes, mtime in ns and inode of each.
    """

    kind: DataKind
    signature: Signature

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files, absolute; more than one only for parallel coverage.py data, and for an own run: see `own_run`."""
        return tuple(Path(path) for path, *_ in self.signature)

    @property
    def mtime_ns(self) -> int:
        """When the newest of the files was written."""
        return max(mtime for _, _, mtime, _ in self.signature)

    @property
    def size(self) -> int:
        """Bytes in all files together."""
        return sum(size for _, size, _, _ in self.signature)

    @property
    def has_contexts(self) -> bool:
        """Whether this format can say which test ran a line."""
        return self.kind in ("own run", "coverage.py")


def find_data(root: Path, config: ProjectConfig) -> tuple[tuple[DataFile, ...], tuple[Problem, ...]]:
    """All data of the folder, best first.

    The files of the `data` setting come first, as listed. Of the others the newest wins, except that a report written
    within a minute after a coverage.py data file was made from it, and comes after it because it says less.
    """
    explicit, problems = _explicit(root, config.data)
    found = [data for data in _candidates(root, config) if data.signature not in {e.signature for e in explicit}]
    data_times = [data.mtime_ns for data in found if data.has_contexts]

    def rank(data: DataFile) -> tuple[int, bool]:
        if data.has_contexts:
            return data.mtime_ns, True
        origins = [time for time in data_times if 0 <= data.mtime_ns - time <= _DERIVED_WITHIN_NS]
        return max(origins, default=data.mtime_ns), False

    return (*explicit, *sorted(found, key=rank, reverse=True)), problems


def own_run(root: Path) -> DataFile | None:
    """What Testlens' own runs have left, if there is any: one file, for moments with an addition."""
    own = _data_file("own run", [root / OWN_RUN])
    if own is None:
        return None
    addition = _data_file("own run", [addition_to(root / OWN_RUN, own.mtime_ns)])
    return own if addition is None else DataFile("own run", (*own.signature, *addition.signature))


def addition_to(own: Path, mtime_ns: int) -> Path:
    """Where what some tests have told lies until it is in the data of own runs as well.

    It belongs to the file that was written then, and means nothing once another one has taken its place.
    """
    return own.with_name(f"{own.stem}.{mtime_ns}{own.suffix}")


def outdated_additions(own: Path) -> list[Path]:
    """Those that mean nothing any more. Raises `OSError`."""
    return sorted(set(own.parent.glob(f"{own.stem}.*{own.suffix}")) - {addition_to(own, own.stat().st_mtime_ns)})


def is_data_name(name: str, more: Collection[str] = ()) -> bool:
    """Whether a file called `name` (no folder) may be coverage data; `more` are names from `data_names`."""
    if name.endswith(("-journal", "-wal", "-shm")):
        return False
    names = {".coverage", Path(OWN_RUN).name, *_REPORT_KINDS, *more}
    return name in names or any(name.startswith(f"{data}.") for data in (".coverage", *more))


def data_names(config: ProjectConfig) -> frozenset[str]:
    """The file names that this project's configuration adds to the customary ones."""
    configured = (config.coverage.data_file, *config.coverage.outputs.values(), *config.data)
    return frozenset(Path(path).name for path in configured)


def data_folders(root: Path, config: ProjectConfig) -> frozenset[Path]:
    """All folders, existing or not, in which `find_data` looks."""
    configured = (config.coverage.data_file, *config.coverage.outputs.values(), *config.data, OWN_RUN)
    parents = {(root / Path(path).expanduser()).parent for path in configured}
    return frozenset(parents | {root / folder for folder in _REPORT_FOLDERS})


def _explicit(root: Path, paths: Collection[str]) -> tuple[tuple[DataFile, ...], tuple[Problem, ...]]:
    found: list[DataFile] = []
    problems: list[Problem] = []
    for name in paths:
        path = root / Path(name).expanduser()
        data = _data_file(_SUFFIX_KINDS.get(path.suffix, "coverage.py"), [path])
        if data is not None:
            found.append(data)
            continue
        message = f"`data` in [tool.testlens] names {name}, which is not a file."
        problems.append(Problem(message, "Correct the name, or run the tests to make the file.", "pyproject.toml"))
    return tuple(found), tuple(problems)


def _candidates(root: Path, config: ProjectConfig) -> Iterator[DataFile]:
    places: dict[Path, DataKind] = {}
    for kind in ("json", "cobertura", "lcov"):
        configured = config.coverage.outputs.get(kind)
        if configured is not None:
            places[root / configured] = kind
    for folder in _REPORT_FOLDERS:
        places |= {root / folder / name: kind for name, kind in _REPORT_KINDS.items()}
    found = (own_run(root), *(_data_file(kind, [path]) for path, kind in places.items()))
    yield from (data for data in found if data is not None)
    for base in dict.fromkeys([root / config.coverage.data_file, *(root / f / ".coverage" for f in _REPORT_FOLDERS)]):
        measured = _measured(base)
        if measured is not None:
            yield measured


def _measured(base: Path) -> DataFile | None:
    # Parallel files that are older than the combined one are in it; newer ones are a later run, and replace it.
    single = _data_file("coverage.py", [base])
    parallel = _data_file("coverage.py", _parallel_files(base))
    if single is None or parallel is None:
        return single or parallel
    return parallel if parallel.mtime_ns > single.mtime_ns else single


def _parallel_files(base: Path) -> list[Path]:
    prefix = f"{base.name}."
    try:
        with os.scandir(base.parent) as entries:
            names = [entry.name for entry in entries if entry.name.startswith(prefix)]
    except OSError:
        return []
    return [base.parent / name for name in sorted(names) if is_data_name(name, (base.name,))]


def _data_file(kind: DataKind, paths: Collection[Path]) -> DataFile | None:
    found: list[tuple[str, int, int, int]] = []
    for path in paths:
        try:
            if not path.is_file():
                continue
            status = path.stat()
        except OSError:
            continue
        found.append((str(path), status.st_size, status.st_mtime_ns, status.st_ino))
    return DataFile(kind, tuple(found)) if found else None
