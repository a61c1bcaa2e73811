"""One shard of a mutation run, and the report that `testlens merge` makes one of."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from testlens.cli.failure import Failure
from testlens.domain.mutants import FileMutants, Mutant
from testlens.domain.problems import Problem
from testlens.domain.shards import Shard, parse_shard
from testlens.runners.mutation_runner import Made, MutationEnd, MutationEvent, MutationRequest, WantedMutant
from testlens.sources.coverage_parse import decode
from testlens.sources.source_text import read_content
from testlens.workspace.examined import digest
from testlens.workspace.known_mutants import OWN, MutatedFile
from testlens.workspace.mutation import MutationOutcome, Run
from testlens.workspace.mutation_schema import mutation_schema


def shard_of(text: str | None) -> Shard | None:
    """The shard of an option; a `Failure` if it is none."""
    shard = None if text is None else parse_shard(text)
    if isinstance(shard, Problem):
        raise Failure(shard)
    return shard


def report_file(name: str | None) -> Path | None:
    """The file that a report is to be written to; a `Failure` if it looks like something else."""
    if name is None:
        return None
    file = Path(name).expanduser().absolute()
    if file.is_dir() or file.suffix != ".json":
        raise Failure(Problem("A mutation report is a JSON file.", "Name a file that ends in .json.", name))
    return file


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


def write_report(root: Path, outcome: MutationOutcome, shard: Shard | None, file: Path) -> None:
    """Write the mutants of the whole target; those that other shards check are pending, so that none can be lost."""
    document = mutation_schema(_files(root, outcome.mutants))
    if shard is not None:
        document["config"] = {"testlens": {"shard": str(shard)}}
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8", newline="\n")
    except OSError as error:
        message = f"The report cannot be written: {error.strerror}."
        raise Failure(Problem(message, "Name a file in a folder that you may write to.", str(file))) from None


def _files(root: Path, mutants: Sequence[Mutant]) -> Iterator[MutatedFile]:
    for path, of_file in groupby(mutants, key=lambda mutant: mutant.file):
        content = read_content(root / path)
        if content is not None:
            text = decode(content)
            yield MutatedFile(FileMutants(path, digest(text), tuple(of_file)), text, (OWN,), time.time())
