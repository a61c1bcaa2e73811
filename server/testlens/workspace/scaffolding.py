"""Writes tests for gaps: finds what fits, drives the recipe's search within its budget, and puts the draft into words.

Offering runs nothing of the project. Writing tries candidates in the explorer: in the project's interpreter, behind its
sandbox, within the budget. Nothing is written to the project here: the caller inserts what comes back.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from testlens.domain.cases import Draft
from testlens.domain.coverage import ParsedSource, Trace, combine
from testlens.domain.problems import Problem
from testlens.domain.snapshot import Gap
from testlens.domain.trials import FunctionDescription, Trial, TrialOutcome
from testlens.runners.explorer import Explorer
from testlens.scaffold.feature_form import write_features
from testlens.scaffold.place import Place, choose_place
from testlens.scaffold.plain import write_attempt
from testlens.scaffold.recipe import Attempt, Knowledge, Offer, Search
from testlens.scaffold.recipes import offers, recipe_named
from testlens.scaffold.render import Written, write
from testlens.scaffold.step_split import UnsplittableError
from testlens.scaffold.style import Style
from testlens.scaffold.values import static_description
from testlens.sources.coverage_parse import parse
from testlens.workspace.explorer_session import ExplorerSession
from testlens.workspace.gap_target import GapTarget
from testlens.workspace.test_files import TestFiles
from testlens.workspace.workspace import Workspace

Outcome = Literal["passed", "failed", "error", "todo", "flaky"]
Progress = Callable[[str, int], None]
"""Told in words what is done now, and how many candidates were tried so far."""

TIMES = 3
# What was found in the budget is confirmed, whatever that takes, within these bounds: seconds, and attempts.
_GRACE = 3.0
_CONFIRMATIONS = 3
_MOST_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Scaffold:
    """Tests for one gap, written but not inserted: `written` has the files' new texts, `gap` lies in `text`."""

    recipe: str
    gap: Gap
    text: str
    draft: Draft
    place: Place
    written: Written

    @property
    def todo(self) -> str | None:
        """What is left for the developer, None where nothing is."""
        return next((case.todo for case in self.draft.cases if case.todo is not None), None)

    @property
    def has_todo(self) -> bool:
        """Whether something is left for the developer."""
        return self.todo is not None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of running the tests of a scaffold: `covered` and `missing` are the gap's statements.

    For a branch they hold the line that it leaves from. `message` says in words what happened.
    """

    outcome: Outcome
    covered: tuple[int, ...]
    missing: tuple[int, ...]
    message: str


class Scaffolder:
    """Writes tests for the gaps of one workspace, in the project's interpreter `python`.

    A search may take `budget` seconds; with 0 nothing of the project is run. `network` lets what is tried use it.
    """

    def __init__(self, workspace: Workspace, python: str, budget: float = 5.0, network: bool = False) -> None:
        self._workspace = workspace
        self._python = python
        self._budget = budget
        self._session = ExplorerSession(workspace, python, network)

    @property
    def session(self) -> ExplorerSession:
        """The session that tests are tried in, for others who try tests of the same workspace."""
        return self._session

    def offers(self, found: GapTarget) -> tuple[Offer, ...]:
        """What fits a gap, the most fitting first; runs nothing."""
        return offers(found.target, self._session.tests.style)

    async def fitting(self, found: GapTarget) -> tuple[Offer, ...]:
        """The same with the project's tests and libraries as they are now; reads files, and runs nothing."""
        await asyncio.to_thread(self._session.tests.read, self._python)
        return self.offers(found)

    async def scaffold(self, found: GapTarget, recipe: str | None, progress: Progress) -> Scaffold | Problem:
        """Write tests for a gap with the recipe of this name, or with the most fitting one."""
        fitting = await self.fitting(found)
        style = self._session.tests.style
        if not fitting:
            where = f"line {found.gap.region.first} of {found.gap.file}"
            return Problem(f"No recipe fits {where}.", "Write this test by hand.")
        chosen = recipe_named(recipe or fitting[0].recipe)
        if chosen is None or chosen.offer(found.target, style) is None:
            return Problem(
                f"The recipe {recipe} does not fit line {found.gap.region.first} of {found.gap.file}.",
                f"These do: {', '.join(offer.recipe for offer in fitting)}.",
            )
        place = choose_place(found.gap.file, chosen.name, style, self._session.tests.existing)
        explorer = await self._session.explorer(progress) if self._budget > 0 else None
        if isinstance(explorer, Problem):
            return explorer
        description = await self._describe(explorer, found)
        if description.unreachable is not None:
            return _out_of_reach(found, description.unreachable)
        knowledge = Knowledge(style, description, self._session.tests.seen)
        search = chosen.search(found.target, knowledge)
        if explorer is None:
            draft = without_trials(search)
        else:
            judge = _Judge(explorer, found, self._workspace.root / place.test_file, self._session.tests, style)
            draft = await self._drive(search, judge, progress)
        written = await asyncio.to_thread(self._written, draft, place, found.gap.file)
        return Scaffold(chosen.name, found.gap, found.text, draft, place, written)

    async def try_out(self, scaffold: Scaffold, progress: Progress) -> Verdict:
        """Run the tests of a scaffold three times without writing them to the project."""
        explorer = await self._session.explorer(progress)
        if isinstance(explorer, Problem):
            return Verdict("error", (), _aims(scaffold.gap), explorer.sentences)
        # The explorer has read the conftest files as they are: helpers for them stand in the test file meanwhile.
        helpers = tuple(replace(helper, place="module") for helper in scaffold.draft.helpers)
        tests = self._session.tests
        written = write(replace(scaffold.draft, helpers=helpers), scaffold.place, tests.style, tests.texts)
        watch, path = (self._workspace.root / name for name in (scaffold.gap.file, written.test_file))
        text = written.files[written.test_file]
        progress("Running the new tests", 0)
        runs = [await explorer.try_tests(path, text, written.names, watch) for _ in range(TIMES)]
        parsed = parse_source(scaffold.text, scaffold.gap.file, self._workspace)
        verdict = judge_runs(scaffold, [[normalised(trial, parsed) for trial in run] for run in runs])
        if written.test_file == scaffold.written.test_file:
            return verdict
        return replace(verdict, message=f"{verdict.message} (tried as methods of a class, not in the feature file)")

    def _written(self, draft: Draft, place: Place, source: str) -> Written:
        """The draft as the settings want it; as a class where it cannot be told in steps."""
        tests = self._session.tests
        as_class = write(draft, place, tests.style, tests.texts)
        if draft.recipe != "bdd" or tests.style.scenarios == "classes":
            return as_class
        try:
            return write_features(draft, source, tests.style, {**tests.texts, **tests.feature_texts()})
        except UnsplittableError as why:
            return replace(as_class, note=f"written as a class, not for {tests.style.scenarios}, because {why}")

    async def close(self) -> None:
        """End the explorer."""
        await self._session.close()

    async def _describe(self, explorer: Explorer | None, found: GapTarget) -> FunctionDescription:
        target = found.target
        if explorer is None:
            return static_description(target)
        path = self._workspace.root / target.path
        described = await explorer.describe(path, target.name, target.function.lineno)
        return static_description(target) if isinstance(described, Problem) else described

    async def _drive(self, search: Search, judge: _Judge, progress: Progress) -> Draft:
        """Answer the search's attempts with trials until the budget is spent, then a little longer to confirm."""
        spent_at = time.monotonic() + self._budget
        told = False
        tried = confirming = 0
        answer: tuple[Trial, ...] | None = None
        try:
            attempt = next(search)
            while True:
                now = time.monotonic()
                if now > spent_at and not told:
                    answer, told = None, True
                elif told and confirming >= _CONFIRMATIONS and now > spent_at + _GRACE:
                    answer = None
                else:
                    confirming += told
                    answer = await judge.trials(attempt)
                    tried += len(attempt.cases)
                    progress("Looking for a way to the gap", tried)
                attempt = search.send(answer)
        except StopIteration as stop:
            draft: Draft = stop.value
            return draft


