"""Which tests run which lines of which functions: measured once, and kept while no file of the copy changes."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import json
import os
import sys
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from testlens_agent.mutate.generating import generated
from testlens_agent.mutate.mutmut_parts import functions_hit

_SHARED = "shared"
_NO_CONTEXT = ""
_Step = Iterator[None]


class Contexts:
    """What a run of all tests has shown. A function's key is mutmut's without a number (`pkg.mod.x_f`)."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields = fields
        self.durations: dict[str, float] = fields["durations"]
        self._whole: dict[str, float] = fields["whole"]
        self._setups: dict[str, float] = fields["setups"]
        self.modules: list[str] = fields["modules"]
        self._tests: dict[str, list[str]] = fields["tests"]
        self._lines: dict[str, dict[str, list[str]]] | None = fields["lines"]
        self._at_import = frozenset(fields["at_import"])

    @property
    def functions(self) -> Iterable[str]:
        """The functions that tests ran."""
        return self._tests

    def tests_of(self, function: str) -> list[str]:
        """The tests that mutmut would run for a function's mutants, fastest first."""
        return sorted(self._tests.get(function, ()), key=self.whole_duration_of)

    def duration_of(self, test: str) -> float:
        """Seconds that the test itself took, without its fixtures."""
        return self.durations.get(test, 0.0)

    def whole_duration_of(self, test: str) -> float:
        """Seconds that the test took with its fixtures."""
        return self._whole.get(test, 0.0)

    def setup_duration_of(self, test: str) -> float:
        """Seconds that were needed to set up the fixtures of the test."""
        return self._setups.get(test, 0.0)

    def ran_at_import(self, function: str) -> bool:
        """Whether the function ran while the tests were collected, so that no test's own lines tell who runs it."""
        return function in self._at_import

    def tests_reaching(self, function: str, lines: tuple[int, int] | None) -> list[str]:
        """Those of the function's tests that ran one of these lines, counted from the function's own first line."""
        tests = self.tests_of(function)
        if lines is None or self._lines is None or self.ran_at_import(function):
            return tests
        ran = self._lines.get(function, {})
        reached: set[str] = set()
        for line in range(lines[0], lines[1] + 1):
            reached.update(ran.get(str(line), ()))
        return tests if _SHARED in reached else [test for test in tests if test in reached]


NOTHING_MEASURED = Contexts(
    {"durations": {}, "whole": {}, "setups": {}, "modules": [], "tests": {}, "lines": None, "at_import": ()}
)


def import_quietly(modules: Iterable[str]) -> None:
    """Import these modules; whatever goes wrong there is the tests' own, who import them as well."""
    for name in modules:
        with warnings.catch_warnings(), contextlib.suppress(BaseException):
            warnings.simplefilter("ignore")
            importlib.import_module(name)


def load_contexts(place: Path, state: str) -> Contexts | None:
    """What was measured for just this state of the copy, if anything was."""
    try:
        fields = json.loads(place.read_text(encoding="utf-8"))
        return Contexts(fields) if fields["state"] == _digest(state) else None
    except (OSError, ValueError, KeyError):
        return None


