"""On published projects, sys.monitoring finds in each phase of each test what coverage.py's C tracer does."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from agent.tortured import Measured, differences, measured
from real.monitored import PROJECTS, environment_of, versions
from real.published import PYTEST_ARGS, environment, unpacked
from testlens.runners.pytest_runner import run_tests
from testlens.runners.run_log import RunRequest

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

# Of click's 2,434 tests those of some files, which take a sixth of the time.
_TESTS = {"click": ("tests/test_options.py", "tests/test_chain.py", "tests/test_context.py", "tests/test_termui.py")}
# Text at random, a callback that the collector of cycles calls when it comes to it, and a race of threads.
_BY_CHANCE = re.compile(r"test_lorem_ipsum|loaders\.py, [^\n]*: lines \[(649|650|)\] - \[(649|650|)\]|_thread_safe")


@pytest.mark.parametrize("version", versions())
@pytest.mark.parametrize("name", PROJECTS)
def test_lines_and_branches_of_each_phase_of_each_test_are_those_of_the_c_tracer(
    name: str, version: str, tmp_path: Path
) -> None:
    environment()  # has the archives
    python = environment_of(version)

    by_monitoring, by_tracer = asyncio.run(_measure_both(name, tmp_path, python))

    assert sum(len(file.lines) for file in by_monitoring.values()) > 1000
    found = [difference for difference in differences(by_monitoring, by_tracer) if not _BY_CHANCE.search(difference)]
    assert found == []


async def _measure_both(name: str, folder: Path, python: Path) -> tuple[Mapping[str, Measured], Mapping[str, Measured]]:
    """What the suite runs, measured by monitoring and by the C tracer at the same time."""
    roots = [unpacked(name, folder / core) for core in ("monitoring", "ctrace")]
    settings = roots[1] / "pyproject.toml"
    # With a handler of signals of its own, coverage.py is left to measure by itself.
    settings.write_text(settings.read_text().replace("[tool.coverage.run]", "[tool.coverage.run]\nsigterm = true"))
    by_monitoring, by_tracer = await asyncio.gather(*(_measure(root, python, _TESTS.get(name, ())) for root in roots))
    return by_monitoring, by_tracer


async def _measure(root: Path, python: Path, tests: tuple[str, ...]) -> dict[str, Measured]:
    data = root / ".testlens" / "run.coverage"
    data.parent.mkdir()
    request = RunRequest(root, str(python), data, tests, PYTEST_ARGS, record_values=False)
    result = await run_tests(request, lambda event: None)
    assert result.data_file is not None, result.output
    assert not result.problems, result.problems
    found = await asyncio.to_thread(measured, result.data_file)
    return {str(Path(file).relative_to(root)): of_file for file, of_file in found.items()}
