"""How a snapshot speaks of its data and of problems."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from testlens.domain.problems import Problem
from testlens.sources.discovery import DataFile


def relative(problem: Problem, root: Path) -> Problem:
    """The problem with a path that is relative to the workspace folder, where it lies in that."""
    if problem.path is None or not Path(problem.path).is_relative_to(root):
        return problem
    return replace(problem, path=Path(problem.path).relative_to(root).as_posix())


def in_words(root: Path, data: DataFile) -> str:
    """What to call the data that numbers come from."""
    if data.kind == "own run":
        return "Testlens' own run"
    name = data.paths[0].relative_to(root).as_posix() if data.paths[0].is_relative_to(root) else str(data.paths[0])
    return name if len(data.paths) == 1 else f"{name} and {len(data.paths) - 1} more"


def edited_since(paths: list[str]) -> Problem:
    """That these files, at least one, are other ones than those that were measured."""
    named = ", ".join(paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")
    verb = "has" if len(paths) == 1 else "have"
    return Problem(
        f"{named} {verb} changed since the coverage was measured.",
        "Run the tests again to see where they stand now.",
        severity="information",
    )
