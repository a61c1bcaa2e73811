"""`testlens mutate`: check mutants, and say which of them no test notices."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from testlens.cli.ci_commands import WHOLE, Part
from testlens.cli.equipment import install_missing, ready_interpreter
from testlens.cli.failure import Failure
from testlens.cli.mutate_report import MutateProgress, print_outcome
from testlens.cli.sharding import report_file, shard_of, write_report
from testlens.cli.stoppable import run_stoppable
from testlens.cli.terminal import print_json, print_problems, progress
from testlens.domain.problems import Problem
from testlens.report.mutants_json import mutants_json
from testlens.runners.interpreter import Wishes
from testlens.runners.mutation_runner import run_mutants
from testlens.runners.process import run_text
from testlens.workspace.mutation import MutationOutcome, Run, mutate
from testlens.workspace.mutation_job import Listeners
from testlens.workspace.mutation_targets import MutationTarget, changed_lines
from testlens.workspace.settings import Overrides
from testlens.workspace.sharding import only, part_of, shard_document
from testlens.workspace.workspace import Workspace

_BUDGET = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}
_FAILED = 2


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to check, for how many seconds at most, by what they are run, and which part of it."""

    root: Path
    overrides: Overrides
    target: MutationTarget
    budget: float | None
    run: Run = run_mutants
    part: Part = WHOLE


def target_of(root: Path, file: str | None, function: str | None, revision: str | None) -> MutationTarget:
    """What the options name; a `Failure` where there is no such thing."""
    target = MutationTarget(None if file is None else _relative(root, file), function)
    if revision is None:
        return target
    lines = changed_lines(root, revision, run_text)
    if isinstance(lines, Problem):
        raise Failure(lines)
    if target.file is not None:
        lines = {path: numbers for path, numbers in lines.items() if path == target.file}
    return replace(target, lines=lines)


def seconds_of(budget: str | None) -> float | None:
    """The seconds of a budget such as `60s`, `2m` or `90`; a `Failure` if it is none."""
    if budget is None:
        return None
    match = _BUDGET.fullmatch(budget.strip())
    if match is None or not float(match[1]):
        raise Failure(Problem(f"`{budget}` is no budget.", "Write seconds or minutes, such as 60s or 2m."))
    return float(match[1]) * _SECONDS[match[2]]


def run(wanted: Wanted) -> int:
    """Check mutants and print the result for people; returns the exit status."""
    outcome = _mutate(wanted)
    print_outcome(outcome, _texts(wanted.root, outcome))
    return _status(outcome)


def run_as_json(wanted: Wanted) -> int:
    """Check mutants and print the result as one JSON object; returns the exit status."""
    outcome = _mutate(wanted)
    print_problems(outcome.problems)
    print_json(mutants_json(outcome.mutants, outcome.score))
    return _status(outcome)


def _status(outcome: MutationOutcome) -> int:
    has_failed = any(problem.severity == "error" for problem in outcome.problems)
    return 0 if outcome.trusted and not has_failed else _FAILED


def _mutate(wanted: Wanted) -> MutationOutcome:
    shard, report = shard_of(wanted.part.shard), report_file(wanted.part.report)
    outcome = _mutate_with(wanted, wanted.run if shard is None else only(wanted.run, shard))
    if report is not None:
        write_report(report, shard_document(wanted.root, outcome, shard))
    return outcome if shard is None else part_of(outcome, shard)


def _mutate_with(wanted: Wanted, run: Run) -> MutationOutcome:
    with contextlib.closing(Workspace(wanted.root, wanted.overrides)) as workspace:
        configured = workspace.settings.config.python
        wishes = Wishes(explicit=wanted.overrides.python, configured=configured, explicit_name="--python")
        if sys.platform == "win32":
            advice = "Open the folder in WSL, where it does."
            raise Failure(Problem("mutmut does not run on Windows: it needs processes that can be copied.", advice))
        interpreter = ready_interpreter(wanted.root, wishes)
        workspace.refresh()
        while True:
            with MutateProgress(progress()) as shown:
                listeners = Listeners(shown.take_mutant, shown.take)
                work = mutate(workspace, interpreter.path, wanted.target, listeners, wanted.budget, run)
                outcome = run_stoppable(work)
            if not outcome.missing or not install_missing(interpreter, outcome.missing, wanted.root):
                return outcome


def _texts(root: Path, outcome: MutationOutcome) -> Mapping[str, str]:
    paths = {mutant.file for mutant in outcome.mutants if mutant.status == "survived"}
    return {path: (root / path).read_text(encoding="utf-8", errors="replace") for path in paths}


def _relative(root: Path, file: str) -> str:
    for place in (root / file, Path(file).expanduser().absolute()):
        if place.is_file() and place.resolve().is_relative_to(root):
            return place.resolve().relative_to(root).as_posix()
    raise Failure(Problem("There is no such file in the project.", "Name a Python file of it.", file))
