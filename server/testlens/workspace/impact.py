"""Which tests the edits since the last run can affect: those that ran what was changed, or use what it computed.

What runs when a module is imported, and what several tests share, is every test's business, and so is what no run can
know: then all tests are affected, and it is said why.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from testlens.analysis.fingerprints import Block, changed_blocks
from testlens.domain.snapshot import TestResult
from testlens.domain.staleness import anchor
from testlens.runners.interpreter import packages_of
from testlens.sources.coverage_data import IMPORT_PHASE, SHARED_PHASE, node_id
from testlens.sources.coverage_parse import decode, normalise
from testlens.sources.source_text import read_content
from testlens.workspace.kept_values import KeptValues
from testlens.workspace.measurement import Measurement
from testlens.workspace.run_record import (
    RunRecord,
    files_of_interest,
    identities,
    identity,
    is_configuration,
    prints_of,
)

_AT_IMPORT = ""
_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Affected:
    """The tests to run, failed ones first, then the fastest: node ids, or a path for a file whose tests are new.

    `everything` says that they are all tests, whose files are named then; there are none where no run is known. `why`
    is a sentence for people. `seen` has what identified each file that was looked at, by its relative path.
    """

    tests: tuple[str, ...]
    everything: bool
    why: str
    seen: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the last run. `measured_text` gives digest and text, `measurement` what ran lines of a file.

    `kept_values` tells what is kept from test to test; `left_out` are tests that earlier edits selected, and that have
    not run since.
    """

    root: Path
    record: RunRecord | None
    outcomes: Mapping[str, TestResult]
    measured_text: Callable[[str], tuple[str, str] | None]
    measurement: Measurement | None
    kept_values: KeptValues
    left_out: frozenset[str] = frozenset()

    def contexts_within(self, path: str, body: range) -> frozenset[str]:
        """All contexts that ran this body of a function of a file."""
        return self.measurement.contexts_within([(path, body)]) if self.measurement is not None else frozenset()


class _EverythingError(Exception):
    """All tests are affected; its text says why."""


def affected(known: Known) -> Affected:
    """The tests that the edits since the last run select."""
    record = known.record
    if record is None or not known.outcomes:
        why = "No run of all tests is known: run `testlens run` once."
        return Affected((), True, why, seen=identities(known.root))
    selection = _Selection(known, record)
    return replace(_affected(known, record, selection), seen=selection.seen)


def _affected(known: Known, record: RunRecord, selection: _Selection) -> Affected:
    try:
        selection.select()
    except _EverythingError as error:
        return Affected(tuple(selection.all_files()), True, str(error))
    tests = selection.tests
    if selection.reasons and selection.reformatted:
        why = f"{min(selection.reformatted)} was reformatted as well, in lines that tests ran."
        return Affected(tuple(selection.all_files()), True, why)
    if selection.reasons and record.starts_shared:
        why = "A fixture that several tests share starts processes, of which nothing is known."
        return Affected(tuple(selection.all_files()), True, why)
    if selection.reasons:
        tests |= {test for test, result in known.outcomes.items() if result.failed}
        tests |= set(record.starting)
    why = _why(selection.reasons, len(tests))
    if known.left_out - tests:
        tests |= known.left_out
        why = f"{why} Others were left out since they are slow."
    return Affected(_in_order(_existing(known, tests), known.outcomes), False, why)


