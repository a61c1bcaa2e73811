"""Adds imports to a module: into the statements and sections that are there, sorted as they are."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from testlens.scaffold.edits import Edit
from testlens.scaffold.host import Host
from testlens.scaffold.naming import NeededImport
from testlens.scaffold.style import Style

_Import = ast.Import | ast.ImportFrom
_USUAL_WIDTH = 88
_FUTURE, _STANDARD, _THIRD_PARTY, _FIRST_PARTY, _LOCAL = range(5)


def import_edits(path: str, host: Host, needed: Sequence[NeededImport], style: Style) -> tuple[Edit, ...]:
    """The edits that add the imports to the module, in the order of their lines."""
    merged, rest = _merge(path, host, needed, style)
    statements = _statements(rest, style)
    if not host.imports:
        return _first_imports(path, host, statements, style)
    by_line: dict[int, list[tuple[_Spot, _New]]] = {}
    existing = [_Known(statement, _key_of(statement, style)) for statement in host.imports]
    order = _order(existing)
    for statement in sorted(statements, key=lambda new: (new.section, order(new.key))):
        spot = _spot(statement, existing, host, order)
        by_line.setdefault(spot.line, []).append((spot, statement))
    inserted = [Edit(path, line, line, _text_at(group, host)) for line, group in by_line.items()]
    return tuple(sorted([*merged, *inserted], key=lambda edit: (edit.line, edit.end)))


def written_imports(needed: Sequence[NeededImport], style: Style) -> str:
    """The imports of a new module: a section each for the standard library, others and the project itself."""
    return _sections(_statements(needed, style), "\n")


@dataclass(frozen=True, slots=True)
class _Key:
    """What an import is sorted by: `is_from` apart, module names by their natural order."""

    is_from: bool
    module: str


@dataclass(frozen=True, slots=True)
class _New:
    section: int
    key: _Key
    text: str


@dataclass(frozen=True, slots=True)
class _Known:
    statement: _Import
    placed: tuple[int, _Key]

    @property
    def section(self) -> int:
        return self.placed[0]

    @property
    def key(self) -> _Key:
        return self.placed[1]

    @property
    def end(self) -> int:
        return self.statement.end_lineno or self.statement.lineno


@dataclass(frozen=True, slots=True)
class _Spot:
    """Before which line a statement goes, and whether a blank line has to part it from what is there."""

    line: int
    blank_before: bool = False
    blank_after: bool = False


def _merge(
    path: str, host: Host, needed: Sequence[NeededImport], style: Style
) -> tuple[list[Edit], list[NeededImport]]:
    """The edits of statements that already import from the same module, and what no such statement takes."""
    rest: list[NeededImport] = []
    additions: dict[int, list[NeededImport]] = {}
    statements: dict[int, ast.ImportFrom] = {}
    for item in needed:
        statement = _statement_for(item, host)
        if statement is None:
            rest.append(item)
        else:
            statements[statement.lineno] = statement
            additions.setdefault(statement.lineno, []).append(item)
    edits = []
    for line, items in additions.items():
        statement = statements[line]
        names = _members([(a.name, a.asname or "") for a in statement.names], [(i.name, i.alias) for i in items])
        ended = host.newline if host.lines[(statement.end_lineno or line) - 1].endswith(("\n", "\r")) else ""
        text = _from_text(statement.module or "", names, _width(style)).replace("\n", host.newline) + ended
        edits.append(Edit(path, line, (statement.end_lineno or line) + 1, text))
    return edits, rest


def _statement_for(needed: NeededImport, host: Host) -> ast.ImportFrom | None:
    same = [
        statement
        for statement in host.imports
        if isinstance(statement, ast.ImportFrom) and not statement.level and statement.module == needed.module
    ]
    if not needed.name or len(same) != 1 or _is_delicate(same[0], host):
        return None
    return same[0]


def _is_delicate(statement: ast.ImportFrom, host: Host) -> bool:
    """Whether the statement shares its lines with something else, or has comments in them."""
    lines = host.lines[statement.lineno - 1 : statement.end_lineno]
    text = "".join(lines)
    return (
        statement.col_offset > 0
        or any(mark in text for mark in "#;\\*\f")
        or (statement.lineno == 1 and text.startswith("\ufeff"))
    )


def _members(existing: Sequence[tuple[str, str]], added: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    names = list(existing)
    key = _by_type if names == sorted(names, key=_by_type) else _without_case
    for name in added:
        position = next((index for index, other in enumerate(names) if key(other) > key(name)), len(names))
        names.insert(position, name)
    return names


def _by_type(name: tuple[str, str]) -> tuple[int, list[tuple[int, int, str]], tuple[str, str]]:
    text = name[0]
    kind = 0 if len(text) > 1 and text.isupper() else 1 if text[:1].isupper() else 2
    return kind, _natural(text), name


def _without_case(name: tuple[str, str]) -> tuple[int, list[tuple[int, int, str]], tuple[str, str]]:
    return 0, _natural(name[0]), name


def _natural(text: str) -> list[tuple[int, int, str]]:
    """`a10` after `a9`, and no difference between upper and lower case."""
    parts = re.findall(r"\d+|\D+", text.lower())
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]


def _statements(needed: Iterable[NeededImport], style: Style) -> list[_New]:
    found: list[_New] = []
    members: dict[str, list[tuple[str, str]]] = {}
    for item in needed:
        if item.name:
            members.setdefault(item.module, []).append((item.name, item.alias))
        else:
            text = f"import {item.module} as {item.alias}" if item.alias else f"import {item.module}"
            found.append(_New(section_of(item.module, style), _Key(False, item.module), text))
    for module, names in members.items():
        text = _from_text(module, sorted(names, key=_by_type), _width(style))
        found.append(_New(section_of(module, style), _Key(True, module), text))
    return sorted(found, key=lambda new: (new.section, _default_order(new.key)))


def section_of(module: str, style: Style) -> int:
    """Which part of the imports a module belongs to: the standard library's, others', the project's own."""
    top = module.split(".", maxsplit=1)[0]
    if top == "__future__":
        return _FUTURE
    if top in style.first_party:
        return _FIRST_PARTY
    return _STANDARD if top in sys.stdlib_module_names else _THIRD_PARTY


