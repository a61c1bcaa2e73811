"""Runs what the edits since the last run can affect, and replaces what these tests said before."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from testlens.domain.problems import Problem
from testlens.domain.snapshot import TestResult
from testlens.runners.early import EarlyRun
from testlens.runners.events import Event
from testlens.runners.finishing import finish
from testlens.runners.interpreter import packages_of
from testlens.runners.run_log import RunRequest, RunResult
from testlens.runners.warm_runner import WarmRunner, Warmth
from testlens.sources.coverage_data import SHARED_PHASE, tests_with
from testlens.sources.coverage_parse import decode
from testlens.sources.source_text import read_content
from testlens.workspace.impact import Affected, Known, affected
from testlens.workspace.left_out import LeftOut, load_left_out
from testlens.workspace.replacing import Ahead, Replaced, tests_of
from testlens.workspace.run_record import (
    AT_THE_END,
    RunRecord,
    files_of_interest,
    identities,
    identity,
    is_configuration,
    load_record,
)
from testlens.workspace.selected_run import DATA_NAME, finish_full_run
from testlens.workspace.slow_tests import leaving_out, slow_tests
from testlens.workspace.trend import keep_run
from testlens.workspace.workspace import Workspace

_NO_TESTS = 5
_LOOK_AGAIN_SECONDS = 0.1
_MOST_AHEAD = 3  # files of which is remembered what they say by themselves, see `examine.read`

Take = Callable[[Callable[[], Problem | None]], Awaitable[Problem | None]]
"""Has a new snapshot made by a function that takes its time, wherever that belongs, and gives what that returns."""


@dataclass(frozen=True, slots=True)
class Round:
    """What came of one look at the edits; `result` is None where nothing had to run.

    `is_known` says that what the tests said is known now. It is not where the run broke off, or files were edited
    meanwhile: the next round runs these tests again. `seconds` is how long it took from the question. `left_out` are
    the slow tests that are to run and have not, since the settings leave them to the user.
    """

    affected: Affected
    result: RunResult | None
    is_known: bool
    problem: Problem | None
    seconds: float
    left_out: frozenset[str] = frozenset()


def known_of(workspace: Workspace) -> Known:
    """What is known of the last run, as the newest snapshot has it."""
    is_own = workspace.data is None or workspace.data.kind == "own run"
    return Known(
        root=workspace.root,
        record=load_record(workspace.root) if is_own else None,
        outcomes=workspace.store.outcomes(),
        measured_text=workspace.store.measured_text,
        measurement=workspace.measurement,
        kept_values=workspace.kept_values,
        left_out=load_left_out(workspace.root).tests if is_own else frozenset(),
    )


def warmth_of(workspace: Workspace, python: str, record: RunRecord | None) -> Warmth:
    """What a process has to be warm for to run this project's tests."""
    root = workspace.root
    surroundings = [packages_of(python)]
    surroundings += [identity(root, path) for path in files_of_interest(root) if is_configuration(path)]
    libraries = () if record is None else tuple((name, bool(flag)) for name, flag in record.libraries)
    return Warmth(root, python, libraries, hashlib.sha256("\0".join(surroundings).encode()).hexdigest())


def get_ready(workspace: Workspace, python: str, saved: asyncio.Event) -> Warmth:
    """Do before the next edit, until it is `saved`, what does not depend on it; what to have a process warm for."""
    record = load_record(workspace.root)
    if record is not None and workspace.measurement is not None:
        tests = workspace.store.outcomes()
        workspace.kept_values.look_ahead(record, workspace.measurement, tests, lambda: not saved.is_set())
    return warmth_of(workspace, python, record)


