"""Programs of which is known that they run no code of a project, whatever they are given."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from typing import Any

# They start nothing themselves, as shells, `env`, `git` with its hooks or `awk` may.
_HARMLESS = frozenset(
    {
        "basename",
        "cat",
        "clear",
        "cmp",
        "cut",
        "date",
        "df",
        "diff",
        "dirname",
        "du",
        "echo",
        "false",
        "file",
        "head",
        "hostname",
        "id",
        "less",
        "locale",
        "ls",
        "more",
        "nproc",
        "printf",
        "ps",
        "pwd",
        "sleep",
        "sort",
        "stty",
        "tail",
        "tput",
        "tr",
        "true",
        "tty",
        "uname",
        "uniq",
        "wc",
        "which",
        "whoami",
    }
)
_FOLDERS = ("/bin", "/usr/bin", "/usr/local/bin")
# Taken before a test can replace them.
_FOLDER, _TEXT, _WHICH = os.path.dirname, os.fsdecode, shutil.which


def is_harmless(executable: Any, environment: Mapping[Any, Any] | None) -> bool:
    """Whether a process of this program (a name, or a path) cannot run the project's code.

    `environment` is what the process is given, None for that of this process.
    """
    name = _TEXT(executable)
    if name.rpartition("/")[2] not in _HARMLESS:
        return False
    if "/" not in name:  # a test may have a program of its own by that name
        name = _WHICH(name, path=(os.environ if environment is None else environment).get("PATH")) or ""
    return _FOLDER(name) in _FOLDERS
