"""Reads commands, has them carried out by a few processes at a time, and answers."""

from __future__ import annotations

import json
import selectors
import time
from typing import Any

from testlens_agent.explore.request import MOST_AT_ONCE, Request
from testlens_agent.explore.stages import Stage
from testlens_agent.explore.work import Ending, Work, work_for
from testlens_agent.explore.workers import Worker, Workers
from testlens_agent.wire import EventStream


class _Running:
    """A process at work, and the moment (by the monotonic clock) when its time is over."""

    def __init__(self, work: Work, worker: Worker, start_seconds: float) -> None:
        self.work = work
        self.worker = worker
        self.deadline = time.monotonic() + start_seconds + work.first_seconds
        self.timed_out = False


class Serving:
    """Serves the commands that come through the descriptor `commands` until it is closed or one says to stop."""

    def __init__(self, workers: Workers, events: EventStream, commands: int, request: Request) -> None:
        self._workers = workers
        self._stages = workers.stages
        self._events = events
        self._commands = workers.stream(commands)
        self._request = request
        self._selector = selectors.DefaultSelector()
        self._running: list[_Running] = []
        self._waiting: list[Work] = []
        self._pending = b""
        self._open = True

    def serve(self) -> None:
        """Serve to the end; whatever is under way then is killed."""
        self._selector.register(self._commands, selectors.EVENT_READ, None)
        try:
            while self._open:
                self._start_waiting()
                for key, _ in self._selector.select(self._patience()):
                    if isinstance(key.data, Stage):
                        self._settle(key.data)
                    else:
                        self._take_from(key.data)
                self._end_late()
        finally:
            for running in self._running:
                running.worker.kill()
                running.worker.end()
            if self._stages is not None:
                self._stages.end()
            self._selector.close()

    def _take_from(self, running: _Running | None) -> None:
        if running is None:
            self._read_commands()
            return
        messages = running.worker.read()
        if messages is None:
            self._finish(running)
            return
        for message in messages:
            running.work.take(message)
            if "begun" in message:
                running.deadline = time.monotonic() + running.work.first_seconds
            if "started" in message:
                running.deadline = time.monotonic() + self._request.seconds
        if running.work.is_complete:
            self._answer(running.work)  # and not first when the process has ended and is cleared away

    def _read_commands(self) -> None:
        chunk = self._commands.read()
        if not chunk:
            self._open = False
            return
        *lines, self._pending = (self._pending + chunk).split(b"\n")
        for line in lines:
            self._accept(line)

    def _accept(self, line: bytes) -> None:
        try:
            command: dict[str, Any] = json.loads(line)
            if command["do"] == "stop":
                self._open = False
                return
            self._waiting.append(work_for(command, self._request))
        except (ValueError, KeyError, TypeError) as error:
            self._events.problem(
                f"The explorer got a command that it does not understand: {error}", "Reinstall Testlens."
            )

    def _start_waiting(self) -> None:
        for work in list(self._waiting):
            if len(self._running) == MOST_AT_ONCE:
                return
            if not self._is_prepared_first(work):
                self._waiting.remove(work)
                self._go_on(work)

    def _is_prepared_first(self, work: Work) -> bool:
        """Whether a stage for it is under way, which is worth to wait for."""
        if self._stages is None:
            return False
        if not self._stages.is_warming_for(work.scene):
            known = set(self._stages.warming)
            self._stages.ask_for(work.scene, work.command)
            for stage in set(self._stages.warming) - known:
                self._selector.register(stage.connection, selectors.EVENT_READ, stage)
        return self._stages.is_warming_for(work.scene)

    def _settle(self, stage: Stage) -> None:
        assert self._stages is not None
        self._selector.unregister(stage.connection)
        is_late = stage.is_killed
        stage.take_first_letter()
        self._stages.settle(stage)
        for work in self._waiting:
            if is_late and work.scene == stage.scene:
                work.first_seconds = work.seconds  # it will not do any better without a stage

    def _answer(self, work: Work) -> None:
        if not work.is_answered:
            work.is_answered = True
            self._events.send("answer", id=work.command["id"], **work.answer())

    def _go_on(self, work: Work) -> None:
        task = work.next_task()
        if task is None:
            self._answer(work)
            return
        running = _Running(work, self._workers.start(task, work.scene), self._workers.start_seconds)
        self._running.append(running)
        self._selector.register(running.worker.stream, selectors.EVENT_READ, running)

    def _finish(self, running: _Running) -> None:
        self._selector.unregister(running.worker.stream)
        self._running.remove(running)
        status = running.worker.end()
        running.work.ended(Ending(running.timed_out, status))
        self._go_on(running.work)

    def _end_late(self) -> None:
        now = time.monotonic()
        for running in self._running:
            if running.deadline <= now and not running.timed_out:
                running.timed_out = True
                running.worker.kill()
        for stage in self._stages.warming if self._stages is not None else ():
            if stage.deadline <= now and not stage.is_killed:
                stage.kill()  # its connection ends with it

    def _patience(self) -> float | None:
        deadlines = [running.deadline for running in self._running if not running.timed_out]
        if self._stages is not None:
            deadlines += [stage.deadline for stage in self._stages.warming if not stage.is_killed]
        return max(0.0, min(deadlines) - time.monotonic()) if deadlines else None
