"""What chosen tests said is told once they have ended, while pytest still comes to its own end."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace

import pytest

from agent.projects import Project, Run
from agent.warming import SHOP, warmth
from left_behind import working_in
from testlens.runners.events import Done, Event, TestStarted
from testlens.runners.run_log import RunResult
from testlens.runners.warm_runner import WarmRunner

_WAITS_AT_THE_END = """
    import time
    from pathlib import Path

    import shop

    HERE = Path(__file__).parent


    def pytest_sessionfinish():
        shop.fee(100)
        for _ in range(1000):
            if (HERE / "go").exists():
                return
            time.sleep(0.01)
        (HERE / "in vain").touch()
"""


class Chosen:
    """A run of one test of two, with what is told early. `pytest` may wait for `go`, at its end."""

    def __init__(self, project: Project, runner: WarmRunner) -> None:
        self._root = project.root
        request = replace(project.request(tests=("test_shop.py",)), chosen=("test_shop.py::test_small",))
        self.events: list[Event] = []
        self.told: asyncio.Future[RunResult] = asyncio.get_running_loop().create_future()
        self.whole = asyncio.ensure_future(
            runner.run(request, warmth(project), self.events.append, self.told.set_result)
        )

    async def early(self) -> Run:
        """What is told, while pytest waits for `go`."""
        async with asyncio.timeout(60):
            result = await self.told
        assert not (self._root / "in vain").exists()
        assert not any(isinstance(event, Done) for event in self.events)
        return Run(result, tuple(self.events))

    def go(self) -> None:
        """Let pytest end."""
        (self._root / "go").touch()

    async def end(self) -> Run:
        """What came of the whole run."""
        async with asyncio.timeout(60):
            result = await self.whole
        return Run(result, tuple(self.events))


async def test_results_and_coverage_are_there_before_pytest_has_ended(project: Project, runner: WarmRunner) -> None:
    """All of it: what runs after the last test is nobody's, and says nothing of some of the tests."""
    project.write({**SHOP, "conftest.py": _WAITS_AT_THE_END})
    run = Chosen(project, runner)
    early = await run.early()
    assert early.outcomes == {"test_small": "passed"}
    assert early.result.exit_code == 0
    assert early.lines(project.root / "shop.py") == {1, 2, 4}
    assert early.result.sources.keys() == {str(project.root / "shop.py")}
    before = project.data_file.read_bytes()
    run.go()
    whole = await run.end()
    assert (whole.outcomes, whole.result.exit_code, whole.messages) == ({"test_small": "passed"}, 0, "")
    assert project.data_file.read_bytes() == before


async def test_a_process_that_a_test_has_left_is_waited_for(project: Project, runner: WarmRunner) -> None:
    """What it runs counts as well, if it measures itself."""
    project.write(
        {
            **SHOP,
            ".coveragerc": "[run]\nconcurrency = multiprocessing\n",
            "test_shop.py": """
                import multiprocessing
                import time

                from shop import fee


                def later():
                    time.sleep(1)
                    fee(12)


                def test_small():
                    multiprocessing.get_context("fork").Process(target=later).start()
                    assert fee(3) == 1
            """,
        }
    )
    whole = await Chosen(project, runner).end()
    assert whole.outcomes == {"test_small": "passed"}
    assert whole.lines(project.root / "shop.py") == {1, 2, 3, 4}


async def test_a_failure_is_told_as_one(project: Project, runner: WarmRunner) -> None:
    """As pytest's exit code has it, which is not there yet."""
    project.write(
        {**SHOP, "conftest.py": _WAITS_AT_THE_END, "shop.py": SHOP["shop.py"].replace("return 1", "return 7")}
    )
    run = Chosen(project, runner)
    assert (await run.early()).result.exit_code == 1
    run.go()
    assert (await run.end()).result.exit_code == 1


@pytest.mark.parametrize("ending", ["pytest.exit('enough')", "raise KeyboardInterrupt"])
async def test_a_test_that_ends_the_run_is_not_told_early(ending: str, project: Project, runner: WarmRunner) -> None:
    """It has not come to its end, whatever it looks like; pytest says so."""
    test = f"import pytest\n\nimport shop\n\n\ndef test_small():\n    shop.fee(3)\n    {ending}\n"
    project.write({**SHOP, "test_shop.py": test})
    run = Chosen(project, runner)
    assert (await run.end()).result.exit_code == 2
    assert not run.told.done()


async def test_a_crash_at_the_end_of_pytest_is_told_and_takes_nothing_back(
    project: Project, runner: WarmRunner
) -> None:
    """Nothing runs twice either."""
    project.write({**SHOP, "conftest.py": "import ctypes\n\ndef pytest_sessionfinish():\n    ctypes.string_at(0)\n"})
    run = Chosen(project, runner)
    whole = await run.end()
    assert run.told.result().exit_code == 0
    assert whole.outcomes == {"test_small": "passed"}
    assert "stopped after the last test: the test process was killed by SIGSEGV" in whole.messages
    assert sum(isinstance(event, TestStarted) for event in whole.events) == 1


async def test_the_death_of_the_kept_process_at_the_end_takes_nothing_back(
    project: Project, runner: WarmRunner
) -> None:
    """The next run has another one."""
    project.write({**SHOP, "conftest.py": _WAITS_AT_THE_END})
    await runner.prepare(warmth(project))
    (process,) = working_in(project.root)
    run = Chosen(project, runner)
    early = await run.early()
    os.kill(process, signal.SIGKILL)
    whole = await run.end()
    assert whole.outcomes == early.outcomes == {"test_small": "passed"}
    assert whole.lines(project.root / "shop.py") == {1, 2, 4}
    assert sum(isinstance(event, TestStarted) for event in whole.events) == 1
    async with asyncio.timeout(10):  # what was killed may take a moment to go
        while working_in(project.root):
            await asyncio.sleep(0.05)
    project.write({"conftest.py": ""})
    assert (await Chosen(project, runner).end()).outcomes == {"test_small": "passed"}
