"""Takes a fixed, seeded half of the tests out of a project's suite."""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator
from pathlib import Path

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def thin_out(root: Path, seed: int) -> tuple[int, int]:
    """Remove half of the test functions below `root` from the disk; how many there were, and how many are left."""
    texts = {file: file.read_text(encoding="utf-8") for file in _test_files(root)}
    tests = [(file, test) for file, text in texts.items() for test in _tests(ast.parse(text))]
    gone = random.Random(seed).sample(tests, len(tests) // 2)
    for file, text in texts.items():
        file.write_text(_without(text, [test for place, test in gone if place == file]), encoding="utf-8")
    return len(tests), len(tests) - len(gone)


def _test_files(root: Path) -> Iterator[Path]:
    for file in sorted(root.rglob("*.py")):
        if (file.name.startswith("test_") or file.name.endswith("_test.py")) and not _is_hidden(file, root):
            yield file


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
