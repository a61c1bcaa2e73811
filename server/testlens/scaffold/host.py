"""The file that tests are written into, as it is: its lines, its imports, and the names that it gives a meaning."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, takewhile
from pathlib import PurePosixPath

from testlens.domain.expressions import Reference

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_COOKIE = re.compile(r"^[ \t\f]*#.*?coding[:=][ \t]*([-_.a-zA-Z0-9]+)")
_Import = ast.Import | ast.ImportFrom
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def split_lines(text: str) -> list[str]:
    """The lines of a text with their ends, as Python and LSP count them: a form feed ends none."""
    return _LINE.findall(text)


def parse_module(text: str) -> ast.Module | None:
    """The syntax tree of a module, None where it cannot be parsed."""
    try:
        return ast.parse(text.removeprefix("\ufeff"))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


@dataclass(frozen=True)
class Host:
    """A module that parses; `path` is POSIX and relative. All lines are 1-based."""

    path: str
    text: str
    tree: ast.Module

    @cached_property
    def module_names(self) -> frozenset[str]:
        """The names under which it may be imported, whatever folder is the root."""
        parts = PurePosixPath(self.path).with_suffix("").parts
        return frozenset(".".join(parts[start:]) for start in range(len(parts)))

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the text, with their ends."""
        return split_lines(self.text)

    @cached_property
    def newline(self) -> str:
        """How the lines end: as most of them do."""
        ends = [line[len(line.rstrip("\r\n")) :] for line in self.lines]
        counts = {end: ends.count(end) for end in ("\n", "\r\n", "\r")}
        return max(counts, key=lambda end: counts[end])

    @cached_property
    def encoding(self) -> str:
        """The encoding that the file declares, UTF-8 if it declares none."""
        for line in self.lines[:2]:
            if found := _COOKIE.match(line.removeprefix("\ufeff")):
                return found[1]
        return "utf-8"

    @cached_property
    def head(self) -> tuple[ast.stmt, ...]:
        """The statements that the module begins with and between which imports may stand."""
        return tuple(takewhile(_may_precede_imports, self.tree.body))

    @cached_property
    def imports(self) -> tuple[_Import, ...]:
        """The import statements at the head of the module."""
        return tuple(statement for statement in self.head if isinstance(statement, _Import))

    @cached_property
    def path_changed_at(self) -> int:
        """The last line at the head of the module that changes where modules are found, 0 if none does."""
        changes = [statement for statement in self.head if "sys.path" in _called(statement)]
        return (changes[-1].end_lineno or changes[-1].lineno) if changes else 0

    @cached_property
    def has_single_imports(self) -> bool:
        """Whether each imported name has a statement of its own, which shows where a module has several."""
        statements = [statement for statement in self.imports if isinstance(statement, ast.ImportFrom)]
        modules = {(statement.level, statement.module) for statement in statements}
        return len(modules) < len(statements) and all(len(statement.names) == 1 for statement in statements)

    @cached_property
    def bindings(self) -> dict[str, Reference]:
        """The names that an import always gives the same meaning; what is imported for type checkers only is none."""
        imports = [statement for statement in self.tree.body if isinstance(statement, _Import)]
        found = chain.from_iterable(map(_imported, imports))
        return {name: reference for name, reference in found if self._times_bound[name] == 1}

    @cached_property
    def taken(self) -> frozenset[str]:
        """The names that mean something else in the module than an import at its head would make them mean."""
        stars = any(
            alias.name == "*" for node in self.tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
        )
        loaded = {node.id for node in ast.walk(self.tree) if isinstance(node, ast.Name)} if stars else set()
        return frozenset((set(self._times_bound) | loaded) - set(self.bindings))

    @cached_property
    def marks(self) -> str:
        """What all tests of the module are marked with, as source text."""
        values = [node.value for node in self.tree.body if isinstance(node, ast.Assign) and _is_pytestmark(node)]
        return " ".join(map(ast.unparse, values))

    @property
    def has_no_code(self) -> bool:
        """Whether there are only comments and a docstring."""
        return all(isinstance(statement, ast.Expr) and _is_text(statement.value) for statement in self.tree.body)

    @cached_property
    def bound(self) -> frozenset[str]:
        """All names that the module gives a meaning at its top level."""
        return frozenset(self._times_bound)

    @cached_property
    def indent_unit(self) -> str:
        """One level of indentation, as the first function or class has it."""
        for statement in self.tree.body:
            if isinstance(statement, _Definition) and statement.body[0].lineno > statement.lineno:
                indent = self.lines[statement.body[0].lineno - 1][: statement.body[0].col_offset]
                return indent if indent and not indent.strip(" \t") else "    "
        return "    "

    @cached_property
    def _times_bound(self) -> dict[str, int]:
        times: dict[str, int] = {}
        declared = _declared_global(self.tree) if "global" in self.text else ()
        for name in chain(_bound_in(self.tree.body), declared):
            times[name] = times.get(name, 0) + 1
        # `import a.b` and `import a.c` bind the same `a`.
        packages = [
            alias.name
            for node in self.tree.body
            if isinstance(node, ast.Import)
            for alias in node.names
            if not alias.asname
        ]
        for name in {package.split(".")[0] for package in packages}:
            if times[name] == sum(package.split(".")[0] == name for package in packages):
                times[name] = 1
        return times

    def class_named(self, name: str) -> ast.ClassDef | None:
        """The class of that name at the top level of the module, if there is one and nothing else has its name."""
        found = [node for node in self.tree.body if isinstance(node, ast.ClassDef) and node.name == name]
        return found[0] if found and self._times_bound[name] == 1 else None


