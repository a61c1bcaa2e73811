"""The nodes right below one node of a syntax tree, at a fraction of what `ast.iter_child_nodes` costs."""

from __future__ import annotations

import ast
from collections.abc import Collection

LEAVES = frozenset({ast.Name, ast.Constant, type(None), str, int})
"""Names and constants are most of any tree and hold neither calls nor decisions; the others are no nodes at all."""

# Fields that hold no expression and no statement.
_PLAIN = frozenset({"ctx", "op", "ops", "attr", "id", "arg", "kind", "conversion", "names", "is_async", "type_comment"})
_FIELDS: dict[type[ast.AST], tuple[str, ...]] = {
    kind: tuple(field for field in kind._fields if field not in _PLAIN)
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST) and kind not in LEAVES
}
_FIELDS.update({ast.Name: (), ast.Constant: ()})


def children(node: ast.AST, passed_over: Collection[type]) -> list[ast.AST]:
    """The nodes below `node`, those of the types `passed_over` left out; these have to include `LEAVES`."""
    found: list[ast.AST] = []
    for field in _FIELDS[node.__class__]:
        child = getattr(node, field)
        if child.__class__ is list:
            found += [part for part in child if part.__class__ not in passed_over]
        elif child.__class__ not in passed_over:
            found.append(child)
    return found
