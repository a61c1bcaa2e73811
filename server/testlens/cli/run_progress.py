"""Shows how a test run gets on: a bar with counts on standard error."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from testlens.domain.snapshot import TestResult
from testlens.runners.events import Collected, Event, TestFinished


class RunProgress:
    """A context manager whose `take` is handed every event of the run. Without a terminal it draws nothing."""

    def __init__(self, console: Console) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("[red]{task.fields[failed]}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
            expand=True,
        )
        self._task = self._bar.add_task("Collecting tests", total=None, failed="")
        self._ended: dict[str, bool] = {}

    def __enter__(self) -> RunProgress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

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
