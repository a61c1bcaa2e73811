"""One mutation run while its events come in: what to check, what is known already, and what is new."""

from __future__ import annotations

import ast
import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from testlens.analysis.arid import AridPart, arid_kind, arid_parts
from testlens.analysis.equivalents import looks_equivalent
from testlens.analysis.mutant_reach import lines_to_run
from testlens.analysis.mutant_spans import Change, dotted_name, find_change, function_digest, place_in_function
from testlens.analysis.not_mutated import NOTHING_TO_CHANGE, functions_mutated, passed_over
from testlens.analysis.survival import LAST_TURN, turn_of
from testlens.domain.mutants import FileMutants, Mutant, MutationResults
from testlens.runners.mutation_runner import (
    CheckedMutant,
    Made,
    MadeFunction,
    MutationEvent,
    MutationStage,
    WantedMutant,
)
from testlens.sources.coverage_parse import decode
from testlens.sources.source_text import read_content
from testlens.workspace.digests_of_tests import DigestsOfTests
from testlens.workspace.examined import digest
from testlens.workspace.known_mutants import OWN
from testlens.workspace.mutation_store import Place, Verdict, VerdictStore
from testlens.workspace.mutation_targets import MutationTarget, Ranking
from testlens.workspace.workspace import Workspace

_SECONDS_FOR_SAMPLE = 20.0


@dataclass(frozen=True, slots=True)
class MutationProgress:
    """How far a run is. `seconds_left` is None while there is nothing to judge by.

    `stage` says in words what is being done; `done` and `total` count mutants while they are checked.
    """

    stage: str
    done: int = 0
    total: int = 0
    seconds_left: float | None = None


def _nothing(_news: object = None) -> None:
    """What a listener does that wants to hear nothing."""


@dataclass(frozen=True, slots=True)
class Listeners:
    """What is called while a run goes on: with each mutant, with how far it is, and when something new is kept."""

    on_mutant: Callable[[Mutant], None] = _nothing
    on_progress: Callable[[MutationProgress], None] = _nothing
    on_kept: Callable[[], None] = _nothing


@dataclass(slots=True)
class _Found:
    """A mutant of the present text, and what identifies it over edits."""

    mutant: Mutant
    place: Place
    tests_digest: str
    lines: tuple[int, int] | None
    in_target: bool
    is_known: bool


