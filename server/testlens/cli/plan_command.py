"""`testlens plan`: rank the gaps of existing data, without running anything."""

from __future__ import annotations

from pathlib import Path

from testlens.cli.reading import no_data, read_folder
from testlens.cli.terminal import print_json, print_problems
from testlens.report.mutation_summary import mutation_json, mutation_line
from testlens.report.plan_json import plan_json, unmeasured_plan_json
from testlens.workspace.settings import Overrides
from testlens.workspace.trend import outlook_now

_DEFAULT_TOP = 10


def plan(root: Path, overrides: Overrides, top: int | None) -> int:
    """Print the table of the `top` riskiest gaps; the exit status is 1 without data."""
    with read_folder(root, overrides) as workspace:
        snapshot, found = workspace.snapshot, workspace.plan()
    distance = outlook_now(root, found)
    print_problems(snapshot.problems)
    if snapshot.source is None:
        print_problems([no_data(root)])
    if snapshot.source is None and not found.gaps:
        return 1
    from testlens.cli import plan_table, terminal

    console = terminal.results()
    plan_table.print_plan(console, found, top or _DEFAULT_TOP, distance)
    line = mutation_line(snapshot)
    if line:
        console.print(line, markup=False)
    return 0


def plan_as_json(root: Path, overrides: Overrides, top: int | None) -> int:
    """Print the plan as one JSON object, `top` None meaning all gaps; the exit status is 1 without data."""
    with read_folder(root, overrides) as workspace:
        snapshot, found = workspace.snapshot, workspace.plan()
    if snapshot.source is None:
        plan = unmeasured_plan_json(found, found.gaps[:top], (*snapshot.problems, no_data(root)))
        print_json({**plan, **mutation_json(snapshot)})
        return 0 if found.gaps else 1
    plan = plan_json(found, found.gaps[:top], snapshot.problems, outlook_now(root, found))
    print_json({**plan, **mutation_json(snapshot)})
    return 0
