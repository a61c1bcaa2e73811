"""What the sources of a run mention and keep (`analysis/kept_values.py`), read once for each text and remembered."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from testlens.analysis.kept_values import Keeping, ModuleValues, module_values
from testlens.analysis.mentions import Routine
from testlens.analysis.reach import Callers, Place
from testlens.sources.coverage_parse import decode
from testlens.sources.source_text import read_content
from testlens.workspace.run_record import RunRecord
from testlens.workspace.store import Store

_NOTHING = ModuleValues((), ())


class SourceValues:
    """The modules that were measured, and those of tests: who may call whom, and what is kept where.

    `keepings` has for each path what its code keeps, each with what may call that code if that has a share in it.
    """

    def __init__(self, root: Path, store: Store) -> None:
        self.callers = Callers(())
        self.keepings: Mapping[str, tuple[tuple[Keeping, frozenset[Place]], ...]] = {}
        self._root = root
        self._store = store
        self._digests: dict[str, str] = {}

    def read(self, record: RunRecord, tests: Collection[str]) -> bool:
        """Read the texts that a run of `tests` was made on; false where they have been read before."""
        digests = {**{path: record.files[path] for path in _of_tests(record, tests)}, **record.measured}
        if digests.keys() != self._digests.keys():
            self._digests, self.callers = {}, Callers(digests)
        new = [path for path, digest in digests.items() if self._digests.get(path) != digest]
        if not new:
            return False
        kept = self._store.module_values() if len(new) > 1 else {}
        made: list[tuple[str, str, str]] = []
        for path in new:
            digest, value = kept.get(path, ("", ""))
            values = _decoded(value) if digest == digests[path] else None
            if values is None:
                digest, values = self._measured(path) if path in record.measured else self._on_disk(path)
                made.append((path, digest, _encoded(values)))
            self.callers.take(path, values)
            self._digests[path] = digest
        self._store.keep_module_values(made)
        self.keepings = {
            path: tuple((each, self.callers.of(path, each) if each.is_given else frozenset()) for each in found)
            for path, values in self.callers.modules.items()
            if (found := [each for each in values.keepings if not each.package or self.callers.is_own(each.package)])
        }
        return True

    def _measured(self, path: str) -> tuple[str, ModuleValues]:
        known = self._store.measured_text(path)
        return ("", _NOTHING) if known is None else (known[0], values_of(known[1]))

    def _on_disk(self, path: str) -> tuple[str, ModuleValues]:
        content = read_content(self._root / path)
        if content is None:
            return "", _NOTHING
        return hashlib.sha256(content).hexdigest(), values_of(decode(content))


# A file of tests that was edited since is read at every question, until it has run.
@lru_cache(maxsize=8)
def values_of(text: str) -> ModuleValues:
    """As `module_values`; nothing where the text cannot be parsed."""
    try:
        return module_values(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # the last one is the parser's, of deep nesting
        return _NOTHING


def _of_tests(record: RunRecord, tests: Collection[str]) -> Iterator[str]:
    """The Python files that were not measured and lie where tests are."""
    folders = {PurePosixPath(file).parent for file in {test.partition("::")[0] for test in tests}}
    below = folders - {PurePosixPath()}
    for path in record.files:
        if path.endswith(".py") and path not in record.measured:
            around = PurePosixPath(path).parents
            if around[0] in folders or not below.isdisjoint(around):
                yield path


def _encoded(values: ModuleValues) -> str:
    routines = [
        [one.kind, one.name, one.owner, one.line, one.first, one.last, " ".join(one.mentions), " ".join(one.decorators)]
        for one in values.routines
    ]
    keepings = [
        [one.routine, one.container, one.kind, one.first, one.last, one.within, one.is_given, one.package]
        for one in values.keepings
    ]
    return json.dumps([routines, keepings], separators=(",", ":"))


def _decoded(text: str) -> ModuleValues | None:
    try:
        routines, keepings = json.loads(text)
        return ModuleValues(tuple(map(_routine, routines)), tuple(map(_keeping, keepings)))
    except (ValueError, TypeError, AttributeError):
        return None


def _routine(value: list[Any]) -> Routine:
    kind, name, owner, line, first, last, said, decorators = value
    return Routine(kind, name, owner, line, first, last, tuple(said.split()), tuple(decorators.split()))


def _keeping(value: list[Any]) -> Keeping:
    routine, container, kind, first, last, within, is_given, package = value
    return Keeping(routine, container, kind, first, last, (within[0], within[1]) if within else None, is_given, package)
