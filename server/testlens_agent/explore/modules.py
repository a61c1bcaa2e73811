"""From a source file to the module that it is in this interpreter."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

_PACKAGE_MARK = "__init__.py"
_LONGEST = 300


class UnreachableError(Exception):
    """Why no test can call a function, as a clause: "it lives inside `outer`"."""


def module_of(path: Path) -> ModuleType:
    """The module that the file is, imported if it was not yet; raises UnreachableError."""
    real = os.path.realpath(str(path))
    loaded = _loaded_from(real)
    if loaded is not None:
        return loaded
    names = list(dict.fromkeys(_names(Path(real))))
    trouble: str | None = None
    for name in names:
        module, failure = _import(name)
        if module is not None and os.path.realpath(module.__file__ or "") == real:
            return module
        trouble = trouble or failure
    if trouble is None:
        trouble = f"no import leads to {path.name}: its folder is not on sys.path"
    raise UnreachableError(trouble)


def _loaded_from(real: str) -> ModuleType | None:
    name = Path(real).name
    for key, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if type(file) is str and file.endswith(name) and key != "__main__" and os.path.realpath(file) == real:
            return module
    return None


def _names(path: Path) -> Iterator[str]:
    """The names that the file may have, likeliest first: from the top of its package, then from sys.path."""
    folder = path.parent
    while (folder / _PACKAGE_MARK).is_file():
        folder = folder.parent
    yield from _name_below(folder, path)
    entries = {os.path.realpath(entry or ".") for entry in sys.path}
    for place in path.parents:
        if str(place) in entries:
            yield from _name_below(place, path)


def _name_below(folder: Path, path: Path) -> Iterator[str]:
    parts = path.relative_to(folder).with_suffix("").parts
    if parts[-1] == "__init__":
        parts = parts[:-1]
    if parts and all(part.isidentifier() for part in parts):
        yield ".".join(parts)


def _import(name: str) -> tuple[ModuleType | None, str | None]:
    try:
        return importlib.import_module(name), None
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            return None, None  # it is not to be found under this name
        return None, _failure(name, error)
    except BaseException as error:  # noqa: BLE001  (a module may raise SystemExit, or what it likes)
        return None, _failure(name, error)


def _failure(name: str, error: BaseException) -> str:
    return f"importing {name} raises {type(error).__name__}: {error}"[:_LONGEST]
