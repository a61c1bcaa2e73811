"""Says a value in terms of the test's own variables: `requests[:1]` instead of the same literal again."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

from testlens.domain.expressions import Reference, mark, references, resolve
from testlens.domain.trials import Seen

# Shorter than this, the value itself says more than a name.
_WORTH_A_NAME = 9
_EQUALITY = re.compile(r"assert (\w+) == (.+)", re.DOTALL)


def related(check: str, values: Mapping[str, Seen]) -> str:
    """An assertion of equality with the expected value written by the variable that holds it, where one does."""
    found = _EQUALITY.fullmatch(check)
    if found is None:
        return check
    subject, code = found[1], found[2]
    others = {name: seen for name, seen in values.items() if name != subject and seen.code is not None}
    return f"assert {subject} == {in_terms_of(code, others)}"


def in_terms_of(code: str, values: Mapping[str, Seen]) -> str:
    """`code`, or the variable, part of a variable or elements of one that have this value."""
    if len(code) < _WORTH_A_NAME:
        return code
    for name, seen in values.items():
        if seen.code == code:
            return name
    parts = _elements(code)
    for name, seen in values.items():
        held = _elements(seen.code or "")
        if held and code in held:
            return f"{name}[{held.index(code)}]"
        if held and parts and set(parts) <= set(held) and any(len(part) >= _WORTH_A_NAME for part in parts):
            slice_ = _slice_of(parts, held) if code[0] == (seen.code or "")[0] else None
            return f"{name}{slice_}" if slice_ else _picked(name, parts, held, code[0] == "[")
    return code


def _picked(name: str, parts: list[str], held: list[str], is_list: bool) -> str:
    chosen = ", ".join(f"{name}[{held.index(part)}]" for part in parts)
    return f"[{chosen}]" if is_list else f"({chosen}{',' if len(parts) == 1 else ''})"


def _slice_of(parts: list[str], held: list[str]) -> str | None:
    for start in range(len(held) - len(parts) + 1):
        if held[start : start + len(parts)] == parts:
            if len(parts) == 1:
                return None
            first = str(start) if start else ""
            last = str(start + len(parts)) if start + len(parts) < len(held) else ""
            return f"[{first}:{last}]" if first or last else None
    return None


def _elements(code: str) -> list[str] | None:
    """The source of each element of a list or tuple display; None for anything else."""
    if not code or code[0] not in "[(":
        return None
    marks = {f"_mark{index}_": reference for index, reference in enumerate(references(code))}
    names = {reference: name for name, reference in marks.items()}
    plain = resolve(code, lambda reference: names[reference])
    try:
        tree = ast.parse(plain, mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        return None
    if not isinstance(tree, ast.List | ast.Tuple):
        return None
    parts = [ast.get_source_segment(plain, element) or "" for element in tree.elts]
    return [_marked_again(part, marks) for part in parts]


def _marked_again(part: str, marks: Mapping[str, Reference]) -> str:
    for name, reference in marks.items():
        part = part.replace(name, mark(reference.module, reference.qualname))
    return part