def _from_text(module: str, names: Sequence[tuple[str, str]], width: int) -> str:
    written = [f"{name} as {alias}" if alias else name for name, alias in names]
    line = f"from {module} import {', '.join(written)}"
    if len(line) <= width:
        return line
    return f"from {module} import (\n" + "".join(f"    {name},\n" for name in written) + ")"


def _key_of(statement: _Import, style: Style) -> tuple[int, _Key]:
    if isinstance(statement, ast.Import):
        name = statement.names[0].name
        return section_of(name, style), _Key(False, name)
    if statement.level:
        return _LOCAL, _Key(True, "." * statement.level + (statement.module or ""))
    module = statement.module or ""
    return section_of(module, style), _Key(True, module)


_SortKey = tuple[bool, list[tuple[int, int, str]]]
_Order = Callable[["_Key"], _SortKey]


def _default_order(key: _Key) -> _SortKey:
    return key.is_from, _natural(key.module)


def _mixed_order(key: _Key) -> _SortKey:
    """`import` and `from` statements together, by the name of the module."""
    return False, _natural(key.module)


def _order(existing: Sequence[_Known]) -> _Order:
    """How the statements that are there are sorted."""
    pairs = [(a, b) for a, b in pairwise(existing) if a.section == b.section]
    wrong_default = sum(_default_order(a.key) > _default_order(b.key) for a, b in pairs)
    wrong_mixed = sum(_mixed_order(a.key) > _mixed_order(b.key) for a, b in pairs)
    return _mixed_order if wrong_mixed < wrong_default else _default_order


