"""What a killing test has to tell apart: a function, and the change that a mutant makes to it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from testlens.domain.changed_text import mutated_text, text_in
from testlens.domain.gaps import Region
from testlens.domain.mutants import Mutant
from testlens.domain.trials import Trial
from testlens.scaffold.target import FunctionNode, NoTarget, Target, find_target

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True)
class Aim:
    """A mutant and where it changes its function; `target` is the changed statement.

    `mutated_text` is the whole text of the file with the change in it. `statement` is the innermost statement that
    changes, `before` and `after` are the smallest expressions around the change, None where it is in none.
    """

    mutant: Mutant
    target: Target
    mutated_text: str
    statement: ast.stmt
    before: ast.expr | None
    after: ast.expr | None

    @property
    def line(self) -> int:
        """The 1-based line of the `def` that the mutant plays."""
        return self.target.function.lineno

    def is_near(self, trial: Trial) -> bool:
        """Whether a trial ran the statement that decides whether the changed one runs, as an `if` does."""
        around = [
            node
            for node in _statements(self.target.function)
            if not isinstance(node, _FUNCTIONS)
            and node.lineno < self.statement.lineno <= (node.end_lineno or node.lineno)
        ]
        return not around or max(node.lineno for node in around) in trial.lines

    def is_reached(self, trial: Trial) -> bool:
        """Whether a trial ran what the mutant changes."""
        last = self.statement.end_lineno or self.statement.lineno
        body = getattr(self.statement, "body", None)
        if isinstance(body, list) and body:
            last = max(self.statement.lineno, body[0].lineno - 1)
        return any(self.statement.lineno <= line <= last for line in trial.lines)


def find_aim(mutant: Mutant, module: str, text: str) -> Aim | NoTarget:
    """The aim of a mutant whose span lies in `text`, the present text of its file."""
    changed_text = changed(text, mutant)
    if changed_text is None:
        return NoTarget("the file was edited since the mutant was made")
    try:
        tree, mutated_tree = ast.parse(text), ast.parse(changed_text)
    except (SyntaxError, ValueError, RecursionError) as error:
        return NoTarget(f"the file cannot be parsed: {error}")
    function = _function_around(tree, mutant)
    if function is None:
        return NoTarget(f"line {mutant.span.first_line} stands in no function")
    statement = _statement(function, mutant)
    region = Region(
        "uncovered", mutant.function, function.lineno, statement.lineno, statement.lineno, (statement.lineno,), (), ""
    )
    target = find_target(mutant.file, module, tree, region, ())
    if isinstance(target, NoTarget):
        return target
    before, after = _expressions(text, changed_text, tree, mutated_tree, mutant)
    return Aim(mutant, target, changed_text, statement, before, after)


def changed(text: str, mutant: Mutant) -> str | None:
    """A text with plain newlines and the mutant's change; None where it does not hold what the mutant replaces."""
    if text_in(text, mutant.span) != mutant.original:
        return None
    return mutated_text(text, mutant.span, mutant.replacement)


def _function_around(tree: ast.Module, mutant: Mutant) -> FunctionNode | None:
    """The outermost function around the change: that is what a mutant replaces."""
    holding = [node for node in ast.walk(tree) if isinstance(node, _FUNCTIONS) and _holds(node, mutant)]
    return min(holding, key=lambda node: node.lineno, default=None)


def _holds(node: ast.stmt, mutant: Mutant) -> bool:
    last = node.end_lineno or node.lineno
    return node.lineno <= mutant.span.first_line and mutant.span.last_line <= last


def _statement(function: FunctionNode, mutant: Mutant) -> ast.stmt:
    """The innermost statement that changes; the first one of the body where the function's head does."""
    holding = [node for node in _statements(function) if _holds(node, mutant) and not isinstance(node, _FUNCTIONS)]
    if holding:
        return max(holding, key=lambda node: (node.lineno, -(node.end_lineno or 0)))
    body = function.body
    return body[1] if len(body) > 1 and ast.get_docstring(function) is not None else body[0]


def _statements(function: FunctionNode) -> Iterator[ast.stmt]:
    yield from (node for node in ast.walk(function) if isinstance(node, ast.stmt) and node is not function)


def _expressions(
    text: str, changed_text: str, tree: ast.Module, mutated_tree: ast.Module, mutant: Mutant
) -> tuple[ast.expr | None, ast.expr | None]:
    span = mutant.span
    before = _expression_at(tree, text, (span.first_line, span.first_column), (span.last_line, span.last_column))
    lines = mutant.replacement.split("\n")
    last_line = span.first_line + len(lines) - 1
    last_column = len(lines[-1]) + (span.first_column if len(lines) == 1 else 0)
    after = _expression_at(mutated_tree, changed_text, (span.first_line, span.first_column), (last_line, last_column))
    return before, after


def _expression_at(tree: ast.Module, text: str, start: tuple[int, int], end: tuple[int, int]) -> ast.expr | None:
    """The smallest expression around a range."""
    lines = text.split("\n")

    def place(line: int, byte_column: int) -> tuple[int, int]:
        return line, len(lines[line - 1].encode()[:byte_column].decode("utf-8", "replace"))

    found: tuple[tuple[int, int], ast.expr] | None = None
    for node in ast.walk(tree):
        if isinstance(node, ast.expr) and node.lineno <= start[0] and end[0] <= (node.end_lineno or node.lineno):
            first, last = place(node.lineno, node.col_offset), place(node.end_lineno or 0, node.end_col_offset or 0)
            size = (last[0] - first[0], last[1] - first[1])
            if first <= start and end <= last and (found is None or size < found[0]):
                found = size, node
    return None if found is None else found[1]
