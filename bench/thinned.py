"""Takes a fixed, seeded half of the tests out of a project's suite."""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator
from pathlib import Path

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def thin_out(root: Path, seed: int) -> tuple[int, int]:
    """Remove half of the test functions below `root` from the disk; how many there were, and how many are left."""
    chance = random.Random(seed)
    before = removed = 0
    for file in sorted(root.rglob("*.py")):
        if not (file.name.startswith("test_") or file.name.endswith("_test.py")) or _is_hidden(file, root):
            continue
        text = file.read_text(encoding="utf-8")
        tests = list(_tests(ast.parse(text)))
        gone = [test for test in tests if chance.random() < 0.5]
        before += len(tests)
        removed += len(gone)
        file.write_text(_without(text, gone), encoding="utf-8")
    return before, before - removed


def _is_hidden(file: Path, root: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(root).parts)


def _tests(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in tree.body:
        if isinstance(node, _FUNCTIONS) and node.name.startswith("test"):
            yield node
        elif isinstance(node, ast.ClassDef):
            yield from (inner for inner in node.body if isinstance(inner, _FUNCTIONS) and inner.name.startswith("test"))


def _without(text: str, gone: list[ast.FunctionDef | ast.AsyncFunctionDef]) -> str:
    lines = text.split("\n")
    for test in sorted(gone, key=lambda test: -test.lineno):
        first = min([test.lineno, *(decorator.lineno for decorator in test.decorator_list)])
        indent = " " * test.col_offset
        # A class must not be left without a body.
        lines[first - 1 : test.end_lineno] = [f"{indent}pass"] if indent else []
    return "\n".join(lines)
