"""Keeps processes that are prepared for tests of one kind: to copy one of them costs less than to prepare anew."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
from collections import Counter
from pathlib import Path
from typing import Any, Callable, NamedTuple

from testlens_agent.explore.letters import receive, send

_MOST_STAGES = 3
_TIMES_SEEN = 2  # before something that an existing stage serves less well gets a stage of its own
_PATIENCE_SECONDS = 5.0
_IMPORT = re.compile(r"^(?:from [\w.]+ )?import (?:\([^)]*\)|.*)", re.MULTILINE)


class Scene(NamedTuple):
    """What tests need: a stage that was prepared for the same needs nothing more.

    `files` are the files whose content counts, with the time when they were written.
    """

    place: str
    files: frozenset[tuple[str, int]]
    imports: frozenset[str]
    fixtures: frozenset[str]

    def lacks(self, wish: Scene) -> int:
        """How much of the wish has not been prepared."""
        return len(wish.imports - self.imports) + len(wish.fixtures - self.fixtures)


NO_SCENE = Scene("", frozenset(), frozenset(), frozenset())


class Stage:
    """A process that is prepared, or is being prepared; `connection` gives its first letter when it is done.

    `copies` counts those that were not reaped yet: they would end with it.
    """

    def __init__(self, scene: Scene, pid: int, connection: socket.socket, deadline: float) -> None:
        self.scene = scene
        self.connection = connection
        self.deadline = deadline
        self.is_warming = True
        self.is_warm = self.is_killed = False
        self.copies = 0
        self._pid = pid
        connection.settimeout(_PATIENCE_SECONDS)

    def take_first_letter(self) -> None:
        """Learn whether the preparation worked."""
        letter = self._receive()
        self.is_warming = False
        self.is_warm = bool(letter and letter["warm"])
        if not self.is_warm:
            self.end()

    def copy(self, task: dict[str, Any], folder: Path, descriptor: int) -> int | None:
        """The process id of a copy that does `task`, its messages going to `descriptor`; None if there is none."""
        answer = self._ask({"task": task, "folder": str(folder)}, descriptor)
        if answer is None:
            return None
        self.copies += 1
        return int(answer["pid"])

    def reap(self, pid: int) -> int | None:
        """The raw exit status of a copy that is ending; None where it does not end."""
        self.copies -= 1
        answer = self._ask({"reap": pid}, None)
        return None if answer is None or answer["status"] is None else int(answer["status"])

    def kill(self) -> None:
        """Kill the process, whose end the connection tells."""
        self.is_killed = True
        with contextlib.suppress(OSError):
            os.kill(self._pid, signal.SIGKILL)

    def end(self) -> None:
        """End the process, and its copies with it."""
        if self._pid == 0:
            return
        self.is_warming = self.is_warm = False
        self.kill()
        self.connection.close()
        os.waitpid(self._pid, 0)
        self._pid = 0

    def _ask(self, letter: dict[str, Any], descriptor: int | None) -> dict[str, Any] | None:
        if not self.is_warm:
            return None
        try:
            send(self.connection, letter, descriptor)
            answer = self._receive()
        except OSError:
            answer = None
        if answer is None:
            self.end()
        return answer

    def _receive(self) -> dict[str, Any] | None:
        try:
            return receive(self.connection)[0]
        except OSError:
            return None


class Stages:
    """The stages of a session. `start` makes a process that prepares itself for a task."""

    def __init__(self, start: Callable[[Scene, dict[str, Any]], Stage]) -> None:
        self._start = start
        self._stages: list[Stage] = []
        self._seen: Counter[Scene] = Counter()
        self._hopeless: set[Scene] = set()

    @property
    def warming(self) -> list[Stage]:
        """Those that are being prepared."""
        return [stage for stage in self._stages if stage.is_warming]

    def ask_for(self, scene: Scene, task: dict[str, Any]) -> None:
        """Prepare a stage for tasks such as this one, if it is worth it."""
        if scene in self._hopeless:
            return
        self._seen[scene] += 1
        best = self._best(scene)
        if best is None or (best.is_warm and best.scene.lacks(scene) and self._seen[scene] >= _TIMES_SEEN):
            self._make_room()
            self._stages.append(self._start(scene, task))

    def is_warming_for(self, scene: Scene) -> bool:
        """Whether it is worth to wait."""
        best = self._best(scene)
        return best is not None and best.is_warming

    def warm_for(self, scene: Scene) -> Stage | None:
        """The stage that is best prepared."""
        best = self._best(scene)
        return best if best is not None and best.is_warm else None

    def settle(self, stage: Stage) -> None:
        """A stage is prepared, or has failed and is not tried again."""
        if not stage.is_warm:
            self._hopeless.add(stage.scene)
            self._stages.remove(stage)

    def end(self) -> None:
        """End all of them."""
        for stage in self._stages:
            stage.end()

    def _best(self, scene: Scene) -> Stage | None:
        fitting = [one for one in self._stages if (one.is_warm or one.is_warming) and _same_place(one.scene, scene)]
        return min(fitting, key=lambda stage: stage.scene.lacks(scene), default=None)

    def _make_room(self) -> None:
        self._stages = [stage for stage in self._stages if stage.is_warm or stage.is_warming]
        idle = [stage for stage in self._stages if stage.is_warm and not stage.copies]
        if len(self._stages) >= _MOST_STAGES and idle:
            idle[0].end()
            self._stages.remove(idle[0])


def scene_of(task: dict[str, Any]) -> Scene:
    """What a task needs, told without a parser: for a long file that would take longer than the test."""
    if task["do"] == "describe":
        return Scene(task["path"], _written([task["path"]]), frozenset(), frozenset())
    imports = frozenset(found[0] for found in _IMPORT.finditer(task["text"]))
    names = [name for test in task["tests"] for name in _arguments(task["text"], test.rpartition("::")[2])]
    return Scene(str(Path(task["path"]).parent), _written([task["watch"]]), imports, frozenset(names))


def _same_place(one: Scene, other: Scene) -> bool:
    return one.place == other.place and one.files == other.files


def _written(paths: list[str]) -> frozenset[tuple[str, int]]:
    found = set()
    for path in paths:
        with contextlib.suppress(OSError):
            found.add((path, Path(path).stat().st_mtime_ns))
    return frozenset(found)


def _arguments(text: str, test: str) -> list[str]:
    definition = re.search(rf"^ *(?:async )?def {re.escape(test)}\(([^)]*)\)", text, re.MULTILINE)
    return [] if definition is None else re.findall(r"\w+", definition[1])
