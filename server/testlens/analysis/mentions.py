"""What the code of each function of a module mentions, so that it can be told which functions it may call.

Python tells no types, so a mention is a name: what is called by it is anything of that name that code at this place may
see. A *mention* is a text in one of four forms: `name` for a plain name that no local variable hides, `.name` for an
attribute of something, `self.name` for one of the instance or class a method belongs to, and `package:name` for one of
a package that the module imports as a whole or by an absolute import.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from testlens.analysis._children import LEAVES, children

RoutineKind = Literal["function", "class", "name", "attribute"]
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_PASSED_OVER = LEAVES - {ast.Name}
_DEFINITIONS = (*FUNCTIONS, ast.ClassDef)


@dataclass(frozen=True, slots=True)
class Routine:
    """What mentions others, and is mentioned: a function, a class, or a name or class attribute that is assigned.

    `name` is dotted, and `owner` is that of the class whose method it is or lies in. `line` is that of `def` or
    `class`, `first` and `last` those of the body (1-based, inclusive), all 0 for an assigned name. Of a class,
    `mentions` has its bases. `decorators` are the last identifiers of its decorators.
    """

    kind: RoutineKind
    name: str
    owner: str
    line: int
    first: int
    last: int
    mentions: tuple[str, ...]
    decorators: tuple[str, ...] = ()

    @property
    def body(self) -> range:
        """The lines of the body."""
        return range(self.first, self.last + 1)

    @property
    def simple_name(self) -> str:
        """The name without what it is defined in."""
        return self.name.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Scope:
    """Where code stands: what hides the names of the module, and what stands for the instance there.

    `packages` has the package of each name that an absolute import binds. `around` are the local variables of each
    function around, the outermost first, and `hidden` all of them; `receiver` is the parameter that is the instance or
    class, "" where there is none.
    """

    packages: Mapping[str, str]
    around: tuple[frozenset[str], ...] = ()
    hidden: frozenset[str] = frozenset()
    receiver: str = ""

    def inside(self, variables: frozenset[str], receiver: str) -> Scope:
        """That of a function defined here, with these local variables."""
        return Scope(self.packages, (*self.around, variables), self.hidden | variables, receiver)

    def package(self, name: str) -> str | None:
        """The package that a name was imported from by its full path, if it was and nothing hides that."""
        return None if name in self.hidden else self.packages.get(name)


def own_nodes(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """The nodes below, constants left out, and the bodies of definitions, but not what is evaluated to make these."""
    pending = list(nodes)
    while pending:
        node = pending.pop()
        yield node
        if isinstance(node, FUNCTIONS):
            pending += [*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)]
        elif isinstance(node, ast.ClassDef):
            pending += [*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)]
        else:
            pending += children(node, _PASSED_OVER)


def identifiers(expression: ast.AST) -> list[str]:
    """Those of `a.b(c)[d].e`, from the last one to the first: e, b, a; none where it does not begin with a name."""
    found = []
    while not isinstance(expression, ast.Name):
        if isinstance(expression, ast.Attribute):
            found.append(expression.attr)
            expression = expression.value
        elif isinstance(expression, ast.Subscript):
            expression = expression.value
        elif isinstance(expression, ast.Call):
            expression = expression.func
        else:
            return []
    return [*found, expression.id]


def mentions(nodes: Iterable[ast.AST], scope: Scope) -> frozenset[str]:
    """What code mentions, the bodies of definitions in it left out; those are mentioned by their names."""
    found = set[str]()
    for node in nodes:
        if isinstance(node, ast.Name):
            package = scope.package(node.id)
            if package:
                found.add(f"{package}:{node.id}")
            elif node.id not in scope.hidden:
                found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.update(_of_attribute(node, scope))
        elif isinstance(node, _DEFINITIONS):
            found.add(node.name)
    return frozenset(found)


def _of_attribute(node: ast.Attribute, scope: Scope) -> Iterator[str]:
    if isinstance(node.value, ast.Constant | ast.JoinedStr):
        return
    names = identifiers(node) or [""]
    root, package = names[-1], scope.package(names[-1])
    if package and ast.unparse(node) == ".".join(reversed(names)):  # and nothing that a call has given
        yield f"{package}:{node.attr}"
    elif _is_receiver(node.value, scope):
        yield f"self.{node.attr}"
    else:
        yield f".{node.attr}"
        if isinstance(node.value, ast.Name) and root not in scope.hidden:
            yield node.attr  # of a module, perhaps


def _is_receiver(node: ast.expr, scope: Scope) -> bool:
    if isinstance(node, ast.Name):
        return node.id == scope.receiver
    return isinstance(node, ast.Call) and identifiers(node) == ["super"]


def imported(tree: ast.Module) -> Mapping[str, str]:
    """The names that absolute imports bind anywhere in a module, each with the package it comes from.

    Those are left out that may be something else: of several packages, or of the module itself.
    """
    found: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                found.setdefault(alias.asname or top, set()).add(top)
        elif isinstance(node, ast.ImportFrom):
            top = "" if node.level else (node.module or "").partition(".")[0]
            for alias in node.names:
                found.setdefault(alias.asname or alias.name, set()).add(top)
    own = {node.name for node in own_nodes(tree.body) if isinstance(node, _DEFINITIONS)}
    own |= {name for node in own_nodes(tree.body) if isinstance(node, ast.stmt) for name, _ in assigned(node)}
    return {name: top for name, tops in found.items() for top in tops if top and len(tops) == 1 and name not in own}


def aliases(tree: ast.Module) -> Iterator[Routine]:
    """The names that imports give to something of another name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                if alias.asname and alias.asname != alias.name:
                    yield Routine("name", alias.asname, "", 0, 0, 0, (alias.name.rpartition(".")[2],))


def assigned(statement: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    """The names that a statement of a module or a class assigns, with what."""
    targets: list[ast.expr] = []
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign):
        targets = [statement.target]
    value = getattr(statement, "value", None)
    for target in targets:
        for each in flat(target):
            if isinstance(each, ast.Name) and isinstance(value, ast.expr):
                yield each.id, value


def flat(target: ast.expr) -> Iterator[ast.expr]:
    """The single targets of an assignment to several."""
    if isinstance(target, ast.Tuple | ast.List):
        for each in target.elts:
            yield from flat(each)
    elif isinstance(target, ast.Starred):
        yield from flat(target.value)
    else:
        yield target


def parameters(function: FunctionNode) -> list[str]:
    """The names of the parameters, in the order of the signature."""
    found = function.args
    several = [each for each in (found.vararg, found.kwarg) if each]
    return [each.arg for each in (*found.posonlyargs, *found.args, *found.kwonlyargs, *several)]


def receiver(function: FunctionNode) -> str:
    """The parameter of a method that is the instance or class; "" where there is none."""
    names = parameters(function)
    is_static = any(identifiers(each)[:1] == ["staticmethod"] for each in function.decorator_list)
    return "" if is_static or not names else names[0]
