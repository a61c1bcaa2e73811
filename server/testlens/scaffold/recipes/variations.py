"""More values of one kind: `[a]` becomes `[a, b, c]`, of which each differs from the others in one word or number."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from testlens.domain.expressions import Reference, mark, references, resolve

# Texts that mean something by their form: varied, they would be refused.
_FORMED = re.compile(r"\d{4}-\d{2}|https?://|arn:|@|/")


def enlarged(code: str, count: int) -> str:
    """A list or tuple display with `count` elements, the code itself where it holds more or cannot be varied."""
    marks = {f"_mark{index}_": reference for index, reference in enumerate(references(code))}
    tree = _display(code, marks)
    if tree is None or not tree.elts or len(tree.elts) >= count:
        return code
    elements = [ast.unparse(element) for element in tree.elts]
    for variant in _variants(ast.unparse(tree.elts[0]), count):
        if len(elements) < count and variant not in elements:
            elements.append(variant)
    if len(elements) < count:
        return code
    brackets = "[]" if isinstance(tree, ast.List) else "()"
    return _with_marks(f"{brackets[0]}{', '.join(elements)}{brackets[1]}", marks)


def size(code: str) -> int:
    """How many elements a list or tuple display has; 0 for anything else."""
    marks = {f"_mark{index}_": reference for index, reference in enumerate(references(code))}
    tree = _display(code, marks)
    return len(tree.elts) if tree is not None else 0


def _display(code: str, marks: dict[str, Reference]) -> ast.List | ast.Tuple | None:
    names = {reference: name for name, reference in marks.items()}
    try:
        tree = ast.parse(resolve(code, lambda reference: names[reference]), mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        return None
    return tree if isinstance(tree, ast.List | ast.Tuple) else None


def _variants(element: str, count: int) -> Iterator[str]:
    for number in range(2, count + 2):
        tree = ast.parse(element, mode="eval")
        constant = next(_varied(tree.body), None)
        if constant is None:
            return
        value = constant.value
        constant.value = value + number if isinstance(value, int | float) else f"{value!s}-{number}"
        yield ast.unparse(tree)


def _varied(node: ast.expr) -> Iterator[ast.Constant]:
    """The constants that may be changed, the most telling first: values of dicts, elements, arguments."""
    match node:
        case ast.Constant(value=str() as text) if text and not _FORMED.search(text):
            yield node
        case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
            yield node
        case ast.Dict(values=values):
            for value in values:
                yield from _varied(value)
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            for element in elements:
                yield from _varied(element)
        case ast.Call(func=ast.Name(), args=arguments, keywords=keywords):
            for value in [*arguments, *(keyword.value for keyword in keywords)]:
                yield from _varied(value)


def _with_marks(code: str, marks: dict[str, Reference]) -> str:
    for name, reference in marks.items():
        code = code.replace(name, mark(reference.module, reference.qualname))
    return code
