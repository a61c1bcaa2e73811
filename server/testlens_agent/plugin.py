"""The pytest plugin that reports tests as they run and keeps coverage's contexts in step with them."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any, Callable

import pytest

from testlens_agent.compared import Compared
from testlens_agent.failures import collection_problem, failure_message, failure_place, long_text
from testlens_agent.late_imports import watch_imports
from testlens_agent.measure import Measurement
from testlens_agent.uses import Uses
from testlens_agent.wire import EventStream

_Step = Iterator[None]
_Steps = Generator[None, Any, None]
# Which of two outcomes of one test stands: a failure of the test itself tells more than one of its teardown.
_WEIGHT = {"passed": 0, "skipped": 1, "xfailed": 1, "xpassed": 1, "error": 2, "failed": 3}
_OF_TOOLS = ("PYTEST_", "COV_", "COVERAGE_")
_BROKEN = frozenset({"failed", "error"})
# Taken before a test can replace it; it only looks, and takes no process away from whoever waits for it.
_WAIT: Any = getattr(os, "waitid", None)
_FOR_ANY = () if _WAIT is None else (os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)


class _Result:
    """What is known of the test that is running."""

    def __init__(self) -> None:
        self.outcome = "passed"
        self.duration = 0.0
        self.message: str | None = None
        self.longrepr: str | None = None
        self.place: tuple[str, int, str] | None = None
        self.compared: tuple[str, str] | None = None

    def add(self, report: Any) -> None:
        outcome = _outcome(report)
        if hasattr(report, "context") and outcome != "failed":
            return  # a part of a test (`subtests`), which the test's own report sums up
        self.duration += getattr(report, "duration", 0.0)
        if _WEIGHT[outcome] > _WEIGHT[self.outcome]:
            self.outcome = outcome
            self.message = failure_message(report)
            self.longrepr = long_text(report) if outcome in _BROKEN else None


class Chosen:
    """What to run: tests by node id or files, None for all; those that are `first` come before the others.

    The files in `order` come then, in this order and each as it is, and after them what is left. Of `without`, node
    ids, nothing runs.
    """

    def __init__(
        self, only: Sequence[str] | None, first: Sequence[str], order: Sequence[str], without: Sequence[str]
    ) -> None:
        self._without = frozenset(without)
        self._only = None if only is None else frozenset(only)
        self._first = frozenset(first)
        self._ranks = {file: rank for rank, file in enumerate(order)}

    def has(self, nodeid: str) -> bool:
        """Whether a test is to run."""
        if nodeid in self._without:
            return False
        return self._only is None or nodeid in self._only or nodeid.partition("::")[0] in self._only

    def rank(self, nodeid: str) -> tuple[bool, int]:
        """What to sort tests by, in a way that leaves those of equal rank as they are."""
        return nodeid not in self._first, self._ranks.get(nodeid.partition("::")[0], len(self._ranks))


class AgentPlugin:
    """Reports one pytest session. `chosen` says what to run of all that is collected, and in which order.

    What runs after the last test is measured where that goes on `to_the_end`: it says little of some of the tests.
    `environment` is what variables the environment had when the tests were collected.
    """

    def __init__(
        self,
        root: Path,
        events: EventStream,
        measurement: Measurement | None,
        uses: Uses,
        chosen: Chosen,
        to_the_end: bool,
    ) -> None:
        self._root = root
        self._events = events
        self._measurement = measurement
        self._uses = uses
        self._phase = ""
        self._chosen = chosen
        self._to_the_end = to_the_end
        self._left_out: list[str] = []
        self.environment = settings_of_environment()
        self._process = os.getpid()
        self._exit = os._exit
        self._result = _Result()
        self._compared = Compared()

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_load_initial_conftests(self, early_config: Any) -> _Step:
        """Measure from before the first conftest is imported, in pytest-cov's place where that is installed."""
        options = early_config.known_args_namespace
        given = getattr(options, "cov_source", None) or ()
        sources = [source for source in given if isinstance(source, str) and source]
        if hasattr(options, "cov_source"):
            options.cov_source = []  # pytest-cov would erase and write the user's data file
        if self._measurement is not None:
            self._measurement.start(_config_file(options), sources)
        yield

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_cmdline_main(self, config: Any) -> _Step:
        """Keep pytest-xdist, where it is installed, from moving the tests to processes that are not measured."""
        if hasattr(config.option, "numprocesses"):
            config.option.numprocesses = None
            config.option.dist = "no"
            config.option.tx = []
        yield

    def pytest_collectstart(self, collector: Any) -> None:
        """Say which file is imported next, since that may end the process."""
        if isinstance(collector, pytest.File):
            path = getattr(collector, "path", None) or collector.fspath
            self._events.send("collecting", path=str(path))

    def pytest_collectreport(self, report: Any) -> None:
        """Report what could not be collected."""
        if report.failed:
            self._events.problem(**collection_problem(report, self._root))

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: Any, items: list[Any]) -> None:
        """Leave out what is not to run, whatever order other plugins gave the tests."""
        left_out = [item for item in items if not self._chosen.has(item.nodeid)]
        if left_out:
            config.hook.pytest_deselected(items=left_out)
        self._left_out = [item.nodeid for item in left_out]
        items[:] = [item for item in items if self._chosen.has(item.nodeid)]
        items.sort(key=lambda item: self._chosen.rank(item.nodeid))

    def pytest_collection_finish(self, session: Any) -> None:
        """Report the tests to run, and commit what their import ran."""
        self.environment = settings_of_environment()
        self._events.send(
            "collected",
            total=len(session.items),
            rootdir=str(session.config.rootpath),
            tests=[item.nodeid for item in session.items],
            left_out=self._left_out,
            maxfail=session.config.getoption("maxfail", 0),
        )
        if self._measurement is not None:
            self._measurement.commit()

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: Any) -> _Step:
        """Frame one test between `started` and `finished`."""
        file, line = _definition(item)
        self._result = result = _Result()
        self._events.send("started", nodeid=item.nodeid, file=file, line=line)
        self._uses.is_in_test = True
        yield
        self._uses.is_in_test = False
        self._end_copies(item.session)
        source, expected, actual = None, None, None
        if result.place is not None and result.outcome in _BROKEN:
            file, line, source = result.place
        if result.compared is not None and result.outcome in _BROKEN:
            expected, actual = result.compared
        self._events.send(
            "finished",
            nodeid=item.nodeid,
            outcome=result.outcome,
            duration=result.duration,
            message=result.message,
            file=file,
            line=line,
            source=source,
            expected=expected,
            actual=actual,
            longrepr=result.longrepr,
            uses=self._uses.take(),
        )

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: Any) -> _Step:
        """Credit the setup of a test to it."""
        self._switch(f"{item.nodeid}|setup", is_between=True)
        yield

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> _Step:
        """What a fixture runs and uses that several tests share is the business of all of them."""
        if fixturedef.scope == "function":
            yield
            return
        phase, was_shared = self._phase, self._uses.is_shared
        self._switch(f"{phase.rpartition('|')[0]}|shared")
        self._uses.is_shared = True
        yield
        self._uses.is_shared = was_shared
        self._switch(phase)

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: Any) -> _Step:
        """Credit what a test runs to it, and go on where it removed the working folder."""
        self._switch(f"{item.nodeid}|run", is_between=True)
        yield
        self._leave_lost_folder()

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: Any) -> _Step:
        """Credit the teardown of a test to it."""
        self._switch(f"{item.nodeid}|teardown", is_between=True)
        yield
        self._leave_lost_folder()

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, call: Any) -> _Step:
        """Remember where in the project an exception came from, and what was compared there."""
        yield
        if call.excinfo is not None and self._result.place is None:
            self._result.place = failure_place(call.excinfo, self._root)
            self._result.compared = self._compared.take(call.excinfo)

    def pytest_assertrepr_compare(self, op: str, left: object, right: object) -> None:
        """Remember what an assertion compared; pytest explains it."""
        if op == "==":
            self._compared.note(left, right)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: Any) -> None:
        """Gather the outcomes of a test's phases."""
        self._result.add(report)

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtestloop(self) -> _Steps:
        """Credit to tests what they import, and nothing that runs after the last one to that."""
        stop = watch_imports(self._begin_import)
        outcome = yield
        stop()
        self._switch("")
        if self._measurement is None:
            return
        # An exception has ended it early: by `pytest.exit` or Ctrl+C, say.
        if self._to_the_end or outcome.excinfo is not None:
            self._measurement.save()  # which leaves the supervisor little to do while pytest ends
        else:
            self._measurement.finish()
            self._events.send("measured", is_alone=not _has_children())

    def pytest_internalerror(self, excrepr: Any) -> None:
        """Report a failure of pytest or of one of its plugins."""
        last = str(excrepr).strip().splitlines()[-1:]
        self._events.problem(
            f"pytest stopped with an internal error: {' '.join(last)}",
            "Look for a pytest plugin in the run's output that does not suit this version of pytest.",
        )

    def leave(self, status: int) -> None:
        """Take `os._exit`'s place: commit and say so first, where it is the test process that leaves."""
        if os.getpid() == self._process:
            try:
                if self._measurement is not None:
                    self._measurement.save()
                self._events.send("leaving", status=status)
            except OSError:
                pass  # nobody listens any more, and the process ends now
        self._exit(status)

    def _begin_import(self, name: str, file: str) -> Callable[[], None] | None:
        """What a module of the project runs while a test imports it is the business of all that use it later."""
        phase, uses = self._phase, self._uses
        if not uses.is_in_test or not uses.is_of_the_project(file):
            return None
        uses.take_import(name)
        if uses.is_importing:
            return None
        uses.is_importing = True
        importing = phase if uses.is_shared else f"{phase.rpartition('|')[0]}|import"
        self._switch(importing)

        def end() -> None:
            uses.is_importing = False
            if self._phase == importing:
                self._switch(phase)

        return end

    def _switch(self, context: str, is_between: bool = False) -> None:
        self._phase = context
        if self._measurement is not None:
            self._measurement.switch_context(context, is_between)

    def _leave_lost_folder(self) -> None:
        try:
            os.getcwd()  # noqa: PTH109  (its failure is the question)
        except OSError:
            for folder in (self._root, *self._root.parents):
                if folder.is_dir():
                    os.chdir(str(folder))
                    return

    def _end_copies(self, session: Any) -> None:
        # A test forked and its copy came back out of the test: it must not run the rest of the tests a second time.
        if os.getpid() != self._process:
            self._switch("")
            self._exit(1 if session.testsfailed else 0)


