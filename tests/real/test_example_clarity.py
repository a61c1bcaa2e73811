"""The example is what its README says: its tests pass without AWS or torch, and leave the dangerous code unproven."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from testlens.analysis.boundaries import find_markers

pytestmark = pytest.mark.real

EXAMPLE = Path(__file__).parents[2] / "examples" / "clarity"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the example's own tests under coverage.py; `report` is its JSON report."""

    output: str
    passed: bool
    report: dict[str, Any]

    def missing(self, path: str) -> set[int]:
        return set(self.report["files"][path]["missing_lines"])


def example_python() -> str:
    """The example's interpreter: `TESTLENS_EXAMPLE_PYTHON`, or the virtual environment that `npm start` makes."""
    named = os.environ.get("TESTLENS_EXAMPLE_PYTHON")
    if named:
        return named
    folder = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    python = EXAMPLE.joinpath(".venv", *folder)
    assert python.exists(), f"{python} is missing: run `npm start -- --no-open` once, or set TESTLENS_EXAMPLE_PYTHON"
    return str(python)


def run_tests(project: Path, data: Path) -> Run:
    """Run the tests of `project` as its README says, with the data beside rather than in it."""
    python = example_python()
    env = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "COV_", "PYTEST_"))}
    env |= {"COVERAGE_FILE": str(data / ".coverage"), "PYTHONDONTWRITEBYTECODE": "1"}
    # An unreachable proxy: a test that asks the network fails instead of slowing down.
    env |= {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": ""}

    def coverage(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [python, "-m", "coverage", *arguments]
        return subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, timeout=120, check=False)

    tests = coverage("run", "-m", "pytest", "-q", "-p", "no:cacheprovider")
    report = data / "coverage.json"
    assert coverage("json", "-q", "-o", str(report)).returncode == 0, tests.stdout + tests.stderr
    return Run(tests.stdout + tests.stderr, tests.returncode == 0, json.loads(report.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run_tests(EXAMPLE, tmp_path_factory.mktemp("clarity"))


def test_its_tests_pass(run: Run) -> None:
    assert run.passed, run.output


def test_they_leave_it_between_62_and_66_percent_branches_included(run: Run) -> None:
    totals = run.report["totals"]
    assert totals["num_branches"] > 0
    assert 62.0 <= totals["percent_covered"] <= 66.0


def test_most_error_handlers_retries_and_model_loading_are_left_unproven(run: Run) -> None:
    dangerous = unproven = 0
    for path in sorted(EXAMPLE.glob("src/clarity/services/*_service.py")):
        missing = run.missing(path.relative_to(EXAMPLE).as_posix())
        for marker in find_markers(ast.parse(path.read_text(encoding="utf-8"))):
            if marker.kind in ("error handler", "model"):
                dangerous += 1
                unproven += bool(missing & set(range(marker.first, marker.last + 1)))
    assert dangerous >= 15
    assert unproven > 0.8 * dangerous


def test_unprocessed_items_of_a_batch_are_never_sent_again_in_a_test(run: Run) -> None:
    path = "src/clarity/services/dynamodb_service.py"
    lines = (EXAMPLE / path).read_text(encoding="utf-8").splitlines()
    [warning] = [number for number, line in enumerate(lines, 1) if "were not processed, next attempt" in line]
    assert warning in run.missing(path)


def test_its_weak_assertions_let_a_mutant_live(tmp_path: Path) -> None:
    project = tmp_path / "clarity"
    shutil.copytree(EXAMPLE, project, ignore=shutil.ignore_patterns(".venv", ".*cache", ".testlens", "__pycache__"))
    service = project / "src" / "clarity" / "services" / "pat_service.py"
    source = service.read_text(encoding="utf-8")
    mutant = source.replace("            smoothed[index] = before", "            smoothed[index] = None")
    assert mutant != source
    service.write_text(mutant, encoding="utf-8")
    survivor = run_tests(project, tmp_path)
    assert survivor.passed, survivor.output
