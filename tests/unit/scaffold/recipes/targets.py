"""Targets in a source text, without a project around it."""

from __future__ import annotations

import ast
from textwrap import dedent

from testlens.analysis.boundaries import find_markers
from testlens.domain.gaps import Region
from testlens.scaffold.target import Target, find_target


def target_at(text: str, line: str) -> Target:
    """The target of a gap that is the line which holds this text."""
    source = dedent(text)
    number = next(number for number, one in enumerate(source.splitlines(), 1) if line in one)
    tree = ast.parse(source)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    around = [node for node in functions if node.lineno <= number <= (node.end_lineno or 0)]
    innermost = max(around, key=lambda node: node.lineno)
    region = Region("uncovered", innermost.name, innermost.lineno, number, number, (number,), (), "")
    found = find_target("weather.py", "weather", tree, region, find_markers(tree))
    assert isinstance(found, Target), found
    return found