class _Selection:
    """The tests that are selected so far, and the `reasons`, one for each edit that means something."""

    def __init__(self, known: Known, record: RunRecord) -> None:
        self._known = known
        self._root = known.root
        self._record = record
        self._test_files = {test.partition("::")[0] for test in known.outcomes}
        self._texts: dict[str, str] | None = None
        self.tests: set[str] = set()
        self.seen: dict[str, str] = {}
        self.reasons: list[str] = []
        self.reformatted: set[str] = set()

    def select(self) -> None:
        """Look at all that the tests may depend on; raises _EverythingError."""
        before = self._record.files
        paths = {*files_of_interest(self._root), *before}
        # All of it before anything is concluded, so that it is all seen.
        self.seen = {path: identity(self._root, path) for path in {*paths, *self._record.shared, *self._record.opened}}
        now = {path: found for path, found in self.seen.items() if found and path in paths}
        if packages_of(self._record.python) != self._record.packages:
            raise _EverythingError("Packages were installed or removed.")
        for path in sorted(before.keys() | now.keys()):
            if before.get(path, "") != now.get(path, ""):
                self._take(path, path in before, path in now)
        self._take_data()

    def all_files(self) -> list[str]:
        """All files with tests that are there, and new files that may have some."""
        new = {path for path in files_of_interest(self._root) if path not in self._record.files and "test" in path}
        files = {path for path in new if Path(path).name != "conftest.py"} | self._test_files
        return sorted(path for path in files if (self._root / path).is_file())

    def _take(self, path: str, was: bool, is_there: bool) -> None:
        if is_configuration(path):
            raise _EverythingError(f"{path} has changed, on which any test may depend.")
        if Path(path).name == "conftest.py":
            self._take_conftest(path, was and is_there)
        elif self._holds_tests(path) or (not was and _is_test_file(path)):
            self._take_test_file(path, was and is_there)
        elif not (was and is_there):
            raise _EverythingError(f"{path} {'is gone' if was else 'is new'}, and may be imported by anything.")
        elif path in self._record.measured:
            self._take_source(path)
        elif self._record.prints.get(path) != prints_of(self._root, path):
            raise _EverythingError(f"{path} has changed, of which no run tells which tests use it.")

    def _holds_tests(self, path: str) -> bool:
        """Whether it is a file of tests, and not a source with doctests."""
        return path in self._test_files and (_is_test_file(path) or path not in self._record.measured)

    def _take_conftest(self, path: str, is_same_file: bool) -> None:
        if is_same_file and self._record.prints.get(path, {}) == prints_of(self._root, path) != {}:
            return
        folder = path.removesuffix("conftest.py")
        if not folder or self._is_mentioned(path):
            raise _EverythingError(f"{path} has changed, which all tests share.")
        self.reasons.append(f"{path} has changed")
        self.tests |= {test for test in self._known.outcomes if test.startswith(folder)}

    def _take_test_file(self, path: str, is_same_file: bool) -> None:
        before, after = self._record.prints.get(path, {}), prints_of(self._root, path)
        if is_same_file and before and before == after:
            return
        if self._is_mentioned(path):
            raise _EverythingError(f"{path} has changed, and other files seem to import it.")
        self.reasons.append(f"{path} has changed")
        own = {test for test in self._known.outcomes if test.partition("::")[0] == path}
        changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
        # A class may have inherited the test.
        of_functions = {
            name: {test for test in own if _function_of(test) == name.rpartition(".")[2]} for name in changed
        }
        if is_same_file and before and after and all(of_functions.values()):
            self.tests |= set().union(*of_functions.values())
        elif after or (self._root / path).is_file():
            self.tests |= {*own, path}

    def _is_mentioned(self, path: str) -> bool:
        """Whether another Python file names this one, and so may import it."""
        if self._texts is None:
            paths = [other for other in files_of_interest(self._root) if not is_configuration(other)]
            contents = {other: read_content(self._root / other) for other in paths}
            self._texts = {other: decode(content) for other, content in contents.items() if content is not None}
        name = re.compile(rf"\b{re.escape(Path(path).stem)}\b")
        return any(other != path and name.search(text) for other, text in self._texts.items())

    def _take_source(self, path: str) -> None:
        kept, content = self._known.measured_text(path), read_content(self._root / path)
        if kept is None or kept[0] != self._record.measured[path] or content is None:
            raise _EverythingError(f"{path} has changed, and the text that was measured is not known.")
        try:
            changes = changed_blocks(kept[1], decode(content))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise _EverythingError(f"{path} cannot be parsed.") from None
        for change in changes:
            if change.before is None:
                continue  # what binds it has changed as well, and speaks for it
            self._take_block(path, change.before)
        self._take_formatting(path, kept[1], decode(content), [change.before for change in changes if change.before])

    def _take_formatting(self, path: str, before: str, now: str, changed: list[Block]) -> None:
        """Lines of code that are the same but in their form: what ran them cannot be followed to where they are now."""
        moved = anchor(normalise(before), normalise(now)).moved
        measurement = self._known.measurement
        if moved is None or measurement is None:
            return
        in_changed = {line for block in changed for line in range(block.first, block.last + 1)}
        lines = before.split("\n")
        for line in range(1, len(lines) + 1):
            is_lost = line not in moved and line not in in_changed
            if is_lost and lines[line - 1].strip() and measurement.contexts_of(path, range(line, line + 1)):
                self.reformatted.add(path)
                return

    def _take_block(self, path: str, block: Block) -> None:
        name = block.name or "the module level"
        if not block.is_in_function and block.kind != "function":
            raise _EverythingError(f"{path} has changed in what runs at import ({name}).")
        contexts = self._known.contexts_within(path, block.body)
        if _AT_IMPORT in contexts:
            raise _EverythingError(f"{path} has changed in {name}, which ran while the tests were imported.")
        tests = set(map(node_id, contexts))
        is_of_import = any(context.endswith(IMPORT_PHASE) for context in contexts)
        if is_of_import or any("" in self._record.importing.get(test, ()) for test in tests):
            raise _EverythingError(f"{path} has changed in {name}, which ran while a test imported modules.")
        if block.is_cached:  # whoever called it first may not do so any more
            raise _EverythingError(f"{path} has changed in {name}, whose results are kept from test to test.")
        if any(context.endswith(SHARED_PHASE) for context in contexts):
            raise _EverythingError(f"{path} has changed in {name}, which ran in a fixture that several tests share.")
        self.reasons.append(f"{name} has changed")
        self.tests |= tests | self._users(path, block, contexts)

    def _users(self, path: str, block: Block, contexts: frozenset[str]) -> frozenset[str]:
        """The tests that use what the block computed and the project keeps."""
        measurement, kept_values = self._known.measurement, self._known.kept_values
        if measurement is None:
            return frozenset()
        return kept_values.users(path, block, contexts, self._record, measurement, self._known.outcomes)

    def _take_data(self) -> None:
        """What tests opened: it may be Python as well."""
        for path, was in self._record.shared.items():
            if self.seen[path] != was:
                raise _EverythingError(f"{path} has changed, which was read for several tests.")
        for path, (was, tests) in self._record.opened.items():
            if self.seen[path] != was:
                self.reasons.append(f"{path} has changed")
                self.tests.update(tests)


