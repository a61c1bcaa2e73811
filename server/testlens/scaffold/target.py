"""What is to be reached: a gap, the function around it, and the conditions on the way there."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from testlens.domain.gaps import Region
from testlens.domain.outline import MODULE, Marker

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

GuardKind = Literal["if", "while", "for", "except", "case"]


@dataclass(frozen=True, slots=True)
class Guard:
    """A condition on the way to a gap: `test` has to be true (or false) on `line` (1-based).

    `for`: the loop has to have an item (`wanted`) or none; `except`: the `try` body has to raise what `test` names
    (None for a bare `except`); `case`: the subject has to match. `body` are the statements of the `try`.
    """

    kind: GuardKind
    line: int
    test: ast.expr | None
    wanted: bool
    body: tuple[ast.stmt, ...] = ()
    pattern: ast.pattern | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """One gap in one source file, with the function that has to be called to reach it.

    `function` is the outermost function around the gap, `name` its dotted name; a gap inside an inner function has that
    one in `inner`, outermost first. `owner` is the class of a method. `module` is the dotted name that the path
    suggests. `lines` are the statements to reach, `arcs` the branches.
    """

    path: str
    module: str
    region: Region
    tree: ast.Module
    name: str
    function: FunctionNode
    owner: ast.ClassDef | None
    inner: tuple[FunctionNode, ...]
    guards: tuple[Guard, ...]
    markers: tuple[Marker, ...]

    @property
    def lines(self) -> frozenset[int]:
        """The statements of the gap; for a branch the line that it leaves from."""
        return frozenset(self.region.statements) or frozenset({self.region.first})

    @property
    def innermost(self) -> FunctionNode:
        """The function that the gap stands in."""
        return self.inner[-1] if self.inner else self.function


@dataclass(frozen=True, slots=True)
class NoTarget:
    """Why nothing can be written for a gap, in words for the user."""

    reason: str


def inner_parameters(function: FunctionNode) -> tuple[str, ...]:
    """The parameters that a call of a function has to give by position."""
    arguments = function.args
    needed = [*arguments.posonlyargs, *arguments.args]
    return tuple(argument.arg for argument in needed[: len(needed) - len(arguments.defaults)])


def find_target(
    path: str, module: str, tree: ast.Module, region: Region, markers: Sequence[Marker]
) -> Target | NoTarget:
    """The target of a gap in a parsed source file."""
    line = min(region.statements, default=region.first)
    chain = _definitions_around(tree, region, line)
    if chain and _is_for_type_checkers(tree, chain[0].lineno):
        return NoTarget(f"line {line} is there for type checkers alone: nothing runs it")
    functions = [node for node in chain if isinstance(node, _FUNCTIONS)]
    if not functions:
        where = "a class body" if region.function != MODULE else "module level"
        return NoTarget(f"line {line} runs when the module is imported ({where}), not when something is called")
    function = functions[0]
    position = chain.index(function)
    owner = chain[position - 1] if position and isinstance(chain[position - 1], ast.ClassDef) else None
    name = ".".join(node.name for node in chain[: position + 1])
    inner = tuple(node for node in chain[position + 1 :] if isinstance(node, _FUNCTIONS))
    last = function.end_lineno or function.lineno
    return Target(
        path, module, region, tree, name, function,
        owner if isinstance(owner, ast.ClassDef) else None,
        inner,
        tuple(_guards(inner[-1] if inner else function, region)),
        tuple(marker for marker in markers if function.lineno <= marker.last and marker.first <= last),
    )  # fmt: skip


def _is_for_type_checkers(tree: ast.Module, line: int) -> bool:
    return any(
        isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING") and _covers(node.body, line)
        for node in tree.body
    )


def _definitions_around(tree: ast.Module, region: Region, line: int) -> list[FunctionNode | ast.ClassDef]:
    """The functions and classes around a line, outermost first."""
    chain: list[FunctionNode | ast.ClassDef] = []
    node: ast.AST = tree
    while True:
        inside = next((found for found in _definitions_below(node) if _holds(found, region, line)), None)
        if inside is None:
            return chain
        chain.append(inside)
        node = inside


def _definitions_below(node: ast.AST) -> Iterator[FunctionNode | ast.ClassDef]:
    pending = list(ast.iter_child_nodes(node))
    while pending:
        child = pending.pop()
        if isinstance(child, _DEFINITIONS):
            yield child
        elif isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case):
            pending += ast.iter_child_nodes(child)


def _holds(node: FunctionNode | ast.ClassDef, region: Region, line: int) -> bool:
    if node.lineno == region.scope_line:
        return True
    # The `def` line itself runs with what is around it.
    return node.body[0].lineno <= line <= (node.end_lineno or line) and node.lineno < max(region.scope_line, line)


def guards_before(function: FunctionNode, line: int) -> tuple[Guard, ...]:
    """The conditions on the way to any line of a function."""
    return tuple(_way_to(function.body, line))


def _guards(function: FunctionNode, region: Region) -> Iterator[Guard]:
    """The conditions on the way to the gap, in the order in which they are met."""
    if region.kind == "partial":
        yield from _way_to(function.body, region.first)
        yield from _branch(function, region)
    else:
        yield from _way_to(function.body, region.statements[0])


def _way_to(body: Sequence[ast.stmt], line: int) -> Iterator[Guard]:
    for statement in body:
        if statement.lineno <= line <= (statement.end_lineno or statement.lineno):
            yield from _into(statement, line)
            return
        yield from _passing(statement)


def _passing(statement: ast.stmt) -> Iterator[Guard]:
    """What lets a statement before the gap go on to the next one."""
    if not isinstance(statement, ast.If):
        return
    if _leaves(statement.body):
        yield Guard("if", statement.lineno, statement.test, False)
        # An `elif` that leaves has to be passed as well.
        for inner in statement.orelse:
            yield from _passing(inner)
    elif statement.orelse and _leaves(statement.orelse):
        yield Guard("if", statement.lineno, statement.test, True)


def _leaves(body: Sequence[ast.stmt]) -> bool:
    return isinstance(body[-1], ast.Return | ast.Raise | ast.Continue | ast.Break)


def _into(statement: ast.stmt, line: int) -> Iterator[Guard]:
    """What leads from the head of a compound statement to the line inside it."""
    match statement:
        case ast.If() | ast.While():
            yield from _into_condition(statement, line)
        case ast.For() | ast.AsyncFor():
            if _covers(statement.body, line):
                yield Guard("for", statement.lineno, statement.iter, True)
            yield from _way_through((statement.body, statement.orelse), line)
        case ast.With() | ast.AsyncWith():
            yield from _way_to(statement.body, line)
        case ast.Try() | ast.TryStar():
            yield from _into_try(statement, line)
        case ast.Match():
            yield from _into_match(statement, line)


def _way_through(suites: Sequence[Sequence[ast.stmt]], line: int) -> Iterator[Guard]:
    for suite in suites:
        if _covers(suite, line):
            yield from _way_to(suite, line)


def _into_condition(statement: ast.If | ast.While, line: int) -> Iterator[Guard]:
    kind: GuardKind = "if" if isinstance(statement, ast.If) else "while"
    for suite, wanted in ((statement.body, True), (statement.orelse, False)):
        if _covers(suite, line):
            yield Guard(kind, statement.lineno, statement.test, wanted)
            yield from _way_to(suite, line)


def _into_match(statement: ast.Match, line: int) -> Iterator[Guard]:
    for choice in statement.cases:
        if _covers(choice.body, line):
            yield Guard("case", choice.pattern.lineno, statement.subject, True, (), choice.pattern)
            if choice.guard is not None:
                yield Guard("if", choice.guard.lineno, choice.guard, True)
            yield from _way_to(choice.body, line)


def _into_try(statement: ast.Try | ast.TryStar, line: int) -> Iterator[Guard]:
    for handler in statement.handlers:
        if handler.lineno <= line <= (handler.end_lineno or line):
            yield Guard("except", handler.lineno, handler.type, True, tuple(statement.body))
            yield from _way_to(handler.body, line)
            return
    yield from _way_through((statement.body, statement.orelse, statement.finalbody), line)


def _branch(function: FunctionNode, region: Region) -> Iterator[Guard]:
    """The condition of the branch that was never taken, wanted the way it never was."""
    destinations = {end for start, end in region.arcs if start == region.first}
    for node in ast.walk(function):
        if not isinstance(node, ast.stmt) or node.lineno != region.first:
            continue
        if isinstance(node, ast.If | ast.While):
            wanted = any(_covers(node.body, end) for end in destinations)
            yield Guard("if" if isinstance(node, ast.If) else "while", node.lineno, node.test, wanted)
        elif isinstance(node, ast.For | ast.AsyncFor):
            wanted = any(_covers(node.body, end) for end in destinations)
            yield Guard("for", node.lineno, node.iter, wanted)


def _covers(suite: Sequence[ast.stmt], line: int) -> bool:
    return bool(suite) and suite[0].lineno <= line <= (suite[-1].end_lineno or suite[-1].lineno)
