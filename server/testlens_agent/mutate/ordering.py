"""In which order the tests of a mutant run, by what was seen of the other mutants of its function."""

from __future__ import annotations

from collections import Counter

from testlens_agent.mutate.tasks import Task, Tasks


class Ordering:
    """What was seen so far; `may_share` False means that no test's beginning is run once for several mutants."""

    def __init__(self) -> None:
        self.may_share = True
        self._killers: dict[str, Counter[str]] = {}
        self._barren: set[tuple[str, str]] = set()

    def take_killer(self, function: str, test: str) -> None:
        """This test has killed a mutant of the function."""
        self._killers.setdefault(function, Counter())[test] += 1

    def take_barren(self, task: Task) -> None:
        """The beginning of this mutant's first test cannot be shared."""
        self._barren.add((task["function"], task["tests"][0]))

    def ready(self, task: Task, tasks: Tasks) -> Task:
        """The mutant with its tests in order: one to share the beginning of, killers of the function, the fastest."""
        killers = self._killers.get(task["function"], Counter())
        first, shared = set(task["first"]), tasks.to_share(task, self._barren)
        tests = sorted(task["tests"], key=lambda test: (test != shared, -killers[test], test not in first))
        ready = {**task, "tests": tests}
        may_share = self.may_share and not task.get("whole") and (task["function"], tests[0]) not in self._barren
        on_stem = may_share and tasks.is_worth_stem(ready)
        return {**ready, "on_stem": on_stem, "begins_alike": on_stem and shared is not None}
