"""Child processes are bounded in time and output, and leave nothing behind."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from testlens.domain.problems import Problem
from testlens.runners.process import Completed, run_text


def python(code: str) -> list[str]:
    """A command that runs the code."""
    return [sys.executable, "-c", code]


def test_output_errors_and_status_are_returned(tmp_path: Path) -> None:
    completed = run_text(
        python("import sys; print('out \u00e9'); print('err', file=sys.stderr); sys.exit(3)"), tmp_path
    )

    assert completed == Completed(3, "out \u00e9\n", "err\n")


def test_bytes_that_are_no_utf8_do_not_fail(tmp_path: Path) -> None:
    completed = run_text(python("import sys; sys.stdout.buffer.write(b'a\\xffb')"), tmp_path)

    assert isinstance(completed, Completed)
    assert completed.output == "a\ufffdb"


def test_a_command_that_does_not_exist_is_a_problem(tmp_path: Path) -> None:
    problem = run_text(["no-such-command"], tmp_path)

    assert isinstance(problem, Problem)
    assert "no-such-command could not be started" in problem.message


def test_a_command_that_takes_too_long_is_ended_with_what_it_started(tmp_path: Path) -> None:
    began = time.monotonic()
    code = "import subprocess, time; subprocess.Popen(['sleep', '60']); time.sleep(60)"

    problem = run_text(python(code), tmp_path, timeout=0.5)

    assert isinstance(problem, Problem)
    assert "more than 0.5 s" in problem.message
    assert time.monotonic() - began < 10, "the sleeper holds the pipe open for as long as it lives"


def test_output_without_end_is_cut_off(tmp_path: Path) -> None:
    problem = run_text(python("while True: print('x' * 1000)"), tmp_path, limit=100_000)

    assert isinstance(problem, Problem)
    assert "more than 100000 bytes" in problem.message


def test_a_command_reads_nothing(tmp_path: Path) -> None:
    completed = run_text(python("import sys; print(repr(sys.stdin.read()))"), tmp_path)

    assert isinstance(completed, Completed)
    assert completed.output == "''\n"
