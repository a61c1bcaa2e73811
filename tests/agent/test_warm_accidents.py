"""Whatever dies, freezes or runs out of memory is replaced, the test that did it named, and nothing else lost."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from agent.projects import Project, Run
from agent.warming import SHOP, warm_run, warmth
from left_behind import working_in
from testlens.runners.events import Event, TestStarted
from testlens.runners.run_log import RunRequest
from testlens.runners.warm_runner import WarmRunner

_PASSED = {"test_small": "passed", "test_large": "passed"}
_BAD = """
    import ctypes
    import os
    import resource
    import signal


    def test_before():
        pass


    def test_bad():
        {harm}
"""
_HARMS = {
    "os.kill(os.getpid(), signal.SIGKILL)": "the test process was killed by SIGKILL (out of memory?) during this test",
    "os.kill(os.getpid(), signal.SIGSTOP)": "no progress for 4 s during this test",
    "ctypes.string_at(0)": "the test process was killed by SIGSEGV during this test",
    "ctypes.CDLL(None).abort()": "the test process was killed by SIGABRT during this test",
    "os._exit(3)": "the test process ended with exit code 3 (os._exit) during this test",
}


@pytest.mark.parametrize("harm", _HARMS)
async def test_a_test_that_ends_its_process_is_named_and_nothing_else_is_lost(
    harm: str, project: Project, runner: WarmRunner
) -> None:
    """It, and not the process that is kept, has died of it; and it is shown where it is defined."""
    project.write({**SHOP, "test_bad.py": _BAD.format(harm=harm)})
    await runner.prepare(warmth(project))
    before = working_in(project.root)
    run = await warm_run(runner, project, project.request(test_timeout=4.0))
    assert run.outcomes == {"test_before": "passed", "test_bad": "error", **_PASSED}
    culprit = run.test("test_bad")
    assert culprit.message == _HARMS[harm]
    assert (culprit.file, culprit.line, culprit.source) == ("test_bad.py", 11, "def test_bad():")
    assert not run.result.problems, run.messages
    assert run.lines(project.root / "shop.py") == {1, 2, 3, 4}
    assert working_in(project.root) == before


async def test_a_test_that_asks_for_more_memory_than_there_is_fails_and_nothing_else(
    project: Project, runner: WarmRunner
) -> None:
    """What it could not get is told as any other exception."""
    limits = "resource.getrlimit(resource.RLIMIT_AS)"
    harm = f"resource.setrlimit(resource.RLIMIT_AS, (1 << 33, {limits}[1]))\n        bytearray(1 << 40)"
    project.write({**SHOP, "test_bad.py": _BAD.format(harm=harm)})
    await runner.prepare(warmth(project))
    before = working_in(project.root)
    run = await warm_run(runner, project)
    assert run.outcomes == {"test_before": "passed", "test_bad": "failed", **_PASSED}
    assert "MemoryError" in str(run.test("test_bad").message)
    assert working_in(project.root) == before


async def test_a_process_that_was_killed_or_frozen_is_replaced(project: Project, runner: WarmRunner) -> None:
    """The next run does not notice."""
    project.write(SHOP)
    for harm in (signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP):
        await runner.prepare(warmth(project))
        (process,) = working_in(project.root)
        os.kill(process, harm)
        run = await warm_run(runner, project)
        assert run.outcomes == _PASSED
        assert not run.result.problems, run.messages
        assert process not in working_in(project.root)


async def test_a_frozen_process_is_not_waited_for(project: Project) -> None:
    """That it is frozen is seen, where the system tells it."""
    project.write(SHOP)
    runner = WarmRunner(answer_seconds=50.0)
    try:
        await runner.prepare(warmth(project))
        (process,) = working_in(project.root)
        os.kill(process, signal.SIGSTOP)
        began = time.monotonic()
        assert (await warm_run(runner, project)).outcomes == _PASSED
        assert time.monotonic() - began < 40.0
    finally:
        await runner.close()


async def harmed_while_a_test_runs(runner: WarmRunner, project: Project, harm: signal.Signals) -> Run:
    """A run during whose second test the process that is kept comes to harm."""
    slow = "import time\n\n\ndef test_slow():\n    time.sleep(1)\n"
    project.write({**SHOP, "test_a.py": "def test_first():\n    pass\n", "test_b.py": slow})
    await runner.prepare(warmth(project))
    (process,) = working_in(project.root)
    harmed = []

    def take(event: Event) -> None:
        events.append(event)
        if isinstance(event, TestStarted) and event.nodeid.endswith("test_slow") and not harmed:
            harmed.append(process)
            os.kill(process, harm)

    events: list[Event] = []
    async with asyncio.timeout(60):
        result = await runner.run(project.request("-p", "no:randomly"), warmth(project), take)
    assert harmed
    return Run(result, tuple(events))


@pytest.mark.parametrize("harm", [signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP])
async def test_harm_to_the_kept_process_during_a_run_costs_time_and_nothing_else(
    harm: signal.Signals, project: Project, runner: WarmRunner
) -> None:
    """No test is blamed for what it has not done, and the next run has a process again."""
    run = await harmed_while_a_test_runs(runner, project, harm)
    assert run.outcomes == {"test_first": "passed", "test_slow": "passed", **_PASSED}
    assert run.result.exit_code == 0
    assert not run.result.problems, run.messages
    assert run.lines(project.root / "shop.py") == {1, 2, 3, 4}
    assert working_in(project.root) == set()
    assert (await warm_run(runner, project)).result.exit_code == 0
    assert len(working_in(project.root)) == 1


_KILLS_ALL_ABOVE = """
    import os
    import signal
    from pathlib import Path


    def test_bad():
        process = os.getpid()
        while "testlens_agent" in Path(f"/proc/{process}/cmdline").read_text():
            parent = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
            above, process = process, parent
        os.kill(above, signal.SIGKILL)
