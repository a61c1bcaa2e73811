"""A check as JSON values: what `testlens check --json` prints."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from testlens.domain.baseline import Comparison
from testlens.domain.changed_lines import ChangedLines
from testlens.domain.gates import Gate
from testlens.domain.problems import Problem
from testlens.report.mutation_summary import mutation_json
from testlens.report.plan_json import VERSION, coverage_json, problems_json
from testlens.workspace.checking import Check
from testlens.workspace.views import PlacedGap


def check_json(check: Check) -> dict[str, Any]:
    """Whether all gates hold, each gate, and what is new. Percentages are not rounded, lines are those on disk."""
    totals = check.snapshot.totals
    new_gaps = check.new_gaps
    return {
        "version": VERSION,
        "passed": check.passed,
        "exit_code": 0 if check.passed else 1,
        "coverage": {**coverage_json(totals), "percent_branches": totals.percent_branches},
        **mutation_json(check.snapshot),
        "gates": [_gate_json(gate) for gate in check.gates],
        "diff": None if check.changed is None else _changed_json(check.changed),
        "baseline": None if check.comparison is None else _comparison_json(check.comparison),
        "new_gaps": None if new_gaps is None else [_gap_json(placed) for placed in new_gaps],
        "problems": problems_json(check.problems),
    }


def no_check_json(problems: Iterable[Problem]) -> dict[str, Any]:
    """The same where nothing could be checked."""
    return {
        "version": VERSION,
        "passed": None,
        "exit_code": 2,
        "coverage": None,
        "gates": [],
        "diff": None,
        "baseline": None,
        "new_gaps": None,
        "problems": problems_json(problems),
    }


def _gate_json(gate: Gate) -> dict[str, Any]:
    return {
        "name": gate.name,
        "passed": gate.passed,
        "required": gate.required,
        "actual": gate.actual,
        "summary": gate.summary,
        "losses": [
            {
                "file": loss.file,
                "function": loss.function,
                "statements": loss.statements,
                "branches": loss.branches,
                "mutants": loss.mutants,
            }
            for loss in gate.losses
        ],
        "way_back": None
        if gate.way_back is None
        else [
            {"file": step.file, "function": step.function, "gain": step.gain, "reaches": step.reached}
            for step in gate.way_back
        ],
    }


def _changed_json(changed: ChangedLines) -> dict[str, Any]:
    numbers = changed.numbers
    return {
        "revision": changed.revision,
        "percent": numbers.percent,
        "lines": numbers.statements,
        "missing": numbers.missing,
        "files": [
            {
                "path": file.path,
                "old_path": file.old_path,
                "percent": file.numbers.percent,
                "lines": sorted(file.measured),
                "missing": sorted(file.missing),
            }
            for file in changed.files
        ],
    }


def _comparison_json(comparison: Comparison) -> dict[str, Any]:
    return {
        **coverage_json(comparison.before),
        "mutation_score": comparison.mutants_before.score if comparison.mutants_before.checked else None,
    }


def _gap_json(placed: PlacedGap) -> dict[str, Any]:
    region = placed.gap.region
    return {
        "file": placed.gap.file,
        "function": region.function,
        "kind": region.kind,
        "lines": [placed.first, placed.last],
        "title": placed.title,
        "reason": placed.reason,
        "risk": placed.gap.risk.score,
    }
