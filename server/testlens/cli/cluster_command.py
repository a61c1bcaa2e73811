"""`testlens mutate --executor dask://HOST`: mutants on the workers of a cluster, and one report of all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from testlens.cli.failure import Failure
from testlens.cli.merge_command import summary
from testlens.cli.sharding import report_file, write_report
from testlens.cli.terminal import print_json, progress
from testlens.domain.problems import Problem
from testlens.report.plan_json import VERSION
from testlens.sources.mutation_merge import MergedMutants
from testlens.workspace.cluster import mutate_on_cluster, scheduler_of

if TYPE_CHECKING:
    from testlens.cli.mutate_command import Wanted


def run(wanted: Wanted, executor: str, as_json: bool) -> int:
    """Check the mutants there and write their report here; returns the exit status."""
    merged = _mutate(wanted, executor)
    file = report_file(wanted.part.report) or wanted.root / "mutation-report.json"
    write_report(file, merged.document)
    score = None if merged.score is None else round(merged.score, 1)
    if as_json:
        print_json({"version": VERSION, "file": str(file), "score": score, "mutants": len(merged.statuses)})
    else:
        print(f"Wrote {file}: {summary(merged)}.")
    return 0


def _mutate(wanted: Wanted, executor: str) -> MergedMutants:
    scheduler = scheduler_of(executor)
    if isinstance(scheduler, Problem):
        raise Failure(scheduler)
    if wanted.part.shard is not None:
        advice = "Leave out --shard, or --executor."
        raise Failure(Problem("A cluster shares all mutants out by itself.", advice, severity="error"))
    shown = progress()

    def say(done: int, total: int) -> None:
        shown.print(f"{done} of {total} shards are done")

    python = wanted.overrides.python
    merged = mutate_on_cluster(wanted.root, scheduler, wanted.target, python, wanted.budget, say)
    if isinstance(merged, Problem):
        raise Failure(merged)
    return merged
