"""Processes between the session and the mutants: each plays one mutant at a time in a copy of itself.

A mutant may end its parent: then the session starts another worker, and knows which mutant it was.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import Any, NoReturn

from testlens_agent.child import die_with
from testlens_agent.explore.limits import limit_memory
from testlens_agent.mutate import mutmut_parts
from testlens_agent.mutate.contexts import Measuring
from testlens_agent.mutate.playing import forget_instances, run_tests, separate, tear_down

_GRACE_SECONDS = 1.0
_TICK_SECONDS = 0.05
_exit = os._exit


class Worker:
    """A worker and the task that it is at, None while it waits for one."""

    def __init__(self, session: Any, folder: Path, memory_mb: int, foreign: list[int]) -> None:
        tasks, self._tasks = os.pipe()
        self.results, results = os.pipe()
        parent = os.getpid()
        self.task: dict[str, Any] | None = None
        self.pid = _fork()
        if self.pid == 0:
            for descriptor in (self._tasks, self.results, *foreign):
                with contextlib.suppress(OSError):
                    os.close(descriptor)
            _Serving(session, folder, memory_mb, tasks, results).serve(parent)
        os.close(tasks)
        os.close(results)
        self._pending = b""

    @property
    def descriptors(self) -> list[int]:
        """What the session holds of it, which other workers have no use for."""
        return [self._tasks, self.results]

    def start(self, task: dict[str, Any]) -> None:
        """Give it a task."""
        self.task = task
        with contextlib.suppress(OSError):  # it has died, which is seen when its results end
            os.write(self._tasks, json.dumps(task).encode("ascii") + b"\n")

    def take_result(self) -> dict[str, Any] | None:
        """The result of its task, to be called when `results` can be read; None if the worker has died of it."""
        while b"\n" not in self._pending:
            chunk = os.read(self.results, 65_536)
            if not chunk:
                return None
            self._pending += chunk
        line, _, self._pending = self._pending.partition(b"\n")
        self.task = None
        result: dict[str, Any] = json.loads(line)
        return result

    def end(self) -> None:
        """End it and the mutant that it plays."""
        with contextlib.suppress(OSError):
            os.killpg(self.pid, signal.SIGKILL)
        with contextlib.suppress(OSError):
            os.kill(self.pid, signal.SIGKILL)
        with contextlib.suppress(OSError):
            os.waitpid(self.pid, 0)
        for descriptor in self.descriptors:
            os.close(descriptor)


class _Serving:
    """What a worker does. `folder` is for the temporary files of its tests."""

    def __init__(self, session: Any, folder: Path, memory_mb: int, tasks: int, results: int) -> None:
        self._session = session
        self._folder = folder
        self._memory_mb = memory_mb
        self._tasks = tasks
        self._results = results
        self._items = {item.nodeid: item for item in session.items}

    def serve(self, parent: int) -> NoReturn:
        """Do one task after the other until there are no more."""
        try:
            os.setpgid(0, 0)
            die_with(parent)
            for line in os.fdopen(self._tasks, "rb"):
                task = json.loads(line)
                began = time.monotonic()
                result = self._do(task)
                result["seconds"] = time.monotonic() - began
                os.write(self._results, json.dumps(result).encode("ascii") + b"\n")
        finally:
            _exit(0)

    def _do(self, task: dict[str, Any]) -> dict[str, Any]:
        if task["kind"] == "warm":
            return self._warm(task["tests"])
        return self._cold(task) if "cold" in task else self._play(task)

    def _warm(self, tests: list[str]) -> dict[str, Any]:
        """Run the tests in this very process, which leaves what their libraries have prepared."""
        environment, folder, threads = dict(os.environ), Path.cwd(), _threads()
        separate(self._session, self._folder)
        mutmut_parts.play("")
        items = [self._items[test] for test in tests]
        code, failed = run_tests(self._session, items)
        tear_down(self._session)
        forget_instances(items)
        os.chdir(str(folder))
        os.environ.clear()
        os.environ.update(environment)
        shutil.rmtree(str(self._folder), ignore_errors=True)
        gc.collect()
        gc.freeze()
        # A thread is not in the copies of a process, and whoever waits for it there waits for ever.
        return {"code": 1 if _threads() > threads else code, "failed": failed, "why": None}

    def _play(self, task: dict[str, Any]) -> dict[str, Any]:
        reading, writing = os.pipe()
        worker = os.getpid()
        pid = _fork()
        if pid == 0:
            os.close(reading)
            self._be_mutant(task, worker, writing)
        os.close(writing)
        status, timed_out = _await(pid, reading, task["wall"])
        said = _read_rest(reading)
        with contextlib.suppress(OSError):
            os.killpg(pid, signal.SIGKILL)  # what it left behind
        shutil.rmtree(str(self._folder), ignore_errors=True)
        return {"code": 36 if timed_out else status, "failed": said.get("failed"), "why": said.get("why")}

    def _be_mutant(self, task: dict[str, Any], worker: int, writing: int) -> NoReturn:
        code, failed = 3, None
        try:
            os.setpgid(0, 0)
            die_with(worker)
            os.close(self._results)
            separate(self._session, self._folder)
            _limit(task["cpu"], self._memory_mb)
            mutmut_parts.play(task["mutant"])
            items = [self._items[test] for test in task["tests"]]
            code, failed = self._run(task, items)
            self._say(writing, failed)
            tear_down(self._session)
        finally:
            _exit(code)

    def _run(self, task: dict[str, Any], items: list[Any]) -> tuple[int, str | None]:
        self._why = ""
        plugins = self._session.config.pluginmanager
        if "measure" not in task:
            if task["mutant"] == "":
                plugins.register(_Complaints(self))
            return run_tests(self._session, items)
        measuring = Measuring(**_as_paths(task["measure"]))
        plugins.register(measuring)
        plugins.register(_Complaints(self))
        measuring.start()
        code, failed = run_tests(self._session, items)
        if code == 0:
            measuring.finish()
        return code, failed

    def complain(self, why: str) -> None:
        """Keep why a test failed that ought not to."""
        self._why = why

    def _say(self, writing: int, failed: str | None) -> None:
        if failed is not None:
            os.write(writing, json.dumps({"failed": failed, "why": self._why[:1000]}).encode("ascii"))

    def _cold(self, task: dict[str, Any]) -> dict[str, Any]:
        """Run the tests as a fresh process would."""
        environment = {**os.environ, "MUTANT_UNDER_TEST": task["mutant"], "PYTHONPATH": task["python_path"]}
        environment["PY_IGNORE_IMPORTMISMATCH"] = "1"
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", *task["arguments"], f"--basetemp={self._folder}", *task["tests"]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )
        code: int | None = None
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = process.wait(task["wall"])
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return {"code": 36 if code is None else code, "failed": None, "why": None}


class _Complaints:
    """Keeps what pytest says of a failure."""

    def __init__(self, serving: _Serving) -> None:
        self._serving = serving

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Take a report."""
        if report.failed:
            lines = [line for line in str(report.longreprtext).splitlines() if line.strip()]
            self._serving.complain(lines[-1].strip() if lines else "")