class Measuring:
    """A pytest plugin that measures while all tests run in this process, and then writes what it saw to `place`."""

    def __init__(self, tree: Path, kept: Path, files: list[str], place: Path, state: str) -> None:
        self._tree = tree
        self._kept = kept
        self._files = files
        self._place = place
        self._state = state
        self._durations: dict[str, float] = {}
        self._whole: dict[str, float] = {}
        self._setups: dict[str, float] = {}
        self._tests: dict[str, set[str]] = {}
        self._at_import = functions_hit()
        self._pending = set(self._at_import)
        self._modules = set(sys.modules)
        self._coverage = _line_coverage([str(tree / name) for name in files])

    def start(self) -> None:
        """Begin."""
        if self._coverage is not None:
            self._coverage.start()

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: Any) -> _Step:
        """Credit the lines that run from now on to this test."""
        self._durations[item.nodeid] = 0.0
        self._switch(item.nodeid)
        self._current = item.nodeid
        yield
        self._switch(_NO_CONTEXT)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> _Step:
        """What a fixture runs that several tests share is nobody's own."""
        if fixturedef.scope == "function":
            yield
            return
        self._switch(_SHARED)
        yield
        self._switch(self._current)

    def pytest_runtest_teardown(self, item: Any) -> None:
        """Credit the functions that ran to this test; the first one gets those of the collection, as with mutmut."""
        for function in functions_hit() | self._pending:
            self._tests.setdefault(function, set()).add(item.nodeid)
        self._pending = set()

    def pytest_runtest_makereport(self, item: Any, call: Any) -> None:
        """Keep how long the test itself took."""
        self._whole[item.nodeid] = self._whole.get(item.nodeid, 0.0) + call.duration
        if call.when == "setup":
            self._setups[item.nodeid] = call.duration
        if call.when == "call":
            self._durations[item.nodeid] = self._durations.get(item.nodeid, 0.0) + call.duration

    def finish(self) -> None:
        """End, and write what was seen."""
        fields = {
            "state": _digest(self._state),
            "durations": self._durations,
            "whole": self._whole,
            "setups": self._setups,
            "tests": {function: sorted(tests) for function, tests in self._tests.items()},
            "at_import": sorted(self._at_import),
            "lines": self._lines(),
            "modules": _new_modules(self._modules, self._tree),
        }
        unfinished = self._place.with_suffix(".new")
        unfinished.write_text(json.dumps(fields), encoding="utf-8")
        unfinished.replace(self._place)

    def _switch(self, context: str) -> None:
        if self._coverage is not None:
            self._coverage.switch_context(context)

    def _lines(self) -> dict[str, dict[str, list[str]]] | None:
        if self._coverage is None:
            return None
        self._coverage.stop()
        data = self._coverage.get_data()
        found: dict[str, dict[str, list[str]]] = {}
        for name in self._files:
            by_line = data.contexts_by_lineno(str(self._tree / name))
            for function in generated(self._kept, name)["functions"].values():
                key = function["mutants"][0][0].partition("__mutmut_")[0]
                found[key] = _own_lines(function, by_line)
        return found


def _own_lines(function: dict[str, Any], by_line: dict[int, list[str]]) -> dict[str, list[str]]:
    lines = function["text"].split("\n")
    start = function["first"] + lines_before(lines)
    end = function["first"] + len(lines)
    return {
        str(line - start): sorted(set(contexts) - {_NO_CONTEXT})
        for line, contexts in by_line.items()
        if start <= line < end and set(contexts) - {_NO_CONTEXT}
    }


def lines_before(lines: list[str]) -> int:
    """How many lines of a function's text come before its decorators and its `def`."""
    for number, line in enumerate(lines):
        if line.lstrip().startswith(("@", "def ", "async ")):
            return number
    return 0


def _line_coverage(files: list[str]) -> Any:
    try:
        import coverage
    except ImportError:
        return None
    os.environ["COVERAGE_CORE"] = "ctrace"  # the only one that keeps contexts everywhere
    measuring = coverage.Coverage(data_file=None, include=files, config_file=False, messages=False)
    measuring._warn_no_data = False
    return measuring


def _new_modules(before: set[str], tree: Path) -> list[str]:
    """The modules that the tests imported, from files that are still there: every copy would import them again."""
    found = []
    for name, module in list(sys.modules.items()):
        origin = getattr(getattr(module, "__spec__", None), "origin", None)
        if name in before or not isinstance(origin, str) or name.startswith(("testlens_agent", "coverage")):
            continue
        with contextlib.suppress(OSError, ValueError):
            if Path(origin).is_file() and _is_lasting(Path(origin), tree):
                found.append(name)
    return found


def _is_lasting(origin: Path, tree: Path) -> bool:
    return tree in origin.parents or any(Path(entry) in origin.parents for entry in sys.path if entry)


def _digest(state: str) -> str:
    return hashlib.sha256(state.encode("utf-8", "replace")).hexdigest()
