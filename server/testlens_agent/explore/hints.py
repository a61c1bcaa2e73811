"""Annotations as live types, also where they are strings or name what is only imported for type checkers."""

from __future__ import annotations

import ast
import builtins
import collections.abc
import importlib
import inspect
import re
import sys
import typing
from typing import Any

_HAS_UNIONS = sys.version_info >= (3, 10)
_NOWHERE = object()


def hints_of(function: Any, owner: type | None = None) -> dict[str, Any]:
    """The annotations of a function or class by name; those that lead nowhere are left out."""
    try:
        return dict(typing.get_type_hints(function, include_extras=False))
    except Exception:  # noqa: BLE001  (an annotation is code of the project)
        return _one_by_one(function, owner)


def _one_by_one(function: Any, owner: type | None) -> dict[str, Any]:
    try:
        raw = dict(inspect.get_annotations(function)) if sys.version_info >= (3, 10) else dict(function.__annotations__)
    except Exception:  # noqa: BLE001  (Python 3.14 evaluates them now)
        return {}
    names = _names_for(function, owner)
    resolved = {name: _resolved(annotation, names) for name, annotation in raw.items()}
    return {name: hint for name, hint in resolved.items() if hint is not _NOWHERE}


def _resolved(annotation: Any, names: dict[str, Any]) -> Any:
    try:
        return _resolve(annotation, names)
    except Exception:  # noqa: BLE001  (an annotation is code of the project)
        is_function = isinstance(annotation, str) and re.match(r"([\w.]*\.)?Callable\b", annotation)
        return collections.abc.Callable if is_function else _NOWHERE


def _resolve(annotation: Any, names: dict[str, Any]) -> Any:
    if not isinstance(annotation, str):
        return annotation
    value = eval(_for_this_python(annotation), names)  # noqa: S307  (in a sandbox, an annotation of the project)
    return _resolve(value, names)


def _for_this_python(annotation: str) -> str:
    """`X | Y` as `typing.Union[X, Y]`, which Python 3.9 understands as well."""
    if _HAS_UNIONS or "|" not in annotation:
        return annotation
    tree = ast.parse(annotation, mode="eval")
    return ast.unparse(ast.fix_missing_locations(_Unions().visit(tree)))


class _Unions(ast.NodeTransformer):
    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.op, ast.BitOr):
            return node
        union = ast.Attribute(ast.Name("__typing", ast.Load()), "Union", ast.Load())
        return ast.Subscript(union, ast.Tuple([node.left, node.right], ast.Load()), ast.Load())


class _Unknown:
    """Stands for a type that nothing leads to, and for whatever is made of it."""

    def __call__(self, *arguments: object) -> _Unknown:  # typing takes only what can be called
        return self

    def __getattr__(self, name: str) -> _Unknown:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    __getitem__ = __or__ = __ror__ = __call__


class _Names(dict[str, Any]):
    """Names for an annotation, of which some may lead nowhere."""

    def __missing__(self, name: str) -> _Unknown:
        return _Unknown()


def _names_for(function: Any, owner: type | None) -> dict[str, Any]:
    module = sys.modules.get(getattr(function, "__module__", None) or "")
    space: dict[str, Any] = _Names({**vars(builtins), **vars(typing), "__typing": typing})
    if module is not None:
        space.update(_for_type_checkers(module))
        space.update(vars(module))
    space.update(getattr(function, "__globals__", {}))
    if owner is not None:
        space.update(vars(owner))
        space.setdefault(owner.__name__, owner)
    return space


def _for_type_checkers(module: Any) -> dict[str, Any]:
    """What the module imports under `if TYPE_CHECKING:`, as far as it can be imported."""
    try:
        tree = ast.parse(inspect.getsource(module))
    except (OSError, TypeError, SyntaxError):
        return {}
    package = getattr(module, "__package__", None) or ""
    found: dict[str, Any] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).rpartition(".")[2] == "TYPE_CHECKING":
            for statement in node.body:
                found.update(_imported(statement, package))
    return found


def _imported(statement: ast.stmt, package: str) -> dict[str, Any]:
    pairs = [_import(statement, alias, package) for alias in getattr(statement, "names", ())]
    return {name: value for name, value in pairs if value is not _NOWHERE}


def _import(statement: ast.stmt, alias: ast.alias, package: str) -> tuple[str, Any]:
    try:
        if isinstance(statement, ast.ImportFrom):
            home = importlib.import_module("." * statement.level + (statement.module or ""), package)
            return alias.asname or alias.name, getattr(home, alias.name)
        importlib.import_module(alias.name)
    except Exception:  # noqa: BLE001  (stubs, or modules that this interpreter lacks)
        return "", _NOWHERE
    name = alias.name if alias.asname else alias.name.partition(".")[0]
    return alias.asname or name, sys.modules[name]
