"""The command line: reads arguments, calls a command, and turns what comes of it into an exit status.

Nothing heavy is imported before a command is known: `testlens plan` on unchanged sources is to answer at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, NoReturn

import typer

from testlens import __version__
from testlens.cli import ci_commands, terminal
from testlens.cli.failure import Failure
from testlens.cli.folder import data_file, interpreter_wish, project_folder
from testlens.domain.problems import Problem
from testlens.workspace.settings import Overrides

FAILED = 2
INTERRUPTED = 130

app = typer.Typer(
    name="testlens",
    help="What the tests of a Python project do not prove, ranked by risk.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

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


def run(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 fine, 1 tests failed or nothing to tell, 2 Testlens could not do it."""
    terminal.prepare_streams()
    own, for_pytest = _split(sys.argv[1:] if arguments is None else arguments)
    try:
        status = app(_with_revision(own) or ["--help"], prog_name="testlens", obj=for_pytest, standalone_mode=False)
        sys.stdout.flush()
    except Failure as failure:
        status = _give_up(failure.problem, own)
    except typer.TyperException as error:
        status = _misused(error, own)
    except (KeyboardInterrupt, typer.Abort):
        print("Stopped.", file=sys.stderr)
        status = INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough. Python would complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    sys.exit(status)


