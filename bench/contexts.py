"""What it costs to know the lines and branches of each test: the agent against the same suite without any measurement.

The suites are those of published projects, run in turns by plain pytest, by the agent as it chooses to measure, by the
agent with coverage.py's C tracer, and by pytest-cov. The agent's time is all of it, its data file included.

    python bench/contexts.py [--rounds N] [--project NAME ...]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from figures import Figure, conclude, ratio

from real.monitored import PROJECTS, environment_of, versions
from real.published import PYTEST_ARGS, environment, unpacked
from testlens.runners.pytest_runner import run_tests
from testlens.runners.run_log import RunRequest

_PYTEST_COV = ("--cov=src", "--cov-branch", "--cov-context=test", "--cov-report=")
_MOST = 2.0


def main() -> None:
    """Run as a program: exits with 1 if a bound was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="default: %(default)s")
    parser.add_argument("--project", nargs="+", default=["jinja2"], choices=PROJECTS, help="default: jinja2")
    arguments = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    environment()  # has the archives
    figures: list[Figure] = []
    for name in arguments.project:
        for version in versions():
            with tempfile.TemporaryDirectory(prefix="testlens-bench-") as folder:
                figures += _of(f"{name}, Python {version}", unpacked(name, Path(folder)), version, arguments.rounds)
    conclude(figures)


def _of(name: str, root: Path, version: str, rounds: int) -> Iterator[Figure]:
    python = environment_of(version)
    plain, ours, tracer, cov = [], [], [], []
    _pytest(root, python)  # compiles what is imported
    for _ in range(rounds):
        plain.append(_pytest(root, python))
        ours.append(_agent(root, python, {}))
        tracer.append(_agent(root, python, {"COVERAGE_CORE": "ctrace"}))
        cov.append(_pytest(root, python, *_PYTEST_COV))
    peer = statistics.median(plain)
    detail = f"; C tracer {statistics.median(tracer) / peer:.2f} x, pytest-cov {statistics.median(cov) / peer:.2f} x"
    found = ratio(f"{name}: of a plain run", ours, plain, _MOST, "s")
    yield Figure(found.name, found.value, found.bound, found.unit, found.detail + detail)
    yield ratio(f"{name}: of a run with the C tracer", ours, tracer, 1.0, "s")


def _pytest(root: Path, python: Path, *arguments: str) -> float:
    began = time.perf_counter()
    command = [str(python), "-m", "pytest", "-q", *PYTEST_ARGS, *arguments]
    environment = {**os.environ, "COVERAGE_CORE": "ctrace"}
    subprocess.run(command, cwd=root, env=environment, check=True, capture_output=True)
    return time.perf_counter() - began


def _agent(root: Path, python: Path, variables: dict[str, str]) -> float:
    data = root / ".testlens" / "run.coverage"
    data.parent.mkdir(exist_ok=True)
    os.environ.update(variables)
    began = time.perf_counter()
    request = RunRequest(root, str(python), data, pytest_args=PYTEST_ARGS, record_values=False)
    result = asyncio.run(run_tests(request, lambda event: None))
    seconds = time.perf_counter() - began
    for variable in variables:
        del os.environ[variable]
    assert result.exit_code == 0, result.output
    assert not result.problems
    return seconds


if __name__ == "__main__":
    main()
