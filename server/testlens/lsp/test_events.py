"""What a test run reports, passed on to the client's test explorer: many times a second, and never too much at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from testlens.lsp.convert import from_line, uri_of
from testlens.lsp.explorer_messages import PlacedTest, TestReport, TestRunParams
from testlens.lsp.folders import Folder, RunCounts
from testlens.lsp.protocol import TEST_RUN
from testlens.lsp.server import TestlensServer

if TYPE_CHECKING:
    from testlens.domain.snapshot import TestResult
    from testlens.runners.events import Event, TestStarted

_EVERY_SECONDS = 0.05
# Writing a message takes the event loop's time, which all other answers wait for.
_MOST_AT_ONCE = 200
_LONGEST_DETAILS = 8_000


class TestEvents:
    """One run on its way to the client. `results` has what tests did in it, as it is remembered."""

    __test__ = False

    def __init__(self, server: TestlensServer, folder: Folder, run: RunCounts) -> None:
        self.run = run
        self.results: dict[str, TestResult] = {}
        self._server = server
        self._folder = folder
        self._started: list[PlacedTest] = []
        self._finished: list[TestReport] = []
        self._details: dict[str, str] = {}
        self._waiting: asyncio.TimerHandle | None = None
        self._has_ended = False

    def take(self, event: Event) -> None:
        """Pass on what `event` tells, soon."""
        from testlens.runners.events import TestFinished, TestStarted
        from testlens.workspace.selected_run import outcome_of

        match event:
            case TestStarted():
                self._started.append(_placed(self._folder, event))
            case TestFinished(nodeid=test, longrepr=details):
                self.results[test] = result = outcome_of(event)
                self._finished.append(report_of(self._folder, test, result))
                if details:
                    self._details[test] = _bounded(details)
            case _:
                return
        self._wait(_EVERY_SECONDS)

    def end(self) -> None:
        """The run is over, and what came of it is known."""
        self._has_ended = True
        self._wait(0.0)

    def _wait(self, seconds: float) -> None:
        if self._waiting is None or self._has_ended:
            if self._waiting is not None:
                self._waiting.cancel()
            self._waiting = asyncio.get_running_loop().call_later(seconds, self._send)

    def _send(self) -> None:
        self._waiting = None
        started, self._started = self._started[:_MOST_AT_ONCE], self._started[_MOST_AT_ONCE:]
        # No test may end before it has started, in the client's eyes.
        most = 0 if self._started else _MOST_AT_ONCE
        finished, self._finished = self._finished[:most], self._finished[most:]
        details = {report.id: self._details.pop(report.id) for report in finished if report.id in self._details}
        has_more = bool(self._started or self._finished)
        ended = self._has_ended and not has_more
        self._server.protocol.notify(
            TEST_RUN,
            TestRunParams(self._folder.uri, self.run.job, self.run.continuous, started, finished, details, ended),
        )
        if has_more:
            self._waiting = asyncio.get_running_loop().call_later(0.0, self._send)


def report_of(folder: Folder, test: str, result: TestResult) -> TestReport:
    """What is remembered of a test, for the client."""
    has_place = result.file is not None and result.line is not None and result.source is not None
    return TestReport(
        test,
        result.outcome,
        result.duration,
        result.message,
        result.expected,
        result.actual,
        uri_of(folder.root / result.file) if has_place and result.file is not None else None,
        from_line(result.line) if has_place and result.line is not None else None,
    )


def _placed(folder: Folder, event: TestStarted) -> PlacedTest:
    names = event.nodeid.partition("::")[2].partition("[")[0].split("::")
    lines: list[int | None] = [None] * len(names)
    lines[-1] = None if event.line is None else from_line(event.line)
    return PlacedTest(event.nodeid, None if event.file is None else uri_of(folder.root / event.file), lines)


def _bounded(text: str) -> str:
    return text if len(text) <= _LONGEST_DETAILS else f"{text[:_LONGEST_DETAILS]}\n[...]"