def _function_of(test: str) -> str:
    """The name of a test's function."""
    return test.partition("[")[0].rpartition("::")[2]


def _is_test_file(path: str) -> bool:
    name = Path(path).name
    return name.startswith("test_") or name.endswith("_test.py")


def _existing(known: Known, tests: Iterable[str]) -> Iterator[str]:
    there: dict[str, bool] = {}
    for test in tests:
        file = test.partition("::")[0]
        if file not in there:
            there[file] = (known.root / file).is_file()
        if there[file]:
            yield test


def _in_order(tests: Iterable[str], outcomes: Mapping[str, TestResult]) -> tuple[str, ...]:
    def key(test: str) -> tuple[bool, float, str]:
        result = outcomes.get(test)
        return (result is None or not result.failed, 0.0 if result is None else result.duration, test)

    return tuple(sorted(tests, key=key))


def _why(reasons: list[str], count: int) -> str:
    if not reasons:
        return "Nothing has changed that a test could notice."
    named = ", ".join(reasons[:_MOST_NAMED]) + (
        f" and {len(reasons) - _MOST_NAMED} more" if len(reasons) > _MOST_NAMED else ""
    )
    tests = f"{count or 'no'} {'test' if count == 1 else 'tests'}"
    return f"{named}: {tests} ran or used that, failed before or started processes."
