"""The arguments of the commands for CI, which `app` registers. Nothing heavy is imported before one is called."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from testlens.cli.folder import project_folder

ShardOption = Annotated[
    str | None,
    typer.Option("--shard", metavar="I/N", help="Check the I-th of N equal parts.", show_default=False),
]
MutationReportOption = Annotated[
    str | None,
    typer.Option("--report", metavar="FILE", help="Write these mutants for `testlens merge`.", show_default=False),
]
InputsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[FILE|FOLDER]...",
        help="Coverage data files, mutation reports, and folders that have them.",
        show_default=".coverage.* here",
    ),
]
ProjectOption = Annotated[
    str, typer.Option("--project", metavar="PATH", help="The folder of the project.", show_default="here")
]
OutputOption = Annotated[
    str | None,
    typer.Option("--output", "-o", metavar="FILE", help="The merged coverage data.", show_default=".coverage"),
]
MutationOutputOption = Annotated[
    str | None,
    typer.Option(
        "--mutation-output",
        metavar="FILE",
        help="The merged mutation report.",
        show_default="mutation-report.json",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


@dataclass(frozen=True, slots=True)
class Part:
    """Which shard of a mutation run to check, as written, and the file that its report goes to."""

    shard: str | None = None
    report: str | None = None


WHOLE = Part()


def merge(
    inputs: InputsArgument = None,
    project: ProjectOption = ".",
    output: OutputOption = None,
    mutation_output: MutationOutputOption = None,
    json: JsonOption = False,
) -> int:
    """Make one of the coverage data and mutation reports of many jobs, whatever machines they ran on.

    Recorded paths are mapped to the files of this project, by coverage.py's [paths] and by likeness.
    """
    from testlens.cli import merge_command as command

    wanted = command.Wanted(project_folder(project), tuple(inputs or ()), _file(output), _file(mutation_output))
    return command.merge_as_json(wanted) if json else command.merge(wanted)


def _file(name: str | None) -> Path | None:
    return None if name is None else Path(name).expanduser().absolute()
