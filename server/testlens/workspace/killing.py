"""Kills survivors: looks for a test that tells a mutant from the original, and vouches for it by running it on both.

Everything is tried in the explorer, in the project's interpreter and behind its sandbox; nothing is written here.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace

from testlens.domain.cases import Draft
from testlens.domain.mutants import Mutant
from testlens.domain.problems import Problem
from testlens.domain.trials import Trial
from testlens.runners.explorer import Explorer, MutantCode
from testlens.scaffold.kill.aim import Aim, find_aim
from testlens.scaffold.kill.differences import Pair
from testlens.scaffold.kill.search import Kill, KillSearch, NotKilled, find_kill
from testlens.scaffold.place import Place, choose_place
from testlens.scaffold.plain import write_attempt
from testlens.scaffold.recipe import Attempt, Knowledge
from testlens.scaffold.render import Written, write
from testlens.scaffold.target import NoTarget
from testlens.scaffold.values import static_description
from testlens.scaffold.words import camel
from testlens.workspace.explorer_session import ExplorerSession
from testlens.workspace.gap_target import module_name
from testlens.workspace.scaffolding import ASYNC_DECORATORS, TIMES, Progress
from testlens.workspace.views import text_on_disk
from testlens.workspace.workspace import Workspace

RECIPE = "kill"
_GRACE_SECONDS = 5.0
_CONFIRMATIONS = 4


@dataclass(frozen=True, slots=True)
class Killing:
    """A test that kills a mutant, written but not inserted.

    `original` and `mutant` are what came of running it as it stands in `written`, three times on each. `tried` counts
    the inputs that were tried for it.
    """

    mutant: Mutant
    written: Written
    original: tuple[Trial, ...]
    mutated: tuple[Trial, ...]
    tried: int

    @property
    def is_verified(self) -> bool:
        """Whether it was green on the original each time, and red on the mutant each time."""
        green = bool(self.original) and all(trial.outcome == "passed" for trial in self.original)
        return green and all(trial.outcome in ("failed", "timeout", "crashed") for trial in self.mutated)


class Killer:
    """Writes tests that kill mutants, for as long as `budget` seconds each."""

    def __init__(self, workspace: Workspace, session: ExplorerSession, python: str, budget: float = 5.0) -> None:
        self._workspace = workspace
        self._session = session
        self._python = python
        self._budget = budget

    async def kill(self, mutant: Mutant, progress: Progress) -> Killing | NotKilled | Problem:
        """A new test that kills the mutant; NotKilled says how far it was looked for one."""
        ready = await self._ready(mutant, progress)
        if isinstance(ready, Problem):
            return ready
        aim, explorer = ready
        place = choose_place(mutant.file, RECIPE, self._session.tests.style, self._session.tests.existing)
        judge = _Judge(explorer, aim, self._workspace, self._session, place)
        described = await explorer.describe(judge.source, aim.target.name, aim.line)
        description = static_description(aim.target) if isinstance(described, Problem) else described
        if description.unreachable is not None:
            return _out_of_reach(aim, description.unreachable)
        tests = self._session.tests
        search = find_kill(aim, Knowledge(tests.style, description, tests.seen))
        found = await self._drive(search, judge, progress)
        if isinstance(found, NotKilled):
            return found
        group = camel(aim.target.function.name.strip("_") or aim.target.function.name)
        draft = Draft(RECIPE, group, (found.case,))
        written = await asyncio.to_thread(write, draft, place, tests.style, tests.texts)
        return await judge.vouch(written, found)

    async def close(self) -> None:
        """End the explorer."""
        await self._session.close()

    async def _ready(self, mutant: Mutant, progress: Progress) -> tuple[Aim, Explorer] | Problem:
        root = self._workspace.root
        text = await asyncio.to_thread(text_on_disk, root / mutant.file)
        if text is None:
            return Problem("It cannot be read.", "Check its permissions.", mutant.file, severity="error")
        aim = find_aim(mutant, module_name(root, mutant.file), text)
        if isinstance(aim, NoTarget):
            return Problem(f"No test is offered, because {aim.reason}.", "Run its mutants again.", mutant.file)
        await asyncio.to_thread(self._session.tests.read, self._python)
        explorer = await self._session.explorer(progress)
        return explorer if isinstance(explorer, Problem) else (aim, explorer)

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
    """Tries tests on the original and on the mutant."""

    def __init__(
        self, explorer: Explorer, aim: Aim, workspace: Workspace, session: ExplorerSession, place: Place
    ) -> None:
        self._explorer = explorer
        self._aim = aim
        self._root = workspace.root
        self.source = workspace.root / aim.mutant.file
        self._path = workspace.root / place.test_file
        self._existing = session.tests.texts.get(place.test_file, "")
        self._decorator = ASYNC_DECORATORS.get(session.tests.style.asyncio, "")
        self._mutant = MutantCode(self.source, aim.mutated_text, aim.target.name, aim.line)

    async def pairs(self, attempt: Attempt) -> tuple[Pair, ...]:
        """What comes of each case on both; on the mutant only where the original ran what that changes."""
        middle = (len(attempt.cases) + 1) // 2
        halves = [cases for cases in (attempt.cases[:middle], attempt.cases[middle:]) if cases]
        found = await asyncio.gather(*(self._pairs(replace(attempt, cases=cases)) for cases in halves))
        return tuple(pair for pairs in found for pair in pairs)

    async def vouch(self, written: Written, found: Kill) -> Killing:
        """Run the test as it is written, three times on each."""
        path, text = self._root / written.test_file, written.files[written.test_file]
        original: list[Trial] = []
        mutated: list[Trial] = []
        for _ in range(TIMES):
            both = await asyncio.gather(
                self._explorer.try_tests(path, text, written.names, self.source),
                self._explorer.try_tests(path, text, written.names, self.source, self._mutant),
            )
            original += both[0]
            mutated += both[1]
        return Killing(self._aim.mutant, written, tuple(original), tuple(mutated), found.tried)

    async def _pairs(self, attempt: Attempt) -> list[Pair]:
        text, names = write_attempt(attempt, self._existing, self._decorator)
        originals = await self._explorer.try_tests(self._path, text, names, self.source)
        reaching = [name for name, trial in zip(names, originals, strict=True) if self._aim.is_reached(trial)]
        mutants = await self._explorer.try_tests(self._path, text, reaching, self.source, self._mutant)
        by_name = dict(zip(reaching, mutants, strict=True))
        return [Pair(trial, by_name.get(name)) for name, trial in zip(names, originals, strict=True)]


def _out_of_reach(aim: Aim, reason: str) -> Problem:
    return Problem(
        f"No test is offered for this mutant: `{aim.target.name}` cannot be called from a test, because {reason}.",
        "Test it through what calls it, or ignore the mutant with `# pragma: no mutate`.",
        aim.mutant.file,
        aim.mutant.span.first_line,
    )
