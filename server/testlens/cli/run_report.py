"""What came of a test run, in words and as JSON."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.text import Text

from testlens.cli.plan_table import print_plan
from testlens.cli.terminal import print_problems, results
from testlens.domain.coverage import percent_text
from testlens.domain.plan import Plan
from testlens.domain.problems import Problem
from testlens.domain.snapshot import Snapshot
from testlens.report.plan_json import VERSION, coverage_json, problems_json
from testlens.runners.events import TestFinished

OUTCOMES = ("passed", "failed", "error", "skipped", "xfailed", "xpassed")
_STYLES = {"passed": "green", "failed": "bold red", "error": "bold red"}
_WORDS = {"error": "with errors", "xfailed": "failed as expected", "xpassed": "passed unexpectedly"}


@dataclass(frozen=True, slots=True)
class Report:
    """A finished run. `snapshot` is None where nothing was measured; `exit_code` is ours, not pytest's."""

    exit_code: int
    tests: tuple[TestFinished, ...]
    snapshot: Snapshot | None
    problems: tuple[Problem, ...]
    seconds: float

    @property
    def failures(self) -> tuple[TestFinished, ...]:
        """The tests that did not do what they should."""
        return tuple(test for test in self.tests if test.outcome in ("failed", "error"))

    @property
    def counts(self) -> dict[str, int]:
        """How many tests ended in each way."""
        found = Counter[str](test.outcome for test in self.tests)
        return {outcome: found[outcome] for outcome in OUTCOMES}

    @property
    def delta(self) -> float | None:
        """Percentage points since the run before."""
        if self.snapshot is None or self.snapshot.percent is None or self.snapshot.previous_percent is None:
            return None
        return self.snapshot.percent - self.snapshot.previous_percent


def report_json(report: Report) -> dict[str, Any]:
    """The run as one JSON value."""
    measured = report.snapshot is not None and report.snapshot.source is not None
    return {
        "version": VERSION,
        "exit_code": report.exit_code,
        "tests": {"total": len(report.tests), **report.counts, "seconds": round(report.seconds, 3)},
        "failures": [
            {"test": test.nodeid, "message": test.message or "", "file": test.file, "line": test.line}
            for test in report.failures
        ],
        "coverage": coverage_json(report.snapshot.totals) if report.snapshot and measured else None,
        "delta": report.delta,
        "problems": problems_json(dict.fromkeys(report.problems)),
    }


def print_report(report: Report, plan: Plan, top: int, outlook: str) -> None:
    """The run for people: failures, counts, coverage, the top of the plan, and how far the target is."""
    console = results()
    print_outcome(console, report, plan.target)
    if report.snapshot is not None and report.snapshot.source is not None:
        print_plan(console, plan, top, outlook)


def print_outcome(console: Console, report: Report, target: float) -> None:
    """Failures, counts, problems and coverage, for people; `target` is in percent."""
    for test in report.failures:
        _print_failure(console, test)
    if report.tests:
        console.print(_counts(report))
    print_problems(report.problems)
    if report.snapshot is not None and report.snapshot.source is not None:
        console.print(_coverage(report, target))


def _print_failure(console: Console, test: TestFinished) -> None:
    console.print(Text(f"{test.outcome.upper()} ", style="bold red").append(test.nodeid, style="bold default"))
    place = f"{test.file}:{test.line}" if test.file and test.line else test.file or ""
    message = (test.message or "").strip().splitlines()[:1]
    if place or message:
        console.print(Text(f"  {place}  ", style="cyan").append(" ".join(message), style="default"), soft_wrap=True)


def _counts(report: Report) -> Text:
    parts = [
        Text(f"{count} {_WORDS.get(outcome, outcome)}", style=_STYLES.get(outcome, "default"))
        for outcome, count in report.counts.items()
        if count
    ]
    return Text(", ").join(parts).append(f" in {report.seconds:.1f} s", style="default")


def _coverage(report: Report, target: float) -> Text:
    assert report.snapshot is not None
    text = Text(f"{percent_text(report.snapshot.totals.percent)} % covered", style="bold")
    if report.delta is not None:
        text.append(f" ({report.delta:+.1f} since the last run)", style="green" if report.delta >= 0 else "red")
    return text.append(f", target {target:g} %", style="default")
