"""Keeps the copy of the project up to date: what changed is copied again, what is gone is removed."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_LEFT_OUT = frozenset(
    {
        *("__pycache__", ".git", ".hg", ".testlens", ".venv", "venv", ".tox", ".nox", "node_modules"),
        *(".mypy_cache", ".ruff_cache", ".pytest_cache"),
    }
)
_ALSO = ("conftest.py", "pytest.ini", ".pytest.ini", "pytest.toml", "tox.ini", ".coveragerc", "setup.cfg")
_Stamp = list[Any]


class Copy:
    """The copy in `tree` of what mutmut would copy of the project in `root`.

    A manifest beside the copy says of each file from what it was made; without it everything is copied again.
    """

    def __init__(self, root: Path, tree: Path, config: Any) -> None:
        self._root = root
        self.tree = tree
        self._config = config
        self._manifest = tree.with_name("manifest.json")
        self._known: dict[str, _Stamp] = _read_json(self._manifest)
        self._written: dict[str, _Stamp] = {}

    def update(self, mutated: frozenset[str] | None, rules: str, by_tests: bool = False) -> list[str]:
        """Bring the copy up to date; returns the files (relative, POSIX) that are to be mutated again.

        `mutated` are those to mutate, None for all that the configuration names; those that have been mutated before
        stay so. `rules` identifies how mutants are made; with `by_tests` a change of any file may change those of all.
        """
        self.tree.mkdir(parents=True, exist_ok=True)
        wanted = self._wanted()
        if by_tests:
            rules += hashlib.sha256(json.dumps(wanted).encode()).hexdigest()[:16]
        for gone in self._known.keys() - wanted.keys():
            self._remove(gone)
        again = []
        for name, stamp in wanted.items():
            known = self._known.get(name)
            if self._is_to_mutate(name, mutated, known):
                stamp.append(rules)
            if known == stamp and (self.tree / name).exists():
                continue
            _forget_bytecode(self.tree / name)
            self._copy(name)
            if len(stamp) > 2:
                again.append(name)
            else:
                self._known[name] = stamp
        self._stamps = wanted
        self._save()
        return again

    def has_mutants(self, names: list[str]) -> None:
        """These files have been mutated."""
        for name in names:
            self._known[name] = self._stamps[name]
        self._save()

    @property
    def mutated(self) -> list[str]:
        """The files that have mutants in the copy."""
        return sorted(name for name, stamp in self._known.items() if len(stamp) > 2)

    @property
    def state(self) -> str:
        """A text that changes with every file of the copy."""
        return json.dumps(sorted(self._known.items()))

    def remember_written(self) -> None:
        """From now on `damaged` tells what has changed in the copy."""
        self._written = {name: _stamp(self.tree / name) for name in self._known}

    @property
    def damaged(self) -> list[str]:
        """The files of the copy that something has changed or removed."""
        return [name for name, stamp in self._written.items() if _stamp(self.tree / name) != stamp]

    def _is_to_mutate(self, name: str, mutated: frozenset[str] | None, known: _Stamp | None) -> bool:
        if name not in self._sources or not self._config.should_mutate(name):
            return False
        return mutated is None or name in mutated or (known is not None and len(known) > 2)

    def _wanted(self) -> dict[str, _Stamp]:
        self._sources = {name for place in self._config.source_paths for name in self._files_of(str(place))}
        also = {name for place in self._also() for name in self._files_of(place)}
        return {name: _stamp(self._root / name) for name in sorted(self._sources | also)}

    def _also(self) -> list[str]:
        return [*map(str, self._config.also_copy), *_ALSO]

    def _files_of(self, place: str) -> Iterator[str]:
        start = self._root / place
        if start.is_file():
            yield Path(os.path.normpath(place)).as_posix()
            return
        for folder, folders, files in os.walk(str(start)):
            here = Path(folder).relative_to(self._root)
            is_top = here == Path()
            folders[:] = [name for name in folders if name not in _LEFT_OUT and not (is_top and name == "mutants")]
            for name in files:
                if not name.endswith(".pyc"):
                    yield (here / name).as_posix()

    def _copy(self, name: str) -> None:
        target = self.tree / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):  # it went while we were looking, or is a link to nothing
            shutil.copy2(str(self._root / name), str(target))

    def _remove(self, name: str) -> None:
        self._known.pop(name, None)
        _forget_bytecode(self.tree / name)
        with contextlib.suppress(OSError):
            (self.tree / name).unlink()

    def _save(self) -> None:
        unfinished = self._manifest.with_suffix(".new")
        unfinished.write_text(json.dumps(self._known), encoding="utf-8")
        unfinished.replace(self._manifest)

    def drop(self, names: list[str]) -> None:
        """Forget what is known of these files, so that the next update copies them again."""
        for name in names:
            self._known.pop(name, None)
        self._save()


def _stamp(path: Path) -> _Stamp:
    try:
        found = path.stat()
    except OSError:
        return [0, 0]
    return [found.st_mtime_ns, found.st_size]


def _forget_bytecode(path: Path) -> None:
    # Bytecode is checked by size and whole seconds, which two versions may share.
    for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*"):
        with contextlib.suppress(OSError):
            compiled.unlink()


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
