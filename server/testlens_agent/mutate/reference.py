"""`mutmut run` itself, in a copy of the project: the slower way, for projects in which ours cannot be believed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from testlens_agent.mutate.copying import Copy
from testlens_agent.mutate.request import Request
from testlens_agent.mutate.verdicts import status_of
from testlens_agent.wire import EventStream

_SECONDS_BETWEEN_LOOKS = 0.2
_LINES_SAID = 5


class Reference:
    """One run of mutmut. `config` is mutmut's configuration as it reads it in the project."""

    def __init__(self, request: Request, config: Any, events: EventStream) -> None:
        self._request = request
        self._config = config
        self._events = events
        self._tree = request.folder / "reference" / "project"
        self._output = self._tree.with_name("output.txt")
        self._told: set[str] = set()

    def run(self, names: list[str]) -> bool:
        """Let mutmut play these mutants, and tell what becomes of them; whether it came to its end."""
        Copy(self._request.root, self._tree, self._config).update(frozenset(), "")
        shutil.rmtree(str(self._tree / "mutants"), ignore_errors=True)  # or it would tell what was true of other tests
        self._events.send("checking", total=len(names))
        wanted = set(names)
        with self._output.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "mutmut", "run", "--max-children", str(self._request.workers), *names],
                cwd=str(self._tree),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            while process.poll() is None:
                time.sleep(_SECONDS_BETWEEN_LOOKS)
                self._tell(wanted)
                if self._is_over():
                    _end(process)
                    return True
        self._tell(wanted)
        if process.returncode != 0 or not wanted <= self._told:
            self._complain(process.returncode)
        return process.returncode == 0

    def _is_over(self) -> bool:
        seconds = self._request.seconds
        return seconds is not None and time.monotonic() > self._request.began + seconds

    def _tell(self, wanted: set[str]) -> None:
        tests = self._tests()
        for name, code, seconds in self._verdicts():
            if name in wanted and name not in self._told:
                self._told.add(name)
                self._events.send(
                    "mutant",
                    name=name,
                    status=status_of(code),
                    exit_code=code,
                    tests=sorted(tests.get(name.partition("__mutmut_")[0], ())),
                    killed_by=None,
                    seconds=round(seconds, 4),
                )

    def _verdicts(self) -> Iterator[tuple[str, int, float]]:
        for place in sorted((self._tree / "mutants").rglob("*.meta")):
            fields = _read(place)
            durations = fields.get("durations_by_key", {})
            for name, code in fields.get("exit_code_by_key", {}).items():
                if code is not None:
                    yield name, code, float(durations.get(name) or 0.0)

    def _tests(self) -> dict[str, list[str]]:
        stats = _read(self._tree / "mutants" / "mutmut-stats.json")
        tests: dict[str, list[str]] = stats.get("tests_by_mangled_function_name", {})
        return tests

    def _complain(self, code: int) -> None:
        lines = self._output.read_text(encoding="utf-8", errors="replace").splitlines()
        said = " / ".join([line.strip() for line in lines if line.strip()][-_LINES_SAID:])
        self._events.problem(
            f"`mutmut run` ended with exit code {code}, and not all mutants have a verdict. It said: {said}",
            f"Run it in {os.path.relpath(self._tree, self._request.root)} to see more.",
            severity="error",
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    """End mutmut and the mutants that it plays: with this process they are all of its group."""
    if os.getpgid(0) == os.getpid():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.killpg(0, signal.SIGTERM)
    process.terminate()
    process.wait()


def _read(place: Path) -> dict[str, Any]:
    try:
        fields = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # not there yet, or half written
        return {}
    return fields if isinstance(fields, dict) else {}
