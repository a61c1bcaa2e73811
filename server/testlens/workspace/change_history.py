"""Git's facts about files, kept by content so that each is asked for once."""

from __future__ import annotations

import json
import time
from array import array
from collections.abc import Mapping
from pathlib import Path

from testlens.domain.history import NOT_COMMITTED, FileHistory
from testlens.domain.problems import Problem
from testlens.sources.coverage_parse import decode
from testlens.sources.git_history import read_history
from testlens.sources.source_text import read_content
from testlens.workspace.examined import digest
from testlens.workspace.store import Store

# Ages and counts move on even when no line does: facts older than this are read again.
_KEPT_FOR = 7 * 86_400.0


class ChangeHistory:
    """The histories of one workspace folder. `problems` says why some are missing, after `read`."""

    def __init__(self, root: Path, store: Store) -> None:
        self.problems: tuple[Problem, ...] = ()
        self._root = root
        self._store = store
        self._known: dict[tuple[str, str], FileHistory] = {}
        self._load()

    def of(self, path: str, text_digest: str) -> FileHistory | None:
        """The history of the file at `path` with that text, if it is known."""
        return self._known.get((path, text_digest))

    def read(self, files: Mapping[str, str]) -> bool:
        """Ask git about those of `files` (path -> digest of a text) not known yet; says if it knew any.

        Git knows the lines of the text on disk: where that is another one, the file is passed over. Blocks for some
        milliseconds a file.
        """
        missing = [path for path, text_digest in files.items() if (path, text_digest) not in self._known]
        if not missing:
            return False
        from testlens.runners.process import run_text

        # One by one, just before git is asked, and not at all where there is no history.
        current = (path for path in missing if self._is_on_disk(path, files[path]))
        found, problems = read_history(self._root, current, time.time(), run_text)
        self.problems = problems
        self._known.update({(path, files[path]): history for path, history in found.items()})
        # A line that is not committed yet gets another age and author without the text changing.
        settled = {path: history for path, history in found.items() if NOT_COMMITTED not in history.authors}
        self._store.keep_histories((path, files[path], _encode(history)) for path, history in settled.items())
        return bool(found)

    def _is_on_disk(self, path: str, text_digest: str) -> bool:
        content = read_content(self._root / path)
        return content is not None and digest(decode(content)) == text_digest

    def _load(self) -> None:
        oldest = time.time() - _KEPT_FOR
        for path, (text_digest, value) in self._store.histories().items():
            history = _decode(value)
            if history is not None and history.read_at >= oldest:
                self._known[path, text_digest] = history


def _encode(history: FileHistory) -> str:
    return json.dumps([history.read_at, history.times.tolist(), history.authors.tolist(), history.commits])


def _decode(value: str) -> FileHistory | None:
    try:
        read_at, times, authors, commits = json.loads(value)
        return FileHistory(float(read_at), array("q", times), array("i", authors), int(commits))
    except (ValueError, TypeError, OverflowError):
        return None