def _split(arguments: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Our own arguments, and what follows `--`: that belongs to pytest."""
    own = list(arguments)
    if "--" not in own:
        return own, ()
    end = own.index("--")
    return own[:end], tuple(own[end + 1 :])


def _with_revision(arguments: list[str]) -> list[str]:
    """The arguments with a revision after `--changed`, which may go without one."""
    if "--changed" not in arguments:
        return arguments
    after = arguments.index("--changed") + 1
    if after < len(arguments) and not arguments[after].startswith("-"):
        return arguments
    return [*arguments[:after], "HEAD", *arguments[after:]]


def _give_up(cause: Problem, arguments: Sequence[str]) -> int:
    """Say why nothing came of the command, as one JSON object where that was asked for."""
    problem = replace(cause, severity="error")
    command = arguments[0] if arguments else ""
    if "--json" not in arguments or command == "report":
        terminal.print_problems([problem])
    elif command == "mutate":
        from testlens.report.mutants_json import mutants_json

        terminal.print_problems([problem])
        terminal.print_json(mutants_json((), None))
    elif command == "scaffold":
        from testlens.report.scaffold_json import no_scaffold_json

        terminal.print_json(no_scaffold_json(problem.message, [problem]))
    elif command == "kill":
        from testlens.report.kill_json import no_kill_json

        terminal.print_json(no_kill_json(problem.message, [problem]))
    else:
        from testlens.report.plan_json import VERSION, problems_json

        problems = problems_json([problem])
        terminal.print_json(
            {"version": VERSION, "exit_code": FAILED, "coverage": None, "gaps": [], "problems": problems}
        )
    return FAILED


def _misused(error: typer.TyperException, arguments: Sequence[str]) -> int:
    advice = "`testlens --help` and `testlens COMMAND --help` say what there is."
    return _give_up(Problem(error.format_message(), advice, severity="error"), arguments)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"testlens {__version__}")
        raise typer.Exit


@app.callback()
def main(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """What the tests of a Python project do not prove, ranked by risk."""
    if context.obj and context.invoked_subcommand != "run":
        raise Failure(Problem("Only `testlens run` takes arguments for pytest.", "Leave out what follows `--`."))


@app.command("run")
def run_command(
    context: typer.Context,
    path: PathArgument = ".",
    python: PythonOption = None,
    json: JsonOption = False,
    top: TopOption = 5,
) -> int:
    """Run the tests with branch coverage, then show failures, coverage and the top of the plan.

    What follows `--` goes to pytest: testlens run -- -k orders -x
    """
    from testlens.cli import run_command as command

    request = command.Run(project_folder(path), _overrides(python, pytest_args=context.obj), top or 0)
    return command.run_as_json(request) if json else command.run(request)


@app.command("plan")
def plan_command(
    path: PathArgument = ".",
    python: PythonOption = None,
    json: JsonOption = False,
    top: TopOption = None,
    target: TargetOption = None,
    data: DataOption = None,
) -> int:
    """Rank what existing coverage data leaves unproven, without running anything."""
    from testlens.cli import plan_command as command

    print_plan = command.plan_as_json if json else command.plan
    return print_plan(project_folder(path), _overrides(python, target=target, data=data), top)


@app.command("affected")
def affected_command(path: PathArgument = ".", json: JsonOption = False) -> int:
    """Print the tests that the edits since the last run can affect, without running anything."""
    from testlens.cli import affected_command as command

    return command.affected(project_folder(path), json)


@app.command("watch")
def watch_command(path: PathArgument = ".", python: PythonOption = None, slow_tests: SlowTestsOption = None) -> int:
    """Each time a file is saved, run the tests that it can affect, until Ctrl+C."""
    from testlens.cli import watch_command as command

    return command.watch(project_folder(path), replace(_overrides(python), slow_tests=slow_tests))


@app.command("report")
def report_command(  # noqa: PLR0913, PLR0917 - typer wants a parameter for each option
    path: PathArgument = ".",
    python: PythonOption = None,
    target: TargetOption = None,
    data: DataOption = None,
    html: HtmlOption = None,
    markdown: MarkdownOption = None,
    json: JsonFileOption = None,
    mutation_json: MutationJsonOption = None,
    mutation_html: MutationHtmlOption = None,
) -> int:
    """Write the plan and the coverage of every file into a file, for others to read."""
    from testlens.cli import report_command as command

    wanted = {"html": html, "markdown": markdown, "json": json}
    wanted |= {"mutation-json": mutation_json, "mutation-html": mutation_html}
    return command.report(project_folder(path), _overrides(python, target=target, data=data), wanted)


@app.command("scaffold")
def scaffold_command(  # noqa: PLR0913, PLR0917 - typer wants a parameter for each option
    place: PlaceArgument,
    project: ProjectOption = ".",
    recipe: RecipeOption = None,
    write: WriteOption = False,
    verify: VerifyOption = False,
    show_list: ListOption = False,
    json: JsonOption = False,
    python: PythonOption = None,
    budget: BudgetOption = None,
    data: DataOption = None,
) -> int:
    """Write a test for the gap at a line: show it, or put it into its file, and run it three times.

    Candidates are tried in the project's interpreter, in a sandbox, until the budget is spent.
    """
    from testlens.cli import scaffold_command as command
    from testlens.cli.scaffold_place import locate

    steps: dict[command.Step, bool] = {"write": write, "verify": verify}
    overrides = replace(_overrides(python, data=data), scaffold_budget=budget)
    wanted = command.Wanted(
        locate(place, project), overrides, recipe, frozenset(step for step, is_wanted in steps.items() if is_wanted)
    )
    if show_list:
        return command.list_offers_as_json(wanted) if json else command.list_offers(wanted)
    return command.scaffold_as_json(wanted) if json else command.scaffold(wanted)


@app.command("kill")
def kill_command(
    name: MutantArgument,
    project: ProjectOption = ".",
    write: WriteOption = False,
    json: JsonOption = False,
    python: PythonOption = None,
    budget: BudgetOption = None,
) -> int:
    """Write the test that kills a mutant that no test noticed: green on the original, red on the mutant.

    Where a test of yours has the input already, it gets the assertion that it lacks.
    """
    from testlens.cli import kill_command as command

    overrides = replace(_overrides(python), scaffold_budget=budget)
    wanted = command.Wanted(project_folder(project), overrides, name, write)
    return command.kill_as_json(wanted) if json else command.kill(wanted)


@app.command("mutate")
def mutate_command(  # noqa: PLR0913, PLR0917  (each option is an argument)
    path: PathArgument = ".",
    function: FunctionOption = None,
    file: FileOption = None,
    changed: ChangedOption = None,
    budget: MutationBudgetOption = None,
    with_mutmut: WithMutmutOption = False,
    shard: ci_commands.ShardOption = None,
    report: ci_commands.MutationReportOption = None,
    executor: ci_commands.ExecutorOption = None,
    json: JsonOption = False,
    python: PythonOption = None,
) -> int:
    """Change the code in small ways, and show the changes that no test notices.

    Riskiest covered functions come first; what is known from before is not checked again.
    """
    from testlens.cli import mutate_command as command
    from testlens.runners.mutation_runner import run_mutants, run_with_mutmut

    root = project_folder(path)
    target = command.target_of(root, file, function, changed)
    runner = run_with_mutmut if with_mutmut else run_mutants
    part = ci_commands.Part(shard, report)
    wanted = command.Wanted(root, _overrides(python), target, command.seconds_of(budget), runner, part)
    if executor is not None:
        return ci_commands.mutate_on_cluster(wanted, executor, json)
    return command.run_as_json(wanted) if json else command.run(wanted)


app.command("merge")(ci_commands.merge)
app.command("init-ci")(ci_commands.init_ci)


@app.command("serve")
def serve_command() -> None:
    """Start the language server on standard input and output, for any LSP editor (docs/editors.md)."""
    # Here for --help alone: __main__ starts the server without this module.


def _overrides(
    python: str | None,
    target: float | None = None,
    data: str | None = None,
    pytest_args: tuple[str, ...] = (),
) -> Overrides:
    return Overrides(
        python=interpreter_wish(python) if python else None,
        target=target,
        data=(data_file(data),) if data else (),
        pytest_args=pytest_args,
    )
