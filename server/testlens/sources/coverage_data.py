"""Reads coverage.py's data files (`.coverage`, and several parallel ones as if they were combined).

A file is only ever opened with `read_only=True` and read at once: an unread `CoverageData` erases its file at the
first query. Within `keep_db_open`, coverage.py's public queries, one a file, are as fast as SQL of our own
(0.4 s for the arcs of 1,000 files in 5,000 contexts; a bulk `select distinct` takes 0.6 s), so there is none here but
for questions of a few lines, which a public query answers by reading all of a file's.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from itertools import chain
from pathlib import Path

from coverage import CoverageData

from testlens.domain.coverage import Arc, Trace
from testlens.domain.problems import Problem
from testlens.sources import _data_file

Problems = tuple[Problem, ...]

Body = tuple[str, range]
"""Lines (1-based) of a file, by the name that is recorded in the data."""

SHARED_PHASE = "|shared"
"""The phase, of our own, of what runs in a fixture that several tests share, while the first of them is set up."""
IMPORT_PHASE = "|import"
"""The phase, of our own, of what runs while a test is the first to import a module of the project."""
_PHASES = ("|setup", "|run", "|teardown", SHARED_PHASE, IMPORT_PHASE)


class OpenData:
    """One or more data files, open for as long as the `with open_data(...)` block lasts.

    Names are those recorded in the data, whatever machine that was. `problems` grows while reading meets damage.
    """

    def __init__(self) -> None:
        self._members: list[CoverageData] = []
        self._problems: list[Problem] = []
        self._plugin_files: set[str] = set()

    @property
    def problems(self) -> Problems:
        """What could not be read so far; the rest was."""
        if not self._plugin_files:
            return tuple(self._problems)
        return (*self._problems, _needs_plugin(self._plugin_files))

    @property
    def measured_files(self) -> tuple[str, ...]:
        """All names in the data, sorted; some may have no line that ran."""
        return tuple(sorted(set().union(*(data.measured_files() for data in self._members))))

    def trace(self, name: str, test: str | None = None) -> Trace | None:
        """What ran in the file recorded as `name`, or None where it was not measured.

        With `test` (a node id) what that test ran, all cases of a parametrised one together.
        """
        found = [self._trace_in(data, name, test) for data in tuple(self._members)]
        traces = [trace for trace in found if trace is not None]
        return merge(traces) if traces else None

    def traces(self, wanted: Collection[str] | None = None) -> Iterator[tuple[str, Trace]]:
        """Each measured file with its trace, in order of name; one trace at a time is held in memory."""
        for name in self.measured_files:
            if wanted is not None and name not in wanted:
                continue
            trace = self.trace(name)
            if trace is not None:
                yield name, trace

    def contexts_by_line(self, name: str) -> Mapping[int, tuple[str, ...]]:
        """The tests that ran each line of the file, sorted by name. Lines that ran at import only are left out."""
        tests: dict[int, set[str]] = {}
        for data in tuple(self._members):
            try:
                found = data.contexts_by_lineno(name)
            except _data_file.DAMAGE as error:
                self._lose(data, error)
                continue
            for line, contexts in found.items():
                tests.setdefault(line, set()).update(node_id(context) for context in contexts)
        return {line: tuple(sorted(names - {""})) for line, names in sorted(tests.items()) if names != {""}}

    def contexts_of(self, name: str, lines: range) -> frozenset[str]:
        """All contexts that ran one of these lines of the file, with their phases; "" for what ran at import."""
        found: set[str] = set()
        for data in tuple(self._members):
            try:
                if data.has_arcs():
                    found |= _contexts_of_arcs(Path(data.data_filename()), name, lines)
                    continue
                by_line = data.contexts_by_lineno(name)
            except _data_file.DAMAGE as error:
                self._lose(data, error)
                continue
            found.update(*(contexts for line, contexts in by_line.items() if line in lines))
        return frozenset(found)

    def contexts_within(self, bodies: Collection[Body]) -> frozenset[str]:
        """All contexts that ran one of these bodies of functions, or one of these statements to its end.

        What ran in them has gone on from one of their lines, or has come from where a function begins.
        """
        found: set[str] = set()
        for data in tuple(self._members):
            try:
                if data.has_arcs():
                    found |= _contexts_of_bodies(Path(data.data_filename()), bodies)
                    continue
                by_line = {name: data.contexts_by_lineno(name) for name, _ in bodies}
            except _data_file.DAMAGE as error:
                self._lose(data, error)
                continue
            found.update(*(by_line[name].get(line, ()) for name, lines in bodies for line in lines))
        return frozenset(found)

    def ran_by(self, bodies: Collection[Body], contexts: Collection[str]) -> frozenset[Body]:
        """Those of these statements that were run to their end in one of these contexts."""
        found: set[Body] = set()
        for data in tuple(self._members):
            try:
                if data.has_arcs():
                    found |= _bodies_of_contexts(Path(data.data_filename()), bodies, contexts)
                    continue
                by_line = {name: data.contexts_by_lineno(name) for name, _ in bodies}
            except _data_file.DAMAGE as error:
                self._lose(data, error)
                continue
            ran = ((body, by_line[body[0]].get(line, ())) for body in bodies for line in body[1])
            found.update(body for body, names in ran if not set(contexts).isdisjoint(names))
        return frozenset(found)

    def contexts_of_several(self) -> frozenset[str]:
        """The contexts in which code runs for more than one test: at import, or in a fixture that they share."""
        found: set[str] = set()
        for data in tuple(self._members):
            try:
                found |= data.measured_contexts()
            except _data_file.DAMAGE as error:
                self._lose(data, error)
        return frozenset(each for each in found if not each or each.endswith((SHARED_PHASE, IMPORT_PHASE)))

    def lines_only_of(self, name: str, tests: Collection[str]) -> frozenset[int]:
        """The lines of a file that these tests ran, and no others did; node ids, or files for all tests in them."""
        own, of_others = set[int](), set[int]()
        for data in tuple(self._members):
            try:
                found = _lines_of_two(data, name, lambda context: _is_among(node_id(context), tests))
            except _data_file.DAMAGE as error:
                self._lose(data, error)
                continue
            own |= found[0]
            of_others |= found[1]
        return frozenset(own - of_others)

    def lines_of_test(self, test: str) -> Mapping[str, frozenset[int]]:
        """The raw lines that a test (a node id) ran of each file, all cases of a parametrised one together."""
        found: dict[str, set[int]] = {}
        for data in tuple(self._members):
            try:
                data.set_query_contexts(_contexts_of(test))
                for name in data.measured_files():
                    found.setdefault(name, set()).update(data.lines(name) or ())
                data.set_query_contexts(None)
            except _data_file.DAMAGE as error:
                self._lose(data, error)
        return {name: frozenset(line for line in lines if line > 0) for name, lines in found.items() if lines}

    def add(self, path: Path, files: ExitStack) -> None:
        """Open one more data file until `files` is closed; what cannot be opened becomes a problem."""
        problem = _data_file.check(path)
        if problem is not None:
            self._problems.append(problem)
            return
        data = CoverageData(basename=str(path), read_only=True)
        try:
            data.read()
            files.enter_context(data.keep_db_open())
            if not all(isinstance(name, str) for name in data.measured_files()):
                raise TypeError("a file name is not text")
        except _data_file.DAMAGE as error:
            self._problems.append(_data_file.refused(path, str(error)))
            return
        if self._members and data.has_arcs() != self._members[0].has_arcs():
            self._problems.append(_mixed(data, self._members[0]))
            return
        self._members.append(data)

    def _trace_in(self, data: CoverageData, name: str, test: str | None) -> Trace | None:
        try:
            data.set_query_contexts(None if test is None else _contexts_of(test))
            tracer = data.file_tracer(name)
            if tracer:
                self._plugin_files.add(name)
            if tracer != "":
                return None
            arcs = data.arcs(name) if data.has_arcs() else None
            lines = data.lines(name) if arcs is None else _ends(arcs)
        except _data_file.DAMAGE as error:
            self._lose(data, error)
            return None
        return Trace(frozenset(lines or ()), frozenset(arcs) if arcs is not None else None)

    def _lose(self, data: CoverageData, error: Exception) -> None:
        self._problems.append(_data_file.damaged(Path(data.data_filename()), str(error)))
        self._members.remove(data)


@contextmanager
def open_data(paths: Sequence[Path]) -> Iterator[OpenData]:
    """Open data files for reading, several as if combined; nothing in the user's tree is written or deleted.

    Keep the block short: a file that is rewritten in place meanwhile would be read half old and half new.
    """
    with ExitStack() as files:
        data = OpenData()
        for path in paths:
            data.add(path, files)
        yield data


def trace_of(arcs: Collection[Arc]) -> Trace:
    """The trace in which these arcs ran."""
    return Trace(_ends(arcs), frozenset(arcs))


def read_traces(paths: Sequence[Path], wanted: Collection[str] | None = None) -> tuple[Mapping[str, Trace], Problems]:
    """The trace of every measured file, or of those in `wanted`, by recorded name."""
    with open_data(paths) as data:
        return dict(data.traces(wanted)), data.problems


def measured_files(paths: Sequence[Path]) -> tuple[tuple[str, ...], Problems]:
    """The recorded names, sorted."""
    with open_data(paths) as data:
        return data.measured_files, data.problems


def read_trace(paths: Sequence[Path], name: str) -> Trace | None:
    """The trace of one file in a few milliseconds, or None where it was not measured or cannot be read."""
    with open_data(paths) as data:
        return data.trace(name)


def contexts_by_line(paths: Sequence[Path], name: str) -> Mapping[int, tuple[str, ...]]:
    """As `OpenData.contexts_by_line`, for one question; empty where the data cannot be read."""
    with open_data(paths) as data:
        return data.contexts_by_line(name)


def merge(traces: Sequence[Trace]) -> Trace:
    """All that ran in any of `traces`, which must not be empty; arcs are kept only if every trace has them."""
    if len(traces) == 1:
        return traces[0]
    lines = frozenset[int]().union(*(trace.lines for trace in traces))
    arcs = [trace.arcs for trace in traces if trace.arcs is not None]
    if len(arcs) < len(traces):
        return Trace(lines)
    return Trace(lines, frozenset[Arc]().union(*arcs))


def tests_with(paths: Sequence[Path], phase: str) -> frozenset[str]:
    """The node ids of the tests that have such a phase in data files of Testlens' own."""
    found: set[str] = set()
    for path in paths:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            query = "select context from context where substr(context, -length(?)) = ?"
            found.update(node_id(context) for (context,) in database.execute(query, (phase, phase)))
    return frozenset(found)


