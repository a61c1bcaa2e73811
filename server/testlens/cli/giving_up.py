"""What a command leaves behind that could do nothing: the reason, in the shape that was asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from testlens.cli import terminal
from testlens.domain.problems import Problem

FAILED = 2
Shape = Callable[[Problem], Mapping[str, Any]]


def give_up(cause: Problem, arguments: Sequence[str]) -> int:
    """Say why nothing came of the command, as one JSON object where that was asked for; returns the exit status."""
    problem = replace(cause, severity="error")
    command = arguments[0] if arguments else ""
    as_json = "--json" in arguments and command != "report"
    if not as_json or command == "mutate":
        terminal.print_problems([problem])
    if as_json:
        terminal.print_json(_SHAPES.get(command, _no_plan)(problem))
    return FAILED


def _no_mutants(_problem: Problem) -> Mapping[str, Any]:
    from testlens.report.mutants_json import mutants_json

    return mutants_json((), None)


def _no_scaffold(problem: Problem) -> Mapping[str, Any]:
    from testlens.report.scaffold_json import no_scaffold_json

    return no_scaffold_json(problem.message, [problem])


def _no_kill(problem: Problem) -> Mapping[str, Any]:
    from testlens.report.kill_json import no_kill_json

    return no_kill_json(problem.message, [problem])


def _no_check(problem: Problem) -> Mapping[str, Any]:
    from testlens.report.check_json import no_check_json

    return no_check_json([problem])


def _no_baseline(problem: Problem) -> Mapping[str, Any]:
    from testlens.report.baseline_json import no_baseline_json

    return no_baseline_json([problem])


def _no_plan(problem: Problem) -> Mapping[str, Any]:
    from testlens.report.plan_json import VERSION, problems_json

    return {
        "version": VERSION,
        "exit_code": FAILED,
        "coverage": None,
        "gaps": [],
        "problems": problems_json([problem]),
    }


_SHAPES: Mapping[str, Shape] = {
    "mutate": _no_mutants,
    "scaffold": _no_scaffold,
    "kill": _no_kill,
    "check": _no_check,
    "baseline": _no_baseline,
}
