"""Looks for an input on which the original and a mutant differ, and turns it into a test that was seen to tell them.

The search is pure. It yields attempts and is sent a pair of trials for each case: one on the original, and one on the
mutant where the original ran what that changes.
"""

from __future__ import annotations

import heapq
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count, islice

from testlens.domain.cases import Case
from testlens.domain.trials import Trial
from testlens.scaffold.assertions import Circumstance
from testlens.scaffold.kill.aim import Aim
from testlens.scaffold.kill.differences import Difference, Pair, difference
from testlens.scaffold.kill.neighbours import FIRST_SHARES, SHARES, Neighbours, Source, constructed
from testlens.scaffold.kill.performance import (
    AGAIN,
    Channel,
    Performance,
    Probe,
    channels_of,
    constructor_parameters,
    is_left_to_chance,
)
from testlens.scaffold.recipe import Attempt, Knowledge
from testlens.scaffold.recipes.phrases import called
from testlens.scaffold.scene import Scene
from testlens.scaffold.search import MISUSE, SceneSearch
from testlens.scaffold.words import circumstance, subject_in_words

TIMES = 3
_TOGETHER = 12  # at the least, and twice as many where there is something of each source
_OF_GENERAL = 2
_LEARNT = 40
_MOST_CANDIDATES = 4
_MOST_CASES = 6
_MOST_TRIED = 5_000
_PATIENCE = 100  # inputs that are tried for a better one than a clumsy one
_STEP = 3.0  # cost by which an input may be ahead of its turn
_FAR = 60  # steps behind the inputs near a call that came to a good end
_BEHIND = 30  # steps behind them near one that raised an exception of the code's own, or kept away from the change


@dataclass(frozen=True, slots=True)
class Kill:
    """A test that was green on the original each time, and red on the mutant each time. `tried` counts inputs."""

    case: Case
    tried: int


@dataclass(frozen=True, slots=True)
class NotKilled:
    """No input was found: `tried` counts those that were tried, `reached` those that ran what the mutant changes.

    `differed` says that some input told the two apart, in a way that no test could claim from run to run.
    """

    tried: int
    reached: int
    differed: bool = False


KillSearch = Generator[Attempt, tuple[Pair, ...] | None, Kill | NotKilled]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An input that told the two apart once."""

    performance: Performance
    difference: Difference
    trial: Trial

    @property
    def is_clumsy(self) -> bool:
        """Whether it tells them apart by a mistake in the call, or by what a stand-in for a plain value was asked."""
        exception = self.difference.exception
        is_misuse = exception is not None and exception.type in MISUSE
        return is_misuse or any(value.origin == "mock" for value in self.performance.scene.arguments.values())

    @property
    def rank(self) -> tuple[bool, int]:
        """The simplest first; one that only takes the mutant's time away last."""
        return not self.difference.claims and self.difference.exception is None, self.performance.cost


def find_kill(aim: Aim, knowledge: Knowledge) -> KillSearch:
    """A test that kills the mutant, or how far it was looked for."""
    hunt = _Hunt(aim, knowledge)
    while performances := hunt.following():
        pairs = yield Attempt(tuple(one.attempt(knowledge.style) for one in performances))
        if pairs is None:
            break
        for performance, pair in zip(performances, pairs, strict=True):
            hunt.learn(performance, pair)
        case = yield from _first_confirmed(hunt.candidates(), aim, knowledge)
        if case is not None:
            return Kill(case, hunt.tried)
    case = yield from _first_confirmed(hunt.clumsy_candidates(), aim, knowledge)
    return hunt.given_up() if case is None else Kill(case, hunt.tried)


def _first_confirmed(
    candidates: Sequence[_Candidate], aim: Aim, knowledge: Knowledge
) -> Generator[Attempt, tuple[Pair, ...] | None, Case | None]:
    for candidate in candidates:
        case = yield from _confirmed(candidate, _words(aim), knowledge)
        if case is not None:
            return case
    return None


def _confirmed(
    candidate: _Candidate, words: Circumstance, knowledge: Knowledge
) -> Generator[Attempt, tuple[Pair, ...] | None, Case | None]:
    """The test of a candidate, once it was green on the original and red on the mutant each time."""
    for case in islice(_cases(candidate, words, knowledge), _MOST_CASES):
        pairs = yield Attempt((case,) * TIMES)
        if pairs is not None and all(map(_tells, pairs)):
            return case
    return None


def _cases(candidate: _Candidate, words: Circumstance, knowledge: Knowledge) -> Iterator[Case]:
    """The test of a candidate, then less of it: of several claims some may not hold from run to run."""
    for told in _weaker(candidate.difference):
        case = candidate.performance.telling(told, candidate.trial, words, knowledge.style)
        if case is None:
            continue
        yield case
        if not told.claims and len(case.then.code) > 1:
            yield from (replace(case, then=replace(case.then, code=(check,))) for check in case.then.code)


def _weaker(told: Difference) -> Iterator[Difference]:
    """The difference, then parts of it."""
    yield told
    if told.is_message:
        yield replace(told, is_message=False)
    if len(told.claims) > 1:
        yield from (replace(told, claims=(claim,), is_message=False) for claim in told.claims)


def _tells(pair: Pair) -> bool:
    return pair.original.outcome == "passed" and pair.mutant is not None and is_red(pair.mutant)


def is_red(trial: Trial) -> bool:
    """Whether a test noticed the mutant: it failed, or the mutant kept it from ending."""
    return trial.outcome in ("failed", "timeout", "crashed")


def _words(aim: Aim) -> Circumstance:
    target = aim.target
    return Circumstance(subject_in_words(target), called(target), circumstance(target))