class _Judge:
    """Tries attempts in the explorer."""

    def __init__(self, explorer: Explorer, found: GapTarget, path: Path, tests: TestFiles, style: Style) -> None:
        self._explorer = explorer
        self._path = path
        self._watch = tests.root / found.gap.file
        self._existing = tests.texts.get(path.relative_to(tests.root).as_posix(), "")
        self._decorator = ASYNC_DECORATORS.get(style.asyncio, "")
        self._parsed = parse_source(found.text, found.gap.file, tests.workspace)

    async def trials(self, attempt: Attempt) -> tuple[Trial, ...]:
        """A trial for each case, in order; what needs the same helpers is tried side by side."""
        middle = (len(attempt.cases) + 1) // _MOST_AT_ONCE
        halves = [cases for cases in (attempt.cases[:middle], attempt.cases[middle:]) if cases]
        found = await asyncio.gather(*(self._try(replace(attempt, cases=cases)) for cases in halves))
        return tuple(normalised(trial, self._parsed) for trials in found for trial in trials)

    async def _try(self, attempt: Attempt) -> tuple[Trial, ...]:
        text, names = write_attempt(attempt, self._existing, self._decorator)
        return await self._explorer.try_tests(self._path, text, names, self._watch)


ASYNC_DECORATORS = {"strict": "@__import__('pytest').mark.asyncio", "anyio": "@__import__('pytest').mark.anyio"}


