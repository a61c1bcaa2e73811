"""Source files as they are on disk now, and whether coverage data was measured on just that content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from testlens.sources.coverage_parse import decode
from testlens.sources.digests import Digests
from testlens.sources.discovery import DataFile
from testlens.sources.source_text import read_content

RUN_SOURCES = ".testlens/run.json"
"""Beside the data of an own run: the SHA-256 of each measured file's content at that time, by relative path."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A measured file. `fresh` says that the data was measured on this very content."""

    path: str
    content: bytes
    digest: str
    fresh: bool

    @property
    def text(self) -> str:
        """The content as the parser sees it."""
        return decode(self.content)


def content_digest(content: bytes) -> str:
    """Identifies the bytes of a source file."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


_DIGESTS = Digests(content_digest)
UNSEEN: Mapping[str, str] = MappingProxyType({})
"""Where nobody has looked at the files before a run."""


class SourceFiles:
    """Reads the source files that one data file speaks of."""

    def __init__(self, root: Path, data: DataFile) -> None:
        self._root = root
        self._data = data
        self._run_sources = load_run_sources(root) if data.kind == "own run" else {}

    def read(self, path: str) -> SourceFile | None:
        """The file at `path` (POSIX, relative to the workspace), or None where it cannot be read."""
        content = read_content(self._root / path)
        if content is None:
            return None
        return SourceFile(path, content, content_digest(content), self._is_fresh(path, content))

    def digest(self, path: str) -> str | None:
        """That of the file there, as `content_digest`; None where it cannot be read."""
        return _DIGESTS.of(self._root / path)

    def _is_fresh(self, path: str, content: bytes) -> bool:
        if self._data.kind == "own run":
            return self._run_sources.get(path) == hashlib.sha256(content).hexdigest()
        try:
            return (self._root / path).stat().st_mtime_ns <= self._data.mtime_ns
        except OSError:
            # Inside an archive: nobody edits it in place.
            return True


def digests_by_path(
    digests: Mapping[str, str], rewritten: Mapping[str, str], paths: Mapping[str, str], seen: Mapping[str, str]
) -> Mapping[str, str]:
    """The digest of each file's measured text, from those by recorded name and the file that a name stands for.

    Where a file and its installed copy both ran and differ, no text is the one that was measured: it is left out. So is
    one that was `rewritten` while it ran (digests by recorded name, too), unless it says what it did when it was `seen`
    before (by path): its user has saved it again, say.
    """
    found: dict[str, set[str]] = {}
    for name, path in paths.items():
        found.setdefault(path, set()).add(rewritten[name] if name in rewritten else digests[name])
    uncertain = {path for name, path in paths.items() if name in rewritten and seen.get(path) != rewritten[name]}
    return {path: same.pop() for path, same in found.items() if len(same) == 1 and path not in uncertain}


def keep_run_sources(root: Path, sources: Mapping[str, str]) -> None:
    """Remember what a run measured: SHA-256 by relative path. Raises `OSError` where the disk refuses."""
    place = root / RUN_SOURCES
    place.unlink(missing_ok=True)  # some file systems take as long as all else here to empty a file that is there
    place.write_text(json.dumps(sources), encoding="utf-8")


def load_run_sources(root: Path) -> Mapping[str, str]:
    """What the last own run measured: SHA-256 by relative path."""
    try:
        found = json.loads((root / RUN_SOURCES).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
