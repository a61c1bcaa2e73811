"""What runs in the processes that carry out tasks. None of them comes back into the code that it was copied from."""

from __future__ import annotations

import gc
import importlib
import os
import socket
from pathlib import Path
from typing import Any, NoReturn

from testlens_agent.explore.confined import Confinement, Session
from testlens_agent.explore.describe import describe
from testlens_agent.explore.endings import reap
from testlens_agent.explore.folders import make_folder
from testlens_agent.explore.letters import receive, send
from testlens_agent.explore.messages import NOWHERE, Messages
from testlens_agent.explore.modules import module_of
from testlens_agent.explore.rehearsal import is_copyable, rehearse
from testlens_agent.explore.trial import Try

_exit = os._exit


def be_copy(session: Session, task: dict[str, Any], folder: Path, descriptor: int, parent: int) -> NoReturn:
    """Be a copy of the session that does `task` and ends; messages go to `descriptor`."""
    messages = Messages(descriptor)
    try:
        confinement = Confinement(session, messages)
        confinement.separate(parent, descriptor)
        confinement.close(folder)
        _perform(session, task, folder, messages)
    except BaseException as error:  # noqa: BLE001  (nothing may return into the session's own code)
        messages.send(broken=f"{type(error).__name__}: {error}")
    finally:
        _exit(0)


def be_the_only_one(session: Session, task: dict[str, Any], folder: Path, descriptor: int) -> NoReturn:
    """Do `task` in a session's own process, which serves nothing else, and end it."""
    messages = Messages(descriptor)
    try:
        messages.send(begun=True)
        make_folder(folder, session.request.root)
        confinement = Confinement(session, messages)
        confinement.let_go(descriptor)
        confinement.close(folder)
        _perform(session, task, folder, messages)
    except BaseException as error:  # noqa: BLE001  (as above)
        messages.send(broken=f"{type(error).__name__}: {error}")
    finally:
        _exit(0)


def be_stage(session: Session, task: dict[str, Any], folder: Path, connection: socket.socket, parent: int) -> NoReturn:
    """Be a copy of the session that prepares what `task` needs, and from then on makes copies of itself.

    It first sends whether it is `warm`; after that it answers each letter. One with a `task`, a `folder` and a
    descriptor for the messages: with the `pid` of a copy that does it. One with `reap`: with that copy's raw `status`.
    """
    messages = Messages(NOWHERE)
    try:
        confinement = Confinement(session, messages)
        confinement.separate(parent, connection.fileno())
        confinement.close(folder)
        warm = _prepare(session, task) and not confinement.refused and is_copyable(folder)
        importlib.import_module("unittest.mock")  # most that is tried has stand-ins: 50 ms that copies need not spend
        gc.freeze()  # what is there by now stays in memory that all copies share
        send(connection, {"warm": warm})
        while warm:
            letter, descriptors = receive(connection)
            if letter is None:
                break
            if "reap" in letter:
                send(connection, {"status": reap(letter["reap"])})
                continue
            pid = os.getpid()
            copy = confinement.fork()
            if copy == 0:
                connection.close()
                _be_copy_of_stage(session, confinement, letter, messages, descriptors[0], pid)
            os.close(descriptors[0])
            send(connection, {"pid": copy})
    finally:
        _exit(0)


def _be_copy_of_stage(
    session: Session, confinement: Confinement, letter: dict[str, Any], messages: Messages, descriptor: int, parent: int
) -> NoReturn:
    try:
        messages.go_to(descriptor)
        confinement.join(parent)
        folder = Path(letter["folder"])
        confinement.move(folder)
        _perform(session, letter["task"], folder, messages)
    except BaseException as error:  # noqa: BLE001  (as above)
        messages.send(broken=f"{type(error).__name__}: {error}")
    finally:
        _exit(0)


def _perform(session: Session, task: dict[str, Any], folder: Path, messages: Messages) -> None:
    if task["do"] == "try":
        Try(session.pytest, session.plugin, task, folder, messages).run(session.request.seconds)
    elif task["do"] == "describe":
        describe(task, messages)


def _prepare(session: Session, task: dict[str, Any]) -> bool:
    if task["do"] == "try":
        return rehearse(session.pytest, session.plugin, task)
    module_of(Path(task["path"]))
    return True
