"""Reads the argument of a command, and refuses in words what cannot be done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from cattrs import Converter
from cattrs.errors import BaseValidationError
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams

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


def refusal(reason: str) -> JsonRpcException:
    """An error whose message the editor shows to the user."""
    return JsonRpcException(reason, _REQUEST_FAILED)
