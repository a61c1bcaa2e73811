"""What the names of the module under test mean, for tests that stand in another module."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Mapping
from functools import lru_cache

from testlens.domain.expressions import Reference, mark, references, resolve


class ModuleNames:
    """The global names of a module: what it imports, and from where, and what it defines itself."""

    def __init__(self, tree: ast.Module, module: str) -> None:
        self._origins, self._of_functions = _bindings(tree, module)

    def origin(self, name: str) -> Reference | None:
        """Where a dotted name of the module comes from; None for what is no global of it."""
        root, _, rest = name.partition(".")
        found = self._origins.get(root) or self._of_functions.get(root)
        if found is None:
            return Reference("builtins", name) if hasattr(builtins, root) else None
        return Reference(found.module, ".".join(part for part in (found.qualname, rest) if part))

    def owns(self, name: str) -> bool:
        """Whether the module binds this name itself, by import or definition."""
        return name in self._origins

    def imported_inside(self, name: str) -> Reference | None:
        """Where a name comes from that functions import for themselves; None for other names."""
        return None if name in self._origins else self._of_functions.get(name)

    def adopt(self, code: str) -> str | None:
        """Marked source in which names marked with an empty module are this module's; None where one is no global."""
        own = [reference.qualname for reference in references(code) if not reference.module]
        if any(self.origin(name) is None for name in own):
            return None
        return resolve(code, self._write)

    def _write(self, reference: Reference) -> str:
        found = reference if reference.module else self.origin(reference.qualname)
        assert found is not None
        return mark(found.module, found.qualname)


@lru_cache(maxsize=4)
def _bindings(tree: ast.Module, module: str) -> tuple[Mapping[str, Reference], Mapping[str, Reference]]:
    """What the names of the module mean, and those that its functions import. Kept, since it walks the whole tree and
    every recipe wants to know it of every gap of a file."""
    origins: dict[str, Reference] = {}
    of_functions: dict[str, Reference] = {}
    for node in _module_level(tree.body):
        _bind(node, module, origins)
    for inner in ast.walk(tree):
        if isinstance(inner, ast.Import | ast.ImportFrom):
            _bind(inner, module, of_functions)
    return origins, of_functions


def _bind(node: ast.stmt, module: str, origins: dict[str, Reference]) -> None:
    match node:
        case ast.Import():
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                origins[name] = Reference(alias.name if alias.asname else name, "")
        case ast.ImportFrom():
            imported = _absolute(node, module)
            for alias in node.names:
                origins[alias.asname or alias.name] = Reference(imported, alias.name)
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            origins[node.name] = Reference(module, node.name)
        case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for found in (inner for target in targets for inner in ast.walk(target)):
                if isinstance(found, ast.Name):
                    origins.setdefault(found.id, Reference(module, found.id))


def _absolute(node: ast.ImportFrom, module: str) -> str:
    if not node.level:
        return node.module or ""
    # The module may be a package's __init__, which only its path tells; a plain module is far more frequent.
    package = module.split(".")[: -node.level]
    return ".".join([*package, *([node.module] if node.module else [])])


def _module_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that bind globals, those under `if` and `try` included, the last binding last."""
    for node in body:
        yield node
        match node:
            case ast.If():
                # What is imported for type checkers alone is importable all the same.
                yield from _module_level([*node.orelse, *node.body])
            case ast.Try():
                for handler in node.handlers:
                    yield from _module_level(handler.body)
                yield from _module_level(node.body)
            case ast.With():
                yield from _module_level(node.body)
