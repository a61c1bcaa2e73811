"""The report for programs: the plan, and every file with its functions."""

from __future__ import annotations

import json
from typing import Any

from testlens.domain.snapshot import FileReport, FunctionReport
from testlens.report.mutation_summary import mutation_json
from testlens.report.plan_json import coverage_json, plan_json
from testlens.report.view import View


def render_json(view: View) -> str:
    """One JSON object: that of `testlens plan --json`, with `files` beside it."""
    plan = plan_json(view.plan, view.plan.gaps, view.snapshot.problems, view.outlook)
    files = [_file_json(view.snapshot.files[path]) for path in sorted(view.snapshot.files)]
    return json.dumps({**plan, **mutation_json(view.snapshot), "files": files}, indent=1) + "\n"


def _file_json(file: FileReport) -> dict[str, Any]:
    return {
        "path": file.path,
        **coverage_json(file.numbers),
        "functions": [_function_json(function) for function in file.functions],
    }


def _function_json(entry: FunctionReport) -> dict[str, Any]:
    function = entry.function
    return {
        "name": function.name,
        "lines": [function.first, function.last],
        **coverage_json(entry.numbers),
        "complexity": function.complexity,
        "crap": entry.crap,
        "risk": entry.risk,
    }
