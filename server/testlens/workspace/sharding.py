"""One shard of a mutation run, and what it reports: here, in a job of CI, or on a worker of a cluster."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

from testlens.domain.mutants import FileMutants, Mutant
from testlens.domain.shards import Shard
from testlens.runners.mutation_runner import Made, MutationEnd, MutationEvent, MutationRequest, WantedMutant
from testlens.sources.coverage_parse import decode
from testlens.sources.source_text import read_content
from testlens.workspace.examined import digest
from testlens.workspace.known_mutants import OWN, MutatedFile
from testlens.workspace.mutation import MutationOutcome, Run
from testlens.workspace.mutation_schema import mutation_schema


def only(run: Run, shard: Shard) -> Run:
    """The same way of running mutants, for those of a shard alone."""

    async def run_shard(
        request: MutationRequest,
        choose: Callable[[Made], Sequence[WantedMutant]],
        take: Callable[[MutationEvent], None],
    ) -> MutationEnd:
        return await run(request, lambda made: [one for one in choose(made) if shard.has(one.name)], take)

    return run_shard


def part_of(outcome: MutationOutcome, shard: Shard) -> MutationOutcome:
    """What came of a shard: the mutants of the others are not missing."""
    mutants = tuple(mutant for mutant in outcome.mutants if shard.has(mutant.name))
    return replace(outcome, mutants=mutants, is_complete=all(mutant.status != "not checked" for mutant in mutants))


def shard_document(root: Path, outcome: MutationOutcome, shard: Shard | None) -> dict[str, Any]:
    """The mutants of the whole target; those that other shards check are pending, so that none can be lost."""
    document = mutation_schema(_files(root, outcome.mutants))
    if shard is not None:
        document["config"] = {"testlens": {"shard": str(shard)}}
    return document


def _files(root: Path, mutants: Sequence[Mutant]) -> Iterator[MutatedFile]:
    for path, of_file in groupby(mutants, key=lambda mutant: mutant.file):
        content = read_content(root / path)
        if content is not None:
            text = decode(content)
            yield MutatedFile(FileMutants(path, digest(text), tuple(of_file)), text, (OWN,), time.time())
