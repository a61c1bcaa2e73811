"""On published projects, every percentage that a gate holds is coverage.py's or diff-cover's on the same data."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.projects import json_of, run_testlens
from real.conftest import Published
from real.seeded_changes import commit_all, git, undo_at_random

pytestmark = [pytest.mark.real, pytest.mark.timeout(900)]

PROJECTS = ("itsdangerous", "click", "jinja2")
SEEDS = range(10)


@pytest.fixture(scope="module")
def measured(published: Callable[[str], Published]) -> Iterator[Callable[[str], Published]]:
    """A published project with coverage.py's own reports of its run beside it: coverage.json and coverage.xml."""

    seen: dict[str, Published] = {}

    def get(name: str) -> Published:
        if name not in seen:
            seen[name] = published(name)
            (seen[name].root / "out").mkdir()
            for kind in ("json", "xml"):
                report(seen[name], kind)
        return seen[name]

    yield get
    for project in seen.values():
        # Other tests know neither.
        shutil.rmtree(project.root / "out")
        shutil.rmtree(project.root / ".git", ignore_errors=True)


def report(project: Published, kind: str) -> None:
    """Have coverage.py write `out/coverage.KIND`."""
    copy = project.root / "out" / "copy.coverage"
    shutil.copy(project.data, copy)
    # jinja2's suite renders a template without a suffix, which coverage.py takes for broken Python and stops at.
    options = ("--quiet", "--ignore-errors", f"--data-file={copy}", "-o", f"out/coverage.{kind}")
    command = (str(project.python), "-m", "coverage", kind, *options)
    done = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def diff_cover(root: Path, revision: str) -> dict[str, Any]:
    """What diff-cover says of the lines changed since a revision."""
    found = root / "out" / "diff-cover.json"
    options = ("--compare-branch", revision, "--format", f"json:{found}", "--quiet", "--total-percent-float")
    program = "import sys; from diff_cover.diff_cover_tool import main; sys.exit(main())"
    command = (sys.executable, "-c", program, "out/coverage.xml", *options)
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    answer: dict[str, Any] = json.loads(found.read_text(encoding="utf-8"))
    return answer


def a_change(project: Published, seed: int) -> str:
    """A repository whose newest commit is what was measured; returns the branch that the seeded change parted from.

    That branch went on meanwhile: what was done there is no part of the change.
    """
    root = project.root
    shutil.rmtree(root / ".git", ignore_errors=True)
    git(root, "init", "--quiet", "--initial-branch", "main")
    (root / ".git" / "info" / "exclude").write_text("/out/\n.testlens/\n__pycache__/\n", encoding="utf-8")
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
def test_percent_and_branch_percent_are_coverage_pys(name: str, measured: Callable[[str], Published]) -> None:
    project = measured(name)
    totals = json.loads((project.root / "out" / "coverage.json").read_text(encoding="utf-8"))["totals"]
    options = ("--fail-under", "0", "--fail-under-branches", "0", "--json")
    found = json_of(run_testlens("check", project.root, *options))
    gates = {gate["name"]: gate["actual"] for gate in found["gates"]}
    assert gates == {"coverage": totals["percent_covered"], "branches": totals["percent_branches_covered"]}
    assert found["coverage"]["percent"] == totals["percent_covered"]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", PROJECTS)
def test_changed_lines_are_diff_covers(name: str, seed: int, measured: Callable[[str], Published]) -> None:
    project = measured(name)
    base = a_change(project, seed)
    expected = diff_cover(project.root, base)
    assert expected["total_num_lines"] > 0
    found = json_of(run_testlens("check", project.root, "--diff", base, "--fail-under-diff", "0", "--json"))

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
    measured: Callable[[str], Published],
) -> None:
    project = measured("click")
    changes, missed = set(), 0
    for seed in SEEDS:
        base = a_change(project, seed)
        parted = git(project.root, "merge-base", base, "HEAD").strip()
        changes.add(git(project.root, "rev-parse", f"{parted}^{{tree}}"))
        missed += diff_cover(project.root, base)["total_num_violations"]
    assert len(changes) == len(SEEDS)
    assert missed > 0