def _has_children() -> bool:
    """Whether this process itself has started others that are still there, or may have where nothing tells.

    Nothing does on Windows, and on macOS before Python 3.13.
    """
    try:
        _WAIT(*_FOR_ANY)
    except ChildProcessError:
        return False
    except (OSError, TypeError):
        return True
    return True


def settings_of_environment() -> dict[str, str]:
    """The environment variables that libraries may look at when they are imported."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_OF_TOOLS)}


def _config_file(options: Any) -> str | None:
    """The file that the user gave to pytest-cov's `--cov-config`, None for coverage.py's own search."""
    chosen = getattr(options, "cov_config", None)
    return chosen if isinstance(chosen, str) and chosen != ".coveragerc" else None


def _definition(item: Any) -> tuple[str | None, int | None]:
    """Absolute path and 1-based line of a test's definition, as far as known."""
    path = getattr(item, "path", None) or getattr(item, "fspath", None)
    line = item.location[1]
    return (None if path is None else str(path)), (None if line is None else line + 1)


def _outcome(report: Any) -> str:
    expected_to_fail = hasattr(report, "wasxfail")
    if report.outcome == "failed":
        return "failed" if report.when == "call" else "error"
    if report.outcome == "skipped":
        return "xfailed" if expected_to_fail else "skipped"
    return "xpassed" if expected_to_fail else "passed"
