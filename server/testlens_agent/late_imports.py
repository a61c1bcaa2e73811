"""Tells what a test runs by importing a module of the project from what it runs by itself.

A module is imported once, by the first test that needs it, and is there for all others: what runs meanwhile is their
business, too, and nothing else of what that test runs is.
"""

from __future__ import annotations

import functools
from importlib.machinery import SourceFileLoader, SourcelessFileLoader
from typing import Any, Callable

from _pytest.assertion.rewrite import AssertionRewritingHook

_LOADERS: tuple[Any, ...] = (SourceFileLoader, SourcelessFileLoader, AssertionRewritingHook)
# Python leaves the frames of these files out of what it shows of an exception.
_FILE = "<frozen importlib._bootstrap_external>"

Importing = Callable[[str, str], "Callable[[], None] | None"]
"""Hears the name and the file of a module that is imported, and gives what is to be called once it was."""


def watch_imports(importing: Importing) -> Callable[[], None]:
    """Tell of all modules that are imported from now on; returns what ends it."""
    before = [(loader, vars(loader).get("exec_module")) for loader in _LOADERS]
    for loader in _LOADERS:
        loader.exec_module = _telling(loader.exec_module, importing)

    def stop() -> None:
        for loader, own in before:
            if own is None:
                del loader.exec_module  # it has it from another class
            else:
                loader.exec_module = own

    return stop


def _telling(exec_module: Callable[[Any, Any], None], importing: Importing) -> Callable[[Any, Any], None]:
    def telling(loader: Any, module: Any) -> None:
        # Whoever makes a module by hand may have given it no specification.
        file = getattr(getattr(module, "__spec__", None), "origin", None) or getattr(loader, "path", "")
        done = importing(module.__name__, str(file))
        try:
            exec_module(loader, module)
        finally:
            if done is not None:
                done()

    telling.__code__ = telling.__code__.replace(co_filename=_FILE)
    return functools.wraps(exec_module)(telling)
