"""What the workers of a mutation run are given to do."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Any, Callable

from testlens_agent.mutate import mutmut_parts
from testlens_agent.mutate.contexts import Contexts
from testlens_agent.mutate.request import Request
from testlens_agent.mutate.verdicts import KILLED, SURVIVED

Task = dict[str, Any]
_LONGEST_RUN_SECONDS = 3600.0
_LONGEST_COLD_SECONDS = 20.0
_COLD_START_SECONDS = 60.0  # in which a fresh process has imported and collected everything
_PLAYS_WORTH_WARMTH = 10
_MUTANTS_WORTH_WARMTH = 100
_SECONDS_WORTH_SHARING = 0.005
_SECONDS_WORTH_STEM = 0.01
_SECONDS_WORTH_ALL_WORKERS = 0.1
_SHORT_SUITE_SECONDS = 5.0
_SECONDS_OF_PORTION = 0.05
_SECONDS_OF_WARMING = 0.1  # by themselves; what the first ones prepare takes several times as long
_MANGLED = re.compile(r"\.x[_ǁ]")
_SECONDS_OF_SHORTEST = 0.001
_NO_LIMITS = {"wall": _LONGEST_RUN_SECONDS, "cpu": int(_LONGEST_RUN_SECONDS)}


class CancelledRunError(Exception):
    """Whoever wanted the run wants it no longer."""


class Ground:
    """What a run stands on: the copy, mutmut's configuration, and how to mend the copy.

    `caught` are the mutants that no test has to kill, since the user's type checker finds them.
    """

    def __init__(
        self, request: Request, config: Any, copy: Any, arguments: list[str], mend: Callable[[], None]
    ) -> None:
        self.request = request
        self.config = config
        self.copy = copy
        self.arguments = arguments
        self.mend = mend
        self.caught: frozenset[str] = frozenset()
        self.kept = request.folder / "generated"
        self.contexts_place = request.folder / "contexts.json"


class Tasks:
    """Makes the tasks of one request."""

    def __init__(self, ground: Ground, contexts: Contexts) -> None:
        self._ground = ground
        self._contexts = contexts
        self._modules: set[str] = set()

    def measuring(self, tests: list[str], state: str) -> Task:
        """Run all tests, and write down which of them run what."""
        ground = self._ground
        measure = {
            "tree": str(ground.copy.tree),
            "kept": str(ground.kept),
            "files": ground.copy.mutated,
            "place": str(ground.contexts_place),
            "state": state,
        }
        return {"kind": "measure", "mutant": "stats", "tests": tests, "measure": measure, **_NO_LIMITS}

    def of_mutant(self, mutant: Task) -> Task:
        """Play a mutant that a command names."""
        function = mutant["name"].partition("__mutmut_")[0]
        self._modules.add(_module_of(function))
        contexts = self._contexts
        lines = mutant.get("lines")
        all_tests = contexts.tests_of(function)
        reaching = contexts.tests_reaching(function, None if lines is None else (lines[0], lines[1]))
        tests = reaching or all_tests  # lines that no test is seen to run prove nothing before the tests have run
        wall, cpu = mutmut_parts.time_limits(self._ground.config, sum(map(contexts.duration_of, all_tests)))
        known = [test for test in mutant.get("first", ()) if test in set(tests)]
        return {
            "kind": "mutant",
            "mutant": mutant["name"],
            "function": function,
            "tests": tests,
            "reaching": reaching,
            "first": known,
            "turn": int(mutant.get("turn", 0)),
            "all_tests": all_tests,
            "wall": wall,
            "cpu": cpu,
        }

    def in_order(self, playing: list[Task]) -> list[Task]:
        """The functions as they come, and of each the mutants by turns, those first whose tests are the quickest."""
        places: dict[str, int] = {}
        alike = Counter(task["function"] for task in playing)
        for task in playing:
            places.setdefault(task["function"], len(places))
            task["alike"] = alike[task["function"]]
        seconds = self._contexts.whole_duration_of
        return sorted(
            playing, key=lambda task: (places[task["function"]], task["turn"], sum(map(seconds, task["tests"])))
        )

    def to_share(self, task: Task, barren: set[tuple[str, str]]) -> str | None:
        """The test whose beginning is worth running once for all mutants of a function (see stems), if there is one."""
        saved = {test: self._saved_by_sharing(test) for test in task["tests"] if (task["function"], test) not in barren}
        best = max(saved, key=lambda test: saved[test], default=None)
        return best if best is not None and saved[best] > _SECONDS_WORTH_SHARING else None

    def is_worth_stem(self, task: Task) -> bool:
        """Whether the first of these tests takes long enough for its beginning to be shared."""
        is_one_of_many = task["kind"] == "mutant" and task["alike"] > 1 and not task.get("alone")
        return is_one_of_many and self._contexts.whole_duration_of(task["tests"][0]) > _SECONDS_WORTH_STEM

    def are_worth_all_workers(self, task: Task) -> bool:
        """Whether these tests take so long that all workers together are felt to be faster."""
        seconds = sum(map(self._contexts.whole_duration_of, task["tests"]))
        return len(task["tests"]) > 1 and seconds > _SECONDS_WORTH_ALL_WORKERS

    def shares(self, tests: list[str], count: int) -> list[list[str]]:
        """The tests in so many shares that take about as long, each in their order."""
        shares: list[list[str]] = [[] for _ in range(count)]
        seconds = [0.0] * count
        for test in sorted(tests, key=self._contexts.whole_duration_of, reverse=True):
            least = seconds.index(min(seconds))
            shares[least].append(test)
            seconds[least] += self._contexts.whole_duration_of(test) or _SECONDS_OF_SHORTEST
        return [[test for test in tests if test in chosen] for chosen in map(set, shares) if chosen]

    def _saved_by_sharing(self, test: str) -> float:
        """Seconds for each survivor: a mutant that another test kills pays for it with the rest of the test."""
        return self._contexts.setup_duration_of(test) - self._contexts.duration_of(test)

    def all_tests(self, playing: list[Task]) -> list[str]:
        """The tests that run any of the functions, fastest first."""
        tests = {test for task in playing for test in task["all_tests"]}
        return sorted(tests, key=self._contexts.whole_duration_of)

    def are_worth_warmth(self, playing: list[Task]) -> bool:
        """Whether mutants will run the tests so often that to run them once before saves time."""
        seconds = self._contexts.whole_duration_of
        once = sum(map(seconds, self.all_tests(playing)))
        again = sum(seconds(test) for task in playing for test in task["tests"])
        return len(playing) > _MUTANTS_WORTH_WARMTH and again > _PLAYS_WORTH_WARMTH * once

    def clean(self, tests: list[str], workers: int) -> list[Task]:
        """Run the tests with no mutant, as mutants run them, shared out between so many workers."""
        shares = self.shares(tests, workers)
        return [{"kind": "clean", "mutant": "", "tests": share, **_NO_LIMITS} for share in shares]

    def likely_next(self) -> list[str]:
        """The tests of the modules that were mutated, if they may be run before anybody asks for it, fastest first."""
        functions = [name for name in self._contexts.functions if _module_of(name) in self._modules]
        return self._if_short({test for name in functions for test in self._contexts.tests_of(name)})

    def short_suite(self) -> list[str]:
        """All tests, if they may be run before anybody asks for it, fastest first."""
        return self._if_short(self._contexts.durations)

    def to_warm(self, tests: list[str]) -> list[str]:
        """One test of each function: the others of a parametrized one need the same libraries."""
        return list({test.partition("[")[0]: test for test in reversed(tests)}.values())[::-1]

    def to_warm_soon(self, tests: list[str]) -> list[str]:
        """As many of those, given fastest first, as take a moment: the first few need most of what the others need."""
        chosen: list[str] = []
        seconds = 0.0
        for test in self.to_warm(tests):
            seconds += self._contexts.whole_duration_of(test)
            if chosen and seconds > _SECONDS_OF_WARMING:
                break
            chosen.append(test)
        return chosen

    def _if_short(self, tests: Iterable[str]) -> list[str]:
        ordered = sorted(tests, key=self._contexts.whole_duration_of)
        seconds = sum(map(self._contexts.whole_duration_of, ordered))
        return ordered if seconds < _SHORT_SUITE_SECONDS and self._ground.request.idle_seconds else []

    def ahead(self, tests: list[str]) -> Iterator[Task]:
        """Run tests that were not proved to pass yet, so that the next request need not wait: a few at a time."""
        portion: list[str] = []
        for number, test in enumerate(tests, 1):
            portion.append(test)
            seconds = sum(map(self._contexts.whole_duration_of, portion))
            if seconds > _SECONDS_OF_PORTION or number == len(tests):
                yield {**self.clean(portion, 1)[0], "kind": "ahead", "wall": _LONGEST_COLD_SECONDS}
                portion = []

    def fail(self, tests: list[str]) -> Task:
        """Run the tests while every mutated function raises an exception."""
        return {"kind": "fail", "mutant": "fail", "tests": tests, **_NO_LIMITS}

    def sample(self, results: Iterable[tuple[Task, int]]) -> list[Task]:
        """Check some verdicts again in fresh processes: survivors and kills in turn."""
        draw = random.Random(self._ground.request.seed)  # noqa: S311  (not for secrets)
        checkable = [(task, code) for task, code in results if self._is_checkable(task)]
        kinds: list[list[Task]] = []
        for codes in (SURVIVED, KILLED):
            alike = [task for task, code in checkable if code in codes]
            alike.sort(key=lambda task: str(task["mutant"]))
            count = min(self._ground.request.sample, len(alike))
            kinds.append([{**task, "kind": "cold", "expected": list(codes)} for task in draw.sample(alike, count)])
        fresh = {
            "cold": True,
            "arguments": self._ground.arguments,
            "python_path": mutmut_parts.import_path(self._ground.copy.tree),
        }
        return [
            {**task, **fresh, "tests": task["all_tests"], "wall": task["wall"] + _COLD_START_SECONDS}
            for pair in zip_longest(*kinds)
            for task in pair
            if task is not None
        ]

    def _is_checkable(self, task: Task) -> bool:
        # A fresh process plays the mutant at import as well, which neither this run nor mutmut's does.
        seconds = sum(map(self._contexts.duration_of, task["all_tests"]))
        return not self._contexts.ran_at_import(task["function"]) and seconds < _LONGEST_COLD_SECONDS


def _module_of(function: str) -> str:
    """The module of a function, from mutmut's key for it."""
    return _MANGLED.split(function, maxsplit=1)[0]