def _spot(new: _New, existing: Sequence[_Known], host: Host, order: _Order) -> _Spot:
    """Where a statement goes among those that are there."""
    group = _group_for(new, existing)
    if group:
        following = next((known for known in group if order(known.key) > order(new.key)), None)
        if following is not None:
            return _Spot(following.statement.lineno)
        return _Spot(group[-1].end + 1)
    before = [known for known in existing if known.section < new.section]
    after = [known for known in existing if known.section > new.section]
    parted = _has_sections(existing)
    if before:
        return _Spot(max(known.end for known in before) + 1, blank_before=parted)
    return _Spot(min(known.statement.lineno for known in after), blank_after=parted)


def _group_for(new: _New, existing: Sequence[_Known]) -> list[_Known]:
    """The statements that the new one goes among: those around one of the same package, else of its section."""
    top = new.key.module.split(".")[0]
    same_package = [known for known in existing if known.key.module.split(".")[0] == top]
    same_section = [known for known in existing if known.section == new.section]
    anchors = same_package or same_section
    return _run_of(anchors[-1], existing) if anchors else []


def _run_of(anchor: _Known, existing: Sequence[_Known]) -> list[_Known]:
    """The statements next to `anchor` without a blank line or other code between them."""
    runs: list[list[_Known]] = [[]]
    for known in existing:
        if runs[-1] and known.statement.lineno != runs[-1][-1].end + 1:
            runs.append([])
        runs[-1].append(known)
    run = next(run for run in runs if anchor in run)
    if len({known.section for known in run}) > 1:
        return [known for known in run if known.section == anchor.section]
    return run


def _has_sections(existing: Sequence[_Known]) -> bool:
    """Whether blank lines part the sections; so they do where nothing speaks against it."""
    pairs = [(a, b) for a, b in pairwise(existing) if a.section < b.section]
    return not pairs or any(b.statement.lineno > a.end + 1 for a, b in pairs)


def _text_at(group: Sequence[tuple[_Spot, _New]], host: Host) -> str:
    """The text of the statements that go before the same line, already sorted."""
    lines: list[str] = []
    section = None
    for spot, statement in group:
        if (spot.blank_before and section != statement.section) or (lines and section != statement.section):
            lines.append("")
        lines += statement.text.split("\n")
        section = statement.section
        if spot.blank_after:
            following = [other for _, other in group if other.section > statement.section]
            if not following and statement is group[-1][1]:
                lines.append("")
    return "".join(line + host.newline for line in lines)


def _first_imports(path: str, host: Host, statements: Sequence[_New], style: Style) -> tuple[Edit, ...]:
    """The edit that gives imports to a module without any."""
    if not statements:
        return ()
    line = _after_header(host)
    text = _sections(statements, host.newline)
    before = host.newline if line > 1 and host.lines[line - 2].strip() else ""
    after = host.newline * 2 if line <= len(host.lines) and host.lines[line - 1].strip() else ""
    return (Edit(path, line, line, f"{before}{text}{after}"),)


def _after_header(host: Host) -> int:
    """The line after the comments and the docstring that a module begins with."""
    body = host.tree.body
    if (
        body
        and isinstance(body[0], ast.Expr)
        and isinstance(body[0].value, ast.Constant)
        and isinstance(body[0].value.value, str)
    ):
        return (body[0].end_lineno or body[0].lineno) + 1
    for number, line in enumerate(host.lines, 1):
        stripped = line.removeprefix("\ufeff").strip()
        if not stripped.startswith("#"):
            return number
    return len(host.lines) + 1


def _sections(statements: Sequence[_New], newline: str) -> str:
    grouped: dict[int, list[str]] = {}
    for statement in statements:
        grouped.setdefault(statement.section, []).append(statement.text.replace("\n", newline) + newline)
    return newline.join("".join(grouped[section]) for section in sorted(grouped))


def _width(style: Style) -> int:
    """Wrapped as for the usual 88 columns, an import is left alone whatever the line length: its last comma says so."""
    return min(style.line_length, _USUAL_WIDTH)
