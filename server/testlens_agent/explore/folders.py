"""The folders that trials are shut in: made once, used again as long as a trial leaves them as they were."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

WORKING = "work"
TEMPORARY = "tmp"
PYTEST = "pytest"
# Made by tools for themselves; to show them in the working folder would only invite writing there.
_NOT_SHOWN = frozenset({"__pycache__", ".git", ".pytest_cache", ".testlens"})
_MOST_SHOWN = 200


class Folders:
    """The folders of one explorer, below `scratch`; `root` is the project's."""

    def __init__(self, scratch: Path, root: Path) -> None:
        self._scratch = scratch
        self._root = root
        self._free: list[tuple[Path, frozenset[str]]] = []
        self._used: dict[Path, frozenset[str]] = {}
        self._count = 0

    def take(self) -> Path:
        """A folder that is as new."""
        folder, shown = self._free.pop() if self._free else self._make()
        self._used[folder] = shown
        return folder

    def give_back(self, folder: Path) -> None:
        """Nobody uses the folder any more."""
        shown = self._used.pop(folder)
        if _is_restored(folder, shown):
            self._free.append((folder, shown))
        else:
            shutil.rmtree(str(folder), ignore_errors=True)

    def _make(self) -> tuple[Path, frozenset[str]]:
        self._count += 1
        # By a name like this one, an expression writer takes a path for one of this run (see secret_values).
        folder = self._scratch / f"tmp{self._count:08}"
        return folder, make_folder(folder, self._root)


def make_folder(folder: Path, root: Path) -> frozenset[str]:
    """Make the folder with what a trial needs; returns the names in its working folder.

    There, relative paths lead to the project's files, which can be read and not be written through these links.
    """
    for name in (WORKING, TEMPORARY, PYTEST):
        (folder / name).mkdir(parents=True)
    for name in _shown(root):
        (folder / WORKING / name).symlink_to(root / name)
    return entries(folder / WORKING)


def entries(folder: Path) -> frozenset[str]:
    """The names in a folder."""
    with os.scandir(str(folder)) as found:
        return frozenset(entry.name for entry in found)


def _shown(root: Path) -> Iterator[str]:
    if os.name != "nt":  # where links need a privilege
        yield from sorted(entries(root) - _NOT_SHOWN)[:_MOST_SHOWN]


def _is_restored(folder: Path, shown: frozenset[str]) -> bool:
    with contextlib.suppress(OSError):
        for place in (folder / TEMPORARY, folder / PYTEST):
            for name in entries(place):
                remove(place / name)
        # Whoever changes what a folder allows may have left it unusable, so it has to be tried.
        return entries(folder / WORKING) == shown and os.access(str(folder / PYTEST), os.W_OK)
    return False


def remove(entry: Path) -> None:
    """Remove a file, a link or a folder with all that is in it."""
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(str(entry))
    else:
        entry.unlink()
