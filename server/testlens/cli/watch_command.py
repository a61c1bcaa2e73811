"""`testlens watch`: each time a file is saved, run the tests that it can affect, and say what became of them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass
from pathlib import Path

from rich.text import Text

from testlens.cli.equipment import ready_interpreter
from testlens.cli.run_progress import RunProgress
from testlens.cli.run_report import Report, print_outcome
from testlens.cli.stoppable import run_stoppable
from testlens.cli.terminal import print_problems, progress, results
from testlens.domain.problems import Problem
from testlens.runners.interpreter import Wishes
from testlens.runners.warm_runner import WarmRunner
from testlens.workspace.continuous import Round, get_ready, run_affected, until_saved
from testlens.workspace.settings import Overrides
from testlens.workspace.source_watcher import SourceWatcher
from testlens.workspace.workspace import Workspace


def watch(root: Path, overrides: Overrides) -> int:
    """Go on until the user has enough; returns the exit status."""
    with contextlib.closing(Workspace(root, overrides)) as workspace:
        wishes = Wishes(
            explicit=overrides.python, configured=workspace.settings.config.python, explicit_name="--python"
        )
        python = ready_interpreter(root, wishes).path
        workspace.refresh()
        run_stoppable(_Watch(workspace, python).go_on())
    return 0


@dataclass(slots=True)
class _Watch:
    """One session; a save while tests run ends that run, and goes into the next one."""

    workspace: Workspace
    python: str

    async def go_on(self) -> None:
        runner, saved = WarmRunner(), asyncio.Event()
        loop = asyncio.get_running_loop()

        def notice() -> None:
            loop.call_soon_threadsafe(saved.set)

        watcher = SourceWatcher(self.workspace.root, notice)
        watcher.start()
        results().print(f"Watching {self.workspace.root}: save a file to run what it affects. Ctrl+C ends this.")
        try:
            while True:
                saved.clear()
                done = await self._round(runner, saved)
                if done is None:
                    continue
                self._show(done)
                await runner.prepare(await asyncio.to_thread(get_ready, self.workspace, self.python, saved))
                await saved.wait()
        finally:
            watcher.stop()
            await asyncio.shield(runner.close())

    async def _round(self, runner: WarmRunner, saved: asyncio.Event) -> Round | None:
        """One look at the edits; None where a file was saved before it came to its end."""
        with RunProgress(progress()) as shown:
            work = run_affected(self.workspace, self.python, runner, shown.take, asyncio.to_thread)
            return await until_saved(work, saved, self.workspace.root)

    def _show(self, done: Round) -> None:
        """What became of it, for people."""
        console = results()
        console.print(f"{time.strftime('%H:%M:%S')}  {done.affected.why}")
        if done.problem is not None:
            print_problems([done.problem])
        if done.left_out:
            console.print(left_out_text(len(done.left_out)))
        if done.result is None:
            return
        snapshot = self.workspace.snapshot if done.is_known else None
        problems: tuple[Problem, ...] = done.result.problems
        print_outcome(
            console, Report(0, done.result.results, snapshot, problems, done.seconds), self.workspace.settings.target
        )


def left_out_text(count: int) -> Text:
    """That slow tests are left to the user."""
    tests = "1 slow test is" if count == 1 else f"{count} slow tests are"
    return Text(f"{tests} left to you, and stale until then: testlens run", style="yellow")
