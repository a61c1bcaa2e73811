"""Reads the argument of a command, and refuses in words what cannot be done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from cattrs import Converter
from cattrs.errors import BaseValidationError
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams

from testlens.lsp.convert import path_of
from testlens.lsp.folders import Folder
from testlens.lsp.server import TestlensServer

T = TypeVar("T")

_CONVERTER = Converter()
_REQUEST_FAILED = -32803


def parse(arguments: Sequence[object], kind: type[T]) -> T:
    """The one object that a command takes; none is the same as an empty one."""
    try:
        return _CONVERTER.structure(arguments[0] if arguments and arguments[0] is not None else {}, kind)
    except (BaseValidationError, TypeError, ValueError) as error:
        raise JsonRpcInvalidParams(f"Not an argument of this command: {arguments[0]!r}") from error


def folder_of(server: TestlensServer, uri: str | None) -> Folder:
    """The folder that an argument names, or the only one."""
    folder = server.folders.named(uri)
    if folder is not None:
        return folder
    raise refusal(f"{uri} is no open folder." if uri else "Which folder? Name it in the argument `folder`.")


def folder_at(server: TestlensServer, uri: str | None, document: str | None) -> Folder:
    """The folder that an argument names; without a name, the one that its document lies in, or the only one."""
    path = path_of(document) if document is not None and uri is None else None
    return (server.folders.owner(path) if path is not None else None) or folder_of(server, uri)


def refusal(reason: str) -> JsonRpcException:
    """An error whose message the editor shows to the user."""
    return JsonRpcException(reason, _REQUEST_FAILED)