async def run_affected(
    workspace: Workspace,
    python: str,
    runner: WarmRunner,
    on_event: Callable[[Event], None],
    take: Take,
    slow_too: bool = False,
    on_selected: Callable[[frozenset[str]], None] = lambda _tests: None,
) -> Round:
    """Run the tests that the edits since the last run select, all of them where that is not known.

    `on_selected` hears of the tests that are known to run (node ids or files) before they do, more than once perhaps.
    Those that the settings call slow are left out, but where they are to run, too. Cancelling it changes nothing that
    is known, so that the next round selects the same tests again; once what they said is known, it ends with that.
    """
    began = time.monotonic()
    known = await asyncio.to_thread(known_of, workspace)
    selected = await asyncio.to_thread(_selected, workspace, known, slow_too)
    limit = 0.0 if slow_too else workspace.settings.config.slow_tests
    slow = slow_tests(known, selected, limit)
    if not selected.everything and slow.issuperset(selected.tests):
        await _leave_out(workspace, await asyncio.to_thread(leaving_out, known, selected, slow), take)
        return Round(selected, None, True, None, time.monotonic() - began, workspace.left_out.tests)
    warmth = await asyncio.to_thread(warmth_of, workspace, python, known.record)
    runs = _Runs(workspace, python, runner, warmth, known, on_event, on_selected)
    try:
        result = await runs.results(selected, slow)
        why = await asyncio.to_thread(_why_all, workspace, known.record, selected, result)
        if why is not None:
            selected = replace(selected, everything=True, why=why)
            slow = slow_tests(known, selected, limit)
            result = await runs.results(selected, slow)
        await runs.settled()
        left_out = await asyncio.to_thread(leaving_out, known, selected, slow)
        taking = _take_over(workspace, known.record, selected, result, take, left_out, runs.ahead)
        result, is_known, problem = await runs.end(result, taking)
    finally:
        await runs.stop()
    return Round(selected, result, is_known, problem, time.monotonic() - began, workspace.left_out.tests)


@dataclass(slots=True)
class _Runs:
    """The run of a round, and that of all tests that may have to follow; `ahead` is what is prepared meanwhile."""

    workspace: Workspace
    python: str
    runner: WarmRunner
    warmth: Warmth
    known: Known
    on_event: Callable[[Event], None]
    on_selected: Callable[[frozenset[str]], None]
    ahead: Ahead = field(default_factory=Ahead)
    _last: EarlyRun | None = None
    _reading: asyncio.Task[None] | None = None

    async def results(self, selected: Affected, slow: frozenset[str]) -> RunResult:
        """Run what is selected: what these tests say, as soon as that is known."""
        if self._last is not None:
            await self._last.end()
        self.on_selected(_to_run(self.known, selected, slow))
        request = _request(self.workspace, self.python, selected, slow)

        def hear(event: Event) -> None:
            if self._reading is None:  # not before, since it would keep the tests from beginning
                preparing = asyncio.to_thread(_go_ahead, self.workspace, self.known, selected, slow, self.ahead)
                self._reading = asyncio.create_task(preparing)
            self.on_event(event)

        self._last = EarlyRun(lambda on_told: self.runner.run(request, self.warmth, hear, on_told))
        return await self._last.results()

    async def settled(self) -> None:
        """Wait until nothing is being prepared any more."""
        if self._reading is not None:
            await self._reading

    async def end(
        self, result: RunResult, taking: Coroutine[Any, Any, tuple[bool, Problem | None]]
    ) -> tuple[RunResult, bool, Problem | None]:
        """What came of the whole run, and of `taking` over its `result`, which comes to its end in any case.

        Whoever is cancelled meanwhile gets what is known then, if anything is.
        """
        assert self._last is not None
        taken = asyncio.ensure_future(taking)
        try:
            is_known, problem = await finish(taken)
            return await self._last.end(), is_known, problem
        except asyncio.CancelledError:
            is_known, problem = taken.result()
            if not is_known:
                raise
            return result, is_known, problem

    async def stop(self) -> None:
        """Have all of it end."""
        self.ahead.drop()
        if self._last is not None:
            await self._last.stop()


