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
from testlens.cli.folder import project_folder
from testlens.cli.gate_commands import STEP_SUMMARY, baseline_command, check_command
from testlens.cli.giving_up import give_up
from testlens.cli.options import (
    BudgetOption,
    ChangedOption,
    DataOption,
    FileOption,
    FunctionOption,
    HtmlOption,
    JsonFileOption,
    JsonOption,
    ListOption,
    MarkdownOption,
    MutantArgument,
    MutationBudgetOption,
    MutationHtmlOption,
    MutationJsonOption,
    PathArgument,
    PlaceArgument,
    ProjectOption,
    PythonOption,
    RecipeOption,
    SlowTestsOption,
    TargetOption,
    TopOption,
    VerifyOption,
    WithMutmutOption,
    WriteOption,
    overrides_of,
)
from testlens.domain.problems import Problem

INTERRUPTED = 130
_MAY_GO_ALONE = {"--changed": "HEAD", "--summary": STEP_SUMMARY}

app = typer.Typer(
    name="testlens",
    help="What the tests of a Python project do not prove, ranked by risk.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def run(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 fine, 1 tests failed or nothing to tell, 2 Testlens could not do it."""
    terminal.prepare_streams()
    own, for_pytest = _split(sys.argv[1:] if arguments is None else arguments)
    try:
        status = app(_with_defaults(own) or ["--help"], prog_name="testlens", obj=for_pytest, standalone_mode=False)
        sys.stdout.flush()
    except Failure as failure:
        status = give_up(failure.problem, own)
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


def _with_defaults(arguments: list[str]) -> list[str]:
    """The arguments with a value after each option that may go without one."""
    filled: list[str] = []
    for place, argument in enumerate(arguments):
        filled.append(argument)
        following = arguments[place + 1 : place + 2]
        if argument in _MAY_GO_ALONE and (not following or following[0].startswith("-")):
            filled.append(_MAY_GO_ALONE[argument])
    return filled


def _misused(error: typer.TyperException, arguments: Sequence[str]) -> int:
    advice = "`testlens --help` and `testlens COMMAND --help` say what there is."
    return give_up(Problem(error.format_message(), advice, severity="error"), arguments)


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

    request = command.Run(project_folder(path), overrides_of(python, pytest_args=context.obj), top or 0)
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
    return print_plan(project_folder(path), overrides_of(python, target=target, data=data), top)


@app.command("affected")
def affected_command(path: PathArgument = ".", json: JsonOption = False) -> int:
    """Print the tests that the edits since the last run can affect, without running anything."""
    from testlens.cli import affected_command as command

    return command.affected(project_folder(path), json)


@app.command("watch")
def watch_command(path: PathArgument = ".", python: PythonOption = None, slow_tests: SlowTestsOption = None) -> int:
    """Each time a file is saved, run the tests that it can affect, until Ctrl+C."""
    from testlens.cli import watch_command as command

    return command.watch(project_folder(path), replace(overrides_of(python), slow_tests=slow_tests))


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
    return command.report(project_folder(path), overrides_of(python, target=target, data=data), wanted)


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
    overrides = replace(overrides_of(python, data=data), scaffold_budget=budget)
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

    overrides = replace(overrides_of(python), scaffold_budget=budget)
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
    wanted = command.Wanted(root, overrides_of(python), target, command.seconds_of(budget), runner, part)
    if executor is not None:
        return ci_commands.mutate_on_cluster(wanted, executor, json)
    return command.run_as_json(wanted) if json else command.run(wanted)


app.command("check")(check_command)
app.command("baseline")(baseline_command)
app.command("merge")(ci_commands.merge)
app.command("init-ci")(ci_commands.init_ci)


@app.command("serve")
def serve_command() -> None:
    """Start the language server on standard input and output, for any LSP editor (docs/editors.md)."""
    # Here for --help alone: __main__ starts the server without this module.
