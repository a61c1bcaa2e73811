"""Adds to a test that is there what it should have claimed: then it fails on the mutant as well."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from testlens.scaffold.case_text import Draftsman
from testlens.scaffold.edits import Edit, apply, keep_mark
from testlens.scaffold.host import Host, parse_module
from testlens.scaffold.imports import import_edits
from testlens.scaffold.layout import Margins
from testlens.scaffold.marked import Placeholders
from testlens.scaffold.naming import choose_names
from testlens.scaffold.render import Written
from testlens.scaffold.style import Style
from testlens.scaffold.target import FunctionNode
from testlens.scaffold.tidy import bound_names

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_LEAVES = (ast.Return, ast.Raise)


@dataclass(frozen=True, slots=True)
class ExistingTest:
    """A test of the project: `path` is POSIX and relative, `name` as its file calls it (`TestX::test_y`)."""

    path: str
    name: str

    @property
    def node_id(self) -> str:
        """The test as pytest names it."""
        return f"{self.path}::{self.name}"


def tests_to_extend(node_ids: Sequence[str], texts: Mapping[str, str]) -> Iterator[ExistingTest]:
    """Those of some tests that an assertion can be added to, each once and in their order.

    Their last statement does not leave them, they run once, and they hold something under a name.
    """
    known: set[ExistingTest] = set()
    for node_id in node_ids:
        path, _, name = node_id.partition("[")[0].partition("::")
        test = ExistingTest(path, name)
        tree = parse_module(texts.get(path, ""))
        node = _function(tree, name) if tree is not None and test not in known else None
        known.add(test)
        if node is not None and _can_be_extended(node):
            yield test


def with_claims(test: ExistingTest, claims: Sequence[str], style: Style, texts: Mapping[str, str]) -> Written:
    """The test file with the claims, which are marked source, at the end of the test."""
    text = texts[test.path]
    tree = parse_module(text)
    node = _function(tree, test.name) if tree is not None else None
    assert tree is not None
    assert node is not None
    host = Host(test.path, text, tree)
    placeholders = Placeholders(style.python)
    fragment = placeholders.parse(claims)
    references = placeholders.references()
    parameters = {argument.arg for argument in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]}
    naming = choose_names(references.values(), host, parameters | set(bound_names(node.body)), style)
    names = {name: naming.texts[reference] for name, reference in references.items()}
    draftsman = Draftsman(style, names, Margins(style.line_length, host.indent_unit), False)
    last = node.body[-1].end_lineno or node.body[-1].lineno
    indent = host.lines[node.body[0].lineno - 1][: node.body[0].col_offset]
    added = "".join(line + host.newline for line in draftsman.recorded(fragment, indent))
    is_ended = host.lines[last - 1].endswith(("\n", "\r"))
    insertion = Edit(test.path, last + 1, last + 1, added if is_ended else host.newline + added)
    edits = tuple(keep_mark(edit, text) for edit in [*import_edits(test.path, host, naming.needed, style), insertion])
    return Written(
        files={test.path: apply(text, edits)},
        edits=edits,
        test_file=test.path,
        node_ids=(test.node_id,),
        names=(test.name,),
        added={test.path: added},
    )


def _function(tree: ast.Module, name: str) -> FunctionNode | None:
    body: Sequence[ast.stmt] = tree.body
    *classes, function = name.split("::")
    for part in classes:
        found = [node for node in body if isinstance(node, ast.ClassDef) and node.name == part]
        if len(found) != 1:
            return None
        body = found[0].body
    functions = [node for node in body if isinstance(node, _FUNCTIONS) and node.name == function]
    return functions[0] if len(functions) == 1 else None


def _can_be_extended(node: FunctionNode) -> bool:
    is_parametrized = any("parametrize" in ast.unparse(decorator) for decorator in node.decorator_list)
    holds = bool(bound_names(node.body)) or bool(node.args.args[1:])
    starts_on_own_line = node.body[0].lineno > node.lineno
    return not is_parametrized and holds and starts_on_own_line and not isinstance(node.body[-1], _LEAVES)
