"""Tests that kill, block, fork and litter cost themselves, and nothing else."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.projects import Project, Run
from testlens.runners.events import Event, TestStarted
from testlens.runners.pytest_runner import run_tests

NEIGHBOURS = """
from pkg.core import first, last

def test_1_before():
    assert first() == 1

{hostile}

def test_3_after():
    assert last() == 3
"""
CORE = """
def first():
    return 1

def middle():
    return 2

def last():
    return 3
"""
IN_ORDER = ("-p", "no:randomly")
# Seconds after which a test counts as hung. It holds for the start of pytest as well, which others may slow down.
SILENCE = 6.0


def write(project: Project, hostile: str) -> None:
    """A project with a hostile test between two harmless ones."""
    project.write({"pkg/__init__.py": "", "pkg/core.py": CORE, "test_it.py": NEIGHBOURS.format(hostile=hostile)})


def assert_neighbours_are_unharmed(project: Project, run: Run) -> None:
    """Both harmless tests passed, and the data has what they ran."""
    assert run.outcomes["test_1_before"] == "passed"
    assert run.outcomes["test_3_after"] == "passed"
    core = project.root / "pkg/core.py"
    assert run.contexts(core, 2) == {"test_it.py::test_1_before|run"}
    assert run.contexts(core, 8) == {"test_it.py::test_3_after|run"}


FATAL = {
    "os._exit(3)": "exit code 3 (os._exit)",
    "os._exit(0)": "exit code 0 (os._exit)",
    "os.kill(os.getpid(), signal.SIGKILL)": "killed by SIGKILL",
    "os.kill(os.getpid(), signal.SIGSEGV)": "killed by SIGSEGV",
    "os.killpg(0, signal.SIGTERM)": "killed by SIGTERM",
    "__import__('threading').Thread(target=os._exit, args=(4,)).start(); time.sleep(9)": "exit code 4 (os._exit)",
}


@pytest.mark.parametrize("fatal", FATAL)
async def test_a_test_that_ends_its_process_is_named_and_the_others_run(project: Project, fatal: str) -> None:
    write(project, f"def test_2():\n    import os, signal, time\n    {fatal}")

    run = await project.run(*IN_ORDER)

    assert_neighbours_are_unharmed(project, run)
    culprit = run.test("test_2")
    assert culprit.outcome == "error"
    assert FATAL[fatal] in (culprit.message or "")
    assert (culprit.file, culprit.line) == ("test_it.py", 6)
    assert run.result.exit_code == 1


async def test_what_ran_before_os_exit_is_in_the_data(project: Project) -> None:
    write(project, "def test_2():\n    import os\n    from pkg.core import middle\n    os._exit(middle())")

    run = await project.run(*IN_ORDER)

    assert run.contexts(project.root / "pkg/core.py", 5) == {"test_it.py::test_2|run"}


async def test_files_that_nothing_imports_are_known_even_if_the_last_test_kills(project: Project) -> None:
    project.write(
        {
            "pkg/__init__.py": "",
            "pkg/unused.py": "A = 1\n",
            "test_it.py": "import os, pkg\ndef test_1(): os.kill(os.getpid(), 9)\n",
        }
    )

    run = await project.run()

    assert run.measured(project.root) == {"pkg/__init__.py", "pkg/unused.py"}


async def test_a_test_that_never_ends_is_ended_and_named(project: Project) -> None:
    write(project, "def test_2():\n    while True: pass")

    run = await project.run(*IN_ORDER, test_timeout=SILENCE)

    assert_neighbours_are_unharmed(project, run)
    assert run.test("test_2").message == f"no progress for {SILENCE:g} s during this test"


async def test_a_session_that_never_finishes_keeps_its_results(project: Project) -> None:
    write(project, "")
    (project.root / "conftest.py").write_text("import time\ndef pytest_sessionfinish():\n    time.sleep(60)\n")

    run = await project.run(*IN_ORDER, test_timeout=SILENCE)

    assert_neighbours_are_unharmed(project, run)
    (problem,) = run.result.problems
    assert problem.message == f"The test process stopped outside of any test: no progress for {SILENCE:g} s."


async def test_a_plugin_that_ends_the_process_after_the_last_test_is_no_crash(project: Project) -> None:
    write(project, "")
    (project.root / "conftest.py").write_text("import os\ndef pytest_unconfigure():\n    os._exit(0)\n")

    run = await project.run(*IN_ORDER)

    assert_neighbours_are_unharmed(project, run)
    assert run.result.exit_code == 0
    assert not run.result.problems, run.messages


async def test_a_process_that_lingers_after_its_tests_does_not_hold_the_run(project: Project) -> None:
    linger = "__import__('subprocess').Popen(['sleep', '100'], start_new_session=True)"
    write(project, f"def test_2():\n    {linger}")

    began = time.monotonic()
    run = await project.run(*IN_ORDER)

    assert_neighbours_are_unharmed(project, run)
    assert time.monotonic() - began < 50


_AT_THE_END = """
import atexit, threading, time
from pathlib import Path

