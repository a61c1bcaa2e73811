"""Processes between the session and the mutants: each plays one mutant at a time in a copy of itself.

A mutant may end its parent: then the session starts another worker, and knows which mutant it was.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

from testlens_agent.child import die_with
from testlens_agent.explore.limits import limit_memory
from testlens_agent.mutate import mutmut_parts
from testlens_agent.mutate.contexts import Measuring
from testlens_agent.mutate.forking import Dialogue, System, fork, limit_processor, result_of, threads
from testlens_agent.mutate.playing import forget_instances, run_tests, separate, tear_down
from testlens_agent.mutate.stems import UNABLE, Stem, key_of

_BETWEEN_PROOFS = 20
_MOST_STEMS = 4  # each is a process that shares most of its memory with the others


class Worker:
    """A worker and the task that it is at, None while it waits for one.

    `unproved` are the mutants that it played in a way of which it has yet to see that it tells the truth.
    """

    def __init__(self, session: Any, folder: Path, memory_mb: int, foreign: list[int]) -> None:
        parent = os.getpid()
        self.task: dict[str, Any] | None = None
        self.unproved: list[str] = []
        self._dialogue = Dialogue(foreign)
        self.results = self._dialogue.reading
        if self._dialogue.pid == 0:
            _Serving(session, folder, memory_mb, self._dialogue.tasks, self._dialogue.results).serve(parent)

    @property
    def descriptors(self) -> list[int]:
        """What the session holds of it, which other workers have no use for."""
        return self._dialogue.descriptors

    def start(self, task: dict[str, Any]) -> None:
        """Give it a task."""
        self.task = task
        self._dialogue.say(task)

    def take_result(self) -> dict[str, Any] | None:
        """The result of its task, to be called when `results` can be read; None if the worker has died of it."""
        result = self._dialogue.hear()
        if result is not None:
            self.task = None
            self.unproved = result.get("unproved", self.unproved)
        return result

    def end(self) -> None:
        """End it and the mutant that it plays."""
        self._dialogue.end()


class _Serving:
    """What a worker does. `folder` is for the temporary files of its tests."""

    def __init__(self, session: Any, folder: Path, memory_mb: int, tasks: int, results: int) -> None:
        self._session = session
        self._folder = folder
        self._memory_mb = memory_mb
        self._tasks = tasks
        self._results = results
        self._items = {item.nodeid: item for item in session.items}
        self._stems: dict[tuple[str, ...], Stem] = {}
        self._barren: set[tuple[str, ...]] = set()
        self._doubted: list[str] = []

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
            System.exit(0)

    def _do(self, task: dict[str, Any]) -> dict[str, Any]:
        if task["kind"] == "warm":
            return self._warm(task["tests"])
        if task["kind"] == "fell":
            return self._fell_all()
        return self._cold(task) if "cold" in task else self._play(task)

    def _warm(self, tests: list[str]) -> dict[str, Any]:
        """Run the tests in this very process, which leaves what their libraries have prepared."""
        environment, folder, threads_before = dict(os.environ), Path.cwd(), threads()
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
        return {"code": 1 if threads() > threads_before else code, "failed": failed, "why": None}

    def _play(self, task: dict[str, Any]) -> dict[str, Any]:
        key = key_of(task) if task.get("on_stem") else None
        stem = None if key is None else self._stem(key, task)
        result = None if stem is None else self._play_on(stem, task)
        if result is None:
            result = self._play_whole(task)
        shutil.rmtree(str(self._folder), ignore_errors=True)
        unproved = [mutant for stem in self._stems.values() for mutant in stem.unproved]
        doubted = self._take_doubted()
        return {**result, "barren": key in self._barren, "doubted": doubted, "unproved": unproved}

    def _play_on(self, stem: Stem, task: dict[str, Any]) -> dict[str, Any] | None:
        result = stem.play(task)
        if result is None or result["code"] == UNABLE:
            stem.unproved.remove(task["mutant"])
            self._fell(key_of(task), is_barren=True)
            return None
        if len(stem.unproved) >= _BETWEEN_PROOFS and not stem.holds():
            self._fell(key_of(task), is_barren=True)
        return result

    def _stem(self, key: tuple[str, ...], task: dict[str, Any]) -> Stem | None:
        """The stem that a mutant can play on; it is grown here if it can be."""
        stem = self._stems.pop(key, None)
        if stem is None and key not in self._barren:
            if len(self._stems) == _MOST_STEMS:
                self._fell(next(iter(self._stems)))  # the one that has not been used for longest
            stem = Stem(self._session, self._folder, self._memory_mb, task, self._own_descriptors())
        if stem is None:
            return None
        self._stems[key] = stem
        if stem.is_ready:
            return stem
        self._fell(key, is_barren=True)
        shutil.rmtree(str(self._folder), ignore_errors=True)
        return None

    def _own_descriptors(self) -> list[int]:
        return [self._tasks, self._results, *(place for stem in self._stems.values() for place in stem.descriptors)]

    def _fell(self, key: tuple[str, ...], is_barren: bool = False) -> None:
        """End a stem; what played on it since it last held counts only if it still does, or did not stop to."""
        stem = self._stems.pop(key)
        if stem.unproved and (is_barren or not stem.holds()):
            self._doubted += stem.unproved
            is_barren = True
        if is_barren:
            self._barren.add(key)
        stem.end()

    def _fell_all(self) -> dict[str, Any]:
        for key in list(self._stems):
            self._fell(key)
        shutil.rmtree(str(self._folder), ignore_errors=True)
        return {"code": 0, "failed": None, "doubted": self._take_doubted(), "unproved": []}

    def _take_doubted(self) -> list[str]:
        doubted, self._doubted = self._doubted, []
        return doubted

    def _play_whole(self, task: dict[str, Any]) -> dict[str, Any]:
        reading, writing = os.pipe()
        worker = os.getpid()
        pid = fork()
        if pid == 0:
            for descriptor in (reading, *(place for stem in self._stems.values() for place in stem.descriptors)):
                os.close(descriptor)
            self._be_mutant(task, worker, writing)
        os.close(writing)
        return result_of(pid, reading, task["wall"])

    def _be_mutant(self, task: dict[str, Any], worker: int, writing: int) -> NoReturn:
        code, failed = 3, None
        try:
            os.setpgid(0, 0)
            die_with(worker)
            os.close(self._results)
            separate(self._session, self._folder)
            limit_memory(self._memory_mb)
            limit_processor(task["cpu"])
            mutmut_parts.play(task["mutant"])
            items = [self._items[test] for test in task["tests"]]
            code, failed = self._run(task, items)
            self._say(writing, failed)
            tear_down(self._session)
        finally:
            System.exit(code)

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
        arguments = [*task["arguments"], f"--basetemp={self._folder}", *task["tests"]]
        process = subprocess.Popen(
            [sys.executable, "-c", mutmut_parts.FRESH_PYTEST, *arguments],
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


def _as_paths(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: Path(value) if name in {"tree", "kept", "place"} else value for name, value in fields.items()}
