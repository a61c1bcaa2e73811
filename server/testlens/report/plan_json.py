"""The plan as JSON values: the one shape that `plan --json`, `run --json` and the JSON report share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from testlens.domain.coverage import Numbers
from testlens.domain.plan import Plan, PlannedGap
from testlens.domain.problems import Problem
from testlens.domain.survivors import Survivor

VERSION = 1
"""Raised when a key changes its meaning or goes away; new keys may come at any time."""


def plan_json(plan: Plan, gaps: Iterable[PlannedGap], problems: Iterable[Problem], outlook: str) -> dict[str, Any]:
    """The plan with those of its gaps that were asked for, riskiest first; `outlook` says how far the target is."""
    return {
        "version": VERSION,
        "coverage": coverage_json(plan.totals),
        "target": plan.target,
        "outlook": outlook,
        "gaps": [_gap_json(planned) for planned in gaps],
        "problems": problems_json(problems),
    }


def unmeasured_plan_json(plan: Plan, gaps: Iterable[PlannedGap], problems: Iterable[Problem]) -> dict[str, Any]:
    """The plan where there is no coverage data: of survivors alone, if there are any."""
    return {
        "version": VERSION,
        "coverage": None,
        "target": plan.target,
        "gaps": [_gap_json(planned) for planned in gaps],
        "problems": problems_json(problems),
    }


def coverage_json(numbers: Numbers) -> dict[str, float]:
    """Counts, and the percent that coverage.py has for them, not rounded."""
    return {
        "percent": numbers.percent,
        "statements": numbers.statements,
        "missing": numbers.missing,
        "branches": numbers.branches,
        "missing_branches": numbers.missing_branches,
    }


def problems_json(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    """What went wrong, and what to do about it."""
    return [
        {
            "message": problem.message,
            "advice": problem.advice,
            "path": problem.path,
            "line": problem.line,
            "severity": problem.severity,
        }
        for problem in problems
    ]


def _gap_json(planned: PlannedGap) -> dict[str, Any]:
    # Tuples become JSON arrays: a large project has tens of thousands of gaps, so nothing is copied.
    gap, region, risk = planned.gap, planned.gap.region, planned.gap.risk
    entry = {
        "file": gap.file,
        "function": region.function,
        "kind": region.kind,
        "lines": (region.first, region.last),
        "statements": region.statements,
        "arcs": region.arcs,
        "reason": region.reason,
        "risk": risk.score,
        "factors": dict(risk.factors),
        "left_out": risk.left_out,
        "gain": planned.gain,
    }
    if gap.survivor is not None:
        entry["mutant"] = _mutant_json(gap.survivor)
    return entry


def _mutant_json(survivor: Survivor) -> dict[str, Any]:
    mutant, span = survivor.mutant, survivor.mutant.span
    return {
        "name": mutant.name,
        "diff": survivor.diff,
        "status": mutant.status,
        "tests": mutant.tests,
        "start": (span.first_line, span.first_column),
        "end": (span.last_line, span.last_column),
        "original": mutant.original,
        "replacement": mutant.replacement,
    }