@dataclass(slots=True)
class MutationJob:
    """One run while its events come in."""

    workspace: Workspace
    store: VerdictStore
    target: MutationTarget
    listeners: Listeners
    found: dict[str, _Found] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    silent: dict[str, Mapping[str, str]] = field(default_factory=dict)
    fresh: dict[str, Verdict] = field(default_factory=dict)
    unsaved: list[str] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)
    total: int = 0
    began_checking: float = 0.0
    patience: asyncio.Timeout | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)
    survived: asyncio.Event = field(default_factory=asyncio.Event)

    def choose(self, made: Made) -> Sequence[WantedMutant]:
        """The mutants to check, riskiest functions first; what is known of all others is taken from the store."""
        texts = {path: text for path in made.files if (text := _text_of(self.workspace.root / path)) is not None}
        test_files = DigestsOfTests(self.workspace.root)
        for path, text in texts.items():
            self.digests[path] = digest(text)
            self.changed.add(path)
            known = self.store.verdicts(path)
            digests = {function.key: function_digest(text, function.key) or "" for function in made.files[path]}
            have_verdicts = {place.digest for place in known}
            for function in made.files[path]:
                if self.target.has_function(dotted_name(function.key)) or digests[function.key] in have_verdicts:
                    self._take_function(path, text, function, known, test_files)
            self.silent[path] = _not_mutated(text, made.files[path])
            self.store.keep_only(path, digests.values())
        ranking = Ranking(self.workspace.snapshot)
        wanted = [one for one in self.found.values() if one.in_target and not one.is_known]
        wanted.sort(key=lambda one: (ranking.key(one.place.path, one.place.function), one.place.path))
        arid = {path: _arid(text) for path, text in texts.items()}
        return [
            WantedMutant(one.mutant.name, one.lines, _killer(one.mutant), _turn(one.mutant, arid)) for one in wanted
        ]

    def take(self, event: MutationEvent) -> None:
        """Take what the run tells."""
        if isinstance(event, MutationStage):
            self._take_stage(event)
        else:
            self._take_mutant(event)

    def _results(self) -> MutationResults:
        """All that is known by now of the files that something new is known of."""
        paths, self.changed = self.changed, set()
        files = {path: self._file(path) for path in sorted(paths)}
        return MutationResults(MappingProxyType({path: file for path, file in files.items() if file}), OWN)

    def save(self) -> None:
        """Keep what has come since the last time; takes time, so in a thread."""
        names, self.unsaved = self.unsaved, []
        self.store.keep((self.found[name].place, self.fresh[name]) for name in names)
        self.workspace.take_mutants(self._results())

    def distrust(self) -> None:
        """Forget what this run has found."""
        self.unsaved = []
        self.store.forget(self.found[name].place for name in self.fresh)
        for name in self.fresh:
            one = self.found[name]
            one.mutant = replace(one.mutant, status="not checked", killed_by=None, seconds=None)
            self.changed.add(one.place.path)

    def _take_function(
        self,
        path: str,
        text: str,
        function: MadeFunction,
        known: Mapping[Place, Verdict],
        test_files: DigestsOfTests,
    ) -> None:
        name = dotted_name(function.key)
        own_digest = function_digest(text, function.key) or ""
        tests_digest = test_files.of(function.tests)
        for mutant_name, mutated in function.mutants.items():
            change = find_change(text, function.key, mutated)
            if change is None:
                continue
            place = Place(path, name, own_digest, _identity(text, function.key, change))
            verdict = known.get(place)
            is_known = verdict is not None and verdict.tests_digest == tests_digest and verdict.status != "not checked"
            mutant = Mutant(
                *(mutant_name, path, name, own_digest, change.span, change.original, change.replacement),
                status="not checked",
            )
            if verdict is not None:
                mutant = _with_verdict(mutant, verdict) if is_known else replace(mutant, killed_by=verdict.killed_by)
            in_target = self.target.has_function(name) and self.target.has_change(path, change)
            lines = lines_to_run(text, function.key, change)
            self.found[mutant_name] = _Found(mutant, place, tests_digest, lines, in_target, is_known)

    def _take_stage(self, event: MutationStage) -> None:
        words = {
            "generating": "Making mutants",
            "typing": "Checking the types of mutants",
            "measuring": "Running the tests without mutants",
            "rechecking": "Checking a sample again in fresh processes",
        }
        if event.stage == "checking":
            self.total = event.total
            self.began_checking = time.monotonic()
            self._wait_longer()
        self.listeners.on_progress(MutationProgress(words.get(event.stage, "Checking mutants"), 0, self.total))

    def _wait_longer(self) -> None:
        """The agent ends by itself once the budget is spent, and checks a sample of its verdicts then."""
        end = None if self.patience is None else self.patience.when()
        if self.patience is not None and end is not None:
            self.patience.reschedule(end + _SECONDS_FOR_SAMPLE)

    def _take_mutant(self, event: CheckedMutant) -> None:
        one = self.found.get(event.name)
        if one is None:
            return
        verdict = Verdict(one.tests_digest, event.status, event.tests, event.killed_by, event.seconds)
        one.mutant = _with_verdict(one.mutant, verdict)
        self.fresh[event.name] = verdict
        self.unsaved.append(event.name)
        self.changed.add(one.place.path)
        self.news.set()
        if event.status == "survived":
            self.survived.set()
        self.listeners.on_mutant(one.mutant)
        done = len(self.fresh)
        spent = time.monotonic() - self.began_checking
        left = spent / done * max(0, self.total - done)
        self.listeners.on_progress(MutationProgress("Checking mutants", done, self.total, left))

    def _file(self, path: str) -> FileMutants | None:
        # A thread may still be at `choose` when the run is cancelled.
        own = [one.mutant for one in list(self.found.values()) if one.place.path == path]
        checked = {mutant.function for mutant in own if mutant.status != "not checked"}
        mutants = sorted(
            (mutant for mutant in own if mutant.function in checked),
            key=lambda mutant: (mutant.span.first_line, mutant.span.first_column),
        )
        silent = self.silent.get(path, {})
        return FileMutants(path, self.digests[path], tuple(mutants), silent) if mutants or silent else None


def _text_of(path: Path) -> str | None:
    content = read_content(path)
    return None if content is None else decode(content)


def _identity(text: str, key: str, change: Change) -> str:
    return f"{place_in_function(text, key, change.span)} {change.original} -> {change.replacement}"


def _with_verdict(mutant: Mutant, verdict: Verdict) -> Mutant:
    return replace(
        mutant,
        status=verdict.status,
        tests=verdict.tests,
        killed_by=verdict.killed_by,
        seconds=verdict.seconds,
    )


def _arid(text: str) -> tuple[AridPart, ...]:
    try:
        return arid_parts(ast.parse(text), text)
    except (SyntaxError, ValueError, RecursionError):
        return ()


def _turn(mutant: Mutant, arid: Mapping[str, tuple[AridPart, ...]]) -> int:
    """When to check it: first those that survive often, last those that would not be shown for what they are."""
    is_arid = arid_kind(arid.get(mutant.file, ()), mutant.span) is not None
    teaches_little = is_arid or looks_equivalent(mutant.original, mutant.replacement)
    return LAST_TURN + 1 if teaches_little else turn_of(mutant.original, mutant.replacement)


def _killer(mutant: Mutant) -> tuple[str, ...]:
    return () if mutant.killed_by is None else (mutant.killed_by,)


def _not_mutated(text: str, functions: Sequence[MadeFunction]) -> Mapping[str, str]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return {}
    made = {dotted_name(function.key) for function in functions}
    nothing = {name: NOTHING_TO_CHANGE for name in functions_mutated(tree) if name not in made}
    return MappingProxyType({**nothing, **passed_over(tree)})