def _go_ahead(workspace: Workspace, known: Known, selected: Affected, slow: frozenset[str], ahead: Ahead) -> None:
    """Do what needs no result while the tests run, since what they tell is to be shown at once."""
    if not selected.everything and workspace.data is not None:
        chosen = frozenset(selected.tests)
        again = (test for test in known.outcomes if test in chosen or test.partition("::")[0] in chosen)
        ahead.prepare(workspace, frozenset(again) - slow, selected.seen)
    _read_ahead(workspace, known.record, selected)


def _read_ahead(workspace: Workspace, record: RunRecord | None, selected: Affected) -> None:
    """Parse what was edited."""
    from testlens.workspace.examine import read

    measured = {} if record is None else record.measured
    edited = [path for path in measured if record is not None and selected.seen.get(path) != record.files.get(path)]
    for path in edited[:_MOST_AHEAD]:
        content = read_content(workspace.root / path)
        if content is not None:
            read(decode(content), path, workspace.rules)


def _to_run(known: Known, selected: Affected, slow: frozenset[str]) -> frozenset[str]:
    return frozenset(known.outcomes if selected.everything else selected.tests) - slow


async def _leave_out(workspace: Workspace, tests: LeftOut, take: Take) -> None:
    """Make it known where that is news."""

    def leave_out() -> None:
        workspace.leave_out(tests)

    if tests.tests or workspace.left_out.tests:
        await take(leave_out)


def _selected(workspace: Workspace, known: Known, slow_too: bool) -> Affected:
    """What to run: as `affected`, and all where what is known cannot be kept up by a part."""
    selected = affected(known)
    if slow_too and workspace.left_out.everything:
        return replace(selected, everything=True, why="Slow tests were left out when all tests were to run.")
    files = {test.partition("::")[0] for test in known.outcomes}
    gone = sorted(file for file in files if not (known.root / file).is_file())
    if gone:
        return replace(selected, everything=True, why=f"{gone[0]} is gone, with all that only its tests ran.")
    if selected.tests and workspace.data is None:
        return replace(selected, everything=True, why="Nothing but tests was measured.")
    return selected


def _why_all(workspace: Workspace, record: RunRecord | None, selected: Affected, result: RunResult) -> str | None:
    """Why what these tests say cannot take the place of what they said, if it cannot.

    The first test that uses a fixture of several tests sets it up for the others, and the first that imports a module
    runs it: where one does not do that any more, nobody knows which does.
    """
    if record is None or selected.everything:
        return None
    if result.exit_code == _NO_TESTS:
        return None if result.request.without else "The tests that were affected are gone."
    if result.data_file is None or result.exit_code not in AT_THE_END:
        return None
    again = tests_of(workspace, result)
    imported = frozenset[str]().union(*(test.uses.imports for test in result.results))
    if any(not imported.issuperset(record.importing.get(test, ())) for test in again):
        return "A test does not import a module any more that others may need."
    assert workspace.data is not None
    shared = tests_with(workspace.data.paths, SHARED_PHASE) & again
    if shared - tests_with([result.data_file], SHARED_PHASE):
        return "A test does not set up a fixture any more that others share."
    return None


def _request(workspace: Workspace, python: str, selected: Affected, slow: frozenset[str]) -> RunRequest:
    settings = workspace.settings
    chosen = () if selected.everything else tuple(test for test in selected.tests if test not in slow)
    outcomes = workspace.store.outcomes()
    # All of them by name, where some are left out: what is not looked at is not gone.
    looked_at = (*selected.tests, *outcomes) if selected.everything and slow else chosen
    return RunRequest(
        root=workspace.root,
        python=python,
        data_file=workspace.own_data.with_name(DATA_NAME),  # which takes its place once it is known to be whole
        tests=_files(workspace.root, looked_at),
        pytest_args=settings.config.pytest_args,
        test_timeout=settings.test_timeout,
        record_values=False,
        chosen=chosen,
        first=tuple(test for test, result in outcomes.items() if result.failed),
        order=_fastest_first(selected.tests, outcomes),
        without=tuple(sorted(slow)),
    )