def _is_of_stand_in(told: Difference) -> bool:
    """Whether the original failed because of a stand-in for a plain value: that proves nothing, or not each time."""
    return told.exception is not None and "Mock" in told.exception.message


class _Hunt:
    """What was tried, what is to be tried, and what told the two apart."""

    def __init__(self, aim: Aim, knowledge: Knowledge) -> None:
        self._aim = aim
        self._general = SceneSearch(aim.target, knowledge)
        self._neighbours = Neighbours(aim, knowledge)
        self._channels: frozenset[Channel] = channels_of(aim.statement)
        self._constructor = constructor_parameters(aim.target)
        self._is_seeded = is_left_to_chance(aim.target.function)
        self._queues: dict[Source, list[tuple[float, int, Iterator[Performance]]]] = {source: [] for source in SHARES}
        self._order = count()
        self._known: set[str] = set()
        self._of_general: set[str] = set()
        self._put_off: set[str] = set()
        self._candidates: list[_Candidate] = []
        self._differed = self._has_good_end = False
        self._patience = _MOST_TRIED
        self.tried = 0
        self._reached = 0
        self._push("seen", map(self._plain, self._neighbours.seen()), 0.0)

    def following(self) -> list[Performance]:
        """The likeliest inputs that were not tried, some from each source."""
        if self.tried >= _MOST_TRIED:
            return []
        chosen: list[Performance] = []
        for source, share in (SHARES if self._has_good_end else FIRST_SHARES).items():
            chosen += islice(self._taken_from(source), share)
        room = max(_OF_GENERAL, _TOGETHER - len(chosen))
        general = (self._plain(constructed(scene)) for scene in self._general.next_scenes(room))
        found = [one for one in general if self._is_new(one)]
        self._of_general |= {one.key for one in found}
        return [*chosen, *found]

    def learn(self, performance: Performance, pair: Pair) -> None:
        """Take in what came of an input, and think of others near it."""
        self.tried += 1
        # It thinks of much at each call: what it did not think of itself, it is told of at the beginning alone.
        if performance.probe is None and (self.tried <= _LEARNT or performance.key in self._of_general):
            self._general.learn(performance.scene, pair.original)
        if pair.mutant is not None:
            self._reached += 1
        found = difference(pair)
        if found is not None and not _is_of_stand_in(found):
            self._differed = True
            self._candidates.append(_Candidate(performance, found, pair.original))
        is_done = bool(self._candidates) and not self._candidates[-1].is_clumsy
        if performance.probe is None and not is_done and (pair.mutant is not None or not self._reached):
            self._go_on_from(performance.scene, pair)

    def candidates(self) -> list[_Candidate]:
        """The inputs that told the two apart since this was asked last, the simplest first.

        Clumsy ones are kept back for as long as a better one may be found.
        """
        if any(candidate.is_clumsy for candidate in self._candidates):
            self._patience = min(self._patience, self.tried + _PATIENCE)
        if self.tried >= self._patience:
            self._patience = _MOST_TRIED
            return self.clumsy_candidates()
        found = [candidate for candidate in self._candidates if not candidate.is_clumsy]
        self._candidates = [candidate for candidate in self._candidates if candidate.is_clumsy]
        return sorted(found, key=lambda candidate: candidate.rank)[:_MOST_CANDIDATES]

    def clumsy_candidates(self) -> list[_Candidate]:
        """All that told the two apart and was not given out."""
        found, self._candidates = self._candidates, []
        return sorted(found, key=lambda candidate: candidate.rank)[:_MOST_CANDIDATES]

    def given_up(self) -> NotKilled:
        """How far it was looked."""
        return NotKilled(self.tried, self._reached, self._differed)

    def _plain(self, scene: Scene) -> Performance:
        return self._performance(scene, None)

    def _performance(self, scene: Scene, probe: Probe | None) -> Performance:
        return Performance(scene, probe, self._channels, self._constructor, self._is_seeded)

    def _go_on_from(self, scene: Scene, pair: Pair) -> None:
        trial = pair.original
        is_good = trial.outcome == "passed" or (trial.raised is not None and trial.raised.type not in MISUSE)
        self._has_good_end |= is_good
        is_promising = self._aim.is_near(trial) if pair.mutant is None else trial.outcome == "passed"
        first = (0 if is_promising else _BEHIND) if is_good else _FAR
        for source, others in self._neighbours.of(scene, is_good):
            made = (self._performance(other, probe) for other, probe in others)
            self._push(source, made, first + scene.cost)
        if trial.outcome == "passed" and scene.receiver is not None:
            self._push("probe", iter([self._performance(scene, AGAIN)]), scene.cost)

    def _push(self, source: Source, stream: Iterator[Performance], priority: float) -> None:
        heapq.heappush(self._queues[source], (priority, next(self._order), stream))

    def _taken_from(self, source: Source) -> Iterator[Performance]:
        """New inputs of a source: the next of each stream in turn, and costly ones when it is their turn."""
        queue = self._queues[source]
        while queue:
            priority, _, stream = heapq.heappop(queue)
            performance = next(stream, None)
            if performance is None:
                continue
            self._push(source, stream, priority + 1)
            turn = priority + performance.cost
            if performance.key in self._known:
                continue
            if queue and turn > queue[0][0] + _STEP and performance.key not in self._put_off:
                self._put_off.add(performance.key)
                self._push(source, iter([performance]), turn)
            elif self._is_new(performance):
                yield performance

    def _is_new(self, performance: Performance) -> bool:
        is_new = performance.key not in self._known
        self._known.add(performance.key)
        return is_new