here = Path(__file__).parent
held = (here / "held.txt").open("w")

def test_leaving_things_undone():
    held.write("never closed")
    atexit.register((here / "atexit.txt").write_text, "done")

    def go_on():
        time.sleep(0.5)
        (here / "thread.txt").write_text("done")

    threading.Thread(target=go_on).start()
"""


async def test_what_tests_leave_to_the_end_of_python_is_done(project: Project) -> None:
    """What waits in buffers is written, threads are waited for, and what is registered is called."""
    project.write({"tests/test_it.py": _AT_THE_END})
    run = await project.run(*IN_ORDER)
    assert run.outcomes == {"test_leaving_things_undone": "passed"}
    left = {path.name: path.read_text() for path in (project.root / "tests").glob("*.txt")}
    assert left == {"held.txt": "never closed", "atexit.txt": "done", "thread.txt": "done"}


async def test_prints_reach_the_output_and_not_the_results(project: Project) -> None:
    noise = """
def test_2(capfd):
    import os, sys
    with capfd.disabled():
        print('{"event": "done", "exit_code": 0}', flush=True)
        os.write(1, b"\\xff\\x00 to descriptor 1\\n")
        os.system("echo from a shell")
"""
    write(project, noise)

    run = await project.run(*IN_ORDER)

    assert_neighbours_are_unharmed(project, run)
    assert not run.result.problems, run.messages
    assert "to descriptor 1" in run.result.output
    assert "from a shell" in run.result.output


async def test_a_forked_copy_ends_with_its_test(project: Project) -> None:
    write(project, "def test_2():\n    import os\n    from pkg.core import middle\n    os.fork() or middle()")
    (project.root / "conftest.py").write_text(
        "import os\ndef pytest_runtest_setup(item):\n    open('log.txt', 'a').write(f'{item.name}\\n')\n"
    )

    run = await project.run(*IN_ORDER)

    assert_neighbours_are_unharmed(project, run)
    assert (project.root / "log.txt").read_text().split() == ["test_1_before", "test_2", "test_3_after"]
    assert len(run.result.results) == 3
    assert run.contexts(project.root / "pkg/core.py", 5) == {"test_it.py::test_2|run"}, "what the copy ran counts"


async def test_the_removed_working_folder_is_left(project: Project) -> None:
    remove = """
def test_2(tmp_path):
    import os, shutil
    os.chdir(tmp_path)
    shutil.rmtree(tmp_path)
    assert False
"""
    write(project, remove)

    run = await project.run(*IN_ORDER)

    assert_neighbours_are_unharmed(project, run)
    assert run.outcomes["test_2"] == "failed"
    assert run.test("test_2").line == 11


async def test_a_test_may_remove_the_project_itself(project: Project) -> None:
    write(project, "def test_2():\n    import os, shutil\n    shutil.rmtree(os.getcwd())")

    run = await project.run(*IN_ORDER)

    assert set(run.outcomes.values()) == {"passed"}
    assert run.result.data_file == project.data_file


@pytest.mark.parametrize("signal_name", ["SIGKILL", "SIGTERM"])
async def test_a_test_that_kills_its_parent_is_named_and_the_others_run(project: Project, signal_name: str) -> None:
    kill = f"""
def test_2():
    import os, signal, subprocess, time
    child = subprocess.Popen(["sleep", "300"])
    open("pids.txt", "w").write(f"{{os.getpid()}} {{os.getppid()}} {{child.pid}}")
    os.kill(os.getppid(), signal.{signal_name})
    time.sleep(30)
"""
    write(project, kill)

    run = await project.run(*IN_ORDER)

    assert_neighbours_are_unharmed(project, run)
    assert run.test("test_2").message == f"the parent of the test process was killed by {signal_name} during this test"
    await assert_ended(project.root / "pids.txt")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds the agent through /proc")
async def test_an_agent_that_is_killed_is_a_problem_and_no_process_is_left(project: Project) -> None:
    kill = """
def test_2():
    import os, pathlib, signal, subprocess, time
    child = subprocess.Popen(["sleep", "300"])
    agent = int(pathlib.Path(f"/proc/{os.getppid()}/stat").read_text().rpartition(")")[2].split()[1])
    open("pids.txt", "w").write(f"{os.getpid()} {os.getppid()} {child.pid} {agent}")
    time.sleep(0.5)
    os.kill(agent, signal.SIGKILL)
    time.sleep(30)
"""
    write(project, kill)

    run = await project.run(*IN_ORDER)

    assert run.outcomes == {"test_1_before": "passed", "test_2": "error"}
    assert "signal 9" in (run.test("test_2").message or "")
    assert "ended early" in run.messages
    await assert_ended(project.root / "pids.txt")


async def test_cancelling_ends_every_process(project: Project) -> None:
    sleepers = """
