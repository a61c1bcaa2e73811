"""What tests are made of, in one word: a verdict holds as long as that does."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from testlens.sources.source_text import read_content


class DigestsOfTests:
    """Digests of sets of tests: of their names, and of the files that they and their fixtures are in.

    Each file is read once: make another one when files may have changed.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[Path, str] = {}
        self._files_of: dict[str, frozenset[Path]] = {}

    def of(self, tests: Sequence[str]) -> str:
        """Changes with any of the tests, or of the files that may matter to them."""
        named = {test.partition("::")[0] for test in tests}
        files = sorted(frozenset[Path]().union(*map(self._files, named)))
        parts = [*sorted(tests), *map(self._digest, files)]
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]

    def _files(self, name: str) -> frozenset[Path]:
        """The file of a test, and the conftest.py files above it."""
        if name not in self._files_of:
            file = self._root / name
            folders = (folder for folder in file.parents if folder == self._root or self._root in folder.parents)
            self._files_of[name] = frozenset({file, *(folder / "conftest.py" for folder in folders)})
        return self._files_of[name]

    def _digest(self, file: Path) -> str:
        if file not in self._known:
            content = read_content(file)
            self._known[file] = "" if content is None else hashlib.sha256(content).hexdigest()
        return self._known[file]
