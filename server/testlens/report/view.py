"""What reports show, taken from a workspace once."""

from __future__ import annotations

import time
from dataclasses import dataclass

from testlens.domain.plan import Plan
from testlens.domain.snapshot import Snapshot
from testlens.domain.trend import Trend, outlook
from testlens.workspace.known_mutants import MutatedFile
from testlens.workspace.trend import load_trend
from testlens.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class View:
    """A workspace at one moment. `mutated` has all mutants by path, `trend` the runs that are remembered.

    `outlook` says how far the target is. `time` is in seconds since the epoch.
    """

    name: str
    snapshot: Snapshot
    plan: Plan
    trend: Trend
    outlook: str
    time: float
    mutated: tuple[MutatedFile, ...] = ()


def make_view(workspace: Workspace) -> View:
    """Take what reports show of the newest snapshot."""
    now, plan, trend = time.time(), workspace.plan(), load_trend(workspace.root)
    return View(
        name=workspace.root.name or str(workspace.root),
        snapshot=workspace.snapshot,
        plan=plan,
        trend=trend,
        outlook=outlook(plan, trend, now),
        time=now,
        mutated=tuple(workspace.mutated_files.values()),
    )
