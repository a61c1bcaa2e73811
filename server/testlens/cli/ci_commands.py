"""The arguments of the commands for CI, which `app` registers. Nothing heavy is imported before one is called."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from testlens.cli.folder import project_folder
from testlens.cli.options import JsonOption, ProjectOption

if TYPE_CHECKING:
    from testlens.cli.mutate_command import Wanted


class Also(StrEnum):
    """What else `init-ci` writes."""

    PRE_COMMIT = "pre-commit"


def _percentage(name: str, of_what: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(name, min=0, max=100, metavar="P", help=f"Fail below {of_what}.")
    return option


ShardOption = Annotated[
    str | None,
    typer.Option("--shard", metavar="I/N", help="Check the I-th of N equal parts.", show_default=False),
]
MutationReportOption = Annotated[
    str | None,
    typer.Option("--report", metavar="FILE", help="Write these mutants for `testlens merge`.", show_default=False),
]
ExecutorOption = Annotated[
    str | None,
    typer.Option(
        "--executor", metavar="dask://HOST", help="Check them on a Dask cluster (testlens[dask]).", show_default=False
    ),
]
InputsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[FILE|FOLDER]...",
        help="Coverage data files, mutation reports, and folders that have them.",
        show_default=".coverage.* here",
    ),
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
ServiceArgument = Annotated[
    str | None,
    typer.Argument(metavar="[github|gitlab]", help="The CI service.", show_default="the one that is used here"),
]
AlsoOption = Annotated[
    list[Also] | None, typer.Option("--also", help="Add a hook that checks before a push.", show_default=False)
]
YesOption = Annotated[
    bool, typer.Option("--yes", "--force", help="Write also what changes a file that is there already.")
]
ShardsOption = Annotated[
    int, typer.Option("--shards", min=1, max=100, metavar="N", help="How many jobs share the mutants out.")
]
BudgetOption = Annotated[
    str, typer.Option("--budget", metavar="5m", help="How long each of them checks mutants at most.")
]
FailUnderOption = Annotated[float | None, _percentage("--fail-under", "this coverage")]
FailUnderDiffOption = Annotated[float | None, _percentage("--fail-under-diff", "this share of changed lines run")]
FailUnderMutationOption = Annotated[
    float | None, _percentage("--fail-under-mutation", "this mutation score of changed lines")
]


@dataclass(frozen=True, slots=True)
class Part:
    """Which shard of a mutation run to check, as written, and the file that its report goes to."""

    shard: str | None = None
    report: str | None = None


WHOLE = Part()


def mutate_on_cluster(wanted: Wanted, executor: str, as_json: bool) -> int:
    """Run `testlens mutate --executor`."""
    from testlens.cli import cluster_command as command

    return command.run(wanted, executor, as_json)


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
    from testlens.cli.sharding import report_file

    report = report_file(mutation_output)
    wanted = command.Wanted(project_folder(project), tuple(inputs or ()), _file(output), report)
    return command.merge_as_json(wanted) if json else command.merge(wanted)


def _file(name: str | None) -> Path | None:
    return None if name is None else Path(name).expanduser().absolute()


def init_ci(  # noqa: PLR0913, PLR0917 - typer wants a parameter for each option
    service: ServiceArgument = None,
    project: ProjectOption = ".",
    also: AlsoOption = None,
    may_replace: YesOption = False,
    shards: ShardsOption = 4,
    budget: BudgetOption = "5m",
    fail_under: FailUnderOption = None,
    fail_under_diff: FailUnderDiffOption = 80.0,
    fail_under_mutation: FailUnderMutationOption = None,
) -> int:
    """Write the workflow for GitHub or GitLab that tests, merges, checks the gates, and mutates changed lines.

    What is there already is not overwritten: the difference is shown, and --yes writes it.
    """
    from testlens.cli import init_ci_command as command
    from testlens.cli.mutate_command import seconds_of
    from testlens.domain.ci_plan import Gates
    from testlens.workspace.ci_files import CiWish

    root = project_folder(project)
    seconds_of(budget)
    gates = Gates(fail_under, fail_under_diff, fail_under_mutation)
    wish = CiWish(command.service_of(service, root), gates, shards, budget.strip(), tuple(also or ()))
    return command.init_ci(root, wish, may_replace)
