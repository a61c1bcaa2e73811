"""Which modules of others a run of the tests has imported, and how to have them imported before the next one."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import sys
import sysconfig
import threading
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

_STANDARD, _PACKAGES = ("stdlib", "platstdlib"), ("purelib", "platlib")
_BUILT_IN = frozenset({"built-in", "frozen"})
_NOT_AGAIN = frozenset({"__main__", "__mp_main__", "site", "sitecustomize", "usercustomize", "antigravity", "this"})
_OF_PYTEST = frozenset({"pytest", "_pytest", "pluggy", "iniconfig", "packaging", "coverage"})
_KILOBYTE = 1024


def loaded(root: Path, measured: Iterable[str], is_prepared: bool) -> list[list[Any]]:
    """The modules of the standard library and of installed packages that this process has, as they were imported.

    Each comes with whether pytest has rewritten its assertions. Packages of which a file was `measured`, or that are
    found in the folder of the project as well, are the project's own. Where the environment `is_prepared` by the
    project before its tests run, packages may depend on that when they are imported: only pytest's are told then.
    """
    own = {*_names_in(root), *_names_in(root / "src"), *_top_levels(measured)}
    standard, packages = _folders(_STANDARD), _folders(_PACKAGES)
    found = []
    for name, module in list(sys.modules.items()):
        top = name.partition(".")[0]
        if name in _NOT_AGAIN or top in own or top == "testlens_agent" or not _is_of(name, module, standard, packages):
            continue
        if is_prepared and top not in _OF_PYTEST and not _is_of(name, module, standard, ()):
            continue
        found.append([name, type(module.__loader__).__name__ == "AssertionRewritingHook"])
    return found


def preload(root: Path, modules: Sequence[tuple[str, bool]], memory_mb: int) -> str | None:
    """Import these modules, as many as fit into `memory_mb`; what cannot be imported alone is left to the tests.

    Nothing of the project is imported. Returns why copies of this process could not be trusted now, if that is so.
    """
    barrier = _Barrier({*_names_in(root), *_names_in(root / "src")})
    before = threading.active_count()
    sys.meta_path.insert(0, barrier)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with _rewriting([name for name, is_rewritten in modules if is_rewritten]) as can_rewrite:
                for name, is_rewritten in modules:
                    if is_rewritten and not can_rewrite:
                        continue
                    if _megabytes() > memory_mb:
                        break
                    with contextlib.suppress(BaseException):
                        importlib.import_module(name)
                    if threading.active_count() > before:
                        return f"{name} starts a thread when it is imported"
    finally:
        sys.meta_path.remove(barrier)
    gc.collect()
    gc.freeze()  # what was made so far stays in memory that all copies share
    return None


class _Barrier:
    """Keeps the project's own modules from being imported by those of others."""

    def __init__(self, names: set[str]) -> None:
        self._names = names

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> None:
        """Refuse what is the project's."""
        if name.partition(".")[0] in self._names:
            raise ModuleNotFoundError(f"{name} is left to the tests", name=name)


@contextlib.contextmanager
def _rewriting(names: list[str]) -> Iterator[bool]:
    """Have pytest rewrite these modules as it would itself, or it warns that they came too early."""
    before = list(sys.meta_path)
    try:
        from _pytest.assertion import install_importhook
        from _pytest.config import get_config

        install_importhook(get_config([])).mark_rewrite(*names)
        is_installed = True
    except Exception:  # noqa: BLE001  (parts of pytest that another version may not have: then it imports them itself)
        is_installed = False
    try:
        yield is_installed
    finally:
        sys.meta_path[:] = before


def _is_of(name: str, module: ModuleType, standard: tuple[str, ...], packages: tuple[str, ...]) -> bool:
    """Whether it is a module of the interpreter's own folders, and no stand-in for one."""
    spec = getattr(module, "__spec__", None)
    if spec is None or getattr(spec, "name", None) != name or getattr(module, "__loader__", None) is None:
        return False
    origin = spec.origin
    if origin is None or not isinstance(origin, str):
        return False
    is_installed = "site-packages" in origin or "dist-packages" in origin
    return origin in _BUILT_IN or origin.startswith(packages if is_installed else standard)


def _folders(kinds: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(
        {f"{os.path.realpath(sysconfig.get_path(kind))}{os.sep}" for kind in kinds}
        | {f"{sysconfig.get_path(kind)}{os.sep}" for kind in kinds}
    )


def _names_in(folder: Path) -> set[str]:
    """The modules and packages in a folder of sources."""
    try:
        entries = list(folder.iterdir())
    except OSError:
        return set()
    return {entry.stem for entry in entries if entry.suffix == ".py"} | {
        entry.name for entry in entries if entry.name.isidentifier() and any(entry.glob("*.py"))
    }


def _top_levels(files: Iterable[str]) -> set[str]:
    """The packages that these files belong to, by the modules that were loaded from them."""
    wanted = set(files)
    loaded_from = ((name, getattr(module, "__file__", None)) for name, module in list(sys.modules.items()))
    return {name.partition(".")[0] for name, file in loaded_from if file in wanted}


def _megabytes() -> float:
    """The memory of this process."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / _KILOBYTE / _KILOBYTE
