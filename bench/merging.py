"""What `testlens merge` costs on the data of twelve jobs of a large project, against `coverage combine` on the same."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from coverage import CoverageData
from figures import Figure, Size, main, ratio
from synthetic import make_project

_ROOTS = ("/home/runner/work/project", "D:\\a\\project", "/Users/runner/work/project")
_VERSIONS = 4
_BOUND = 1.5


def measure(size: Size) -> Iterator[Figure]:
    """Three platforms, four versions of Python on each, whose runs differ a little; contexts are kept."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "project")
        data = make_project(root, size.files, size.lines, size.contexts)
        jobs = _jobs(root, data, Path(folder, "jobs"))
        _map_paths(root)
        peers: list[float] = []
        ours: list[float] = []
        for _ in range(size.rounds):
            peers.append(_combine(root, jobs, "peer.coverage"))
            ours.append(_merge(root, jobs, "own.coverage"))
        _compare(root / "peer.coverage", root / "own.coverage")
    yield ratio(f"merge of {len(_ROOTS) * _VERSIONS} jobs", ours, peers, _BOUND, "s")


def _jobs(root: Path, data: Path, folder: Path) -> Path:
    folder.mkdir()
    for number in range(len(_ROOTS) * _VERSIONS):
        file = folder / f".coverage.{number}"
        shutil.copyfile(data, file)
        with closing(sqlite3.connect(file)) as database, database:
            database.execute("delete from arc where (file_id + context_id + fromno) % 40 = ?", (number,))
            for index, name in list(database.execute("select id, path from file")):
                elsewhere = _elsewhere(_ROOTS[number // _VERSIONS], Path(name).relative_to(root).parts)
                database.execute("update file set path = ? where id = ?", (elsewhere, index))
    data.unlink()
    return folder


def _elsewhere(place: str, parts: tuple[str, ...]) -> str:
    separator = "\\" if "\\" in place else "/"
    return separator.join((place, *parts))


def _map_paths(root: Path) -> None:
    places = ["src", *(_elsewhere(place, ("src",)) for place in _ROOTS)]
    with (root / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n[tool.coverage.paths]\nsource = {json.dumps(places)}\n")


def _combine(root: Path, jobs: Path, name: str) -> float:
    return _seconds(root, "coverage", "combine", "-q", "--keep", f"--data-file={name}", *_files(jobs))


def _merge(root: Path, jobs: Path, name: str) -> float:
    return _seconds(root, "testlens", "merge", str(jobs), "--output", name)


def _seconds(root: Path, module: str, *arguments: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", module, *arguments], cwd=root, check=True, capture_output=True)
    return time.perf_counter() - started


def _files(jobs: Path) -> list[str]:
    return sorted(map(str, jobs.iterdir()))


def _compare(peer: Path, own: Path) -> None:
    """Both hold the same; a figure about something else would be none."""
    both = [CoverageData(str(file), read_only=True) for file in (peer, own)]
    for data in both:
        data.read()
    assert both[0].measured_files() == both[1].measured_files()
    assert both[0].measured_contexts() == both[1].measured_contexts()
    for name in sorted(both[0].measured_files()):
        assert set(both[0].arcs(name) or ()) == set(both[1].arcs(name) or ())
        assert both[0].contexts_by_lineno(name) == both[1].contexts_by_lineno(name)


if __name__ == "__main__":
    main(measure, __doc__)
