"""One command while it is under way: what the next process has to do, and what the processes so far have found."""

from __future__ import annotations

import signal
from typing import Any

from testlens_agent.explore.request import Request
from testlens_agent.explore.stages import scene_of


class Ending:
    """How a process ended: killed because its time was over, or by itself with a status (negative: a signal)."""

    def __init__(self, timed_out: bool, status: int) -> None:
        self.timed_out = timed_out
        self.status = status


class Work:
    """What one command asks for. Each process that works on it may end at any moment."""

    def __init__(self, command: dict[str, Any], request: Request) -> None:
        self.command = command
        self.scene = scene_of(command)
        self.seconds = request.seconds
        self.first_seconds = request.preparation_seconds
        self.is_answered = False

    @property
    def is_complete(self) -> bool:
        """Whether nothing that may still come belongs to the answer."""
        raise NotImplementedError

    def next_task(self) -> dict[str, Any] | None:
        """What a process is to do now; None when the answer is complete."""
        raise NotImplementedError

    def take(self, message: dict[str, Any]) -> None:
        """Take what a process says."""
        raise NotImplementedError

    def ended(self, how: Ending) -> None:
        """The process has ended, with its task or without."""
        raise NotImplementedError

    def answer(self) -> dict[str, Any]:
        """The fields of the answer."""
        raise NotImplementedError


class TryWork(Work):
    """Some tests of one text: those that follow one which ended its process are run in a new process."""

    def __init__(self, command: dict[str, Any], request: Request) -> None:
        super().__init__(command, request)
        self._left: list[str] = list(command["tests"])
        self._trials: dict[str, dict[str, Any]] = {}
        self._current: str | None = None
        self._refused: list[str] = []
        self._refused_to_all: list[str] = []
        self._exit_status: int | None = None

    @property
    def is_complete(self) -> bool:
        return not self._left

    def next_task(self) -> dict[str, Any] | None:
        self._current, self._exit_status = None, None
        self._refused, self._refused_to_all = [], []
        return {**self.command, "tests": self._left} if self._left else None

    def take(self, message: dict[str, Any]) -> None:
        if "started" in message:
            self._current = message["started"]
        elif "refused" in message:
            # Before any test has started, the file is loaded that all of them are in.
            (self._refused_to_all if self._current is None else self._refused).append(message["refused"])
        elif "leaving" in message:
            self._exit_status = message["leaving"]
        elif "trial" in message:
            self._finish(message["test"], message["trial"])
            self._refused = []
        elif (broken := broken_by(message)) is not None:
            self._finish_all({"outcome": "error", "message": broken})

    def ended(self, how: Ending) -> None:
        if not self._left:
            return
        trial = self._end_of_process(how)
        if self._current is None:
            self._finish_all(trial)
        else:
            self._finish(self._current, trial)

    def answer(self) -> dict[str, Any]:
        return {"trials": [self._trials[test] for test in self.command["tests"]]}

    def _end_of_process(self, how: Ending) -> dict[str, Any]:
        if how.timed_out or -how.status == getattr(signal, "SIGXCPU", None):
            return {"outcome": "timeout", "message": f"it did not end within {self.seconds:g} s"}
        if self._exit_status is not None:
            return {
                "outcome": "crashed",
                "message": f"it ended the process with exit code {self._exit_status} (os._exit)",
            }
        if how.status < 0:
            return {"outcome": "crashed", "message": f"it ended the process by {_signal_name(-how.status)}"}
        return {"outcome": "crashed", "message": f"it ended the process with exit code {how.status}"}

    def _finish(self, test: str, trial: dict[str, Any]) -> None:
        refused = dict.fromkeys([*self._refused_to_all, *self._refused])
        if refused:
            trial = {**trial, "outcome": "blocked", "blocked": "; ".join(refused)}
        if test in self._left:
            self._left.remove(test)
            self._trials[test] = {**_NOTHING_SEEN, **trial}
        self._current = None

    def _finish_all(self, trial: dict[str, Any]) -> None:
        for test in list(self._left):
            self._finish(test, trial)


class DescribeWork(Work):
    """The description of a function, which comes in stages: the last complete one counts."""

    def __init__(self, command: dict[str, Any], request: Request) -> None:
        super().__init__(command, request)
        self._begun = False
        self._description: dict[str, Any] | None = None
        self._is_whole = False
        self._refused: list[str] = []

    @property
    def is_complete(self) -> bool:
        return self._is_whole

    def next_task(self) -> dict[str, Any] | None:
        if self._begun:
            return None
        self._begun = True
        return self.command

    def take(self, message: dict[str, Any]) -> None:
        if "description" in message:
            self._description = message["description"]
            self._is_whole = message["whole"]
        elif "refused" in message:
            self._refused.append(message["refused"])
        elif (broken := broken_by(message)) is not None:
            self._description = self._description or _unreachable(self.command["function"], broken)

    def ended(self, how: Ending) -> None:
        if self._description is not None:
            return
        if how.timed_out:
            self._description = _unreachable(
                self.command["function"], f"importing its module takes more than {self.first_seconds:g} s"
            )
        else:
            self._description = _unreachable(self.command["function"], "importing its module ends the process")

    def answer(self) -> dict[str, Any]:
        description = self._description or {}
        if self._refused and description.get("unreachable"):
            description["unreachable"] = f"importing its module {self._refused[0]}, which the sandbox refuses"
        return {"description": description}


def work_for(command: dict[str, Any], request: Request) -> Work:
    """The work that a command asks for; KeyError or ValueError if it is none."""
    if command["do"] == "try":
        return TryWork(command, request)
    if command["do"] == "describe":
        return DescribeWork(command, request)
    raise ValueError(f"there is nothing named {command['do']!r} to do")


def broken_by(message: dict[str, Any]) -> str | None:
    """What keeps a process from its task, if that is what it says."""
    if message.get("event") == "problem":
        return str(message["message"])
    return message.get("broken")


_NOTHING_SEEN: dict[str, Any] = {
    "lines": [],
    "arcs": [],
    "raised": None,
    "local_values": {},
    "blocked": None,
    "message": "",
    "seconds": 0.0,
}


def _unreachable(function: str, reason: str) -> dict[str, Any]:
    return {"name": function, "module": "", "kind": "unreachable", "callee": "", "unreachable": reason}


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
