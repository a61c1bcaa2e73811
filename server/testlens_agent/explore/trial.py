"""Runs tests that are tried, with pytest's own protocol, and says of each what came of it."""

from __future__ import annotations

import os
import time
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any

from testlens_agent.explore.body import Body
from testlens_agent.explore.candidate import Candidate
from testlens_agent.explore.folders import WORKING, entries, remove
from testlens_agent.explore.following import Following
from testlens_agent.explore.limits import limit_time
from testlens_agent.explore.messages import Messages
from testlens_agent.explore.modules import UnreachableError
from testlens_agent.explore.mutant import Mutant
from testlens_agent.explore.observing import Observer
from testlens_agent.import_paths import nearest_class

_LONGEST_MESSAGE = 2_000
_MOST_CHANGES = 3
_WEIGHT = {"passed": 0, "skipped": 1, "failed": 2, "error": 3}


class Watch:
    """What is seen of one item while pytest runs it; the session's plugin calls the methods."""

    def __init__(self, item: Any, body: Body, observer: Observer) -> None:
        self.item = item
        self._observer = observer
        self.body = body
        self.outcome = "passed"
        self.message = ""
        self.raised: dict[str, Any] | None = None
        self.local_values: dict[str, Any] = {}

    def call(self) -> Any:
        """A context manager around what pytest does to call the test."""
        return Following(self.body)

    def called(self) -> None:
        """The call has ended, and fixtures are not torn down yet."""
        values = {name: value for name, value in self.body.local_values.items() if not self._is_scenery(name, value)}
        self.body.local_values = {}
        self.local_values = self._observer.see(values, getattr(self.item, "funcargs", {}))

    def failed(self, phase: str, error: BaseException) -> None:
        """An exception left one of the phases."""
        if phase == "call" and self.body.began and self._passed_test(error.__traceback__):
            self.raised = {
                "type": nearest_class(type(error)),
                "message": text_of(error),
                "line": self._innermost_line(error.__traceback__),
                "attributes": self._observer.see_error(error),
            }
        if not self.message:
            self.message = f"{type(error).__name__}: {text_of(error)}"[:_LONGEST_MESSAGE]

    def report(self, report: Any) -> None:
        """pytest's verdict on one phase."""
        outcome = report.outcome
        if outcome == "failed" and (report.when != "call" or not self.body.began):
            outcome = "error"
        if outcome == "skipped":
            self.raised = None
        if _WEIGHT[outcome] > _WEIGHT[self.outcome]:
            self.outcome = outcome

    def _is_scenery(self, name: str, value: object) -> bool:
        instance = getattr(self.item, "instance", None)  # None for a plain function, which is a value like any other
        return name.startswith("@") or (instance is not None and value is instance)

    def _passed_test(self, trace: TracebackType | None) -> bool:
        while trace is not None:
            if self.body.is_test(trace.tb_frame.f_code):
                return True
            trace = trace.tb_next
        return False

    def _innermost_line(self, trace: TracebackType | None) -> int | None:
        line = None
        while trace is not None:
            if self.body.is_watched(trace.tb_frame.f_code.co_filename):
                line = trace.tb_lineno
            trace = trace.tb_next
        return line


def text_of(error: BaseException) -> str:
    """An exception's message, which its own code makes and which may fail."""
    if type(error).__name__ == "FixtureLookupError" and hasattr(error, "argname"):
        return f"fixture '{error.argname}' not found"
    try:
        return str(error)[:_LONGEST_MESSAGE]
    except Exception as trouble:  # noqa: BLE001  (a foreign __str__ may raise anything)
        return f"({type(trouble).__name__} while the message was made)"


