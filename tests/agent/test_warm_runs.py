"""Runs in copies of a process that is kept: the same results, in less time, whatever tests do to it."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import pytest

from agent.projects import Project
from agent.warming import SHOP, warm_run, warmth
from left_behind import resident_megabytes, working_in
from testlens.runners.events import Event, TestFinished, TestStarted
from testlens.runners.warm_runner import WarmRunner, Warmth


async def test_results_are_those_of_a_run_of_its_own(project: Project, runner: WarmRunner) -> None:
    """Outcomes, lines, arcs and contexts."""
    project.write(SHOP)
    cold = await project.run()
    lines, arcs = cold.lines(project.root / "shop.py"), cold.arcs(project.root / "shop.py")
    contexts = cold.contexts(project.root / "shop.py", 3)
    warm = await warm_run(runner, project)
    assert warm.outcomes == cold.outcomes == {"test_small": "passed", "test_large": "passed"}
    assert (warm.lines(project.root / "shop.py"), warm.arcs(project.root / "shop.py")) == (lines, arcs)
    assert warm.contexts(project.root / "shop.py", 3) == contexts
    assert warm.result.exit_code == 0, warm.messages


async def test_the_project_is_imported_afresh_for_each_run(project: Project, runner: WarmRunner) -> None:
    """An edit shows in the next run, in the same process's copy."""
    project.write(SHOP)
    await warm_run(runner, project)
    before = working_in(project.root)
    project.write({"shop.py": SHOP["shop.py"].replace("return 2", "return 33")})
    run = await warm_run(runner, project)
    assert run.outcomes == {"test_small": "passed", "test_large": "failed"}
    assert working_in(project.root) == before != set()


async def test_libraries_are_there_before_and_the_project_is_not(project: Project, runner: WarmRunner) -> None:
    """What a run of all tests says that it imported is what the next has from the beginning."""
    project.write(SHOP)
    cold = await project.run()
    names = {name for name, _ in cold.result.libraries}
    assert {"json", "pytest", "_pytest.fixtures"} <= names
    assert not names & {"shop", "test_shop", "conftest", "__main__"}
    project.write(
        {
            "conftest.py": """
                import sys

                BEFORE = set(sys.modules)
            """,
            "test_shop.py": """
                from conftest import BEFORE


                def test_it():
                    assert "decimal" in BEFORE and "shop" not in BEFORE
            """,
        }
    )
    assert (await warm_run(runner, project)).outcomes == {"test_it": "passed"}


async def test_rewritten_plugins_survive_warnings_as_errors(project: Project, runner: WarmRunner) -> None:
    """pytest complains of plugins that were imported before it could rewrite them."""
    project.write({**SHOP, "pyproject.toml": '[tool.pytest.ini_options]\nfilterwarnings = ["error"]\n'})
    cold = await project.run()
    assert ("pytest_cov.plugin", True) in cold.result.libraries
    result = await runner.run(project.request(), warmth(project, *cold.result.libraries), lambda _event: None)
    assert result.exit_code == 0, (result.problems, result.output)


async def test_a_run_can_be_cancelled_and_leaves_the_process_for_the_next(project: Project, runner: WarmRunner) -> None:
    """A save while tests run begins anew."""
    project.write({"test_long.py": "import time\n\n\ndef test_long():\n    time.sleep(60)\n"})
    await runner.prepare(warmth(project))
    before = working_in(project.root)
    begun = asyncio.Event()

    def take(event: Event) -> None:
        if isinstance(event, TestStarted):
            begun.set()

    running = asyncio.ensure_future(runner.run(project.request(), warmth(project), take))
    await asyncio.wait_for(begun.wait(), 30)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    async with asyncio.timeout(10):  # what was killed may take a moment to go
        while working_in(project.root) != before:
            await asyncio.sleep(0.05)
    project.write({"test_long.py": "def test_long():\n    pass\n"})
    assert (await warm_run(runner, project)).outcomes == {"test_long": "passed"}


async def test_a_run_that_is_cancelled_at_any_moment_leaves_no_folder(
    project: Project, runner: WarmRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Saves may come in quick succession."""
    project.write(SHOP)
    await runner.prepare(warmth(project))
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    for steps in range(12):
        running = asyncio.ensure_future(runner.run(project.request(), warmth(project), lambda _event: None))
        for _ in range(steps):
            await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait({running})
    assert list(temporary.iterdir()) == []


async def test_other_surroundings_have_another_process_and_the_end_leaves_none(
    project: Project, runner: WarmRunner
) -> None:
    """A change of the configuration, or of what is installed, replaces it."""
    project.write(SHOP)
    await runner.prepare(warmth(project))
    (first,) = working_in(project.root)
    await runner.prepare(Warmth(project.root, str(project.python), (("json", False),), "changed"))
    (second,) = working_in(project.root)
    assert first != second
    await runner.close()
    assert working_in(project.root) == set()


async def test_a_library_that_starts_a_thread_leaves_runs_to_processes_of_their_own(
    project: Project, runner: WarmRunner
) -> None:
    """A thread is not in a copy, and whoever waits for it there waits for ever."""
    folder = project.root.parent / "library"
    folder.mkdir()
    (folder / "threaded.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n"
    )
    project.write(SHOP)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder))
        result = await runner.run(project.request(), warmth(project, ("threaded", False)), lambda _event: None)
    assert result.exit_code == 0
    assert working_in(project.root) == set()


async def test_a_process_that_has_grown_large_imports_no_more_and_leaves_the_rest_to_the_tests(
    project: Project, runner: WarmRunner
) -> None:
    """It stays while nothing runs, and the user's memory is the user's."""
    folder = project.root.parent / "library"
    folder.mkdir()
    libraries = [f"large_{number}" for number in range(6)]
    for name in libraries:
        (folder / f"{name}.py").write_text("TEXT = b'x' * 50_000_000\n")
    project.write({"test_large.py": "import large_5\n\n\ndef test_it():\n    assert large_5.TEXT\n"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder))
        wanted = Warmth(project.root, str(project.python), tuple((name, False) for name in libraries), "", 150)
        await runner.prepare(wanted)
        (idle,) = working_in(project.root)
        assert 150 < resident_megabytes(idle) < 150 + 100
        assert (await runner.run(project.request(), wanted, lambda _event: None)).exit_code == 0
    assert working_in(project.root) == {idle}


async def test_random_numbers_are_others_in_each_run(project: Project, runner: WarmRunner) -> None:
    """As in processes of their own."""
    project.write({"test_random.py": "import random\n\n\ndef test_it():\n    assert not random.random()\n"})
    messages = set()
    for _ in range(2):
        events: list[Event] = []
        await runner.run(project.request("-p", "no:randomly"), warmth(project, ("random", False)), events.append)
        messages |= {event.message for event in events if isinstance(event, TestFinished)}
    assert len(messages) == 2
