"""The options `--shard` and `--report` of a mutation run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from testlens.cli.failure import Failure
from testlens.domain.problems import Problem
from testlens.domain.shards import Shard, parse_shard


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


def write_report(file: Path, document: Mapping[str, Any]) -> None:
    """Write a mutation report; a `Failure` where that cannot be done."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8", newline="\n")
    except OSError as error:
        message = f"The report cannot be written: {error.strerror}."
        raise Failure(Problem(message, "Name a file in a folder that you may write to.", str(file))) from None