def _await(pid: int, reading: int, seconds: float) -> tuple[int, bool]:
    """The exit code of the mutant, negative for a signal, and whether its time was over."""
    deadline = time.monotonic() + seconds
    is_late, is_told = False, False
    while True:
        patience = min(_TICK_SECONDS, max(0.0, deadline - time.monotonic()))
        if is_told:
            time.sleep(0.0005)  # it has said what it has to say, or closed its end: it is about to end
        else:
            is_told = bool(select.select([reading], [], [], patience)[0])
        done, raw = os.waitpid(pid, os.WNOHANG)
        if done:
            return _exit_code(raw), is_late
        if time.monotonic() < deadline:
            continue
        if is_late:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return -signal.SIGXCPU, True
        os.kill(pid, signal.SIGXCPU)
        is_late, deadline = True, time.monotonic() + _GRACE_SECONDS


def _threads() -> int:
    try:
        return len(list(Path("/proc/self/task").iterdir()))  # those of libraries as well, of which Python knows nothing
    except OSError:
        return threading.active_count()


def _exit_code(raw: int) -> int:
    return -os.WTERMSIG(raw) if os.WIFSIGNALED(raw) else os.WEXITSTATUS(raw)


def _read_rest(reading: int) -> dict[str, Any]:
    text = b""
    with contextlib.suppress(OSError):
        os.set_blocking(reading, False)
        text = os.read(reading, 65_536)
    os.close(reading)
    try:
        said: dict[str, Any] = json.loads(text)
    except ValueError:
        return {}
    return said


def _limit(cpu_seconds: int, memory_mb: int) -> None:
    import resource

    limit_memory(memory_mb)
    limit = cpu_seconds + int(time.process_time())
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 1))


def _as_paths(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: Path(value) if name in {"tree", "kept", "place"} else value for name, value in fields.items()}


def _fork() -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of threads, which a plugin may have started; they are not in the copy
        return os.fork()
