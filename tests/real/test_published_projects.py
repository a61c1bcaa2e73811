"""On published projects, every number and every gap of Testlens is coverage.py's."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from real.conftest import Published
from testlens.workspace.workspace import Workspace

pytestmark = [pytest.mark.real, pytest.mark.timeout(900)]

PROJECTS = ("itsdangerous", "click", "jinja2")
LEAST_TESTS = {"itsdangerous": 250, "click": 2000, "jinja2": 800}


def coverage_json(project: Published) -> dict[str, Any]:
    """What coverage.py's own JSON report says of the data."""
    report = project.root / "coverage-py.json"
    copy = project.root / "copy.coverage"
    shutil.copy(project.data, copy)
    # jinja2's suite renders a template without a suffix, which coverage.py takes for broken Python and stops at.
    options = ["--quiet", "--ignore-errors", f"--data-file={copy}", "-o", str(report)]
    command = [str(project.python), "-m", "coverage", "json", *options]
    done = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    report.unlink()
    copy.unlink()
    return found


@pytest.mark.parametrize("name", PROJECTS)
def test_the_suite_passes_under_testlens(name: str, published: Callable[[str], Published]) -> None:
    run = published(name).run
    outcomes = [result.outcome for result in run.results]
    assert run.exit_code == 0, [str(problem) for problem in run.problems]
    assert outcomes.count("passed") > LEAST_TESTS[name]


@pytest.mark.parametrize("name", PROJECTS)
def test_gaps_are_exactly_what_coverage_misses(name: str, published: Callable[[str], Published]) -> None:
    project = published(name)
    expected = coverage_json(project)
    snapshot = Workspace(project.root).refresh()

    assert snapshot.percent == expected["totals"]["percent_covered"]
    assert snapshot.totals.statements == expected["totals"]["num_statements"]
    assert snapshot.totals.branches == expected["totals"]["num_branches"]
    with_code = {path for path, file in expected["files"].items() if file["summary"]["num_statements"]}
    assert with_code <= set(snapshot.files)
    for path in with_code:
        assert_same(snapshot.files[path].gaps, expected["files"][path])


def assert_same(gaps: tuple[Any, ...], expected: dict[str, Any]) -> None:
    uncovered = [gap.region for gap in gaps if gap.region.kind == "uncovered"]
    partial = [gap.region for gap in gaps if gap.region.kind == "partial"]
    missing = [line for region in uncovered for line in region.statements]
    assert sorted(missing) == expected["missing_lines"]
    missing_arcs = {tuple(arc) for arc in expected["missing_branches"]}
    never_run = {arc for arc in missing_arcs if arc[0] in set(missing)}
    assert {arc for region in partial for arc in region.arcs} | never_run == missing_arcs
    assert {arc for region in uncovered for arc in region.arcs} == never_run
    assert all(region.first <= region.statements[0] and region.statements[-1] <= region.last for region in uncovered)


@pytest.mark.parametrize("name", PROJECTS)
def test_a_second_look_finds_the_same(name: str, published: Callable[[str], Published]) -> None:
    root = published(name).root
    first = Workspace(root).refresh()
    second = Workspace(root).refresh()
    assert dict(second.files) == dict(first.files)
    assert second.totals == first.totals


def test_the_data_file_is_left_as_it_was(published: Callable[[str], Published]) -> None:
    project = published("itsdangerous")
    before = fingerprint(project.data)
    Workspace(project.root).refresh()
    assert fingerprint(project.data) == before


def fingerprint(path: Path) -> tuple[bytes, int]:
    return path.read_bytes(), path.stat().st_mtime_ns