def node_id(context: str) -> str:
    """The test's node id without the phase that pytest-cov appends: `t.py::test_a|run` -> `t.py::test_a`."""
    for phase in _PHASES:
        if context.endswith(phase):
            return context.removesuffix(phase)
    return context


def _contexts_of_arcs(path: Path, name: str, lines: range) -> set[str]:
    # `contexts_by_lineno` reads all of a file's arcs, of which each of many tests may have run hundreds.
    query = """
        select distinct context.context from arc join context on context.id = arc.context_id
        where arc.file_id = (select id from file where path = ?)
        and (arc.fromno between ? and ? or arc.tono between ? and ?)
    """
    ends = (lines.start, lines.stop - 1)
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
        return {context for (context,) in database.execute(query, (name, *ends, *ends))}


def _contexts_of_bodies(path: Path, bodies: Collection[Body]) -> set[str]:
    # The index of arcs has file and context before the line: each context is looked up, and no arc is read in vain.
    query = """
        select distinct context from (select distinct file_id from body) as file cross join context
        where exists (select 1 from arc where arc.file_id = file.file_id and context_id = context.id) and (
            exists (
                select 1 from body cross join arc on arc.file_id = body.file_id and context_id = context.id
                and fromno between first and last where body.file_id = file.file_id
            ) or exists (
                select 1 from body cross join arc on arc.file_id = body.file_id and context_id = context.id
                and fromno < 0 and tono between first and last where body.file_id = file.file_id
            )
        )
    """
    with _looked_up(path, bodies) as database:
        return {context for (context,) in database.execute(query)}


