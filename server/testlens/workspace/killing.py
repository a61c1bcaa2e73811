"""Kills survivors: looks for a test that tells a mutant from the original, and vouches for it by running it on both.

Everything is tried in the explorer, in the project's interpreter and behind its sandbox; nothing is written here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice
from pathlib import Path
from typing import Literal

from testlens.domain.cases import Draft
from testlens.domain.mutants import Mutant
from testlens.domain.problems import Problem
from testlens.domain.trials import FunctionDescription, Trial
from testlens.runners.explorer import Explorer, MutantCode
from testlens.scaffold.kill.aim import Aim, find_aim
from testlens.scaffold.kill.differences import Pair, difference
from testlens.scaffold.kill.missing_assertion import ExistingTest, tests_to_extend, with_claims
from testlens.scaffold.kill.search import Kill, KillSearch, NotKilled, find_kill, is_red
from testlens.scaffold.place import choose_place
from testlens.scaffold.plain import write_attempt
from testlens.scaffold.recipe import Attempt, Knowledge
from testlens.scaffold.render import Written, write
from testlens.scaffold.target import NoTarget
from testlens.scaffold.values import static_description
from testlens.scaffold.words import camel
from testlens.workspace.explorer_session import ExplorerSession
from testlens.workspace.gap_target import module_name
from testlens.workspace.scaffolding import ASYNC_DECORATORS, TIMES, Progress
from testlens.workspace.test_files import TestFiles
from testlens.workspace.views import text_on_disk
from testlens.workspace.workspace import Workspace

RECIPE = "kill"
Way = Literal["test", "assertion"]
"""A new test, or an assertion that a test of the project lacks."""

_MOST_EXTENDED = 12
_GRACE_SECONDS = 5.0
_CONFIRMATIONS = 4


@dataclass(frozen=True, slots=True)
class Killing:
    """A test that kills a mutant, written but not inserted. What the Killer gives out is verified.

    `original` and `mutated` are what came of running it as it stands in `written`, three times on each. `tried` counts
    the inputs that were tried for it.
    """

    mutant: Mutant
    way: Way
    written: Written
    original: tuple[Trial, ...]
    mutated: tuple[Trial, ...]
    tried: int

    @property
    def is_verified(self) -> bool:
        """Whether it was green on the original each time, and red on the mutant each time."""
        green = bool(self.original) and all(trial.outcome == "passed" for trial in self.original)
        return green and all(map(is_red, self.mutated))


def said_of(found: Killing | NotKilled, mutant: Mutant) -> str:
    """What came of looking for a test, in words."""
    if isinstance(found, NotKilled):
        return _said_of_none(found, mutant)
    return f"green on the original {len(found.original)} times, red on the mutant {len(found.mutated)} times"


def _said_of_none(found: NotKilled, mutant: Mutant) -> str:
    inputs = f"{found.tried} input{'' if found.tried == 1 else 's'}"
    if found.differed:
        return f"no test was found: of {inputs} some tell the mutant apart, and none the same way each time"
    if not found.reached:
        return f"no test was found: {inputs}, and none runs line {mutant.span.first_line}"
    return f"possibly equivalent: {inputs}, of which {found.reached} ran the change and none told it apart"


class Killer:
    """Writes tests that kill mutants, for as long as `budget` seconds each."""

    def __init__(self, workspace: Workspace, session: ExplorerSession, python: str, budget: float = 5.0) -> None:
        self._workspace = workspace
        self._session = session
        self._python = python
        self._budget = budget

    async def kill(self, mutant: Mutant, progress: Progress) -> Killing | NotKilled | Problem:
        """What kills the mutant: an assertion that a test lacks which has the same input already, else a new test."""
        extended = await self.add_assertion(mutant, None, progress)
        return extended if isinstance(extended, Killing | Problem) else await self.write_test(mutant, progress)

    async def add_assertion(
        self, mutant: Mutant, node_id: str | None, progress: Progress
    ) -> Killing | NotKilled | Problem:
        """An assertion, in this test or in any that runs the function, of what the mutant leaves otherwise there."""
        ready = await self._ready(mutant, progress)
        if isinstance(ready, Problem):
            return ready
        aim, judge = ready
        tests = self._session.tests
        seen = tests.seen.get((mutant.file, aim.target.name), ())
        known = [node_id] if node_id is not None else [*mutant.tests, *(call.test for call in seen)]
        extensible = list(islice(tests_to_extend(known, tests.texts), _MOST_EXTENDED))
        progress("Looking for an assertion that a test lacks", 0)
        for test, claims in await judge.unclaimed(extensible):
            written = await asyncio.to_thread(with_claims, test, claims, tests.style, tests.texts)
            killing = await judge.vouch(written, "assertion", len(extensible))
            if killing.is_verified:
                return killing
        return NotKilled(len(extensible), len(extensible))

    async def write_test(self, mutant: Mutant, progress: Progress) -> Killing | NotKilled | Problem:
        """A new test that kills the mutant; NotKilled says how far it was looked for one."""
        ready = await self._ready(mutant, progress)
        if isinstance(ready, Problem):
            return ready
        aim, judge = ready
        description = await judge.describe()
        if description.unreachable is not None:
            return _out_of_reach(aim, description.unreachable)
        tests = self._session.tests
        search = find_kill(aim, Knowledge(tests.style, description, tests.seen))
        found = await self._drive(search, judge, progress)
        if isinstance(found, NotKilled):
            return found
        group = camel(aim.target.function.name.strip("_") or aim.target.function.name)
        draft = Draft(RECIPE, group, (found.case,))
        written = await asyncio.to_thread(write, draft, judge.place, tests.style, tests.texts)
        killing = await judge.vouch(written, "test", found.tried)
        return killing if killing.is_verified else NotKilled(found.tried, found.tried, differed=True)

    async def also_killed(self, killing: Killing, others: Sequence[Mutant], progress: Progress) -> tuple[Mutant, ...]:
        """Those of some other mutants that the test kills as well; each is tried once."""
        killed = []
        for number, mutant in enumerate(others):
            progress("Checking the other mutants of the function", number)
            ready = await self._ready(mutant, progress)
            if not isinstance(ready, Problem) and await ready[1].is_killed_by(killing.written):
                killed.append(mutant)
        return tuple(killed)

    async def close(self) -> None:
        """End the explorer."""
        await self._session.close()

    async def _ready(self, mutant: Mutant, progress: Progress) -> tuple[Aim, _Judge] | Problem:
        root = self._workspace.root
        text = await asyncio.to_thread(text_on_disk, root / mutant.file)
        if text is None:
            return Problem("It cannot be read.", "Check its permissions.", mutant.file, severity="error")
        aim = find_aim(mutant, module_name(root, mutant.file), text)
        if isinstance(aim, NoTarget):
            return Problem(f"No test is offered, because {aim.reason}.", "Run its mutants again.", mutant.file)
        await asyncio.to_thread(self._session.tests.read, self._python)
        explorer = await self._session.explorer(progress)
        if isinstance(explorer, Problem):
            return explorer
        return aim, _Judge(explorer, aim, self._session.tests)

    async def _drive(self, search: KillSearch, judge: _Judge, progress: Progress) -> Kill | NotKilled:
        """Answer the search's attempts until the budget is spent; what told the two apart is still confirmed."""
        spent_at = time.monotonic() + self._budget
        tried = 0
        try:
            attempt = next(search)
            while True:
                now = time.monotonic()
                is_confirmation = attempt.cases[0].records_today
                if now > spent_at + (_GRACE_SECONDS if is_confirmation else 0.0):
                    attempt = search.send(None)
                    continue
                pairs = await judge.pairs(attempt)
                tried += 0 if is_confirmation else len(attempt.cases)
                progress("Looking for an input that tells the mutant apart", tried)
                attempt = search.send(pairs)
        except StopIteration as stop:
            found: Kill | NotKilled = stop.value
            return found


