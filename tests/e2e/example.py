"""The example as the tests use it, and what coverage.py itself says of it."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from e2e.served import ROOT

EXAMPLE = ROOT / "examples" / "clarity"
# The example's largest service, with gaps of every kind.
SERVICE = "src/clarity/services/dynamodb_service.py"
# Its riskiest function: lines that no test ran between lines that are tested.
GAP_FUNCTION = "DynamoDBService._write_chunk"


@dataclass(frozen=True, slots=True)
class Truth:
    """What coverage.py reports for the example's tests: the measure of what the editor shows."""

    data_file: Path
    report: dict[str, Any]
    """`coverage json`."""

    @property
    def percent(self) -> str:
        """The total as people write it, with one decimal."""
        return f"{self.report['totals']['percent_covered']:.1f}"

    @property
    def missing(self) -> set[int]:
        """1-based lines of the service that no test ran."""
        return set(self.report["files"][SERVICE]["missing_lines"])

    @property
    def executed(self) -> set[int]:
        """1-based lines of the service that a test ran."""
        return set(self.report["files"][SERVICE]["executed_lines"])

    @property
    def partial(self) -> set[int]:
        """Lines of the service that ran, with a branch that was never taken."""
        return {source for source, _ in self.report["files"][SERVICE]["missing_branches"]} & self.executed

    @property
    def gap(self) -> tuple[int, int]:
        """The first gap of several lines in GAP_FUNCTION: first and last line."""
        lines = self.report["files"][SERVICE]["functions"][GAP_FUNCTION]["missing_lines"]
        first = self.gap_in(GAP_FUNCTION)
        return first, next(line for line in range(first, first + len(lines)) if line + 1 not in lines)

    def gap_in(self, function: str) -> int:
        """The first line of the first gap of several lines in a function of the service."""
        lines = self.report["files"][SERVICE]["functions"][function]["missing_lines"]
        return next(int(line) for line in lines if line + 1 in lines)

    @property
    def line_of_a_tested_function(self) -> int:
        """A line of the service that only tests run, not its import."""
        functions = self.report["files"][SERVICE]["functions"]
        return next(part["executed_lines"][0] for name, part in functions.items() if name and part["executed_lines"])


def copy_example(folder: Path) -> Path:
    """A copy of the example as a user has it: with its environment and a git history, without data of earlier runs."""
    leftovers = shutil.ignore_patterns(".venv", ".testlens", ".coverage*", "__pycache__", ".pytest_cache")
    shutil.copytree(EXAMPLE, folder, ignore=leftovers)
    (folder / ".venv").symlink_to(EXAMPLE / ".venv")
    (folder / ".gitignore").write_text(".venv\n__pycache__/\n.coverage\n", "utf-8")
    git = ["git", "-C", str(folder), "-c", "user.name=Clarity", "-c", "user.email=clarity@example.org"]
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "The backend"]):
        subprocess.run([*git, *command], check=True)
    return folder


def measure(folder: Path) -> Truth:
    """Run a copy's tests under coverage.py, without any of Testlens."""
    coverage = [str(folder / ".venv" / "bin" / "python"), "-m", "coverage"]
    subprocess.run([*coverage, "run", "--branch", "-m", "pytest", "-q"], cwd=folder, check=True)
    report = folder.with_name("truth.json")
    subprocess.run([*coverage, "json", "--quiet", "-o", str(report)], cwd=folder, check=True)
    return Truth(folder / ".coverage", json.loads(report.read_text("utf-8")))