def test_2():
    import os, subprocess, sys, time
    child = subprocess.Popen(["sleep", "300"], start_new_session=sys.platform == "linux")
    copy = os.fork()
    if copy:
        open("pids.txt", "w").write(f"{os.getpid()} {os.getppid()} {child.pid} {copy}")
    time.sleep(300)
"""
    write(project, sleepers)
    reached = asyncio.Event()

    def watch(event: Event) -> None:
        if isinstance(event, TestStarted) and event.nodeid.endswith("test_2"):
            reached.set()

    run = asyncio.create_task(run_tests(project.request(*IN_ORDER), watch))
    await asyncio.wait_for(reached.wait(), 20)
    await until((project.root / "pids.txt").exists)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run

    await assert_ended(project.root / "pids.txt")
    assert not project.data_file.exists(), "half a run must not replace the data"


async def test_no_tests_are_no_data(project: Project) -> None:
    project.write({"pkg/__init__.py": ""})

    run = await project.run()

    assert run.result.exit_code == 5
    assert run.result.data_file is None
    assert run.result.results == ()


COLLECTION_ERRORS = {
    "def broken(:\n": ("SyntaxError", 1),
    "import os\nimport no_such_module\n": ("No module named 'no_such_module'", 2),
    "x = 1\n\nx / 0\n": ("ZeroDivisionError", 3),
}


@pytest.mark.parametrize("source", COLLECTION_ERRORS)
async def test_what_cannot_be_collected_is_a_problem_at_its_place(project: Project, source: str) -> None:
    message, line = COLLECTION_ERRORS[source]
    project.write({"test_bad.py": source, "test_good.py": "def test_it(): pass\n"})

    run = await project.run()

    (problem,) = run.result.problems
    assert message in problem.message
    assert (problem.path, problem.line, problem.severity) == ("test_bad.py", line, "error")
    assert run.result.exit_code == 2
    assert run.result.data_file is None


async def test_a_process_that_ends_while_collecting_is_a_problem(project: Project) -> None:
    project.write({"test_bad.py": "import os\nos._exit(7)\n"})

    run = await project.run()

    assert "while test_bad.py was collected" in run.messages
    assert "exit code 7" in run.messages


@pytest.mark.parametrize(
    ("files", "arguments", "reason"),
    [
        ({"conftest.py": "import no_such_module\n"}, (), "no_such_module"),
        ({}, ("--no-such-option",), "--no-such-option"),
        ({}, ("no_such_test.py",), "no_such_test.py"),
        ({"pytest.ini": "[pytest]\naddopts = --unknown\n"}, (), "--unknown"),
    ],
)
async def test_a_run_that_pytest_refuses_says_why(
    project: Project, files: dict[str, str], arguments: tuple[str, ...], reason: str
) -> None:
    project.write(files | {"test_it.py": "def test_it(): pass\n"})

    run = await project.run(*arguments)

    assert run.result.exit_code == 4
    assert reason in run.messages


async def test_a_conftest_that_cannot_be_loaded_is_named_with_its_line(project: Project) -> None:
    project.write(
        {"tests/conftest.py": "import os\nimport no_such_module\n", "tests/test_it.py": "def test_it(): pass\n"}
    )

    run = await project.run()

    assert [(problem.path, problem.line) for problem in run.result.problems] == [("tests/conftest.py", 2)]


async def test_crashes_without_end_are_bounded(project: Project) -> None:
    project.write(
        {
            "test_it.py": """
                import os, pytest

                @pytest.mark.parametrize("number", range(20))
                def test_it(number):
                    os._exit(1)
                """
        }
    )

    run = await project.run()

    assert set(run.outcomes.values()) == {"error"}
    assert len(run.outcomes) < 20
    assert "tests were not run" in run.messages


async def test_data_that_cannot_be_kept_is_still_shown(project: Project) -> None:
    write(project, "")
    project.data_file.parent.rmdir()
    project.data_file.parent.write_text("not a folder")

    run = await project.run()

    assert "could not be kept" in run.messages
    assert run.lines(project.root / "pkg/core.py") == {1, 2, 4, 7, 8}
    assert run.result.data_file is not None
    run.result.data_file.unlink()
    run.result.data_file.parent.rmdir()


async def test_a_full_disk_costs_the_coverage_and_not_the_results(project: Project) -> None:
    write(project, "")
    (project.root / "conftest.py").write_text(
        "import resource\ndef pytest_collection_finish():\n    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
    )

    run = await project.run("-p", "no:cacheprovider")

    assert run.outcomes == {"test_1_before": "passed", "test_3_after": "passed"}
    assert run.messages.count("coverage of this run is incomplete") == 1


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait until the condition is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)


async def assert_ended(pids: Path) -> None:
    """None of the processes named in the file runs any more."""
    processes = [int(pid) for pid in pids.read_text().split()]
    assert processes
    await until(lambda: not any(map(is_running, processes)), 5)


def is_running(pid: int) -> bool:
    """Whether the process exists and is no zombie that only waits for its parent to look."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")
