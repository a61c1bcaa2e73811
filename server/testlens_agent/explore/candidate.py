"""Turns the text of a test file into pytest's items, as if the file stood at its path, without writing it."""

from __future__ import annotations

import ast
import importlib
import inspect
import linecache
import sys
from collections.abc import Iterable
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from testlens_agent.explore.parents import Parents

_PACKAGE_MARK = "__init__.py"


class Candidate:
    """A test file that is tried. `path` is absolute; nothing has to be there."""

    def __init__(self, session: Any, parents: Parents, path: Path, text: str, tests: Iterable[str]) -> None:
        self._session = session
        self._parents = parents
        self._path = path
        self._text = text
        self._wanted = frozenset(test.partition("::")[0] for test in tests)
        self.code: CodeType | None = None

    def collect(self) -> list[Any]:
        """The items of those tests that the session's plugin lets through; raises what pytest's collection raises."""
        self.code = compile(self._needed(), str(self._path), "exec", dont_inherit=True)
        _publish_text(self._path, self._text)
        parent = self._parents.of(self._path.parent)
        hook = self._session.gethookproxy(self._path.parent)
        module = hook.pytest_pycollect_makemodule(module_path=self._path, parent=parent)
        if "_getobj" not in dir(module):
            raise TypeError(f"a plugin collects {self._path.name} in a way of its own")
        module._getobj = self._import
        items = list(self._session.genitems(module))
        self._session.items = items
        self._session.config.hook.pytest_collection_modifyitems(
            session=self._session, config=self._session.config, items=items
        )
        return items

    def test_code(self, name: str, function: Any) -> frozenset[CodeType]:
        """The code of the test function that `name` (`TestX::test_y`) stands for; of all, where it is defined twice.

        `function` is what pytest calls: decorators may have changed it, but it is known where the test is inherited.
        """
        assert self.code is not None
        found = [self.code]
        for part in name.split("::"):
            found = [inner for code in found for inner in code.co_consts if _is_named(inner, part)]
        called = getattr(inspect.unwrap(function), "__code__", None)
        return frozenset(found or filter(None, [called]))

    def _needed(self) -> ast.Module:
        """The file without the tests that are neither wanted nor named by anything else, which saves their time."""
        tree = ast.parse(self._text, str(self._path))
        tree.body = [node for node in tree.body if not self._is_left_out(node)]
        return tree

    def _is_left_out(self, node: ast.stmt) -> bool:
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            return False
        looks_like_test = node.name.startswith(("test", "Test")) and node.name not in self._wanted
        return looks_like_test and self._text.count(node.name) == 1

    def _import(self) -> ModuleType:
        config = self._session.config
        name = _module_name(self._path, config.rootpath, config.getoption("importmode"))
        module = ModuleType(name)
        module.__file__ = str(self._path)
        module.__package__ = name.rpartition(".")[0]
        self._import_package(module.__package__)
        sys.modules[name] = module
        assert self.code is not None
        exec(self.code, module.__dict__)  # noqa: S102  (that is what a test file is for)
        config.pluginmanager.consider_module(module)
        return module

    def _import_package(self, package: str) -> None:
        try:
            if package:
                importlib.import_module(package)
        except ImportError:
            if str(self._session.config.getoption("importmode")) != "importlib":
                raise  # where a folder's name is only made up of its place, it need not be a package


def _publish_text(path: Path, text: str) -> None:
    """Show the text, and not what stands on the disk, in tracebacks and to `inspect`."""
    linecache.cache[str(path)] = (len(text), None, text.splitlines(keepends=True), str(path))


def _module_name(path: Path, root: Path, import_mode: str) -> str:
    """The name that pytest gives to the module, whose top folder it puts on `sys.path` unless told not to."""
    if str(import_mode) == "importlib":
        return _name_by_root(path, root)
    top, names = path.parent, [path.stem]
    while (top / _PACKAGE_MARK).is_file() and top.name.isidentifier():
        names.insert(0, top.name)
        top = top.parent
    if str(top) not in sys.path:
        sys.path.insert(0 if str(import_mode) == "prepend" else len(sys.path), str(top))
    return ".".join(names)


def _name_by_root(path: Path, root: Path) -> str:
    try:
        parts = path.with_suffix("").relative_to(root).parts
    except ValueError:
        parts = path.with_suffix("").parts[1:]
    return ".".join(part.replace(".", "_") for part in parts)


def _is_named(constant: object, name: str) -> bool:
    return isinstance(constant, CodeType) and constant.co_name == name
