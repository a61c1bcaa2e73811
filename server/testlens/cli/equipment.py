"""Makes sure that the project's interpreter has what a test run needs, and offers to install what is missing."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import typer

from testlens.cli.failure import Failure
from testlens.domain.problems import Problem
from testlens.runners.interpreter import (
    Equipment,
    Interpreter,
    Wishes,
    examine,
    find_interpreter,
    install_command,
    missing_problem,
)
from testlens.runners.process import run_text

_INSTALL_TIMEOUT = 600.0


def ready_interpreter(root: Path, wishes: Wishes) -> Interpreter:
    """The project's interpreter, with pytest and coverage; a `Failure` says what is missing where."""
    interpreter = find_interpreter(root, wishes)
    if isinstance(interpreter, Problem):
        raise Failure(interpreter)
    while (equipment := _examine(interpreter, root)).missing:
        problem = missing_problem(interpreter, equipment)
        assert problem is not None
        if not _may_install(problem):
            raise Failure(problem)
        _install(install_command(interpreter, equipment), root)
    return interpreter


def install_missing(interpreter: Interpreter, missing: tuple[str, ...], root: Path) -> bool:
    """Offer to install further packages, and do so where the user wants it; whether it was done."""
    equipment = replace(_examine(interpreter, root), missing=missing)
    problem = missing_problem(interpreter, equipment)
    assert problem is not None
    if not _may_install(problem):
        return False
    _install(install_command(interpreter, equipment), root)
    return True


def _examine(interpreter: Interpreter, root: Path) -> Equipment:
    equipment = examine(interpreter, root)
    if isinstance(equipment, Problem):
        raise Failure(equipment)
    return equipment


def _may_install(problem: Problem) -> bool:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    typer.echo(str(problem), err=True)
    return typer.confirm("Install now?", default=False, err=True)


def _install(command: tuple[str, ...], root: Path) -> None:
    typer.echo(f"Running {' '.join(command)} ...", err=True)
    done = run_text(command, root, _INSTALL_TIMEOUT)
    if isinstance(done, Problem):
        raise Failure(done)
    if done.status != 0:
        said = (done.errors.strip() or done.output.strip()).splitlines()[-1:] or [f"exit status {done.status}"]
        advice = f"Run `{' '.join(command)}` yourself to see more."
        raise Failure(Problem(f"The installation failed: {said[0]}", advice, severity="error"))
