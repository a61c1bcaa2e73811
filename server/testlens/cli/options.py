"""The arguments and options that commands share, as typer wants them declared."""

from __future__ import annotations

from typing import Annotated

import typer

from testlens.cli.folder import data_file, interpreter_wish
from testlens.workspace.settings import Overrides

PathArgument = Annotated[str, typer.Argument(metavar="[PATH]", help="The folder of the project.", show_default="here")]
PythonOption = Annotated[
    str | None, typer.Option("--python", metavar="PATH", help="The project's Python interpreter.", show_default=False)
]
SlowTestsOption = Annotated[
    float | None,
    typer.Option(
        "--slow-tests",
        min=0,
        metavar="SECONDS",
        help="Leave tests to you that took so long the last time (0: none).",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
TopOption = Annotated[int | None, typer.Option("--top", min=1, metavar="N", help="How many gaps to list.")]
TargetOption = Annotated[
    float | None,
    typer.Option("--target", min=0, max=100, metavar="P", help="The percentage to reach.", show_default=False),
]
DataOption = Annotated[
    str | None, typer.Option("--data", metavar="FILE", help="The coverage data to read.", show_default=False)
]
HtmlOption = Annotated[
    str | None,
    typer.Option("--html", metavar="FILE", help="One page that needs no other file.", show_default=False),
]
MarkdownOption = Annotated[
    str | None,
    typer.Option("--markdown", metavar="FILE", help="A summary for a pull request.", show_default=False),
]
JsonFileOption = Annotated[
    str | None,
    typer.Option("--json", metavar="FILE", help="The plan and all files, for programs.", show_default=False),
]
MutationJsonOption = Annotated[
    str | None,
    typer.Option(
        "--mutation-json",
        metavar="FILE",
        help="All mutants, after the mutation-testing-report-schema.",
        show_default=False,
    ),
]
MutationHtmlOption = Annotated[
    str | None,
    typer.Option("--mutation-html", metavar="FILE", help="All mutants on one page.", show_default=False),
]
PlaceArgument = Annotated[str, typer.Argument(metavar="FILE:LINE", help="A line in a gap.", show_default=False)]
MutantArgument = Annotated[str, typer.Argument(metavar="NAME", help="mutmut's name of a survivor.", show_default=False)]
ProjectOption = Annotated[
    str, typer.Option("--project", metavar="PATH", help="The folder of the project.", show_default="here")
]
RecipeOption = Annotated[
    str | None,
    typer.Option("--recipe", metavar="NAME", help="How to write it; --list shows which fit.", show_default=False),
]
WriteOption = Annotated[bool, typer.Option("--write", help="Put the test into its file.")]
VerifyOption = Annotated[bool, typer.Option("--verify", help="Run the test three times.")]
ListOption = Annotated[bool, typer.Option("--list", help="Only list what could be written; nothing is run.")]
BudgetOption = Annotated[
    float | None,
    typer.Option(
        "--budget",
        min=0,
        metavar="SECONDS",
        help="How long to search; 0 runs nothing of the project.",
        show_default="5",
    ),
]
FunctionOption = Annotated[
    str | None, typer.Option("--function", metavar="NAME", help="Mutate this function only.", show_default=False)
]
FileOption = Annotated[
    str | None, typer.Option("--file", metavar="F", help="Mutate this file only.", show_default=False)
]
ChangedOption = Annotated[
    str | None,
    typer.Option("--changed", metavar="[REV]", help="Mutate what differs from a revision of git.", show_default="HEAD"),
]
MutationBudgetOption = Annotated[
    str | None,
    typer.Option("--budget", metavar="60s", help="How long to check mutants at most.", show_default="no limit"),
]
WithMutmutOption = Annotated[
    bool,
    typer.Option("--with-mutmut", help="Let mutmut's own runner check them: slower, for tests that ours does not fit."),
]


def overrides_of(
    python: str | None,
    target: float | None = None,
    data: str | None = None,
    pytest_args: tuple[str, ...] = (),
) -> Overrides:
    """What the command line says in place of the project's own settings."""
    return Overrides(
        python=interpreter_wish(python) if python else None,
        target=target,
        data=(data_file(data),) if data else (),
        pytest_args=pytest_args,
    )
