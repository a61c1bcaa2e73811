"""Offers to write down what Testlens told mutmut, for projects that tell it nothing."""

from __future__ import annotations

import asyncio
import contextlib
import tomllib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from lsprotocol.types import (
    ApplyWorkspaceEditParams,
    MessageActionItem,
    MessageType,
    Position,
    Range,
    ShowMessageRequestParams,
    TextEdit,
)

from testlens.lsp.convert import split_lines, utf16_length
from testlens.lsp.editing import document_uri, edit_of
from testlens.lsp.folders import Folder
from testlens.lsp.server import TestlensServer

if TYPE_CHECKING:
    from testlens.domain.mutants import Mutant

_FILE = "pyproject.toml"
_WRITE = "Write [tool.mutmut]"
_offered: set[str] = set()


async def offer_configuration(server: TestlensServer, folder: Folder, mutants: Iterable[Mutant]) -> None:
    """Ask, once a folder, whether mutmut's configuration should be written; change nothing unless the user says so."""
    text = await asyncio.to_thread(_unconfigured, folder.root)
    if text is None or folder.uri in _offered:
        return
    _offered.add(folder.uri)
    table = configuration({mutant.file for mutant in mutants})
    message = "This project has no configuration for mutmut. Should Testlens write down in pyproject.toml what it used?"
    item = MessageActionItem(title=_WRITE)
    answer = await server.window_show_message_request_async(ShowMessageRequestParams(MessageType.Info, message, [item]))
    if answer is None or answer.title != _WRITE:
        return
    uri = document_uri(server, folder, _FILE)
    opened = next((one for one in server.workspace.text_documents.values() if one.uri == uri), None)
    present = text if opened is None else opened.source
    lines = split_lines(present)
    end = Position(len(lines) - 1, utf16_length(lines[-1]))
    gap = "" if not present else "\n" if present.endswith("\n") else "\n\n"
    version = None if opened is None else opened.version
    edit = edit_of(server, uri, version, [TextEdit(Range(end, end), gap + table)])
    with contextlib.suppress(Exception):
        await server.workspace_apply_edit_async(ApplyWorkspaceEditParams(edit, "Configure mutmut"))


def configuration(files: Iterable[str]) -> str:
    """`[tool.mutmut]` for a project whose mutated sources are `files` (relative, POSIX)."""
    tops = sorted({PurePosixPath(file).parts[0] for file in files})
    paths = ", ".join(f'"{top}"' for top in tops)
    return f"[tool.mutmut]\nsource_paths = [{paths}]\n"


def _unconfigured(root: Path) -> str | None:
    """The text of pyproject.toml where mutmut finds no configuration; None where it finds some, or a file is broken."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        if "[mutmut]" in (root / "setup.cfg").read_text(encoding="utf-8"):
            return None
    try:
        text = (root / _FILE).read_text(encoding="utf-8")
        tool = tomllib.loads(text).get("tool", {})
    except (OSError, ValueError):
        return None
    return None if "mutmut" in tool else text
