"""Globs over paths, as the settings have them: one meaning wherever the user may write one."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import lru_cache


def matches(path: str, pattern: str) -> bool:
    """Whether a path (POSIX, relative) matches a glob; `**` spans folders, and so does `*`.

    A glob of a folder means all that is in it.
    """
    return any(fnmatchcase(path, part) or fnmatchcase(path, f"{part}/*") for part in _parts(pattern))


@lru_cache(maxsize=256)
def _parts(pattern: str) -> frozenset[str]:
    # fnmatch's `*` spans folders as well; `**/x` must match `x` at the top too.
    pattern = pattern.removeprefix("./").rstrip("/")
    return frozenset({pattern, pattern.replace("**/", "")})
