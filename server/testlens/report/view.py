"""What reports show, taken from a workspace once."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from testlens.domain.plan import Plan
from testlens.domain.problems import Problem
from testlens.domain.snapshot import Snapshot
from testlens.domain.trend import Trend, outlook
from testlens.workspace.known_mutants import MutatedFile
from testlens.workspace.trend import load_trend
from testlens.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class View:
    """A workspace at one moment. `mutated` has all mutants by path, `trend` the runs that are remembered.

    `outlook` says how far the target is. `warnings` and `notes` are the problems in words, which name no folder of the
    machine that the report is made on. `time` is in seconds since the epoch.
    """

    name: str
    snapshot: Snapshot
    plan: Plan
    trend: Trend
    outlook: str
    time: float
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    mutated: tuple[MutatedFile, ...] = ()


def make_view(workspace: Workspace) -> View:
    """Take what reports show of the newest snapshot."""
    now, plan, trend = time.time(), workspace.plan(), load_trend(workspace.root)
    problems = dict.fromkeys(workspace.snapshot.problems)
    return View(
        name=workspace.root.name or str(workspace.root),
        snapshot=workspace.snapshot,
        plan=plan,
        trend=trend,
        outlook=outlook(plan, trend, now),
        time=now,
        warnings=_in_words(workspace.root, (one for one in problems if one.severity != "information")),
        notes=_in_words(workspace.root, (one for one in problems if one.severity == "information")),
        mutated=tuple(workspace.mutated_files.values()),
    )


def _in_words(root: Path, problems: Iterable[Problem]) -> tuple[str, ...]:
    return tuple(str(problem).replace(f"{root}{os.sep}", "").replace(str(root), root.name) for problem in problems)
