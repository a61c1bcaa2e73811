"""Starts the warm pytest session of the explorer, and says what hinders it."""

from __future__ import annotations

import gc
import importlib.util
import io
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

from testlens_agent.child import die_with
from testlens_agent.explore.lifeline import Lifeline
from testlens_agent.explore.request import Request
from testlens_agent.wire import EventStream, claim_stdout, close_stdin, read_request

_USAGE_ERROR = 4
_LONGEST_OUTPUT = 16_384


def explore() -> int:
    """Do what the request on standard input says, and serve the commands that follow; returns an exit code."""
    die_with(os.getppid())
    events = claim_stdout()
    try:
        request = Request.parse(read_request(), can_fork=hasattr(os, "fork"))
    except (ValueError, KeyError, TypeError) as error:
        events.problem(f"The explorer got no request that it understands: {error}", "Reinstall Testlens.")
        return _USAGE_ERROR
    commands = os.dup(0)
    close_stdin()
    if importlib.util.find_spec("pytest") is None:
        advice = f"Install with: {sys.executable} -m pip install pytest"
        events.problem(f"pytest cannot be imported by {sys.executable}.", advice, severity="error")
        return _USAGE_ERROR
    return _Explorer(request, events, commands).run()


class _Explorer:
    """The process that serves commands, or that carries out the one that the request holds."""

    def __init__(self, request: Request, events: EventStream, commands: int) -> None:
        self._request = request
        self._events = events
        self._commands = commands
        self._began = time.perf_counter()
        self._served = False
        self._lifeline = Lifeline(commands)

    def run(self) -> int:
        with self._lifeline:
            if self._request.only is None and not self._request.fork:
                return self._serve_afresh()
            os.chdir(str(self._request.root))
            return self._run_pytest()

    def _run_pytest(self) -> int:
        import pytest

        # All of our modules, while nothing of the project's folder can stand in for what they import.
        from testlens_agent.explore import serving, workers  # noqa: F401  (loaded for the copies)
        from testlens_agent.explore.plugin import ExplorerPlugin

        root = Path.cwd()  # the real path, which pytest reports whatever links lead there
        if not getattr(sys.flags, "safe_path", False):
            sys.path.insert(0, str(root))  # as `python -m pytest` does
        sys.dont_write_bytecode = True
        folder = _folder_near(self._request.near, root)
        plugin = ExplorerPlugin(root, folder, self._serve)
        arguments = self._arguments(folder)
        sys.argv[:] = [str(Path(pytest.__file__).with_name("__main__.py")), *arguments]
        errors = _Copy(sys.stderr)
        sys.stderr = errors
        code = int(pytest.main(arguments, plugins=[plugin]))
        if not self._served:
            self._report_start(plugin.internal_error or _complaint(errors.kept))
            return code
        return 0

    def _arguments(self, folder: Path) -> list[str]:
        scratch = self._request.scratch
        return [
            *self._request.pytest_args,
            str(folder),
            f"--basetemp={scratch / 'session'}",
            "-o",
            f"cache_dir={scratch / 'cache'}",
        ]

    def _serve(self, session: Any, plugin: Any) -> None:
        from testlens_agent.explore.confined import Session

        self._served = True
        self._lifeline.release()
        warm = Session(session, plugin, self._request)
        if self._request.only is not None:
            self._do_one(warm, self._request.only)
        from testlens_agent.explore.serving import Serving
        from testlens_agent.explore.workers import Workers

        gc.collect()
        gc.freeze()  # what was made so far stays in memory that all copies share
        self._say_ready()
        Serving(Workers(self._request, warm), self._events, self._commands, self._request).serve()

    def _serve_afresh(self) -> int:
        """Serve without a warm session, after one that shows that a session can be started."""
        from testlens_agent.explore.serving import Serving
        from testlens_agent.explore.stages import NO_SCENE
        from testlens_agent.explore.workers import Workers

        workers = Workers(self._request, None)
        worker = workers.start({"do": "nothing"}, NO_SCENE)
        problem = None
        while (messages := worker.read()) is not None:
            problem = next((message for message in messages if message.get("event") == "problem"), problem)
        worker.end()
        if problem is not None:
            self._events.send(**problem)
            return _USAGE_ERROR
        self._lifeline.release()
        self._say_ready()
        Serving(workers, self._events, self._commands, self._request).serve()
        return 0

    def _do_one(self, warm: Any, task: dict[str, Any]) -> None:
        from testlens_agent.explore.copies import be_the_only_one

        be_the_only_one(warm, task, self._request.scratch, self._events.descriptor)

    def _say_ready(self) -> None:
        self._events.send(
            "ready",
            python=platform.python_version(),
            forks=self._request.fork,
            seconds=time.perf_counter() - self._began,
        )

    def _report_start(self, complaint: str) -> None:
        self._events.problem(
            f"The session that tries tests could not be started: {complaint}",
            "Correct it, or run pytest in a terminal to see more.",
            severity="error",
        )


class _Copy(io.TextIOBase):
    """Passes on what is written, and keeps the end of it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.kept = ""

    def write(self, text: str) -> int:
        """Write to the stream as well."""
        self.kept = (self.kept + text)[-_LONGEST_OUTPUT:]
        return int(self._stream.write(text) or len(text))

    def flush(self) -> None:
        """Flush the stream."""
        self._stream.flush()

    def fileno(self) -> int:
        """The stream's descriptor, which pytest's capturing and faulthandler ask for."""
        return int(self._stream.fileno())


def _folder_near(near: Path | None, root: Path) -> Path:
    if near is None:
        return root
    return next((place for place in (near, *near.parents) if place.is_dir()), root)


def _complaint(output: str) -> str:
    """The line of pytest's own output that says why it refused to start."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    for mark in ("E   ", ": error: ", "ERROR: "):
        for line in lines:
            if mark in line:
                return line.split(mark, 1)[1].strip()
    return lines[-1] if lines else "pytest gave no reason."
