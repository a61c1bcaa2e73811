"""Adds imports to a module: into the statements and sections that are there, sorted as they are."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile

from testlens.scaffold.edits import Edit
from testlens.scaffold.host import Host
from testlens.scaffold.import_order import (
    DEFAULT_WIDTH,
    FIRST_PARTY,
    Key,
    NewStatement,
    Order,
    default_order,
    key_of,
    mixed_order,
    new_statements,
    section_of,
    sorted_members,
    statement_text,
    together,
)
from testlens.scaffold.naming import NeededImport
from testlens.scaffold.style import Style


def written_imports(needed: Sequence[NeededImport], style: Style) -> str:
    """The imports of a new module: a section each for the standard library, others and the project itself."""
    return _sections(new_statements(together(needed), style), "\n")


def import_edits(path: str, host: Host, needed: Sequence[NeededImport], style: Style) -> tuple[Edit, ...]:
    """The edits that add the imports to the module, in the order of their lines."""
    merges, rest = _split(needed, host)
    statements = new_statements([[item] for item in rest] if host.has_single_imports else together(rest), style)
    if not host.imports:
        return _first_imports(path, host, statements)
    existing = [_Existing(statement, section_of(key_of(statement).module, style)) for statement in host.imports]
    order = _order(existing)
    by_line: dict[int, list[tuple[_Spot, NewStatement]]] = {}
    for statement in sorted(statements, key=lambda new: (new.section, order(new.key))):
        spot = _spot(statement, existing, order, host)
        by_line.setdefault(spot.line, []).append((spot, statement))
    edits = [Edit(path, line, line, _text_at(placed, host)) for line, placed in by_line.items()]
    edits += [_merge(path, host, statement, names, style) for statement, names in merges]
    return tuple(sorted(edits, key=lambda edit: (edit.line, edit.end)))


@dataclass(frozen=True, slots=True)
class _Existing:
    """An import statement of the module, and the section that it belongs to."""

    statement: ast.Import | ast.ImportFrom
    section: int

    @property
    def key(self) -> Key:
        return key_of(self.statement)

    @property
    def line(self) -> int:
        return self.statement.lineno

    @property
    def end(self) -> int:
        return self.statement.end_lineno or self.statement.lineno


@dataclass(frozen=True, slots=True)
class _Spot:
    """Before which line a statement goes, and whether a blank line has to part it from what is there."""

    line: int
    blank_before: bool = False
    blank_after: bool = False


_Merge = tuple[ast.ImportFrom, list[NeededImport]]


def _split(needed: Sequence[NeededImport], host: Host) -> tuple[list[_Merge], list[NeededImport]]:
    """What statements that are there take along, and what needs statements of its own."""
    merges: dict[int, _Merge] = {}
    rest = []
    for item in needed:
        statement = _statement_for(item, host)
        if statement is None:
            rest.append(item)
        else:
            merges.setdefault(statement.lineno, (statement, []))[1].append(item)
    return list(merges.values()), rest


def _statement_for(needed: NeededImport, host: Host) -> ast.ImportFrom | None:
    """The statement that imports names from the same module, if it can take another."""
    same = [
        statement
        for statement in host.imports
        if isinstance(statement, ast.ImportFrom) and not statement.level and statement.module == needed.module
    ]
    if not needed.name or not same or host.has_single_imports:
        return None
    fitting = [statement for statement in same if not _is_delicate(statement, host)]
    if needed.alias:
        fitting = [statement for statement in fitting if _mixes_aliases(statement)]
    else:
        fitting = [statement for statement in fitting if _mixes_aliases(statement) or not statement.names[0].asname]
    return fitting[-1] if fitting else None


def _mixes_aliases(statement: ast.ImportFrom) -> bool:
    return len(statement.names) > 1 and any(alias.asname for alias in statement.names)


def _is_delicate(statement: ast.ImportFrom, host: Host) -> bool:
    """Whether the statement shares its lines with something else, or has comments in them."""
    text = "".join(host.lines[statement.lineno - 1 : statement.end_lineno])
    return statement.col_offset > 0 or any(mark in text for mark in "#;\\*\f\ufeff")


def _merge(path: str, host: Host, statement: ast.ImportFrom, added: Sequence[NeededImport], style: Style) -> Edit:
    line, end = statement.lineno, statement.end_lineno or statement.lineno
    names = sorted_members([(alias.name, alias.asname or "") for alias in statement.names], added)
    ended = host.newline if host.lines[end - 1].endswith(("\n", "\r")) else ""
    is_long = len(host.lines[line - 1].rstrip()) > DEFAULT_WIDTH
    width = style.line_length if is_long else min(style.line_length, DEFAULT_WIDTH)
    text = statement_text(statement.module or "", names, width, host.indent_unit)
    return Edit(path, line, end + 1, text.replace("\n", host.newline) + ended)


def _order(existing: Sequence[_Existing]) -> Order:
    """How the statements that are there are sorted."""
    pairs = [(a.key, b.key) for a, b in pairwise(existing) if a.section == b.section]
    wrong_default = sum(default_order(a) > default_order(b) for a, b in pairs)
    wrong_mixed = sum(mixed_order(a) > mixed_order(b) for a, b in pairs)
    return mixed_order if wrong_mixed < wrong_default else default_order


def _spot(new: NewStatement, existing: Sequence[_Existing], order: Order, host: Host) -> _Spot:
    """Where a statement goes among those that are there."""
    if group := _group_for(new, existing):
        following = next((one for one in group if order(one.key) > order(new.key)), None)
        return _Spot(following.line if following else _line_after(group[-1], host))
    parted = _has_sections(existing)
    before = [one for one in existing if one.section < new.section]
    if before:
        line = _line_after(before[-1], host)
        is_own = new.section == FIRST_PARTY
        return _Spot(max(line, host.path_changed_at + 1) if is_own else line, blank_before=parted)
    return _Spot(existing[0].line, blank_after=parted)


def _line_after(one: _Existing, host: Host) -> int:
    """The line after a statement; its own line if it shares it with what is no import."""
    return one.line if ";" in host.lines[one.end - 1] else one.end + 1


def _group_for(new: NewStatement, existing: Sequence[_Existing]) -> list[_Existing]:
    """The statements that the new one goes among: those around one of the same package, else of its section."""
    same_package = [one for one in existing if one.key.top == new.key.top]
    same_section = [one for one in existing if one.section == new.section]
    if not same_package and not same_section:
        return []
    anchor = (same_package or same_section)[-1]
    run = next(run for run in _runs(existing) if anchor in run)
    # Sections that no blank line parts are told apart by what they import.
    return [one for one in run if one.section == anchor.section]


def _runs(existing: Sequence[_Existing]) -> list[list[_Existing]]:
    """The statements that follow one another without a blank line or other code between them."""
    runs: list[list[_Existing]] = []
    for one in existing:
        if runs and one.line <= runs[-1][-1].end + 1:
            runs[-1].append(one)
        else:
            runs.append([one])
    return runs


def _has_sections(existing: Sequence[_Existing]) -> bool:
    """Whether blank lines part the sections; so they do where nothing speaks against it."""
    pairs = [(a, b) for a, b in pairwise(existing) if a.section < b.section]
    return not pairs or any(b.line > a.end + 1 for a, b in pairs)


def _text_at(placed: Sequence[tuple[_Spot, NewStatement]], host: Host) -> str:
    """The text of the statements that go before the same line, already sorted."""
    lines: list[str] = []
    previous: NewStatement | None = None
    for spot, statement in placed:
        is_new_section = previous is None or previous.section != statement.section
        if is_new_section and (spot.blank_before or previous is not None):
            lines.append("")
        lines += statement.text.split("\n")
        previous = statement
    if placed[-1][0].blank_after:
        lines.append("")
    return _after_line_end(placed[0][0].line, host) + "".join(line + host.newline for line in lines)


def _first_imports(path: str, host: Host, statements: Sequence[NewStatement]) -> tuple[Edit, ...]:
    """The edit that gives imports to a module without any."""
    if not statements:
        return ()
    line = _after_header(host)
    before = host.newline if line > 1 and host.lines[line - 2].strip() else ""
    after = host.newline * _missing_blank_lines(line, host)
    return (Edit(path, line, line, _after_line_end(line, host) + before + _sections(statements, host.newline) + after),)


def _missing_blank_lines(line: int, host: Host) -> int:
    """How many blank lines are to be added between imports that go before `line` and the code that follows."""
    blank = len(list(takewhile(lambda text: not text.strip(), host.lines[line - 1 :])))
    is_definition = host.lines[line - 1 + blank].startswith(("def ", "async def ", "class ", "@"))
    return max(0, (2 if is_definition else 1) - blank)


def _after_line_end(line: int, host: Host) -> str:
    """The line end that the last line of the file lacks, for what goes after it."""
    is_open = line > len(host.lines) and host.lines and not host.lines[-1].endswith(("\n", "\r"))
    return host.newline if is_open else ""


def _after_header(host: Host) -> int:
    """The line after the comments and the docstring that a module begins with."""
    match host.tree.body:
        case [ast.Expr(ast.Constant(str())) as docstring, *_]:
            return (docstring.end_lineno or docstring.lineno) + 1
    header = 0
    for number, line in enumerate(host.lines, 1):
        text = line.removeprefix("\ufeff").strip()
        if not text.startswith("#"):
            # A comment right above code belongs to it, but for those that only the first two lines may hold.
            return number if not text or not header else min(number, _after_special_comments(host))
        header = number
    return header + 1


def _after_special_comments(host: Host) -> int:
    count = 0
    for line in host.lines[:2]:
        if not line.removeprefix("\ufeff").startswith("#!") and "coding" not in line:
            break
        count += 1
    return count + 1


def _sections(statements: Sequence[NewStatement], newline: str) -> str:
    grouped: dict[int, str] = {}
    for statement in statements:
        text = statement.text.replace("\n", newline) + newline
        grouped[statement.section] = grouped.get(statement.section, "") + text
    return newline.join(grouped[section] for section in sorted(grouped))
