"""The coverage data of one run: made of the pieces that its processes leave, and handed on to the server once."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from testlens_agent import data_files
from testlens_agent.arc_log import text_of
from testlens_agent.source_hashes import SourceHashes
from testlens_agent.wire import EventStream


class RunData:
    """What is measured in the run that `request` asks for. `paths` are coverage.py's `[paths]`, made absolute."""

    def __init__(self, request: dict[str, Any], events: EventStream) -> None:
        self.paths: dict[str, list[str]] = {}
        self._scratch = Path(request["scratch"])
        self._target = Path(request["data_file"])
        self._is_wanted = bool(request.get("measure", True))
        self._is_of_chosen = bool(request.get("chosen"))
        self._events = events
        self._logs = data_files.Logs(self._scratch)
        self._hashes = SourceHashes(time.time())
        self._is_handed_on = False

    def take_some(self) -> bool:
        """Do a little of it while tests run; False where there is nothing to do yet."""
        if self._is_handed_on or not self._is_wanted:
            return False
        return self._logs.take_some() or self._hashes.take_one(self._logs.files)

    def hand_on(self, is_early: bool = False) -> None:
        """Put all that was measured in its place, and tell the server; nothing is done the second time.

        It `is_early` while pytest still comes to its end.
        """
        if self._is_handed_on or not self._is_wanted:
            return
        self._is_handed_on = True
        published = data_files.publish(self._scratch, self._logs, self._target, self.paths, self._events)
        if published is None:
            return
        sources = self._hashes.of(data_files.measured_files(self._scratch))
        found = self._logs.arcs_in(published.piece) if self._is_of_chosen else None
        self._events.send(
            "measured",
            is_early=is_early,
            data_file=str(published.place),
            sources=sources.certain,
            rewritten=sources.rewritten,
            arcs=None if found is None else {name: text_of(ends) for name, ends in found.items()},
        )