"""


async def test_a_test_that_ends_the_kept_process_each_time_is_named(project: Project, runner: WarmRunner) -> None:
    """It ends whatever it runs in, so what the others say is not to be had; the run says why."""
    project.write({**SHOP, "test_bad.py": _KILLS_ALL_ABOVE})
    await runner.prepare(warmth(project))
    run = await warm_run(runner, project)
    assert run.test("test_bad").outcome == "error"
    assert "test_bad.py::test_bad" in run.messages
    assert working_in(project.root) == set()


def harmful_library(project: Project, code: str) -> Path:
    """A folder with a module `harmful` that does this when it is imported."""
    folder = project.root.parent / "library"
    folder.mkdir()
    (folder / "harmful.py").write_text(code)
    return folder


_RUN = """
import ctypes, os, pathlib, signal, time
count = pathlib.Path(__file__).with_name("count")
count.write_text(count.read_text() + "." if count.exists() else ".")
{harm}
"""


async def with_library(runner: WarmRunner, project: Project, code: str, request: RunRequest) -> tuple[Run, str]:
    """A run for which this module is to be imported before, and a dot for each time that it was."""
    project.write(SHOP)
    folder = harmful_library(project, _RUN.format(harm=code))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder))
        result = await runner.run(request, warmth(project, ("harmful", False)), lambda _event: None)
        result = await runner.run(request, warmth(project, ("harmful", False)), lambda _event: None)
    return Run(result, ()), (folder / "count").read_text()


@pytest.mark.parametrize("harm", ["ctypes.string_at(0)", "os._exit(3)"])
async def test_a_library_that_cannot_be_imported_before_leaves_runs_to_processes_of_their_own(
    harm: str, project: Project, runner: WarmRunner
) -> None:
    """After the second time it is not tried any more."""
    run, count = await with_library(runner, project, harm, project.request())
    assert run.outcomes == _PASSED
    assert count == ".."
    assert working_in(project.root) == set()


async def test_a_process_that_was_killed_before_it_was_ready_is_replaced(project: Project, runner: WarmRunner) -> None:
    """As the system does where memory is short: that says nothing of the next one."""
    run, count = await with_library(
        runner, project, "len(count.read_text()) > 1 or os.kill(os.getpid(), signal.SIGKILL)", project.request()
    )
    assert run.outcomes == _PASSED
    assert count == ".."
    assert len(working_in(project.root)) == 1


async def test_a_process_that_is_frozen_before_it_is_ready_holds_no_run_for_long(project: Project) -> None:
    """The tests run in processes of their own then."""
    runner = WarmRunner(preparation_seconds=1.0)
    try:
        run, count = await with_library(runner, project, "os.kill(os.getpid(), signal.SIGSTOP)", project.request())
        assert run.outcomes == _PASSED
        assert count == "."
        assert working_in(project.root) == set()
    finally:
        await runner.close()


async def test_a_file_that_ends_the_process_when_it_is_collected_is_named(project: Project, runner: WarmRunner) -> None:
    """No test of it has begun that could be."""
    project.write({**SHOP, "test_crash.py": "import ctypes\n\nctypes.string_at(0)\n"})
    await runner.prepare(warmth(project))
    before = working_in(project.root)
    run = await warm_run(runner, project)
    (problem,) = run.result.problems
    assert problem.path == "test_crash.py"
    assert "while test_crash.py was collected: the test process was killed by SIGSEGV" in problem.message
    assert working_in(project.root) == before


async def test_a_crash_after_the_last_test_is_told_and_loses_nothing(project: Project, runner: WarmRunner) -> None:
    """Results and coverage are there already."""
    project.write({**SHOP, "conftest.py": "import ctypes\n\ndef pytest_sessionfinish():\n    ctypes.string_at(0)\n"})
    await runner.prepare(warmth(project))
    run = await warm_run(runner, project)
    assert run.outcomes == _PASSED
    assert run.result.exit_code == 0
    (problem,) = run.result.problems
    assert "The test process stopped after the last test: the test process was killed by SIGSEGV" in problem.message
    assert run.lines(project.root / "shop.py") == {1, 2, 3, 4}
