"""Which objects are the values of pytest fixtures, so that a test can ask for them by name."""

from __future__ import annotations

import enum
import inspect
import os
from pathlib import Path
from typing import Any

from testlens_agent.expressions import Expr
from testlens_agent.import_paths import import_path, is_ordinary

_WRITTEN_OUT = frozenset({type(None), bool, int, float, complex, str, bytes, tuple, frozenset, range})
_PATH = type(Path())
_SHORTEST_TEXT = 16


class FixtureValues:
    """The fixtures that are set up at the moment. `files` has, by name, where those that were named are defined.

    A file is relative to `root` (POSIX); empty for a fixture that a plugin brings.
    """

    def __init__(self, root: str) -> None:
        self.files: dict[str, str] = {}
        self._prefix = root + os.sep
        self._names: dict[int, str] = {}
        self._sources: dict[str, str] = {}
        self._folders: dict[str, str] = {}
        self._repeating: set[str] = set()
        self._asked_for: frozenset[str] = frozenset()

    def begin(self, item: Any) -> None:
        """Begin a test: from now on the fixtures that it asks for, directly or not, are those that count."""
        parameters = getattr(getattr(item, "callspec", None), "params", {})
        self._asked_for = frozenset(getattr(item, "fixturenames", ())) - frozenset(parameters)

    def add(self, definition: Any) -> None:
        """Note the value of a fixture that was set up."""
        name, value = definition.argname, definition.cached_result[0]
        if definition.params or self._repeating.intersection(definition.argnames):
            # To ask for it would run the test once for each of its parameters.
            self._repeating.add(name)
            return
        if name == "request" or "::" in (definition.baseid or "") or not _is_worth_asking_for(value):
            return
        self.remove(definition)  # one that it overrides, and asks for itself
        self._names[id(value)] = name
        self._sources[name] = self._file(definition)
        if type(value) is _PATH:
            self._folders[str(value)] = name

    def remove(self, definition: Any) -> None:
        """Forget a fixture whose value is no more."""
        name = definition.argname
        self._names = {key: known for key, known in self._names.items() if known != name}
        self._folders = {folder: known for folder, known in self._folders.items() if known != name}
        self._repeating.discard(name)

    def find(self, value: object) -> Expr | None:
        """The fixture that `value` is of, or below the folder of."""
        name = self._names.get(id(value))
        if name is not None and name in self._asked_for:
            return self._named(name, name)
        return self._below_folder(value) if type(value) in {str, _PATH} else None

    def _below_folder(self, value: Any) -> Expr | None:
        text = str(value)
        for folder, name in self._folders.items():
            if name in self._asked_for and (text == folder or text.startswith(folder + os.sep)):
                rest = text[len(folder) + 1 :]
                path = f"{name} / {rest!r}" if rest else name
                return self._named(name, path if type(value) is _PATH else f"str({path})")
        return None

    def _named(self, name: str, code: str) -> Expr:
        self.files[name] = self._sources[name]
        return Expr(code, (name,))

    def _file(self, definition: Any) -> str:
        file = inspect.unwrap(definition.func).__code__.co_filename
        is_own = file.startswith(self._prefix) and "site-packages" not in file
        return file[len(self._prefix) :].replace(os.sep, "/") if is_own else ""


def _is_worth_asking_for(value: object) -> bool:
    """Whether the fixture's name tells more than the value itself."""
    if not is_ordinary(type(value)):
        return False
    if type(value) is str:
        # An address that a fixture made, say: the text alone would lead to nothing.
        return len(value) >= _SHORTEST_TEXT
    return type(value) not in _WRITTEN_OUT and not issubclass(type(value), enum.Enum) and import_path(value) is None
