"""`testlens check`: whether the tests still prove what they must, told to people and to CI from one value."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from testlens.cli.baseline_command import baseline_file
from testlens.cli.failure import Failure
from testlens.cli.gate_commands import STEP_SUMMARY
from testlens.cli.output_files import not_written, safe_target, write_texts
from testlens.cli.reading import no_data, read_folder
from testlens.cli.terminal import print_json, print_problems
from testlens.domain.gates import Requirements
from testlens.domain.problems import Problem
from testlens.runners.process import run_text
from testlens.workspace.checking import Check, Question
from testlens.workspace.checking import check as judge
from testlens.workspace.settings import Overrides

_SUFFIXES = {
    "summary": (".md", ".markdown", ".txt"),
    "comment": (".md", ".markdown", ".txt"),
    "sarif": (".sarif", ".json"),
    "junit": (".xml",),
    "badge": (".svg",),
    "mutation-badge": (".svg",),
}


@dataclass(frozen=True, slots=True)
class Outputs:
    """What is written beside the exit status: files by their option, without dashes, and what to print."""

    files: Mapping[str, str | None]
    github: bool = False
    json: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asks for. `levels` has percentages by option; `baseline` is a file, as it was named."""

    root: Path
    overrides: Overrides
    levels: Mapping[str, float | None]
    revision: str | None
    no_drop: bool
    baseline: str | None
    outputs: Outputs


def check(wanted: Wanted) -> int:
    """Judge the project and write every output; the exit status is 0 where all gates hold, else 1."""
    _refuse_nonsense(wanted)
    outputs = wanted.outputs
    # Where it cannot be written is said before anything is read.
    step_summary = _step_summary(outputs)
    targets = {
        kind: safe_target(name, kind, _SUFFIXES[kind])
        for kind, name in outputs.files.items()
        if name is not None and not (kind == "summary" and step_summary is not None)
    }
    _refuse_the_same(targets)
    found = _answer(wanted)
    _write(found, targets, step_summary)
    _print(found, outputs)
    return 0 if found.passed else 1


def _refuse_nonsense(wanted: Wanted) -> None:
    for option, level in wanted.levels.items():
        if level is not None and not (isfinite(level) and 0 <= level <= 100):
            advice = f"Write a percentage from 0 to 100, such as {option} 85."
            raise Failure(Problem(f"`{option} {level:g}` is no percentage.", advice))
    if wanted.levels["--fail-under-diff"] is not None and wanted.revision is None:
        advice = "Add --diff REV, such as --diff origin/main."
        raise Failure(Problem("--fail-under-diff speaks of the lines that --diff finds, and there is none.", advice))


def _refuse_the_same(targets: Mapping[str, Path]) -> None:
    first: dict[Path, str] = {}
    for kind, file in targets.items():
        other = first.setdefault(file.absolute(), kind)
        if other != kind:
            message = f"Both --{other} and --{kind} would write it."
            raise Failure(Problem(message, "Name a file for each.", str(file)))


def _answer(wanted: Wanted) -> Check:
    with read_folder(wanted.root, wanted.overrides) as workspace:
        if workspace.snapshot.source is None:
            raise Failure(no_data(wanted.root))
        question = _question(wanted, workspace.settings.config.thresholds)
        found = judge(workspace, question, run_text)
    if isinstance(found, Problem):
        raise Failure(found)
    return found


def _question(wanted: Wanted, thresholds: Mapping[str, float]) -> Question:
    levels = wanted.levels
    requirements = Requirements(
        coverage=levels["--fail-under"],
        branches=levels["--fail-under-branches"],
        mutation=levels["--fail-under-mutation"],
        changed=levels["--fail-under-diff"],
        thresholds=thresholds,
        no_drop=wanted.no_drop,
    )
    shows = any(name is not None for name in wanted.outputs.files.values()) or wanted.revision is not None
    if not (requirements.has_any or shows or wanted.outputs.github):
        advice = (
            "Give one of --fail-under P, --no-drop and --diff REV --fail-under-diff P, "
            'or write globs such as `"src/payments/**" = 90` under [tool.testlens.thresholds].'
        )
        raise Failure(Problem("There is nothing to check: no gate is set.", advice))
    compares = wanted.no_drop or wanted.baseline is not None
    baseline = baseline_file(wanted.root, wanted.baseline)
    # Without a gate, an existing baseline still says what became better or worse.
    return Question(requirements, wanted.revision, baseline if compares or baseline.is_file() else None)


def _step_summary(outputs: Outputs) -> Path | None:
    """The file for the summary of the running step, None where it was not asked for."""
    named = outputs.files.get("summary")
    place = os.environ.get("GITHUB_STEP_SUMMARY")
    asked = named is not None and named in (STEP_SUMMARY, place)
    if asked and not place:
        message = "There is no step whose summary could be written: GITHUB_STEP_SUMMARY is not set."
        raise Failure(Problem(message, "Name a file: --summary FILE."))
    wanted = asked or (outputs.github and named is None)
    return Path(place) if place and wanted else None


def _write(found: Check, targets: Mapping[str, Path], step_summary: Path | None) -> None:
    # Everything is made before anything is written: an output that fails leaves the old files alone.
    texts = {file: _renderer(kind)(found) for kind, file in targets.items()}
    summary = _renderer("summary")(found) if step_summary is not None else ""
    write_texts(texts)
    if step_summary is not None:
        try:
            with step_summary.open("a", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
                file.write(summary)
        except OSError as error:
            raise not_written(step_summary, error) from None


def _renderer(kind: str) -> Callable[[Check], str]:
    if kind in ("summary", "comment"):
        from testlens.report import check_markdown

        return check_markdown.render_summary if kind == "summary" else check_markdown.render_comment
    if kind == "sarif":
        from testlens.report.sarif import render_sarif

        return render_sarif
    if kind == "junit":
        from testlens.report.junit import render_junit

        return render_junit
    from testlens.report.badge import render_badge

    if kind == "badge":
        return lambda found: render_badge("coverage", found.snapshot.totals.percent)
    return lambda found: render_badge("mutation score", found.snapshot.mutants.score)


def _print(found: Check, outputs: Outputs) -> None:
    if outputs.github:
        from testlens.report.github import workflow_commands

        # GitHub reads them from both streams; with --json one object alone belongs on standard output.
        print(workflow_commands(found), end="", file=sys.stderr if outputs.json else sys.stdout)
    if outputs.json:
        from testlens.report.check_json import check_json

        print_json(check_json(found))
        return
    print_problems(found.problems)
    from testlens.cli.check_report import print_check

    if not outputs.github:
        print_check(found)
        return
    # What follows quotes names and texts of the project, none of which may be taken for a command.
    token = secrets.token_hex(16)
    print(f"::stop-commands::{token}")
    print_check(found)
    print(f"::{token}::")
