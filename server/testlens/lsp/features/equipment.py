"""The interpreter for a run of tests: finds it, and offers to install what it lacks."""

from __future__ import annotations

import asyncio
import functools
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol.types import MessageActionItem, MessageType, ShowMessageRequestParams

from testlens.lsp.features import problems
from testlens.lsp.folders import Folder
from testlens.lsp.progress import ProgressBar
from testlens.lsp.protocol import INTERPRETER, FolderParams
from testlens.lsp.server import TestlensServer

if TYPE_CHECKING:
    from testlens.domain.problems import Problem
    from testlens.runners.interpreter import Equipment, Examined, Interpreter, Wishes

_PATIENCE = 5.0
_INSTALL_TIMEOUT = 600.0


async def ready_interpreter(server: TestlensServer, folder: Folder) -> str | None:
    """The path of an interpreter that has what a run needs; None once the user was told why there is none."""
    from testlens.domain.problems import Problem

    wishes = await _wishes(server, folder)
    while True:
        found = await asyncio.to_thread(_find, folder.root, wishes)
        if isinstance(found, Problem):
            problems.tell_as_error(server, found)
            return None
        interpreter, equipment = found
        if not equipment.missing:
            return interpreter.path
        if not await _may_install(server, interpreter, equipment):
            return None
        failed = await _install(server, folder.root, interpreter, equipment)
        if failed is not None:
            problems.tell_as_error(server, failed)
            return None


async def has_libraries(server: TestlensServer, folder: Folder, python: str, needs: tuple[str, ...]) -> bool:
    """Whether `python` has these distributions once the user was asked to install them; told why if it has not."""
    from testlens.domain.problems import Problem
    from testlens.runners.interpreter import Interpreter, examine

    interpreter = Interpreter(python, "the project's interpreter")
    found = await asyncio.to_thread(examine, interpreter, folder.root)
    if isinstance(found, Problem):
        problems.tell_as_error(server, found)
        return False
    wanted = replace(found, missing=needs)
    if not await _may_install(server, interpreter, wanted):
        return False
    failed = await _install(server, folder.root, interpreter, wanted)
    if failed is not None:
        problems.tell_as_error(server, failed)
    return failed is None


async def known_interpreter(server: TestlensServer, folder: Folder) -> str | None:
    """The path of the interpreter that a run would use, if there is one; runs nothing."""
    from testlens.runners.interpreter import Interpreter, find_interpreter

    found = await folder.background.do(find_interpreter, folder.root, await _wishes(server, folder))
    return found.path if isinstance(found, Interpreter) else None


async def _wishes(server: TestlensServer, folder: Folder) -> Wishes:
    from testlens.runners.interpreter import Wishes

    assert folder.workspace is not None
    # The settings in force have the editor's word already; the project's own comes after the editor's choice.
    configured = folder.workspace.settings.config.python if server.options.python is None else None
    return Wishes(server.options.python, await _choice_of_editor(server, folder), configured)


async def _choice_of_editor(server: TestlensServer, folder: Folder) -> str | None:
    if not server.options.interpreter_provider or server.options.python is not None:
        return None
    asked = server.protocol.send_request_async(INTERPRETER, FolderParams(folder.uri))
    try:
        answer = await asyncio.wait_for(asked, _PATIENCE)
    except Exception:  # noqa: BLE001 - whatever goes wrong there, the other places remain
        return None
    path = getattr(answer, "path", None)
    return path if isinstance(path, str) else None


@functools.cache
def _examined() -> Examined:
    from testlens.runners.interpreter import Examined

    return Examined()


def _find(root: Path, wishes: Wishes) -> tuple[Interpreter, Equipment] | Problem:
    from testlens.domain.problems import Problem
    from testlens.runners.interpreter import find_interpreter

    interpreter = find_interpreter(root, wishes)
    if isinstance(interpreter, Problem):
        return interpreter
    equipment = _examined().examine(interpreter, root)
    return equipment if isinstance(equipment, Problem) else (interpreter, equipment)


async def _may_install(server: TestlensServer, interpreter: Interpreter, equipment: Equipment) -> bool:
    from testlens.runners.interpreter import missing_problem

    problem = missing_problem(interpreter, equipment)
    assert problem is not None
    install = MessageActionItem(title=f"Install {' and '.join(equipment.missing)}")
    request = ShowMessageRequestParams(MessageType.Error, str(problem), [install])
    answer = await server.window_show_message_request_async(request)
    return answer is not None and answer.title == install.title


async def _install(
    server: TestlensServer, root: Path, interpreter: Interpreter, equipment: Equipment
) -> Problem | None:
    from testlens.domain.problems import Problem
    from testlens.runners.group_process import start
    from testlens.runners.interpreter import install_command

    command = install_command(interpreter, equipment)
    shown = " ".join(command)
    bar = ProgressBar(server)
    await bar.open(f"Running {shown}")
    try:
        process = await start(command, root)
        try:
            output, errors = await asyncio.wait_for(
                asyncio.gather(process.stdout.read(), process.stderr.read()), _INSTALL_TIMEOUT
            )
            status = await process.wait()
        finally:
            await asyncio.shield(process.stop(0.0))
    except (OSError, TimeoutError) as error:
        return Problem(f"The installation failed: {str(error) or 'it took too long'}.", f"Run `{shown}` in a terminal.")
    finally:
        bar.close()
    if status == 0:
        return None
    said = (errors or output).decode("utf-8", "replace").strip().splitlines()[-1:] or [f"exit status {status}"]
    return Problem(f"The installation failed: {said[0]}", f"Run `{shown}` in a terminal to see more.")
