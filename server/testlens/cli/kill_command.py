"""`testlens kill`: write the test that kills a mutant, show it or put it into its file."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from testlens.cli.equipment import ready_interpreter
from testlens.cli.failure import Failure
from testlens.cli.reading import read_folder
from testlens.cli.scaffold_report import SearchProgress, print_added
from testlens.cli.stoppable import run_stoppable
from testlens.cli.terminal import print_json, progress, results
from testlens.domain.changed_text import change_in_words
from testlens.domain.mutants import Mutant
from testlens.domain.problems import Problem
from testlens.report.kill_json import kill_json, not_killed_json
from testlens.runners.interpreter import Wishes
from testlens.scaffold.kill.search import NotKilled
from testlens.workspace.explorer_session import ExplorerSession
from testlens.workspace.insertion import insert
from testlens.workspace.killing import Killer, Killing, said_of
from testlens.workspace.named_mutants import mutant_named, other_survivors, take_kills
from testlens.workspace.settings import Overrides
from testlens.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Wanted:
    """A test that kills the mutant of this name; `is_written` says that it goes into its file."""

    root: Path
    overrides: Overrides
    name: str
    is_written: bool


@dataclass(frozen=True, slots=True)
class _Result:
    """What came of it; `also_killed` are other mutants of the function that the test kills."""

    mutant: Mutant
    found: Killing | NotKilled
    also_killed: tuple[Mutant, ...] = ()

    @property
    def title(self) -> str:
        change = change_in_words(self.mutant.original, self.mutant.replacement)
        if isinstance(self.found, Killing) and self.found.way == "assertion":
            return f"Add an assertion to {self.found.written.names[0]} that kills {change}"
        return f"Write a test that kills {change}"

    @property
    def message(self) -> str:
        more = len(self.also_killed)
        others = f"; it kills {more} more survivor{'s' if more > 1 else ''} of `{self.mutant.function}`" if more else ""
        return said_of(self.found, self.mutant) + others

    @property
    def exit_code(self) -> int:
        return 0 if isinstance(self.found, Killing) and self.found.is_verified else 1


def kill(wanted: Wanted) -> int:
    """Write the test and show what came of it; returns the exit status."""
    result = _kill(wanted)
    found = result.found
    if isinstance(found, NotKilled):
        console = Console(stderr=True, highlight=False)
        console.print(Text(f"{result.title}: {result.message}.", style="yellow"), soft_wrap=True)
        console.print(Text("`# pragma: no mutate` at the end of its line ignores it; --budget looks further."))
        return result.exit_code
    if wanted.is_written:
        results().print(Text(f"{result.title}: wrote {' and '.join(found.written.files)}"), soft_wrap=True)
    else:
        print_added(found.written)
        note = f"\n{result.title}: goes into {' and '.join(found.written.files)}; --write puts it there."
        Console(stderr=True, highlight=False).print(Text(note))
    style = "bold green" if found.is_verified else "bold red"
    results().print(Text(f"{result.message}", style=style), soft_wrap=True)
    return result.exit_code


def kill_as_json(wanted: Wanted) -> int:
    """Write the test and print one JSON object; returns the exit status."""
    result = _kill(wanted)
    if isinstance(result.found, NotKilled):
        print_json(not_killed_json(result.found, result.mutant, result.message, ()))
    else:
        print_json(kill_json(result.found, result.title, result.message, result.also_killed, ()))
    return result.exit_code


def _kill(wanted: Wanted) -> _Result:
    with read_folder(wanted.root, wanted.overrides) as workspace:
        mutant = mutant_named(workspace, wanted.name)
        if isinstance(mutant, Problem):
            raise Failure(mutant)
        configured = workspace.settings.config.python
        wishes = Wishes(explicit=wanted.overrides.python, configured=configured, explicit_name="--python")
        python = ready_interpreter(wanted.root, wishes).path
        return run_stoppable(_write(workspace, mutant, wanted, python))


async def _write(workspace: Workspace, mutant: Mutant, wanted: Wanted, python: str) -> _Result:
    config = workspace.settings.config
    session = ExplorerSession(workspace, python, config.scaffold_network)
    killer = Killer(workspace, session, python, config.scaffold_budget)
    try:
        with SearchProgress(progress()) as shown:
            found = await killer.kill(mutant, shown.take)
            if isinstance(found, Problem):
                raise Failure(found)
            if isinstance(found, NotKilled) or not found.is_verified:
                return _Result(mutant, found)
            others = await killer.also_killed(found, other_survivors(workspace, mutant), shown.take)
    finally:
        await killer.close()
    if wanted.is_written:
        await asyncio.to_thread(_insert, workspace, found, others)
    return _Result(mutant, found, others)


def _insert(workspace: Workspace, killing: Killing, others: tuple[Mutant, ...]) -> None:
    """Write the files, and let what is known of the mutants follow."""
    problem = insert(workspace.root, killing.written)
    if problem is not None:
        raise Failure(problem)
    test = killing.written.node_ids[0]
    take_kills(workspace, killing.mutant.file, {mutant.name: test for mutant in (killing.mutant, *others)})
