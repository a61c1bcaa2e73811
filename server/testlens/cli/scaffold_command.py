"""`testlens scaffold`: write a test for a gap, show it or put it into its file, and run it if that is wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from testlens.cli.equipment import ready_interpreter
from testlens.cli.failure import Failure
from testlens.cli.reading import no_data, read_folder
from testlens.cli.run_progress import RunProgress
from testlens.cli.scaffold_place import Line
from testlens.cli.scaffold_report import Result, SearchProgress, print_offers, print_result
from testlens.cli.stoppable import run_stoppable
from testlens.cli.terminal import print_json, progress
from testlens.domain.problems import Problem
from testlens.report.scaffold_json import no_scaffold_json, offers_json, scaffold_json
from testlens.runners.interpreter import Interpreter, Wishes, find_interpreter
from testlens.scaffold.recipe import Offer
from testlens.scaffold.recipes import offers
from testlens.scaffold.target import NoTarget
from testlens.workspace.gap_target import GapTarget, gap_at
from testlens.workspace.insertion import insert
from testlens.workspace.scaffolding import Scaffolder
from testlens.workspace.selected_run import take_over
from testlens.workspace.settings import Overrides
from testlens.workspace.test_files import TestFiles
from testlens.workspace.verification import Verifier
from testlens.workspace.views import text_on_disk
from testlens.workspace.workspace import Workspace

Step = Literal["write", "verify"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A test for the gap at a line, by the recipe of that name or the most fitting one, and what to do with it."""

    place: Line
    overrides: Overrides
    recipe: str | None
    steps: frozenset[Step]


class NotOffered(Exception):  # noqa: N818 (nothing is wrong)
    """Nothing can be written for that line; its text says why."""


def scaffold(wanted: Wanted) -> int:
    """Write a test and show what came of it; returns the exit status."""
    try:
        result = _scaffold(wanted)
    except NotOffered as why:
        print_offers((), str(why))
        return 1
    print_result(result)
    return result.exit_code


def scaffold_as_json(wanted: Wanted) -> int:
    """Write a test and print one JSON object; returns the exit status."""
    try:
        result = _scaffold(wanted)
    except NotOffered as why:
        print_json(no_scaffold_json(str(why), ()))
        return 1
    print_json(scaffold_json(result.title, result.scaffold, result.verdict, result.message, result.problems))
    return result.exit_code


def list_offers(wanted: Wanted) -> int:
    """Print what could be written for a line, without running anything; the exit status is 1 where that is nothing."""
    fitting, message = _offers(wanted)
    print_offers(fitting, message)
    return 0 if fitting else 1


def list_offers_as_json(wanted: Wanted) -> int:
    """The same as one JSON object."""
    fitting, message = _offers(wanted)
    print_json(offers_json(fitting, message))
    return 0 if fitting else 1


def _offers(wanted: Wanted) -> tuple[tuple[Offer, ...], str]:
    with _measured(wanted) as workspace:
        interpreter = find_interpreter(wanted.place.root, _wishes(workspace, wanted))
        tests = TestFiles(workspace)
        style = tests.read(interpreter.path if isinstance(interpreter, Interpreter) else None)
        try:
            fitting = offers(_found(workspace, wanted.place).target, style)
        except NotOffered as why:
            return (), str(why)
    return fitting, "" if fitting else _no_recipe(wanted.place)


def _scaffold(wanted: Wanted) -> Result:
    with _measured(wanted) as workspace:
        found = _found(workspace, wanted.place)
        python = _interpreter(workspace, wanted)
        return run_stoppable(_write(workspace, found, wanted, python))


async def _write(workspace: Workspace, found: GapTarget, wanted: Wanted, python: str) -> Result:
    config = workspace.settings.config
    scaffolder = Scaffolder(workspace, python, config.scaffold_budget, config.scaffold_network)
    try:
        with SearchProgress(progress()) as shown:
            written = await scaffolder.scaffold(found, wanted.recipe, shown.take)
            if isinstance(written, Problem):
                raise Failure(written)
            offer = next(offer for offer in scaffolder.offers(found) if offer.recipe == written.recipe)
            verdict = None
            if wanted.steps == {"verify"}:
                verdict = await scaffolder.try_out(written, shown.take)
    finally:
        await scaffolder.close()
    lacking = (_lacking(python, offer.needs),) if offer.needs else ()
    result = Result(offer.title, written, verdict, "write" in wanted.steps, lacking)
    return await _insert(workspace, result, wanted, python) if result.is_written else result


async def _insert(workspace: Workspace, result: Result, wanted: Wanted, python: str) -> Result:
    """Write the files; with `verify` run the tests as any others, and let what is known of the project follow."""
    problem = insert(workspace.root, result.scaffold.written)
    if problem is not None:
        raise Failure(problem)
    if "verify" not in wanted.steps:
        return result
    with RunProgress(progress()) as shown:
        verification = await Verifier(workspace, python, shown.take).verify(result.scaffold)
    problems = result.problems + verification.problems
    if verification.run is not None:
        refused = await asyncio.to_thread(take_over, workspace, verification.run)
        problems += (refused,) if refused is not None else ()
    return Result(result.title, result.scaffold, verification.verdict, True, problems)


@contextmanager
def _measured(wanted: Wanted) -> Iterator[Workspace]:
    """A workspace that has been measured; a `Failure` says what to do where it has not."""
    with read_folder(wanted.place.root, wanted.overrides) as workspace:
        if workspace.snapshot.source is None:
            raise Failure(no_data(wanted.place.root))
        yield workspace


def _found(workspace: Workspace, place: Line) -> GapTarget:
    text = text_on_disk(workspace.root / place.path)
    if text is None:
        raise Failure(Problem("It cannot be read.", "Check its permissions.", place.path, severity="error"))
    found = gap_at(workspace, place.path, place.line, text)
    if isinstance(found, NoTarget):
        raise NotOffered(f"Not offered because {found.reason}.")
    return found


def _interpreter(workspace: Workspace, wanted: Wanted) -> str:
    """The interpreter of the project; where nothing is to be run, there need not be one that could."""
    wishes = _wishes(workspace, wanted)
    if workspace.settings.config.scaffold_budget > 0 or "verify" in wanted.steps:
        return ready_interpreter(wanted.place.root, wishes).path
    found = find_interpreter(wanted.place.root, wishes)
    return found.path if isinstance(found, Interpreter) else ""


def _lacking(python: str, needs: Sequence[str]) -> Problem:
    names = " and ".join(needs)
    return Problem(f"The test imports {names}, which {python} has not.", f"Install {names} to run it.")


def _wishes(workspace: Workspace, wanted: Wanted) -> Wishes:
    configured = workspace.settings.config.python
    return Wishes(explicit=wanted.overrides.python, configured=configured, explicit_name="--python")


def _no_recipe(place: Line) -> str:
    return f"Not offered because no recipe fits line {place.line} of {place.path}."