class Try:
    """Runs some tests of one text. `tests` are names such as `test_x` and `TestX::test_y`.

    Where the task names a mutant, that one is in its function's place while they run.
    """

    def __init__(self, session: Any, plugin: Any, task: dict[str, Any], folder: Path, messages: Messages) -> None:
        self._session = session
        self._plugin = plugin
        self._tests: list[str] = task["tests"]
        self._watched = os.path.realpath(task["watch"])
        self._candidate = Candidate(session, plugin.parents, Path(task["path"]), task["text"], self._tests)
        self._mutant = Mutant(task["mutant"]) if task.get("mutant") else None
        self._messages = messages
        self._working = folder / WORKING
        self._folder = plugin.parents.of(Path(task["path"]).parent)

    def run(self, seconds: float) -> None:
        """Run the tests one after the other, and send what came of each; each may compute for `seconds`."""
        items = self._collect()
        if items is None or not self._plays_mutant():
            return
        wanted = [(test, item) for test in self._tests for item in items.get(test, ())]
        # Fixtures of the session and of folders stay, as if another file of tests followed.
        following = [*(item for _, item in wanted[1:]), self._folder]
        for test in self._tests:
            self._messages.send(started=test)
            limit_time(seconds)
            began = time.perf_counter()
            before = entries(self._working)
            seen = [self._run_item(item, test, following.pop(0)) for item in items.get(test, ())]
            trial = _merge(seen) if seen else _error(f"pytest did not collect a test named {test}")
            self._tell_of_changes(before)
            self._messages.send(test=test, trial={**trial, "seconds": time.perf_counter() - began})

    def _plays_mutant(self) -> bool:
        """Whether the code is as it should be for these tests; if it cannot be made so, each is told to be an error."""
        if self._mutant is None:
            return True
        try:
            self._mutant.play()
        except UnreachableError as error:
            for test in self._tests:
                self._messages.send(test=test, trial=_error(f"the mutant could not be tried: {error}"))
            return False
        return True

    def _tell_of_changes(self, before: frozenset[str]) -> None:
        """The working folder stands for that of the real run, which is the project's own."""
        for name in sorted(before ^ entries(self._working))[:_MOST_CHANGES]:
            verb = "deletes" if name in before else "writes"
            self._messages.send(refused=f"{verb} {name} in the working folder")
        for name in entries(self._working) - before:
            remove(self._working / name)  # or the next test would only write over it, which nobody would see

    def _collect(self) -> dict[str, list[Any]] | None:
        self._plugin.select(self._tests)
        try:
            items = self._candidate.collect()
        except Exception as error:  # noqa: BLE001  (the text, its imports and plugins may raise anything)
            self._plugin.problems.append(_last_line(error))
            items = []
        if not items and self._plugin.problems:
            for test in self._tests:
                self._messages.send(test=test, trial=_error(self._plugin.problems[0]))
            return None
        found: dict[str, list[Any]] = {}
        for item in items:
            found.setdefault(name_of(item), []).append(item)
        return found

    def _run_item(self, item: Any, test: str, following: Any) -> Watch:
        watch = Watch(item, Body(self._candidate.test_code(test, item.obj), self._watched), self._plugin.observer)
        self._plugin.watch = watch
        try:
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        except BaseException as error:  # noqa: BLE001  (pytest.exit, Ctrl-C and what broken plugins raise)
            watch.failed("call", error)
            watch.outcome = "failed" if watch.raised else "error"
        self._plugin.watch = None
        return watch


def name_of(item: Any) -> str:
    """An item's name within its file, without the part that parameters add."""
    names = [node.name for node in item.listchain() if _is_class(node)]
    return "::".join([*names, getattr(item, "originalname", None) or item.name])


def _is_class(node: Any) -> bool:
    import pytest

    return isinstance(node, pytest.Class)


def _merge(seen: list[Watch]) -> dict[str, Any]:
    """The items of one test as one trial: the worst outcome, all that ran, the last values."""
    worst = max(seen, key=lambda watch: _WEIGHT[watch.outcome])
    return {
        "outcome": worst.outcome,
        "lines": sorted(set().union(*(watch.body.lines for watch in seen))),
        "arcs": sorted(set().union(*(watch.body.arcs for watch in seen))),
        "raised": worst.raised,
        "local_values": worst.local_values or seen[-1].local_values,
        "blocked": None,
        "message": worst.message,
    }


def _error(message: str) -> dict[str, Any]:
    return {"outcome": "error", "lines": [], "arcs": [], "raised": None, "local_values": {}, "message": message}


def _last_line(error: BaseException) -> str:
    return traceback.format_exception_only(type(error), error)[-1].strip()[:_LONGEST_MESSAGE]
