"""The commands `check` and `baseline`, as typer wants them declared."""

from __future__ import annotations

from typing import Annotated

import typer

from testlens.cli.folder import project_folder
from testlens.cli.options import DataOption, JsonOption, PathArgument, overrides_of

STEP_SUMMARY = "$GITHUB_STEP_SUMMARY"
"""Stands for the file that GitHub names to each step, where `--summary` names none."""


def _level(name: str, of_what: str) -> typer.models.OptionInfo:
    """An option with a percentage; that it is one is checked later, where the message can say what to write."""
    option: typer.models.OptionInfo = typer.Option(name, metavar="P", help=f"Fail below {of_what}.", show_default=False)
    return option


def _file(name: str, what: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(name, metavar="FILE", help=what, show_default=False)
    return option


FailUnderOption = Annotated[float | None, _level("--fail-under", "this coverage in percent")]
BranchesOption = Annotated[float | None, _level("--fail-under-branches", "this share of branches taken")]
MutationOption = Annotated[float | None, _level("--fail-under-mutation", "this mutation score")]
DiffLevelOption = Annotated[float | None, _level("--fail-under-diff", "this share of changed lines run; wants --diff")]
DiffOption = Annotated[
    str | None,
    typer.Option(
        "--diff",
        metavar="REV",
        help="Find the lines that changed since HEAD parted from a revision of git.",
        show_default=False,
    ),
]
NoDropOption = Annotated[bool, typer.Option("--no-drop", help="Fail where less is proved than the baseline holds.")]
BaselineOption = Annotated[str | None, _file("--baseline", "Another baseline than testlens-baseline.toml.")]
UpdateOption = Annotated[bool, typer.Option("--update", help="Raise the baseline to what is proved now.")]
GithubOption = Annotated[
    bool, typer.Option("--github", help="Print annotations for GitHub Actions, and write the summary of the step.")
]
SummaryOption = Annotated[str | None, _file("--summary", "Markdown; without FILE into the step's summary on GitHub.")]
CommentOption = Annotated[str | None, _file("--comment", "Markdown for a comment on a pull request.")]
SarifOption = Annotated[str | None, _file("--sarif", "SARIF 2.1.0 for code scanning.")]
JunitOption = Annotated[str | None, _file("--junit", "JUnit XML; each gate is a test case.")]
BadgeOption = Annotated[str | None, _file("--badge", "An SVG badge of the coverage.")]
MutationBadgeOption = Annotated[str | None, _file("--mutation-badge", "An SVG badge of the mutation score.")]


def check_command(  # noqa: PLR0913, PLR0917 - typer wants a parameter for each option
    path: PathArgument = ".",
    fail_under: FailUnderOption = None,
    fail_under_branches: BranchesOption = None,
    fail_under_mutation: MutationOption = None,
    no_drop: NoDropOption = False,
    baseline: BaselineOption = None,
    diff: DiffOption = None,
    fail_under_diff: DiffLevelOption = None,
    github: GithubOption = False,
    summary: SummaryOption = None,
    comment: CommentOption = None,
    sarif: SarifOption = None,
    junit: JunitOption = None,
    badge: BadgeOption = None,
    mutation_badge: MutationBadgeOption = None,
    json: JsonOption = False,
    data: DataOption = None,
) -> int:
    """Fail where the tests prove less than is asked for, and say what was lost and the cheapest way back.

    The `thresholds` of pyproject.toml hold in every check. Nothing is run; the exit status is 0, 1, or 2 for trouble.
    """
    from testlens.cli import check_command as command

    levels = {"--fail-under": fail_under, "--fail-under-branches": fail_under_branches}
    levels |= {"--fail-under-mutation": fail_under_mutation, "--fail-under-diff": fail_under_diff}
    files = {"summary": summary, "comment": comment, "sarif": sarif, "junit": junit}
    files |= {"badge": badge, "mutation-badge": mutation_badge}
    outputs = command.Outputs(files, github, json)
    root = project_folder(path)
    wanted = command.Wanted(root, overrides_of(None, data=data), levels, diff, no_drop, baseline, outputs)
    return command.check(wanted)


def baseline_command(
    path: PathArgument = ".",
    update: UpdateOption = False,
    baseline: BaselineOption = None,
    json: JsonOption = False,
    data: DataOption = None,
) -> int:
    """Compare what the tests prove with the committed baseline; with --update, raise it, file by file."""
    from testlens.cli import baseline_command as command

    root = project_folder(path)
    show = command.update if update else command.show
    return show(root, overrides_of(None, data=data), command.baseline_file(root, baseline), json)