class _Judge:
    """Tries tests on the original and on the mutant; `place` is where a new one belongs."""

    def __init__(self, explorer: Explorer, aim: Aim, tests: TestFiles) -> None:
        self._explorer = explorer
        self._aim = aim
        self._tests = tests
        self._source = tests.root / aim.mutant.file
        self.place = choose_place(aim.mutant.file, RECIPE, tests.style, tests.existing)
        self._path = tests.root / self.place.test_file
        self._existing = tests.texts.get(self.place.test_file, "")
        self._decorator = ASYNC_DECORATORS.get(tests.style.asyncio, "")
        self._mutant = MutantCode(self._source, aim.mutated_text, aim.target.name, aim.line)

    async def describe(self) -> FunctionDescription:
        """What is known of the function."""
        described = await self._explorer.describe(self._source, self._aim.target.name, self._aim.line)
        return static_description(self._aim.target) if isinstance(described, Problem) else described

    async def unclaimed(self, tests: Sequence[ExistingTest]) -> list[tuple[ExistingTest, tuple[str, ...]]]:
        """For each test that holds something else on the mutant in the end: what it could claim of that."""
        found = []
        for path, together in groupby(tests, lambda test: test.path):
            by_name = {test.name: test for test in together}
            pairs = await self._pairs_of(self._tests.root / path, self._tests.texts[path], list(by_name))
            for test, pair in zip(by_name.values(), pairs, strict=True):
                is_green = pair.original.outcome == "passed" and pair.mutant is not None and pair.mutant.raised is None
                told = difference(pair) if is_green else None
                if told is not None and told.claims:
                    found.append((test, told.claims))
        return found

    async def pairs(self, attempt: Attempt) -> tuple[Pair, ...]:
        """What comes of each case on both; on the mutant only where the original ran what that changes."""
        middle = (len(attempt.cases) + 1) // 2
        halves = [cases for cases in (attempt.cases[:middle], attempt.cases[middle:]) if cases]
        found = await asyncio.gather(*(self._pairs(replace(attempt, cases=cases)) for cases in halves))
        return tuple(pair for pairs in found for pair in pairs)

    async def vouch(self, written: Written, way: Way, tried: int) -> Killing:
        """Run the test as it is written, three times on each."""
        path, text = self._tests.root / written.test_file, written.files[written.test_file]
        original: list[Trial] = []
        mutated: list[Trial] = []
        for _ in range(TIMES):
            both = await asyncio.gather(
                self._explorer.try_tests(path, text, written.names, self._source),
                self._explorer.try_tests(path, text, written.names, self._source, self._mutant),
            )
            original += both[0]
            mutated += both[1]
        return Killing(self._aim.mutant, way, written, tuple(original), tuple(mutated), tried)

    async def is_killed_by(self, written: Written) -> bool:
        """Whether the mutant turns the written tests red."""
        path, text = self._tests.root / written.test_file, written.files[written.test_file]
        trials = await self._explorer.try_tests(path, text, written.names, self._source, self._mutant)
        return any(map(is_red, trials))

    async def _pairs(self, attempt: Attempt) -> list[Pair]:
        text, names = write_attempt(attempt, self._existing, self._decorator)
        return await self._pairs_of(self._path, text, names)

    async def _pairs_of(self, path: Path, text: str, names: Sequence[str]) -> list[Pair]:
        originals = await self._explorer.try_tests(path, text, names, self._source)
        reaching = [name for name, trial in zip(names, originals, strict=True) if self._aim.is_reached(trial)]
        mutants = await self._explorer.try_tests(path, text, reaching, self._source, self._mutant)
        by_name = dict(zip(reaching, mutants, strict=True))
        return [Pair(trial, by_name.get(name)) for name, trial in zip(names, originals, strict=True)]


def _out_of_reach(aim: Aim, reason: str) -> Problem:
    return Problem(
        f"No test is offered for this mutant: `{aim.target.name}` cannot be called from a test, because {reason}.",
        "Test it through what calls it, or ignore the mutant with `# pragma: no mutate`.",
        aim.mutant.file,
        aim.mutant.span.first_line,
    )
