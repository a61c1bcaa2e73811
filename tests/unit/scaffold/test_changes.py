"""Wishes about the code under test lead to what a test can set, whatever the code does with its names."""

from __future__ import annotations

import ast
from textwrap import dedent

from testlens.domain.gaps import Region
from testlens.domain.trials import FunctionDescription
from testlens.scaffold.changes import changes_for
from testlens.scaffold.scene import Scene
from testlens.scaffold.target import Target, find_target


def scenes(source: str, line: int) -> list[Scene]:
    """The scenes that lead to a line of the one function in a source."""
    tree = ast.parse(dedent(source))
    function = next(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    region = Region("uncovered", function.name, function.lineno, line, line, (line,), (), "")
    target = find_target("shop.py", "shop", tree, region, ())
    assert isinstance(target, Target)
    guard = target.guards[-1]
    assert guard.test is not None
    plain = Scene(FunctionDescription(function.name, "shop", "function", "\x01shop:f\x02"))
    return [change(plain) for change in changes_for(target, "shop", guard.test, guard.wanted, guard.line)]


def test_a_name_that_is_bound_to_a_part_of_itself_is_what_it_was_before() -> None:
    source = """\
        def root(node):
            node = node.parent
            if node.name == "top":
                return node
        """
    found = scenes(source, 4)
    assert [scene.settings["node.parent.name"].code for scene in found if scene.settings] == ["'top'"]
