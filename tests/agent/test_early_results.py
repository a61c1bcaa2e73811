"""What chosen tests said is told once they have ended, while pytest still comes to its own end."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace

from agent.projects import Project, Run
from agent.warming import SHOP, warmth
from left_behind import working_in
from testlens.runners.events import Event, TestStarted
from testlens.runners.run_log import RunResult
from testlens.runners.warm_runner import WarmRunner

_ENDS_LATE = """
    import time

    import shop


    def pytest_sessionfinish():
        shop.fee(100)
        time.sleep(3)
"""


class Chosen:
    """A run of one test of two, with what is told early."""

    def __init__(self, project: Project, runner: WarmRunner) -> None:
        request = replace(project.request(tests=("test_shop.py",)), chosen=("test_shop.py::test_small",))
        self.events: list[Event] = []
        self.told: asyncio.Future[RunResult] = asyncio.get_running_loop().create_future()
        self.whole = asyncio.ensure_future(
            runner.run(request, warmth(project), self.events.append, self.told.set_result)
        )

    async def early(self) -> Run:
        """What is told, which must be before the end."""
        async with asyncio.timeout(60):
            result = await self.told
        assert not self.whole.done()
        return Run(result, tuple(self.events))

    async def end(self) -> Run:
        """What came of the whole run."""
        async with asyncio.timeout(60):
            result = await self.whole
        return Run(result, tuple(self.events))


async def test_results_and_coverage_are_there_before_pytest_has_ended(project: Project, runner: WarmRunner) -> None:
    """All of it: what runs after the last test is nobody's, and says nothing of some of the tests."""
    project.write({**SHOP, "conftest.py": _ENDS_LATE})
    run = Chosen(project, runner)
    early = await run.early()
    assert early.outcomes == {"test_small": "passed"}
    assert early.result.exit_code == 0
    assert early.lines(project.root / "shop.py") == {1, 2, 4}
    assert early.result.sources.keys() == {str(project.root / "shop.py")}
    before = project.data_file.read_bytes()
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
    project.write({**SHOP, "conftest.py": _ENDS_LATE, "shop.py": SHOP["shop.py"].replace("return 1", "return 7")})
    run = Chosen(project, runner)
    assert (await run.early()).result.exit_code == (await run.end()).result.exit_code == 1


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
    project.write({**SHOP, "conftest.py": _ENDS_LATE})
    await runner.prepare(warmth(project))
    (process,) = working_in(project.root)
    run = Chosen(project, runner)
    early = await run.early()
    os.kill(process, signal.SIGKILL)
    whole = await run.end()
    assert whole.outcomes == early.outcomes == {"test_small": "passed"}
    assert whole.lines(project.root / "shop.py") == {1, 2, 4}
    assert sum(isinstance(event, TestStarted) for event in whole.events) == 1
    assert working_in(project.root) == set()
    project.write({"conftest.py": ""})
    assert (await Chosen(project, runner).end()).outcomes == {"test_small": "passed"}
