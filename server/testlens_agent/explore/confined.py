"""Shuts a process in: its folder, its limits, and the sandbox around it."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from testlens_agent.child import die_with
from testlens_agent.explore.folders import PYTEST, TEMPORARY, WORKING
from testlens_agent.explore.landlock import restrict
from testlens_agent.explore.limits import let_go, limit_memory, limit_time
from testlens_agent.explore.messages import Messages
from testlens_agent.explore.places import Places
from testlens_agent.explore.request import Request
from testlens_agent.explore.sandbox import Sandbox
from testlens_agent.explore.unaudited import guard_the_rest


class Session(NamedTuple):
    """pytest's session, our plugin in it, and what the explorer was asked for."""

    pytest: Any
    plugin: Any
    request: Request


class Confinement:
    """The confinement of this process, which its copies inherit. What it refuses goes to `messages`."""

    def __init__(self, session: Session, messages: Messages) -> None:
        self._session = session
        self._messages = messages
        self.refused: list[str] = []
        scratch, network = str(session.request.scratch), session.request.network
        self._sandbox = Sandbox(Places((scratch,)), network, self._tell)

    def separate(self, parent: int, keep: int) -> None:
        """Let this copy of a process die with that process, and share nothing with it but the descriptor `keep`."""
        self.join(parent)
        self.let_go(keep)

    def let_go(self, keep: int) -> None:
        """Share nothing with anybody outside but the descriptor `keep`."""
        let_go(keep, str(self._session.request.scratch))

    def join(self, parent: int) -> None:
        """Let this copy of a process die with that process, in a group of its own."""
        if sys.platform.startswith("linux"):
            os.setpgid(0, 0)  # elsewhere it stays in the group that is killed with the session
            die_with(parent)

    def close(self, folder: Path) -> None:
        """Move into the folder and guard everything outside; there is no way back."""
        self.move(folder)
        restrict([str(self._session.request.scratch)], self._session.request.network)
        guard_the_rest(self._sandbox, lambda status: self._messages.send(leaving=status))
        self._sandbox.arm()

    def move(self, folder: Path) -> None:
        """Work in the folder (see folders.py) from now on, within limits that start anew."""
        os.chdir(str(folder / WORKING))
        os.environ["TMPDIR"] = tempfile.tempdir = str(folder / TEMPORARY)
        _move_tmp_path(self._session.pytest, folder / PYTEST)
        limit_memory(self._session.request.memory_mb)
        limit_time(self._session.request.preparation_seconds)
        self._sandbox.belongs_to_this_process()

    def fork(self) -> int:
        """Copy this process, which the code that it runs may not do."""
        with self._sandbox.letting_fork():
            return os.fork()

    def _tell(self, wish: str) -> None:
        self.refused.append(wish)
        self._messages.send(refused=wish)


def _move_tmp_path(session: Any, base: Path) -> None:
    """Let `tmp_path` be made in a folder of this process: it is made below one of the whole session otherwise."""
    factory = getattr(session.config, "_tmp_path_factory", None)
    if factory is not None:
        factory._given_basetemp = base
        factory._basetemp = base
