"""Whatever stands where the agent should be, a run ends with a result, and never holds the event loop."""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from testlens.runners.events import Event, TestFinished
from testlens.runners.pytest_runner import run_tests
from testlens.runners.run_log import RunRequest, RunResult


async def run_in_place_of_python(tmp_path: Path, code: str) -> tuple[RunResult, list[Event]]:
    """Run "tests" with an interpreter that runs `code` whatever it is told to run."""
    program = tmp_path / "python"
    program.write_text(f"#!{sys.executable}\n{code}\n")
    program.chmod(0o755)
    events: list[Event] = []
    async with asyncio.timeout(30):
        result = await run_tests(RunRequest(tmp_path, str(program), tmp_path / "data"), events.append)
    return result, events


@pytest.mark.parametrize(
    "garbage",
    [
        "not json",
        "[]",
        "{}",
        '{"event": "unknown"}',
        '{"event": "done"}',
        '{"event": "collected", "total": "many", "rootdir": ""}',
        '{"event": "finished", "nodeid": "a", "outcome": "great", "duration": 1}',
        "\\xff\\xfe",
    ],
)
async def test_garbage_is_a_problem_said_once(tmp_path: Path, garbage: str) -> None:
    code = f"import sys\nfor _ in range(3): sys.stdout.buffer.write({garbage!r}.encode('latin-1') + b'\\n')"

    result, _ = await run_in_place_of_python(tmp_path, code)

    messages = [problem.message for problem in result.problems]
    assert len([message for message in messages if "no event" in message]) == 1
    assert result.exit_code is None
    assert any("ended early" in message for message in messages)


async def test_an_agent_that_dies_leaves_the_running_test_as_an_error(tmp_path: Path) -> None:
    code = """
import os
print('{"event": "started", "nodeid": "t.py::test", "file": "t.py", "line": 3}', flush=True)
os.kill(os.getpid(), 9)
"""

    result, events = await run_in_place_of_python(tmp_path, code)

    (test,) = result.results
    assert (test.nodeid, test.outcome, test.line) == ("t.py::test", "error", 3)
    assert test in events
    assert "signal 9" in result.problems[0].message


async def test_an_interpreter_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    result = await run_tests(RunRequest(tmp_path, str(tmp_path / "gone"), tmp_path / "data"), lambda event: None)

    (problem,) = result.problems
    assert "gone could not be started" in problem.message
    assert result.exit_code is None


async def test_a_line_without_end_is_cut_off(tmp_path: Path) -> None:
    code = "import sys\nwhile True: sys.stdout.write('x' * 1_000_000)"

    result, _ = await run_in_place_of_python(tmp_path, code)

    assert any("line without an end" in problem.message for problem in result.problems)


async def test_a_flood_of_events_does_not_hold_the_event_loop(tmp_path: Path) -> None:
    code = """
import sys
for number in range(40_000):
    print('{"event":"finished","nodeid":"t.py::test_%d","outcome":"passed","duration":0.1,"message":null,'
          '"file":"/t.py","line":1,"longrepr":null}' % number)
print('{"event":"done","exit_code":0,"data_file":null,"sources":{},"seconds":1.0,"collection_seconds":1.0}')
"""
    waits: list[float] = []
    with only_new_garbage():
        heart = asyncio.create_task(beat(waits))
        result, events = await run_in_place_of_python(tmp_path, code)
        heart.cancel()
    assert len(result.results) == 40_000
    assert sum(isinstance(event, TestFinished) for event in events) == 40_000
    assert max(waits) < 0.05


@contextmanager
def only_new_garbage() -> Iterator[None]:
    """The collector passes over all that is there before the block, as it does in the server.

    It would look through what other tests left behind, at a moment that is not the server's to choose. What comes in
    the block is looked through as often as Python does by default, which is oftener than in the server.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


async def beat(waits: list[float]) -> None:
    """Note how long others hold the event loop, in seconds of processor time, whatever else the machine does."""
    while True:
        began = time.thread_time()
        await asyncio.sleep(0)
        waits.append(time.thread_time() - began)
