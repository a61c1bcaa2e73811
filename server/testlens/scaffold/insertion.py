"""Where new text goes in a module, and how it is set off from what is there."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from testlens.scaffold.edits import Edit
from testlens.scaffold.host import Host


@dataclass(frozen=True, slots=True)
class Spot:
    """Before which line (1-based) new text goes, how it is indented, and how many blank lines part it from others."""

    line: int
    indent: str
    blank_lines: int


def end_of_module(host: Host) -> Spot:
    """The end of the module; before what it does when it is run as a script."""
    return Spot(_script_line(host), "", 2)


def end_of_class(host: Host, node: ast.ClassDef, marks: Sequence[str] = ()) -> Spot | None:
    """The end of the class; None where tests that are put there would not run as they are written.

    `marks` are those that new tests have as well.
    """
    indent = _body_indent(host, node)
    if indent is None or node.bases or node.keywords or not _collects_plainly(node):
        return None
    if not all(ast.unparse(decorator).rpartition("mark.")[2] in marks for decorator in node.decorator_list):
        return None
    line = (node.end_lineno or node.lineno) + 1
    last = line
    while line <= len(host.lines):
        text = host.lines[line - 1]
        if text.strip() and not (text.startswith((" ", "\t")) and text.strip().startswith("#")):
            break
        line += 1
        last = line if text.strip() else last
    return Spot(last, indent, 1)


def insert(path: str, host: Host, spot: Spot, lines: Sequence[str]) -> Edit:
    """The edit that puts the lines at the spot."""
    before = host.lines[: spot.line - 1]
    newline = host.newline
    text = "".join(line + newline for line in lines)
    if before and not before[-1].endswith(("\n", "\r")):
        text = newline * (spot.blank_lines + 1) + text
    elif any(line.strip() for line in before):
        text = newline * max(0, spot.blank_lines - _blank_at_end(before)) + text
    if spot.indent == "" and any(line.strip() for line in host.lines[spot.line - 1 :]):
        text += newline * spot.blank_lines
    return Edit(path, spot.line, spot.line, text)


def append(path: str, host: Host, lines: Sequence[str]) -> Edit:
    """The edit that makes the lines the code of a module that has none: after its comments and its docstring."""
    last = len(host.lines) - _blank_at_end(host.lines)
    text = "".join(line + host.newline for line in lines)
    if not last:
        return Edit(path, 1, len(host.lines) + 1, text)
    ended = "" if host.lines[last - 1].endswith(("\n", "\r")) else host.newline
    return Edit(path, last + 1, len(host.lines) + 1, ended + host.newline + text)


def _blank_at_end(lines: Sequence[str]) -> int:
    count = 0
    for line in reversed(lines):
        if line.strip():
            break
        count += 1
    return count


def _script_line(host: Host) -> int:
    line = len(host.lines) + 1
    for statement in reversed(host.tree.body):
        if not _is_script_guard(statement):
            break
        line = statement.lineno
    if line > len(host.lines):
        return line
    while line > 1 and host.lines[line - 2].startswith("#"):
        line -= 1
    return line


def _is_script_guard(statement: ast.stmt) -> bool:
    match statement:
        case ast.If(ast.Compare(ast.Name("__name__"), [ast.Eq()], [ast.Constant("__main__")])):
            return True
        case ast.If(ast.Compare(ast.Constant("__main__"), [ast.Eq()], [ast.Name("__name__")])):
            return True
    return False


def _body_indent(host: Host, node: ast.ClassDef) -> str | None:
    first = node.body[0]
    if first.lineno == node.lineno:
        return None
    indent = host.lines[first.lineno - 1][: first.col_offset]
    return None if indent.strip(" \t") else indent


def _collects_plainly(node: ast.ClassDef) -> bool:
    """Whether pytest collects the class, and nothing in it changes what a new test of it does."""
    for statement in node.body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef) and statement.name in ("__init__", "__new__"):
            return False
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        if any(isinstance(target, ast.Name) and target.id in ("pytestmark", "__test__") for target in targets):
            return False
    return True
