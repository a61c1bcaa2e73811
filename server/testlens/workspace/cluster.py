"""Mutants on an existing Dask cluster: one shard a task, so that a worker that is lost loses no mutant.

A task depends on nothing but the archive of the project, which all workers have, and leaves nothing behind: where its
worker dies, the scheduler gives it to another one. `distributed` is an optional extra, on both sides.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from testlens.domain.problems import Problem
from testlens.domain.shards import Shard
from testlens.runners.mutation_runner import run_mutants
from testlens.sources.mutation_merge import MergedMutants, ShardReport, merge_reports
from testlens.workspace.mutation import mutate
from testlens.workspace.mutation_job import Listeners
from testlens.workspace.mutation_targets import MutationTarget
from testlens.workspace.sharding import only, shard_document
from testlens.workspace.workspace import Workspace

LARGEST = 512 * 1024 * 1024
"""Bytes of all files of a project that are sent to workers."""

_SCHEME = "dask://"
_SHARDS_A_WORKER = 2  # so that those that are done early take over from others
_CONNECT_SECONDS = 10
_MOST_DEATHS = 3
_LEFT_OUT = frozenset(
    {".git", ".hg", ".testlens", ".venv", "venv", ".tox", ".nox", "node_modules", "__pycache__", "mutants",
     ".mypy_cache", ".ruff_cache", ".pytest_cache"}
)  # fmt: skip


def scheduler_of(executor: str) -> str | Problem:
    """The address of a scheduler for Dask, from `dask://HOST[:PORT]`; a Problem where it is none."""
    host = executor.removeprefix(_SCHEME).rstrip("/")
    if not executor.startswith(_SCHEME) or not host:
        advice = "Name the scheduler of a Dask cluster, such as dask://10.0.0.5:8786."
        return Problem(f"`{executor}` is no executor.", advice, severity="error")
    has_port = host.rpartition(":")[2].isdigit()
    return f"tcp://{host}" if has_port else f"tcp://{host}:8786"


def mutate_on_cluster(
    root: Path,
    scheduler: str,
    target: MutationTarget,
    python: str | None,
    budget: float | None,
    on_shard: Callable[[int, int], None],
) -> MergedMutants | Problem:
    """Check the mutants of `target` on the workers of a cluster; each shard takes at most `budget` seconds.

    `python` is the project's interpreter there, None for that of the worker. `on_shard` is told how many are done.
    """
    try:
        from distributed import Client, as_completed
    except ImportError:
        return Problem("Dask is not installed here.", "Run: pip install 'testlens[dask]'", severity="error")
    archive = pack(root)
    if isinstance(archive, Problem):
        return archive
    try:
        client = Client(scheduler, timeout=_CONNECT_SECONDS, set_as_default=False)
    except OSError as error:
        advice = "Start `dask scheduler` there, and workers that have testlens[dask] and the project's packages."
        return Problem(f"No Dask scheduler answers at {scheduler}: {error}", advice, severity="error")
    with closing(client):
        workers = len(client.scheduler_info(n_workers=-1)["workers"])
        if not workers:
            advice = f"Start some with `dask worker {scheduler}`."
            return Problem(f"The Dask cluster at {scheduler} has no worker.", advice, severity="error")
        count = _SHARDS_A_WORKER * workers
        # On all workers: what one alone holds is lost with it.
        sent = client.scatter(archive, broadcast=True)
        shards = [Shard(index, count) for index in range(1, count + 1)]
        futures = {
            client.submit(check_shard, sent, root.name, target, shard, python, budget, pure=False,
                          retries=_MOST_DEATHS): shard
            for shard in shards
        }  # fmt: skip
        return _collect(as_completed(futures, loop=client.loop), futures, on_shard)


def _collect(done: Any, futures: dict[Any, Shard], on_shard: Callable[[int, int], None]) -> MergedMutants | Problem:
    reports = []
    for future in done:
        shard = futures[future]
        try:
            answer = future.result()
        except Exception as error:  # noqa: BLE001 (whatever happened on the worker)
            message = f"Shard {shard} failed on the cluster: {error}"
            return Problem(message, "See the logs of its workers; do they have testlens[dask]?", severity="error")
        if isinstance(answer, Problem):
            return answer
        reports.append(ShardReport(f"shard {shard}", json.loads(answer), shard))
        on_shard(len(reports), len(futures))
    return merge_reports(sorted(reports, key=lambda report: report.file), lambda name: name)


def check_shard(
    archive: bytes, name: str, target: MutationTarget, shard: Shard, python: str | None, budget: float | None
) -> str | Problem:
    """On a worker: check one shard in a copy of the project that goes with it; its mutation report as JSON."""
    with tempfile.TemporaryDirectory(prefix="testlens-shard-") as folder:
        root = Path(folder, name).resolve()
        root.mkdir()
        with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
            packed.extractall(root, filter="data")
        with closing(Workspace(root)) as workspace:
            workspace.refresh()
            run = only(run_mutants, shard)
            outcome = asyncio.run(mutate(workspace, python or sys.executable, target, Listeners(), budget, run))
        errors = [problem for problem in outcome.problems if problem.severity == "error"]
        if outcome.missing:
            missing = ", ".join(outcome.missing)
            return Problem(f"A worker lacks {missing}.", "Install it on all workers.", severity="error")
        if errors or not outcome.trusted:
            return errors[0] if errors else Problem("A worker's verdicts cannot be trusted.", "Run it here instead.")
        return json.dumps(shard_document(root, outcome, shard))


def pack(root: Path) -> bytes | Problem:
    """The files of a project for its workers; a Problem where they are too many."""
    stream = io.BytesIO()
    size = 0
    # A link may lead to where a worker has nothing: what it leads to is packed in its place.
    with tarfile.open(fileobj=stream, mode="w:gz", compresslevel=1, dereference=True) as archive:
        for file in _files(root):
            size += file.stat().st_size
            if size > LARGEST:
                advice = "Move large data out of it; workers need what the tests need."
                return Problem(f"The project has more than {LARGEST >> 20} MB of files.", advice, severity="error")
            archive.add(file, file.relative_to(root).as_posix(), recursive=False)
    return stream.getvalue()


def _files(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in _LEFT_OUT)
        yield from (file for name in sorted(files) if (file := Path(folder, name)).is_file())