def _may_precede_imports(statement: ast.stmt) -> bool:
    """Whether linters let imports follow the statement."""
    match statement:
        case ast.Expr(ast.Constant(str())) | ast.Import() | ast.ImportFrom():
            return True
        case ast.If() | ast.Try() | ast.With() | ast.For() | ast.While():
            return True
        case ast.Assign([ast.Name(name)]) if name.startswith("__") and name.endswith("__"):
            return True
    return any(target in _called(statement) for target in ("sys.path", "os.environ", "pytest.importorskip"))


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _is_pytestmark(node: ast.Assign) -> bool:
    return any(isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets)


def _called(statement: ast.stmt) -> str:
    """What the statement calls or assigns an item of, empty if it does neither."""
    match statement:
        case ast.Expr(ast.Call(function)):
            return ast.unparse(function)
        case ast.Assign([ast.Subscript(value)]):
            return ast.unparse(value)
    return ""


def _imported(statement: _Import) -> Iterator[tuple[str, Reference]]:
    """The names that an absolute import binds, and what they stand for."""
    if isinstance(statement, ast.Import):
        for alias in statement.names:
            name = alias.asname or alias.name.split(".")[0]
            yield name, Reference(alias.name if alias.asname else name, "")
    elif statement.module and not statement.level:
        for alias in statement.names:
            yield alias.asname or alias.name, Reference(statement.module, alias.name)


def _bound_in(statements: Sequence[ast.stmt]) -> Iterator[str]:
    """Each name that the statements bind at the level of the module, once for each time."""
    for statement in statements:
        if isinstance(statement, _Definition):
            yield statement.name
        elif isinstance(statement, _Import):
            yield from (alias.asname or alias.name.split(".")[0] for alias in statement.names)
        else:
            yield from _bound_by(statement)


def _declared_global(tree: ast.Module) -> Iterator[str]:
    """The names that functions give a meaning in the module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            yield from node.names


def _bound_by(statement: ast.stmt) -> Iterator[str]:
    pending: list[ast.AST] = [statement]
    while pending:
        node = pending.pop()
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.Import() | ast.ImportFrom():
                yield from _bound_in([node])
                continue
            case ast.Name(identifier, ast.Store() | ast.Del()):
                yield identifier
            case (
                ast.ExceptHandler(name=str() as name)
                | ast.MatchAs(name=str() as name)
                | ast.MatchStar(name=str() as name)
            ):
                yield name
            case ast.Lambda():
                continue
        pending.extend(ast.iter_child_nodes(node))