def _out_of_reach(found: GapTarget, reason: str) -> Problem:
    name, region = found.target.name, found.gap.region
    return Problem(
        f"No test is offered for line {region.first}: `{name}` cannot be called from a test, because {reason}.",
        "Test it through what calls it, or exclude it from coverage.",
        found.gap.file,
        region.first,
    )


def without_trials(search: Search) -> Draft:
    """What a search has to say where nothing may be run."""
    try:
        next(search)
        while True:
            search.send(None)
    except StopIteration as stop:
        draft: Draft = stop.value
        return draft


def parse_source(text: str, path: str, workspace: Workspace) -> ParsedSource | None:
    """The facts that coverage.py needs to count a trial's lines as it counts those of a run."""
    coverage = workspace.settings.config.coverage
    parsed = parse(text, path, coverage.exclude, coverage.no_branch)
    return None if isinstance(parsed, Problem) else parsed.source


def normalised(trial: Trial, source: ParsedSource | None) -> Trial:
    """The trial with the statements and branches that coverage.py would say it ran."""
    if source is None:
        return trial
    verdict = combine(source, Trace(trial.lines, trial.arcs))
    branches = {arc for arc in source.arcs if arc[0] in verdict.exit_counts}
    lines = verdict.statements - verdict.missing
    return replace(trial, lines=lines, arcs=frozenset(branches - verdict.missing_arcs))


def judge_runs(scaffold: Scaffold, runs: Sequence[Sequence[Trial]]) -> Verdict:
    """What several runs of the same tests come to."""
    aims = _aims(scaffold.gap)
    region = scaffold.gap.region
    reached: set[int] = set()
    for trial in (trial for run in runs for trial in run):
        if region.kind == "partial":
            reached |= {start for start, _ in trial.arcs & frozenset(region.arcs)}
        else:
            reached |= trial.lines & frozenset(aims)
    covered = tuple(line for line in aims if line in reached)
    missing = tuple(line for line in aims if line not in reached)
    outcomes = [{trial.outcome for trial in run} for run in runs]
    outcome, message = _in_words(scaffold, outcomes, covered, aims, runs)
    note = f" ({scaffold.written.note})" if scaffold.written.note else ""
    return Verdict(outcome, covered, missing, message + note)


def _in_words(
    scaffold: Scaffold,
    outcomes: Sequence[set[TrialOutcome]],
    covered: Sequence[int],
    aims: Sequence[int],
    runs: Sequence[Sequence[Trial]],
) -> tuple[Outcome, str]:
    share = f"covers {len(covered)} of {len(aims)} lines of this gap"
    if scaffold.gap.region.kind == "partial":
        share = "takes the branch" if covered else "does not take the branch"
    if scaffold.has_todo:
        return "todo", f"to be finished: {next(c.todo for c in scaffold.draft.cases if c.todo)}"
    if all(found == {"passed"} for found in outcomes):
        return "passed", f"green, {share}"
    if any(found != outcomes[0] for found in outcomes):
        return "flaky", "flaky: it does not come out the same each time"
    bad = next(trial for run in runs for trial in run if trial.outcome != "passed")
    kind: Outcome = "failed" if bad.outcome == "failed" else "error"
    return kind, f"red: {bad.blocked or bad.message or bad.outcome}"


def _aims(gap: Gap) -> tuple[int, ...]:
    return gap.region.statements or (gap.region.first,)
