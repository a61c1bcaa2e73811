"""On published projects, every percentage that a gate holds is coverage.py's or diff-cover's on the same data."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from diff_cover import diff_cover_tool

from cli.projects import json_of, run_here
from real.published import PYTEST_ARGS, environment, unpacked
from real.seeded_changes import commit_all, git, undo_at_random

pytestmark = [pytest.mark.real, pytest.mark.timeout(900)]

PROJECTS = {
    "itsdangerous": ("tests",),
    "click": ("tests/test_options.py", "tests/test_arguments.py"),
    "jinja2": ("tests/test_filters.py", "tests/test_lexnparse.py"),
}
"""Each with the tests to measure it by: parts of a suite leave more for a change to miss, and take seconds."""
SEEDS = range(10)


@dataclass(frozen=True, slots=True)
class Measured:
    """A published project, with data of coverage.py in `.coverage` and its own reports in `out`."""

    root: Path
    python: Path

    def coverage(self, *arguments: str) -> None:
        """Run coverage.py in the project."""
        command = (str(self.python), "-m", "coverage", *arguments)
        done = subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Measured]:
    """A function that gives a measured project by name."""

    @cache
    def get(name: str) -> Measured:
        project = Measured(unpacked(name, tmp_path_factory.mktemp("gates")), environment())
        project.coverage("run", "--branch", "-m", "pytest", *PYTEST_ARGS, "-q", *PROJECTS[name])
        (project.root / "out").mkdir()
        for kind in ("json", "xml"):
            # jinja2's suite renders a template that coverage.py takes for broken Python, and stops at.
            project.coverage(kind, "--quiet", "--ignore-errors", "-o", f"out/coverage.{kind}")
        return project

    return get


@pytest.fixture(scope="module")
def compared(measured: Callable[[str], Measured]) -> Callable[[str, int], Compared]:
    """A function that makes the change of a seed and asks both, once."""

    @cache
    def get(name: str, seed: int) -> Compared:
        project = measured(name)
        base = a_change(project, seed)
        parted = git(project.root, "merge-base", base, "HEAD").strip()
        done = run_here("check", project.root, "--diff", base, "--fail-under-diff", "0", "--json")
        before = git(project.root, "rev-parse", f"{parted}^{{tree}}")
        return Compared(before, diff_cover(project.root, base), json_of(done))

    return get


@dataclass(frozen=True, slots=True)
class Compared:
    """A change: the tree of git that it began with, what diff-cover says of it, and what `testlens check` does."""

    before: str
    expected: dict[str, Any]
    found: dict[str, Any]


def diff_cover(root: Path, revision: str) -> dict[str, Any]:
    """What diff-cover says of the lines changed since a revision."""
    found = root / "out" / "diff-cover.json"
    options = ["--compare-branch", revision, "--format", f"json:{found}", "--quiet", "--total-percent-float"]
    with contextlib.chdir(root):
        assert diff_cover_tool.main(["diff-cover", "out/coverage.xml", *options]) == 0
    answer: dict[str, Any] = json.loads(found.read_text(encoding="utf-8"))
    return answer


def a_change(project: Measured, seed: int) -> str:
    """A repository whose newest commit is what was measured; returns the branch that the seeded change parted from.

    That branch went on meanwhile: what was done there is no part of the change.
    """
    root = project.root
    shutil.rmtree(root / ".git", ignore_errors=True)
    git(root, "init", "--quiet", "--initial-branch", "main")
    (root / ".git" / "info" / "exclude").write_text("/out/\n/.coverage\n.testlens/\n__pycache__/\n", encoding="utf-8")
    measured = commit_all(root, "as it was measured")
    sources = sorted(root.glob("src/**/*.py"))
    git(root, "checkout", "--quiet", "-b", "base")
    undo_at_random(root, sources, seed)
    parted = commit_all(root, "as it was before")
    undo_at_random(root, sorted(root.glob("src/**/*.py")), seed + 1000)
    commit_all(root, "meanwhile")
    # The change itself: the tree that was measured, as a commit on top of the base.
    git(root, "checkout", "--quiet", "-b", "change", parted)
    git(root, "rm", "--quiet", "-r", "--cached", ".")
    git(root, "checkout", "--quiet", measured, "--", ".")
    git(root, "clean", "--quiet", "--force", "-d")
    commit_all(root, "the change")
    assert git(root, "diff", "--stat", measured, "HEAD") == ""
    return "base"


@pytest.mark.parametrize("name", PROJECTS)
def test_percent_and_branch_percent_are_coverage_pys(name: str, measured: Callable[[str], Measured]) -> None:
    project = measured(name)
    totals = json.loads((project.root / "out" / "coverage.json").read_text(encoding="utf-8"))["totals"]
    options = ("--fail-under", "0", "--fail-under-branches", "0", "--json")
    found = json_of(run_here("check", project.root, *options))
    gates = {gate["name"]: gate["actual"] for gate in found["gates"]}
    assert gates == {"coverage": totals["percent_covered"], "branches": totals["percent_branches_covered"]}
    assert found["coverage"]["percent"] == totals["percent_covered"]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", PROJECTS)
def test_changed_lines_are_diff_covers(name: str, seed: int, compared: Callable[[str, int], Compared]) -> None:
    change = compared(name, seed)
    expected, found = change.expected, change.found
    assert expected["total_num_lines"] > 0
    files = {file["path"]: file for file in found["diff"]["files"]}
    assert {path: file["missing"] for path, file in files.items()} == {
        path: stats["violation_lines"] for path, stats in expected["src_stats"].items()
    }
    assert {path: sorted(set(file["lines"]) - set(file["missing"])) for path, file in files.items()} == {
        path: stats["covered_lines"] for path, stats in expected["src_stats"].items()
    }
    (gate,) = found["gates"]
    assert gate["actual"] == found["diff"]["percent"]
    assert round(gate["actual"], 2) == expected["total_percent_covered"]
    covered = expected["total_num_lines"] - expected["total_num_violations"]
    assert gate["actual"] == 100.0 * covered / expected["total_num_lines"]


def test_each_seed_makes_another_change_and_some_touch_lines_that_no_test_runs(
    compared: Callable[[str, int], Compared],
) -> None:
    changes = [compared("click", seed) for seed in SEEDS]
    assert len({change.before for change in changes}) == len(SEEDS)
    assert any(change.expected["total_num_violations"] for change in changes)
