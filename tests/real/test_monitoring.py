"""On published projects, what ran in each phase of each test is what coverage.py finds by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from agent.interpreters import CURRENT
from agent.tortured import Measured, differences, measured
from real.monitored import PROJECTS, environment_of, versions
from real.published import PYTEST_ARGS, environment, unpacked
from testlens.runners.pytest_runner import run_tests
from testlens.runners.run_log import RunRequest

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

# Of click's tests those of some files, which take a fraction of the time.
_TESTS = {"click": ("tests/test_chain.py", "tests/test_context.py", "tests/test_termui.py", "tests/test_testing.py")}
# Both runs are to do the same: text at random, and what is called when the collector of cycles comes to it, would not.
_REPEATABLE = "\nimport gc, random\n\ngc.disable()\nrandom.seed(0)\n"
_RACE_OF_THREADS = "::test_tempdir_isolation_is_thread_safe"


# On the others sys.monitoring measures, on this one the C tracer, of which a log is kept.
@pytest.mark.parametrize("version", [CURRENT, *versions()])
@pytest.mark.parametrize("name", PROJECTS)
def test_lines_and_branches_of_each_phase_of_each_test_are_those_that_coverage_py_finds(
    name: str, version: str, tmp_path: Path
) -> None:
    environment()  # has the archives
    python = environment_of(version)

    by_agent, by_itself = asyncio.run(_measure_both(name, tmp_path, python))

    assert sum(len(file.arcs) for file in by_agent.values()) > 1000
    assert [one for one in differences(by_agent, by_itself) if _RACE_OF_THREADS not in one] == []


async def _measure_both(name: str, folder: Path, python: Path) -> tuple[Mapping[str, Measured], Mapping[str, Measured]]:
    """What the suite runs, measured by the agent's means and by coverage.py itself at the same time."""
    roots = [unpacked(name, folder / core) for core in ("agent", "itself")]
    for root in roots:
        with (root / "tests" / "conftest.py").open("a") as conftest:
            conftest.write(_REPEATABLE)
    settings = roots[1] / "pyproject.toml"
    # With a handler of signals of its own, coverage.py is left to measure by itself.
    settings.write_text(settings.read_text().replace("[tool.coverage.run]", "[tool.coverage.run]\nsigterm = true"))
    by_agent, by_itself = await asyncio.gather(*(_measure(root, python, _TESTS.get(name, ())) for root in roots))
    return by_agent, by_itself


async def _measure(root: Path, python: Path, tests: tuple[str, ...]) -> dict[str, Measured]:
    data = root / ".testlens" / "run.coverage"
    data.parent.mkdir()
    request = RunRequest(root, str(python), data, tests, PYTEST_ARGS, record_values=False)
    result = await run_tests(request, lambda event: None)
    assert result.data_file is not None, result.output
    assert not result.problems, result.problems
    found = await asyncio.to_thread(measured, result.data_file)
    return {str(Path(file).relative_to(root)): of_file for file, of_file in found.items()}
