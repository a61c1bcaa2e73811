"""`testlens plan`: rank the gaps of existing data, without running anything."""

from __future__ import annotations

from pathlib import Path

from testlens.cli.terminal import print_json, print_problems
from testlens.domain.problems import Problem
from testlens.report.plan_json import empty_plan_json, plan_json
from testlens.workspace.settings import Overrides
from testlens.workspace.workspace import Workspace

_DEFAULT_TOP = 10


def plan(root: Path, overrides: Overrides, top: int | None) -> int:
    """Print the table of the `top` riskiest gaps; the exit status is 1 without data."""
    workspace = Workspace(root, overrides)
    snapshot = workspace.refresh()
    print_problems(snapshot.problems)
    if snapshot.source is None:
        print_problems([no_data(root)])
        return 1
    from testlens.cli import plan_table, terminal

    plan_table.print_plan(terminal.results(), workspace.plan(), top or _DEFAULT_TOP)
    return 0


def plan_as_json(root: Path, overrides: Overrides, top: int | None) -> int:
    """Print the plan as one JSON object, `top` None meaning all gaps; the exit status is 1 without data."""
    workspace = Workspace(root, overrides)
    snapshot = workspace.refresh()
    if snapshot.source is None:
        problems = (*snapshot.problems, no_data(root))
        print_json(empty_plan_json(workspace.settings.target, problems))
        return 1
    found = workspace.plan()
    print_json(plan_json(found, found.gaps[:top], snapshot.problems))
    return 0


def no_data(root: Path) -> Problem:
    """There is nothing to make a plan from."""
    return Problem(
        f"There is no coverage data in {root}.",
        "Run `testlens run` there, or run your tests with coverage, or name a data file with --data.",
        severity="error",
    )