def _files(root: Path, tests: Iterable[str]) -> tuple[str, ...]:
    """The files of these tests that are there."""
    files = dict.fromkeys(test.partition("::")[0] for test in tests)
    return tuple(file for file in files if (root / file).is_file())


def _fastest_first(selected: Collection[str], outcomes: Mapping[str, TestResult]) -> tuple[str, ...]:
    """The files of these tests by how long those took the last time. Not test by test: a file's may share fixtures."""
    files, chosen = {test.partition("::")[0] for test in selected}, frozenset(selected)
    seconds = dict.fromkeys(files, 0.0)
    for test, result in outcomes.items():
        file = test.partition("::")[0]
        if test in chosen or file in chosen:
            seconds[file] += result.duration
    return tuple(sorted(seconds, key=lambda file: (seconds[file], file)))


async def _take_over(
    workspace: Workspace,
    record: RunRecord | None,
    selected: Affected,
    result: RunResult,
    take: Take,
    left_out: LeftOut,
    ahead: Ahead,
) -> tuple[bool, Problem | None]:
    """Whether what the run tells could be taken over, and what went wrong with it."""
    data = result.data_file
    if data is None:
        return False, None
    ended = result.exit_code in AT_THE_END and len(result.results) >= result.total
    # Of a first run nothing is let go: what tests wrote in it is looked at in the next round.
    is_first = selected.everything and not selected.tests
    if not ended or (not is_first and await asyncio.to_thread(_is_edited, workspace.root, selected.seen)):
        await asyncio.to_thread(data.unlink, missing_ok=True)
        return False, None

    if selected.everything and not left_out.tests:
        problem = await take(lambda: _take_all(workspace, data, result, selected))
    else:
        assert record is not None
        replaced = Replaced(workspace, record, result, ahead, selected.seen)
        problem = await _shown(replaced, left_out, take)
    await asyncio.to_thread(keep_run, workspace.root, workspace.snapshot)  # once what it tells is shown
    return True, problem


def _take_all(workspace: Workspace, data: Path, result: RunResult, selected: Affected) -> None:
    data.replace(workspace.own_data)
    finish_full_run(workspace, result, selected.seen)


async def _shown(replaced: Replaced, left_out: LeftOut, take: Take) -> Problem | None:
    try:
        return await take(lambda: replaced.show(left_out))
    finally:
        await asyncio.to_thread(replaced.settle)


def _is_edited(root: Path, seen: Mapping[str, str]) -> bool:
    """Whether a file of interest is another one than it was when the edits were looked at."""
    return any(seen.get(path) != identified for path, identified in identities(root).items())


async def until_saved(work: Coroutine[Any, Any, Round], saved: asyncio.Event, root: Path) -> Round | None:
    """What comes of a round; None where it was cancelled, since a file was `saved` that the tests may depend on.

    One whose results are known already comes to its end instead.

    Where other files were saved meanwhile, by the tests perhaps, `saved` is set at the end: they are to be looked at.
    """
    is_to_be_looked_at = False
    running = asyncio.ensure_future(work)
    try:
        before = await asyncio.to_thread(identities, root)
        while True:
            await _first_of(running, saved)
            if running.done():
                return running.result()
            saved.clear()
            is_to_be_looked_at = True
            if await asyncio.to_thread(identities, root) != before:
                running.cancel()
                await asyncio.wait({running})
                return None if running.cancelled() else running.result()
            # Tests may write file after file, and to look at all that may matter takes time from them.
            await asyncio.wait({running}, timeout=_LOOK_AGAIN_SECONDS)
    finally:
        running.cancel()
        await asyncio.wait({running})
        if is_to_be_looked_at:
            saved.set()


async def _first_of(running: asyncio.Future[Round], saved: asyncio.Event) -> None:
    news = asyncio.ensure_future(saved.wait())
    both: set[asyncio.Future[Any]] = {running, news}
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    finally:
        news.cancel()
