"""`testlens plan`: rank the gaps of existing data, without running anything."""

from __future__ import annotations

from pathlib import Path

from testlens.cli.reading import no_data, read_folder
from testlens.cli.terminal import print_json, print_problems
from testlens.report.plan_json import empty_plan_json, plan_json
from testlens.workspace.settings import Overrides

_DEFAULT_TOP = 10


def plan(root: Path, overrides: Overrides, top: int | None) -> int:
    """Print the table of the `top` riskiest gaps; the exit status is 1 without data."""
    workspace = read_folder(root, overrides)
    snapshot = workspace.snapshot
    print_problems(snapshot.problems)
    if snapshot.source is None:
        print_problems([no_data(root)])
        return 1
    from testlens.cli import plan_table, terminal

    plan_table.print_plan(terminal.results(), workspace.plan(), top or _DEFAULT_TOP)
    return 0


def plan_as_json(root: Path, overrides: Overrides, top: int | None) -> int:
    """Print the plan as one JSON object, `top` None meaning all gaps; the exit status is 1 without data."""
    workspace = read_folder(root, overrides)
    snapshot = workspace.snapshot
    if snapshot.source is None:
        problems = (*snapshot.problems, no_data(root))
        print_json(empty_plan_json(workspace.settings.target, problems))
        return 1
    found = workspace.plan()
    print_json(plan_json(found, found.gaps[:top], snapshot.problems))
    return 0
