"""Starts child processes: argument lists, own process groups, bounded time and output; and ends what was started.

Only here and in `group_process`, which is apart since a plan runs git and has no use for what asyncio loads.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from testlens.domain.problems import Problem

_LONGEST_ERROR_TEXT = 4_000
_FROZEN = ("T", "t")  # by a signal, by a debugger


def kill_group(pid: int) -> None:
    """Kill the process group that `pid` leads or led; no error if nothing is left of it."""
    if sys.platform == "win32":
        command = ["taskkill", "/PID", str(pid), "/T", "/F"]
        subprocess.run(command, check=False, capture_output=True, timeout=10)
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def kill_marked(variable: str, *values: str, spared: int | None = None) -> None:
    """Kill every process that was started with one of these in an environment variable, having left its group or not.

    All but the one with the id `spared`.

    Linux only: elsewhere a process that made a session of its own outlives its job.
    """
    marks = {f"{variable}={value}".encode() for value in values}
    for folder in Path("/proc").glob("[0-9]*"):
        # Processes come and go meanwhile, and those of other users cannot be read.
        with contextlib.suppress(OSError):
            if int(folder.name) != spared and not marks.isdisjoint((folder / "environ").read_bytes().split(b"\0")):
                os.kill(int(folder.name), signal.SIGKILL)


def is_frozen(pid: int) -> bool:
    """Whether a process was stopped, and does nothing until somebody lets it go on. Linux only: else it says no."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] in _FROZEN


@dataclass(frozen=True, slots=True)
class Completed:
    """A process that ran to its end: its exit status, and its output decoded as UTF-8."""

    status: int
    output: str
    errors: str


def run_text(argv: Sequence[str], cwd: Path, timeout: float = 30.0, limit: int = 64_000_000) -> Completed | Problem:
    """Run a command that prints text; blocks, so call it from a thread.

    A Problem if it cannot be started, takes more than `timeout` seconds or prints more than `limit` bytes.
    """
    name = Path(argv[0]).name
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(
                argv,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        except OSError as error:
            return Problem(f"{argv[0]} could not be started: {error.strerror}.", f"Install {name}, or check its path.")
        timed_out = threading.Event()
        timer = threading.Timer(timeout, _end, (process, timed_out))
        timer.start()
        try:
            assert process.stdout is not None
            with process.stdout:
                output = process.stdout.read(limit + 1)
            if len(output) <= limit:
                process.wait()
        finally:
            timer.cancel()
            kill_group(process.pid)
            process.wait()
        if timed_out.is_set():
            return Problem(f"{name} took more than {timeout:g} s.", f"Run `{' '.join(argv)}` in a terminal to see why.")
        if len(output) > limit:
            return Problem(f"{name} printed more than {limit} bytes.", "Open a smaller folder.")
        errors.seek(0)
        error_text = errors.read(_LONGEST_ERROR_TEXT)
    return Completed(process.returncode, output.decode("utf-8", "replace"), error_text.decode("utf-8", "replace"))


def _end(process: subprocess.Popen[bytes], timed_out: threading.Event) -> None:
    timed_out.set()
    kill_group(process.pid)
