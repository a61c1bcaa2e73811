"""Rewrites the statements of a test so that linters have nothing to say, and it still does the same."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from testlens.domain.expressions import Reference
from testlens.scaffold.tidy_calls import attribute_assignment, better_call

_AMBIGUOUS = frozenset("lOI")


def tidy(suites: Sequence[Sequence[ast.stmt]], references: Mapping[str, Reference]) -> list[list[ast.stmt]]:
    """The suites, which follow one another in one function, without what pycodestyle, pyflakes and the like object to.

    `references` are by placeholder.
    """
    renamer = _Renamer(_AMBIGUOUS & {name for suite in suites for name in bound_names(suite)})
    rewriter = _Rewriter(references)
    return [
        [ast.fix_missing_locations(rewriter.visit(renamer.visit(statement))) for statement in suite] for suite in suites
    ]


def bound_names(body: Sequence[ast.stmt]) -> set[str]:
    """All names that the statements give a meaning: variables, parameters, inner functions and classes."""
    return {name for statement in body for node in ast.walk(statement) for name in _names_bound(node)}


def _names_bound(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(name, ast.Store() | ast.Del()):
            yield name
        case ast.arg(name) | ast.FunctionDef(name) | ast.AsyncFunctionDef(name) | ast.ClassDef(name):
            yield name
        case (
            ast.ExceptHandler(name=str() as name) | ast.MatchAs(name=str() as name) | ast.MatchStar(name=str() as name)
        ):
            yield name
        case ast.Import(names) | ast.ImportFrom(names=names):
            yield from (alias.asname or alias.name.split(".")[0] for alias in names)


class _Renamer(ast.NodeTransformer):
    """Gives variables that look like digits another name."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        if node.id in self._names:
            node.id += "_"
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        if node.arg in self._names:
            node.arg += "_"
        return node


class _Rewriter(ast.NodeTransformer):
    """Says the same in the way that linters prefer."""

    def __init__(self, references: Mapping[str, Reference]) -> None:
        self._references = references

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        self.generic_visit(node)
        if len(node.ops) != 1 or not isinstance(node.ops[0], ast.Eq | ast.NotEq):
            return node
        left, right = node.left, node.comparators[0]
        if _is_singleton(left) and not _is_singleton(right):
            left, right = right, left
        if _is_singleton(right) or _is_type_call(left) or _is_type_call(right):
            operator = ast.Is() if isinstance(node.ops[0], ast.Eq) else ast.IsNot()
            return ast.copy_location(ast.Compare(left, [operator], [right]), node)
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        self.generic_visit(node)
        match node:
            case ast.UnaryOp(ast.Not(), ast.Compare(left, [operator], comparators)) if type(operator) in _OPPOSITES:
                opposite = _OPPOSITES[type(operator)]()
                return ast.copy_location(ast.Compare(left, [opposite], comparators), node)
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        better = better_call(node, self._references)
        return ast.copy_location(better, node) if better is not None else node

    def visit_Expr(self, node: ast.Expr) -> ast.stmt:
        self.generic_visit(node)
        value = node.value
        if assignment := attribute_assignment(value):
            return ast.copy_location(assignment, node)
        if not is_useless(value):
            return node
        return ast.copy_location(ast.Assign([ast.Name("_", ast.Store())], value), node)

    def visit_Assign(self, node: ast.Assign) -> ast.stmt:
        self.generic_visit(node)
        target = node.targets[0]
        if len(node.targets) != 1 or not isinstance(target, ast.Name) or not isinstance(node.value, ast.Lambda):
            return node
        definition = ast.parse(f"def {target.id}(): pass").body[0]
        assert isinstance(definition, ast.FunctionDef)
        definition.args = node.value.args
        definition.body = [ast.copy_location(ast.Return(node.value.body), node.value.body)]
        return ast.copy_location(definition, node)

    def visit_With(self, node: ast.With) -> ast.With:
        self.generic_visit(node)
        return _merged(node)

    def visit_AsyncWith(self, node: ast.AsyncWith) -> ast.AsyncWith:
        self.generic_visit(node)
        return _merged(node)


_OPPOSITES: Mapping[type[ast.cmpop], type[ast.cmpop]] = {
    ast.In: ast.NotIn,
    ast.Is: ast.IsNot,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.NotIn: ast.In,
    ast.IsNot: ast.Is,
}


_With = TypeVar("_With", ast.With, ast.AsyncWith)


def _merged(node: _With) -> _With:
    """One statement of two that are nested in each other and nothing else."""
    if len(node.body) == 1 and type(node.body[0]) is type(node):
        inner = node.body[0]
        node.items += inner.items
        node.body = inner.body
    return node


def _is_singleton(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, bool))


def _is_type_call(node: ast.expr) -> bool:
    match node:
        case ast.Call(ast.Name("type"), [_], []):
            return True
    return False


def is_useless(value: ast.expr) -> bool:
    """Whether linters take the expression for a mistake when it is a statement of its own."""
    if isinstance(value, ast.Constant):
        return not isinstance(value.value, str) and value.value is not Ellipsis
    return not isinstance(value, ast.Call | ast.Await | ast.Yield | ast.YieldFrom | ast.NamedExpr)