def _bodies_of_contexts(path: Path, bodies: Collection[Body], contexts: Collection[str]) -> set[Body]:
    query = """
        select name, first, last from body where exists (
            select 1 from meant cross join arc
            on arc.file_id = body.file_id and context_id = meant.id and fromno between first and last
        )
    """
    with _looked_up(path, bodies) as database:
        meant = "create temp table meant as select id from context where context in (select value from json_each(?))"
        database.execute(meant, (json.dumps([*contexts]),))
        return {(name, range(first, last + 1)) for name, first, last in database.execute(query)}


@contextmanager
def _looked_up(path: Path, bodies: Collection[Body]) -> Iterator[sqlite3.Connection]:
    """A data file with a table of bodies beside its own."""
    rows = [(name, lines.start, lines.stop - 1, name) for name, lines in bodies]
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
        database.execute("create temp table body (name text, first integer, last integer, file_id integer)")
        database.executemany("insert into body values (?, ?, ?, (select id from file where path = ?))", rows)
        database.execute("create index temp.body_of_file on body (file_id, first, last)")
        yield database


def _lines_of_two(data: CoverageData, name: str, is_meant: Callable[[str], bool]) -> tuple[set[int], set[int]]:
    """The lines of a file that tests ran in the contexts that are meant, and in all others."""
    if not data.has_arcs():
        by_line = data.contexts_by_lineno(name).items()
        pairs = [(line, is_meant(context)) for line, contexts in by_line for context in contexts if context]
        return {line for line, is_own in pairs if is_own}, {line for line, is_own in pairs if not is_own}
    # As above, to read all contexts of each line takes long.
    query = """
        select distinct fromno, tono from arc where file_id = (select id from file where path = ?)
        and context_id in (select id from meant where is_own = ?)
    """
    with closing(sqlite3.connect(f"{Path(data.data_filename()).absolute().as_uri()}?mode=ro", uri=True)) as database:
        contexts = database.execute("select id, context from context where context != ''").fetchall()
        database.execute("create temp table meant (id integer primary key, is_own integer)")
        database.executemany("insert into meant values (?, ?)", [(n, is_meant(context)) for n, context in contexts])
        own, of_others = (set(_ends(database.execute(query, (name, is_own)).fetchall())) for is_own in (True, False))
    return own, of_others


def _is_among(test: str, tests: Collection[str]) -> bool:
    return test in tests or test.partition("::")[0] in tests


def _contexts_of(test: str) -> list[str]:
    """What coverage.py's query for contexts takes for a test: all of its phases and parameters."""
    return [f"^{re.escape(test)}(\\[.*\\])?(\\||$)"]


def _ends(arcs: Collection[Arc]) -> frozenset[int]:
    # What CoverageData.lines() would query for again.
    return frozenset(line for line in set(chain.from_iterable(arcs)) if line > 0)


def _mixed(data: CoverageData, first: CoverageData) -> Problem:
    measured, other = ("with", "without") if data.has_arcs() else ("without", "with")
    return Problem(
        f"This file was measured {measured} branches and {Path(first.data_filename()).name} {other}: it was left out.",
        "Delete the older data files, and run the tests again with one setting of `branch`.",
        data.data_filename(),
    )


def _needs_plugin(names: Collection[str]) -> Problem:
    return Problem(
        f"{len(names)} measured files are not Python but a coverage.py plugin's ({min(names)}): they are left out.",
        "Use `coverage report` for them.",
        severity="information",
    )
