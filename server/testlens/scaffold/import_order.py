"""How import statements are written and sorted, as isort and Ruff do."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from testlens.scaffold.naming import NeededImport
from testlens.scaffold.style import Style

FUTURE, STANDARD, THIRD_PARTY, FIRST_PARTY, LOCAL = range(5)
"""The sections of imports, in their order."""
DEFAULT_WIDTH = 88
"""Imports that are longer are broken even where the project has longer lines: sorters with default settings want it,
and the comma after the last name keeps it so for the others."""
Natural = tuple[tuple[int, int, str], ...]
Member = tuple[str, str]
"""An imported name and its alias, which is empty where there is none."""


@dataclass(frozen=True, slots=True)
class Key:
    """What a statement is sorted by: its form, its module (with dots before it if it is relative), its first name."""

    is_from: bool
    module: str
    first: Member = ("", "")

    @property
    def top(self) -> str:
        """The package that it imports from."""
        return self.module.split(".")[0]


@dataclass(frozen=True, slots=True)
class NewStatement:
    """An import statement to add. `text` has no line end; `section` is the part of the imports that it belongs to."""

    section: int
    key: Key
    text: str


Sortable = tuple[bool, Natural, bool, tuple[int, Natural, Member]]
Order = Callable[[Key], Sortable]


def default_order(key: Key) -> Sortable:
    """All `import` statements before all `from` statements."""
    return key.is_from, _natural(key.module), False, _by_type(key.first)


def mixed_order(key: Key) -> Sortable:
    """`import` and `from` statements together, by the name of the module."""
    return False, _natural(key.module), key.is_from, _by_type(key.first)


def section_of(module: str, style: Style) -> int:
    """Which part of the imports a module belongs to: the standard library's, others', the project's own."""
    top = module.split(".", maxsplit=1)[0]
    if not top:
        return LOCAL
    if top == "__future__":
        return FUTURE
    if top in style.first_party:
        return FIRST_PARTY
    return STANDARD if top in sys.stdlib_module_names else THIRD_PARTY


def key_of(statement: ast.Import | ast.ImportFrom) -> Key:
    """What a statement is sorted by."""
    first = statement.names[0]
    if isinstance(statement, ast.Import):
        return Key(False, first.name)
    module = "." * statement.level + (statement.module or "")
    return Key(True, module, (first.name, first.asname or ""))


def together(needed: Iterable[NeededImport]) -> list[list[NeededImport]]:
    """What one statement can import each: the names of a module; what has an alias has a statement of its own."""
    groups: dict[object, list[NeededImport]] = {}
    for item in needed:
        groups.setdefault(item.module if item.name and not item.alias else item, []).append(item)
    return list(groups.values())


def new_statements(groups: Iterable[Sequence[NeededImport]], style: Style) -> list[NewStatement]:
    """The statements that import each of the groups, in order."""
    found = (_new_statement(group, style) for group in groups)
    return sorted(found, key=lambda new: (new.section, default_order(new.key)))


def _new_statement(group: Sequence[NeededImport], style: Style) -> NewStatement:
    module, alias = group[0].module, group[0].alias
    section = section_of(module, style)
    if not group[0].name:
        return NewStatement(section, Key(False, module), f"import {module} as {alias}" if alias else f"import {module}")
    names = sorted(((item.name, item.alias) for item in group), key=_by_type)
    return NewStatement(
        section, Key(True, module, names[0]), statement_text(module, names, min(style.line_length, DEFAULT_WIDTH))
    )


def statement_text(module: str, names: Sequence[Member], width: int, unit: str = "    ") -> str:
    """`from module import names`, each on a line of its own where they do not fit on one."""
    written = [f"{name} as {alias}" if alias else name for name, alias in names]
    line = f"from {module} import {', '.join(written)}"
    if len(line) <= width:
        return line
    return f"from {module} import (\n" + "".join(f"{unit}{name},\n" for name in written) + ")"


def sorted_members(existing: Sequence[Member], added: Iterable[NeededImport]) -> list[Member]:
    """The names of a statement with others among them, in the order that they are in."""
    names = list(existing)
    key = _by_type if names == sorted(names, key=_by_type) else _without_case
    for name in ((item.name, item.alias) for item in added):
        position = next((index for index, other in enumerate(names) if key(other) > key(name)), len(names))
        names.insert(position, name)
    return names


def _by_type(name: Member) -> tuple[int, Natural, Member]:
    """Constants first, then classes, then the rest."""
    text = name[0]
    kind = 0 if len(text) > 1 and text.isupper() else 1 if text[:1].isupper() else 2
    return kind, _natural(text), name


def _without_case(name: Member) -> tuple[int, Natural, Member]:
    return 0, _natural(name[0]), name


def _natural(text: str) -> Natural:
    """`a10` after `a9`, and no difference between upper and lower case."""
    parts = re.findall(r"\d+|\D+", text.lower())
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts)
