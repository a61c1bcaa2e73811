"""Runs scenarios that behave runs, not pytest, and says what came of them."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from testlens.domain.problems import Problem
from testlens.runners.process import run_text
from testlens.scaffold.feature_files import names_in
from testlens.workspace.scaffolding import TIMES, Outcome, Scaffold, Verdict

_NOT_MEASURED = "behave ran it, so what it covers was not measured"


async def judge_with_behave(root: Path, python: str, scaffold: Scaffold, timeout: float) -> Verdict:
    """Run the new scenarios of a scaffold, which has been written to disk, as often as it takes to call them steady."""
    command = [python, "-m", "behave", "--no-color", *_selection(scaffold)]
    runs = [await asyncio.to_thread(run_text, command, root, timeout) for _ in range(TIMES)]
    problem = next((run for run in runs if isinstance(run, Problem)), None)
    if problem is not None:
        return _verdict(scaffold, "error", problem.sentences)
    states = {run.status for run in runs if not isinstance(run, Problem)}
    if scaffold.todo is not None:
        return _verdict(scaffold, "todo", f"to be finished: {scaffold.todo}")
    if states == {0}:
        return _verdict(scaffold, "passed", "green")
    if 0 in states:
        return _verdict(scaffold, "flaky", "flaky: it does not come out the same each time")
    output = next(run.output + run.errors for run in runs if not isinstance(run, Problem))
    return _verdict(scaffold, "failed", f"red: {_complaint(output)}")


def _selection(scaffold: Scaffold) -> list[str]:
    """The arguments that choose the new scenarios of the feature file, and no others."""
    features = [path for path in scaffold.written.files if path.endswith(".feature")]
    names = sorted(name for path in features for name in names_in(scaffold.written.added[path]))
    return [*(part for name in names for part in ("--name", f"^{re.escape(name)}$")), *features]


def _verdict(scaffold: Scaffold, outcome: Outcome, message: str) -> Verdict:
    region = scaffold.gap.region
    missing = region.statements or (region.first,)
    return Verdict(outcome, (), missing, f"{message} ({_NOT_MEASURED})")


def _complaint(output: str) -> str:
    """The line that says what went wrong."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    telling = (line for line in lines if re.match(r"(ASSERT FAILED|\w*Error|No module)", line))
    return next(telling, lines[-1] if lines else "behave says nothing")
