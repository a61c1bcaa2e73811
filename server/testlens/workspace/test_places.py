"""Where tests are defined in the files as they are now; a file is parsed again only where it changed."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from testlens.analysis.definitions import definitions
from testlens.workspace.views import text_on_disk

_Stamp = tuple[int, int]
_NOTHING: Mapping[str, int] = {}


@dataclass(frozen=True, slots=True)
class TestPlace:
    """Where a test is defined: the file (absolute), and the line (1-based) of each name in its node id.

    For `test_a.py::TestB::test_c[1]` these are the lines of class and function; None for what is not defined there.
    """

    __test__ = False

    file: Path
    lines: tuple[int | None, ...]


class TestPlaces:
    """Finds the tests of one workspace folder. Reads and parses files, so not on the event loop."""

    __test__ = False

    def __init__(self, root: Path) -> None:
        self._root = root
        self._defined: dict[Path, tuple[_Stamp, Mapping[str, int]]] = {}

    def of(self, tests: Iterable[str]) -> Mapping[str, TestPlace]:
        """The places of those tests (node ids) whose file is there."""
        files: dict[str, tuple[Path, Mapping[str, int]] | None] = {}
        found: dict[str, TestPlace] = {}
        for test in tests:
            file = test.partition("::")[0]
            if file not in files:
                files[file] = self._read(file)
            known = files[file]
            if known is not None:
                found[test] = TestPlace(known[0], tuple(known[1].get(name) for name in dotted_names(test)))
        return found

    def _read(self, name: str) -> tuple[Path, Mapping[str, int]] | None:
        """The file that a node id names, and what is defined in it."""
        file = file_of(self._root, name)
        if file is None:
            return None
        try:
            status = file.stat()
        except OSError:
            return None
        stamp = (status.st_mtime_ns, status.st_size)
        known = self._defined.get(file)
        if known is None or known[0] != stamp:
            known = self._defined[file] = (stamp, _definitions_in(file))
        return file, known[1]


def dotted_names(test: str) -> Iterator[str]:
    """The names in a node id, each with those around it, parameters left out: `TestB`, then `TestB.test_c`."""
    names = test.partition("::")[2].partition("[")[0].split("::")
    return (".".join(names[:count]) for count in range(1, len(names) + 1))


def file_of(root: Path, name: str) -> Path | None:
    """The file that a node id names; pytest's root directory, which that is relative to, may lie above the folder."""
    return next((folder / name for folder in (root, *root.parents) if name and (folder / name).is_file()), None)


def _definitions_in(file: Path) -> Mapping[str, int]:
    text = text_on_disk(file) if file.suffix == ".py" else None
    try:
        return _NOTHING if text is None else definitions(ast.parse(text))
    except (SyntaxError, ValueError, RecursionError):  # half-written
        return _NOTHING
