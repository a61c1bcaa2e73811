"""What happens in the process that carries out one task: it is shut in first, and never comes back."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from testlens_agent.child import die_with
from testlens_agent.explore.describe import describe
from testlens_agent.explore.landlock import restrict
from testlens_agent.explore.limits import let_go, limit_memory, limit_time
from testlens_agent.explore.messages import Messages
from testlens_agent.explore.places import Places
from testlens_agent.explore.request import Request
from testlens_agent.explore.sandbox import Sandbox
from testlens_agent.explore.trial import Try
from testlens_agent.explore.unaudited import guard_the_rest

_exit = os._exit


class Session(NamedTuple):
    """pytest's session, our plugin in it, and what the explorer was asked for."""

    pytest: Any
    plugin: Any
    request: Request


def carry_out(session: Session, task: dict[str, Any], folder: Path, descriptor: int, parent: int) -> NoReturn:
    """Be the copy of the session that does `task` and ends; messages go to `descriptor`."""
    messages = Messages(descriptor)
    try:
        if sys.platform.startswith("linux"):
            os.setpgid(0, 0)  # elsewhere it stays in the group that is killed with the session
            die_with(parent)
        let_go(descriptor, str(session.request.scratch))
        confine(session, folder, messages)
        perform(session, task, messages)
    except BaseException as error:  # noqa: BLE001  (nothing may return into the session's own code)
        messages.send(broken=f"{type(error).__name__}: {error}")
    finally:
        _exit(0)


def carry_out_here(session: Session, task: dict[str, Any], folder: Path, descriptor: int) -> NoReturn:
    """Do `task` in the session's own process, which serves nothing else, and end it."""
    messages = Messages(descriptor)
    try:
        messages.send(begun=True)
        let_go(descriptor, str(folder))
        confine(session, folder, messages)
        perform(session, task, messages)
    except BaseException as error:  # noqa: BLE001  (as above)
        messages.send(broken=f"{type(error).__name__}: {error}")
    finally:
        _exit(0)


def confine(session: Session, folder: Path, messages: Messages) -> None:
    """Move this process into `folder`, limit it, and guard everything else."""
    request = session.request
    working, temporary, base = folder / "work", folder / "tmp", folder / "pytest"
    for place in (working, temporary, base):
        place.mkdir(parents=True)
    os.chdir(str(working))
    os.environ["TMPDIR"] = tempfile.tempdir = str(temporary)
    _move_tmp_path(session.pytest, base)
    limit_memory(request.memory_mb)
    limit_time(request.seconds)
    restrict([str(request.scratch)], request.network)
    sandbox = Sandbox(Places((str(request.scratch),)), request.network, lambda wish: messages.send(refused=wish))
    guard_the_rest(sandbox, lambda status: messages.send(leaving=status))
    sandbox.arm()


def perform(session: Session, task: dict[str, Any], messages: Messages) -> None:
    """Do what the task says, in this process."""
    if task["do"] == "try":
        Try(session.pytest, session.plugin, task, messages).run(session.request.seconds)
    elif task["do"] == "describe":
        describe(task, messages)


def _move_tmp_path(session: Any, base: Path) -> None:
    """Let `tmp_path` be made in a folder of this process: it is made below one of the whole session otherwise."""
    factory = getattr(session.config, "_tmp_path_factory", None)
    if factory is not None:
        factory._given_basetemp = base
        factory._basetemp = base
