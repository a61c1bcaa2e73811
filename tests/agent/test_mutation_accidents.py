"""A mutation run where things break: mutmut ends while it makes mutants, or nothing can be copied."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from threading import Thread

import pytest

from agent.mutating import SOURCE, check, mutating_processes, mutation_python, mutmut_statuses, write
from testlens.runners.mutation_runner import MutationEvent, MutationStage
from testlens.runners.pytest_runner import AGENT


@pytest.fixture(scope="module")
def python() -> Path:
    """An interpreter with mutmut."""
    return mutation_python()


def test_mutmut_that_ends_while_it_makes_mutants_costs_only_what_it_was_at(tmp_path: Path, python: Path) -> None:
    """Killed half-way: the problem names the file, all others get their verdicts, and the next run makes up for it."""
    more = "def half(price):\n    return price / 2\n"
    test = "from shop.more import half\n\n\ndef test_half():\n    assert half(2) == 1\n"
    project = {**SOURCE, "src/shop/more.py": more, "tests/test_more.py": test}
    write(tmp_path, project)
    killing = Thread(target=_kill_a_maker, args=(tmp_path,))

    def kill_one(event: MutationEvent) -> None:
        if isinstance(event, MutationStage) and event.stage == "generating":
            killing.start()

    broken = check(tmp_path, python, on_event=kill_one)
    killing.join()
    assert "mutmut ended with status 9 while it mutated src/shop/" in broken.messages
    whole = check(tmp_path, python)
    assert whole.end.trusted, whole.messages
    assert broken.statuses.items() < whole.statuses.items()
    write(tmp_path / "reference", project)
    assert whole.statuses == mutmut_statuses(tmp_path / "reference", python)


def _kill_a_maker(root: Path) -> None:
    """Kill one of the processes that make mutants of the project in `root`, as soon as there is one."""
    while len(makers := mutating_processes(root)) < 2:
        time.sleep(0.005)
    os.kill(max(makers), signal.SIGKILL)


def test_where_no_process_can_be_copied_the_problem_says_what_does_it(tmp_path: Path, python: Path) -> None:
    """As on Windows: nothing is run, and the user is told where it would."""
    write(tmp_path, SOURCE)
    request = {"root": str(tmp_path), "folder": str(tmp_path / ".testlens" / "mutation")}
    script = f"""
import os, runpy, sys
del os.fork
sys.argv = ["agent", "--mutate"]
runpy.run_path({str(AGENT)!r}, run_name="__main__")
"""
    done = subprocess.run(
        [str(python), "-c", script],
        input=f"{json.dumps(request)}\n",
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["event"] for event in events] == ["problem", "done"], done.stderr
    assert "does not run on Windows" in events[0]["message"]
    assert "WSL" in events[0]["advice"]
    assert not events[1]["trusted"]
