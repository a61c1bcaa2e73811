"""Shows how a test run gets on: a bar with counts on standard error."""

from __future__ import annotations

from rich.console import Console
from rich.progress import TextColumn, TimeElapsedColumn

from testlens.cli.transient_bar import TransientBar
from testlens.domain.snapshot import TestResult
from testlens.runners.events import Collected, Event, TestFinished


class RunProgress(TransientBar):
    """A bar whose `take` is handed every event of the run."""

    def __init__(self, console: Console) -> None:
        super().__init__(console, TextColumn("[red]{task.fields[failed]}"), TimeElapsedColumn())
        self._task = self._bar.add_task("Collecting tests", total=None, failed="")
        self._ended: dict[str, bool] = {}

    def take(self, event: Event) -> None:
        """Show what `event` changes."""
        match event:
            case Collected(total=total):
                self._bar.update(self._task, description="Running tests", total=total)
            case TestFinished():
                self._count(event)
            case _:
                pass

    def _count(self, test: TestFinished) -> None:
        # A test that had to run again is reported again, and still is one test.
        self._ended[test.nodeid] = TestResult(test.outcome, test.duration).failed
        failed = sum(self._ended.values())
        self._bar.update(self._task, completed=len(self._ended), failed=f"{failed} failed" if failed else "")
