"""Tests that use what an earlier test has computed: an edit of what computed it is their business as well.

A test that finds a value in a cache of the project did not run what made it. Which code keeps values is read in the
sources (`source_values.py`), whether a test had a value made and kept is told by what it ran.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path, PurePosixPath

from testlens.analysis.fingerprints import Block
from testlens.analysis.kept_values import Keeping
from testlens.analysis.mentions import Routine
from testlens.analysis.reach import Callers, Found, Place
from testlens.sources.coverage_data import node_id
from testlens.workspace.measurement import Measurement
from testlens.workspace.run_record import RunRecord
from testlens.workspace.source_values import SourceValues
from testlens.workspace.store import Store

_MOST_WANTED = 32
_Kept = tuple[str, Keeping]


class KeptValues:
    """What the code of a project keeps from test to test, and for which of them. Any thread may ask."""

    def __init__(self, root: Path, store: Store) -> None:
        self._sources = SourceValues(root, store)
        self._ran = _Ran()
        self._lock = threading.Lock()

    def users(
        self,
        path: str,
        block: Block,
        contexts: Collection[str],
        record: RunRecord,
        measurement: Measurement,
        tests: Collection[str],
    ) -> frozenset[str]:
        """Those of `tests` that may use what `block` of a file computed in the `contexts` that ran it.

        `measurement` is the data of the run that `record` tells of.
        """
        with self._lock:
            self._look_at(record, measurement, tests)
            reached = list(self._reached(path, block))
            kept = measurement.ran_by([(module, keeping.body) for module, keeping in reached], contexts)
            # What ran in a file that was not measured, nobody knows.
            found = [pair for pair in reached if (pair[0], pair[1].body) in kept or not self._ran.knows(pair[0])]
            by_name = [keeping for _, keeping in found if keeping.kind in ("shared", "result")]
            return self._users_by_name(by_name, tests).union(
                *(self._users_of_instance(*pair) for pair in found if pair[1].kind == "instance"),
                _users_around(found, measurement),
            )

    def look_ahead(
        self, record: RunRecord, measurement: Measurement, tests: Collection[str], is_wanted: Callable[[], bool]
    ) -> None:
        """Read and look up, before the next edit, what is new since the last one, as long as that is wanted."""
        with self._lock:
            self._look_at(record, measurement, tests)
            self._ran.look_ahead(is_wanted)

    def _look_at(self, record: RunRecord, measurement: Measurement, tests: Collection[str]) -> None:
        is_new = self._sources.read(record, tests)
        self._ran.look_at(measurement, self._sources.callers, is_new)

    def _reached(self, path: str, block: Block) -> Iterator[_Kept]:
        """What is kept by code during which the block may have run."""
        reaching = self._sources.callers.reaching(path, block.name, block.first)
        for module, keepings in self._sources.keepings.items():
            for keeping, callers in keepings:
                if (module, keeping.routine) in reaching or not callers.isdisjoint(reaching):
                    yield module, keeping

    def _users_by_name(self, keepings: Iterable[Keeping], tests: Collection[str]) -> frozenset[str]:
        """The tests that ran, or are, what mentions the name under which a value is found."""
        found = frozenset[str]()
        for container in {keeping.container for keeping in keepings}:
            mentioning = [pair for pair in self._sources.callers.mentioning(container) if pair[1].kind == "function"]
            found |= self._ran.tests_of(mentioning)
            unmeasured = (pair for pair in mentioning if not self._ran.knows(pair[0]))
            found = found.union(*(self._tests_using(*pair, tests) for pair in unmeasured))
        return found

    def _tests_using(self, path: str, function: Routine, tests: Collection[str]) -> Iterable[str]:
        """The tests that are a function which was not measured, or may call it; all near to it where that is open."""
        callers = self._sources.callers
        own = _tests_named(path, function.simple_name, tests)
        if own:
            return own
        users = [
            (caller, one)
            for caller, name in callers.reaching(path, function.name, function.first)
            for one in callers.named(caller, name)
        ]
        found = {test for caller, one in users for test in _tests_named(caller, one.simple_name, tests)}
        if found and not any("fixture" in one.decorators for _, one in users):
            return found
        folder = PurePosixPath(path).parent
        inside = [test for test in tests if folder in PurePosixPath(test.partition("::")[0]).parents]
        return [test for test in inside if test.startswith(f"{path}::")] or inside

    def _users_of_instance(self, path: str, keeping: Keeping) -> frozenset[str]:
        """The tests that used it without having made it: those that make an instance do not share it."""
        callers = self._sources.callers
        methods = callers.named(path, keeping.routine)
        alone = (pair for method in methods for pair in callers.constructors(path, method))
        return self._ran.tests_of((path, method) for method in methods) - self._ran.tests_of(alone)


class _Ran:
    """Which tests ran functions, looked up once as long as the data is the same."""

    def __init__(self) -> None:
        self._measurement: Measurement | None = None
        self._callers = Callers(())
        self._known: dict[frozenset[Place], frozenset[str]] = {}
        self._wanted: dict[frozenset[Place], None] = {}

    def knows(self, path: str) -> bool:
        """Whether it is known what ran in this file."""
        return self._measurement is not None and path in self._measurement.names

    def look_at(self, measurement: Measurement, callers: Callers, is_new: bool) -> None:
        """Answer from this from now on."""
        is_same = self._measurement is not None and self._measurement.data.signature == measurement.data.signature
        if is_new or not is_same:
            self._known = {}
        self._measurement, self._callers = measurement, callers

    def look_ahead(self, is_wanted: Callable[[], bool]) -> None:
        """Look up again what was asked last: who edits one place edits near to it again."""
        for places in self._wanted:
            if places not in self._known and is_wanted():
                self._known[places] = self._looked_up(places)

    def tests_of(self, functions: Iterable[Found]) -> frozenset[str]:
        """The tests that ran one of these functions."""
        places = frozenset((path, function.name) for path, function in functions)
        if places not in self._known:
            self._known[places] = self._looked_up(places)
        self._wanted.pop(places, None)
        self._wanted[places] = None
        for oldest in [*self._wanted][:-_MOST_WANTED]:
            del self._wanted[oldest]
        return self._known[places]

    def _looked_up(self, places: frozenset[Place]) -> frozenset[str]:
        bodies = [(path, each.body) for path, name in places for each in self._callers.named(path, name)]
        return _of_contexts(self._measurement.contexts_within(bodies)) if self._measurement else frozenset()


def _users_around(keepings: Iterable[_Kept], measurement: Measurement) -> frozenset[str]:
    """The tests that ran functions which hold a value for those defined in them, and which no test has called."""
    bodies = {(path, range(each.within[0], each.within[1] + 1)) for path, each in keepings if each.within}
    if not bodies:
        return frozenset()
    # What a test has called and defined ends with it.
    lasting = measurement.ran_by(bodies, measurement.contexts_of_several())
    return _of_contexts(measurement.contexts_within(lasting))


def _tests_named(path: str, name: str, tests: Collection[str]) -> list[str]:
    """The tests of a file whose function has this name."""
    own = (test for test in tests if test.startswith(f"{path}::"))
    return [test for test in own if test.partition("[")[0].rpartition("::")[2] == name]


def _of_contexts(contexts: Iterable[str]) -> frozenset[str]:
    return frozenset(map(node_id, contexts)) - {""}
