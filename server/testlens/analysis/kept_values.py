"""Where code keeps what it has computed for longer than the call: the next test finds it there, and does not run that.

What keeps is a store into a variable or container of a module or class, a function whose results a decorator keeps, a
variable of a function around that outlives it, or an attribute of an instance that a method computes once.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from testlens.analysis.mentions import (
    FUNCTIONS,
    FunctionNode,
    Routine,
    RoutineKind,
    Scope,
    aliases,
    assigned,
    identifiers,
    imported,
    mentions,
    own_nodes,
    parameters,
    receiver,
)

Kind = Literal["shared", "result", "enclosed", "instance"]
_CACHES = frozenset({"cache", "lru_cache", "cached_property"})
_ADDING = frozenset(
    {"append", "appendleft", "add", "insert", "extend", "extendleft", "update", "setdefault", "set", "put", "push"}
)
_MAKING = frozenset({"__init__", "__new__", "__post_init__", "__enter__", "__setstate__"})
_MUTABLE = (ast.Dict, ast.List, ast.Set, ast.DictComp, ast.ListComp, ast.SetComp, ast.Call)
_FIELDS = frozenset({"field", "Field", "ib", "attrib", "Factory"})


@dataclass(frozen=True, slots=True)
class Keeping:
    """Code of `routine` (its dotted name) in lines `first` to `last` (1-based, inclusive) keeps what it has computed.

    `container` is the name under which it is found again. The kind tells for whom: "shared" by all that mention the
    name, "result" by all that mention the function, "enclosed" by what lies in the function around, whose body is
    `within` (its first and last line), and "instance" by whoever has the instance.
    `is_given` says that parameters are part of what is kept, so that those that call the routine have a share in it.
    """

    routine: str
    container: str
    kind: Kind
    first: int
    last: int
    within: tuple[int, int] | None
    is_given: bool

    @property
    def body(self) -> range:
        """The lines of the code that keeps it."""
        return range(self.first, self.last + 1)


@dataclass(frozen=True, slots=True)
class ModuleValues:
    """What a module mentions, routine by routine, and what it keeps."""

    routines: tuple[Routine, ...]
    keepings: tuple[Keeping, ...]


def module_values(text: str) -> ModuleValues:
    """What a module's source says. Raises SyntaxError (or ValueError, RecursionError) where it cannot be parsed."""
    tree = ast.parse(text)
    reader = _Reader(tree)
    return ModuleValues((*reader.routines, *aliases(tree)), tuple(reader.keepings))


class _Reader:
    def __init__(self, tree: ast.Module) -> None:
        self.routines: list[Routine] = []
        self.keepings: list[Keeping] = []
        around = _Around("", Scope(dict(imported(tree))), frozenset(), ())
        self._body(tree.body, "", around, around)

    def _body(self, body: Sequence[ast.stmt], prefix: str, around: _Around, inner: _Around) -> None:
        """Take up what a module or class assigns and defines; `inner` is what is around its functions."""
        kind: RoutineKind = "attribute" if prefix else "name"
        for node in own_nodes(body):
            if isinstance(node, ast.ClassDef):
                self._class(node, prefix, around)
            elif isinstance(node, FUNCTIONS):
                self._function(node, prefix, inner, is_method=bool(prefix))
            elif isinstance(node, ast.stmt):
                for name, value in assigned(node):
                    said = tuple(sorted(mentions(own_nodes([value]), around.scope)))
                    self.routines.append(Routine(kind, f"{prefix}{name}", inner.owner, 0, 0, 0, said))

    def _class(self, node: ast.ClassDef, prefix: str, around: _Around) -> None:
        name = f"{prefix}{node.name}"
        bases = [*node.bases, *(keyword.value for keyword in node.keywords)]
        self._add("class", name, "", node, mentions(own_nodes(bases), around.scope))
        values = (pair for statement in node.body for pair in assigned(statement))
        containers = frozenset(key for key, value in values if _is_container(value))
        self._body(node.body, f"{name}.", around, _Around(name, around.scope, containers, around.functions))

    def _function(self, node: FunctionNode, prefix: str, around: _Around, is_method: bool) -> None:
        name = f"{prefix}{node.name}"
        own_receiver = receiver(node) if is_method else ""
        facts = _Facts(node)
        scope = around.scope.inside(facts.variables, own_receiver or around.scope.receiver)
        self._add("function", name, around.owner, node, mentions(facts.nodes, scope))
        self.keepings += _Keepings(node, name, facts, around, own_receiver).all()
        inner = _Around(around.owner, scope, around.containers, (*around.functions, (node, facts)))
        for each in facts.nodes:
            if isinstance(each, ast.ClassDef):
                self._class(each, f"{name}.", inner)
            elif isinstance(each, FUNCTIONS):
                self._function(each, f"{name}.", inner, is_method=False)

    def _add(self, kind: RoutineKind, name: str, owner: str, node: _Node, said: frozenset[str]) -> None:
        decorators = tuple(names[0] for each in node.decorator_list if (names := identifiers(each)))
        first, last = node.body[0].lineno, node.end_lineno or node.lineno
        self.routines.append(Routine(kind, name, owner, node.lineno, first, last, tuple(sorted(said)), decorators))


_Node = FunctionNode | ast.ClassDef


@dataclass(frozen=True, slots=True)
class _Around:
    """What is around a definition: the class, with its `containers`, and the functions with their facts."""

    owner: str
    scope: Scope
    containers: frozenset[str]
    functions: tuple[tuple[FunctionNode, _Facts], ...]


class _Facts:
    """What one pass over a function's own code finds: its `nodes`, and what becomes of names in it."""

    def __init__(self, function: FunctionNode) -> None:
        self.nodes = list(own_nodes(function.body))
        self.parameters = frozenset(parameters(function))
        self.not_own = set[str]()
        self.called = set[str]()
        self.handed_on = set[str]()
        self.defined = set[str]()
        self.in_finally = set[int]()
        stored = set[str]()
        callees = {id(node.func) for node in self.nodes if isinstance(node, ast.Call)}
        for node in self.nodes:
            if isinstance(node, ast.Name):
                of_kind = self.called if id(node) in callees else self.handed_on
                (of_kind if isinstance(node.ctx, ast.Load) else stored).add(node.id)
            elif isinstance(node, ast.Global | ast.Nonlocal):
                self.not_own.update(node.names)
            elif isinstance(node, (*FUNCTIONS, ast.ClassDef)):
                self.defined.add(node.name)
            elif isinstance(node, ast.ExceptHandler) and node.name:
                stored.add(node.name)
            elif isinstance(node, ast.Try | ast.TryStar):
                self.in_finally.update(map(id, own_nodes(node.finalbody)))
        self.variables = (self.parameters | stored) - self.not_own


class _Keepings:
    """The keepings of one function's own code."""

    def __init__(self, node: FunctionNode, name: str, facts: _Facts, around: _Around, own_receiver: str) -> None:
        self._node = node
        self._name = name
        self._facts = facts
        self._around = around
        self._receiver = own_receiver
        self._outer = frozenset[str]().union(*around.scope.around)

    def all(self) -> Iterator[Keeping]:
        node = self._node
        if any(identifiers(each)[:1] and identifiers(each)[0] in _CACHES for each in node.decorator_list):
            last = node.end_lineno or node.lineno
            yield Keeping(self._name, node.name, "result", node.body[0].lineno, last, None, is_given=True)
        stores = [
            (place, value, names, id(each) in self._facts.in_finally)
            for each in self._facts.nodes
            for place, value in _stored(each)
            if (names := _names_of(place))
        ]
        # What a function puts back at its end is not kept.
        restored = {names[0] for _, _, names, is_at_end in stores if is_at_end}
        for place, value, names, _ in stores:
            if names[0] not in restored:
                yield from self._of_store(place, names, value)

    def _of_store(self, place: ast.expr, names: Sequence[str], value: Sequence[ast.expr]) -> Iterator[Keeping]:
        kind, within = self._kind(place, names)
        if kind is not None:
            lines = [place, *value]
            first = min(each.lineno for each in lines)
            last = max(each.end_lineno or each.lineno for each in lines)
            yield Keeping(self._name, names[0], kind, first, last, within, self._is_given(value))

    def _kind(self, place: ast.expr, names: Sequence[str]) -> tuple[Kind | None, tuple[int, int] | None]:
        root = names[-1]
        if isinstance(place, ast.Name) and root not in self._facts.not_own:
            return None, None
        if self._receiver and root == self._receiver and len(names) > 1:
            return self._kind_of_attribute(names), None
        if root in self._facts.variables or root in self._facts.defined:
            return None, None
        if root in self._outer:
            outer = self._outliving(root)
            return ("enclosed", (outer.body[0].lineno, outer.end_lineno or outer.lineno)) if outer else (None, None)
        # Attributes of other people's modules are set to stand in for something, and not to be found again.
        is_foreign = isinstance(place, ast.Attribute) and self._around.scope.package(root) is not None
        return (None if is_foreign else "shared"), None

    def _kind_of_attribute(self, names: Sequence[str]) -> Kind | None:
        if self._receiver == "cls" or names[-2] in self._around.containers:
            return "shared"
        is_once = self._node.name not in _MAKING and names[0] in _looked_at(self._facts.nodes, self._receiver)
        return "instance" if is_once else None

    def _outliving(self, variable: str) -> FunctionNode | None:
        """The function around that has this variable, if something defined in it is handed on and so may outlive it."""
        inner = self._node.name
        for node, facts in reversed(self._around.functions):
            if inner not in facts.handed_on:
                return None
            if variable in facts.variables:
                return node
            inner = node.name
        return None

    def _is_given(self, value: Sequence[ast.expr]) -> bool:
        given = (self._facts.parameters - {"self"}) | self._outer
        if self._facts.called & given:
            return True
        return any(isinstance(each, ast.Name) and each.id in given for each in own_nodes(value))


def _stored(node: ast.AST) -> Iterator[tuple[ast.expr, Sequence[ast.expr]]]:
    """Each place that a node stores into, with what is stored."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            for each in target.elts if isinstance(target, ast.Tuple | ast.List) else [target]:
                yield each, [node.value]
    elif isinstance(node, ast.AugAssign | ast.AnnAssign | ast.NamedExpr):
        yield node.target, [node.value] if node.value is not None else []
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _ADDING:
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        if given:
            # As if it were stored under a key.
            yield ast.copy_location(ast.Subscript(node.func.value, ast.Constant(None), ast.Load()), node), given


def _names_of(place: ast.expr) -> list[str]:
    """The identifiers of a place, the container's own name first; none where it holds no values of a program."""
    if isinstance(place, ast.Attribute) and place.attr.startswith("__"):
        return []
    names = identifiers(place)
    telling = [name for name in names if name not in _ADDING and not name.startswith("__")]
    return [telling[0], *names[names.index(telling[0]) + 1 :]] if telling else []


def _looked_at(nodes: Sequence[ast.AST], own_receiver: str) -> frozenset[str]:
    """The attributes of the instance of which code looks whether they are there already."""
    found = set[str]()
    for node in nodes:
        for looked_at in _looks(node):
            names = identifiers(looked_at)
            if len(names) > 1 and names[-1] == own_receiver:
                found.add(names[0])
    return frozenset(found)


def _looks(node: ast.AST) -> Sequence[ast.expr]:
    """The expressions of which something is asked here that can tell whether a value is there."""
    if isinstance(node, ast.Compare):
        asks = isinstance(node.ops[0], ast.Is | ast.IsNot | ast.In | ast.NotIn)
        return [node.left, *node.comparators] if asks else []
    if isinstance(node, ast.UnaryOp):
        return [node.operand] if isinstance(node.op, ast.Not) else []
    if isinstance(node, ast.If | ast.IfExp):
        return node.test.values if isinstance(node.test, ast.BoolOp) else [node.test]
    if isinstance(node, ast.Try):
        attributes = (each for each in own_nodes(node.body) if isinstance(each, ast.Attribute))
        return [each for each in attributes if isinstance(each.ctx, ast.Load)]
    return _looks_by_call(node) if isinstance(node, ast.Call) else []


def _looks_by_call(node: ast.Call) -> Sequence[ast.expr]:
    if isinstance(node.func, ast.Attribute) and node.func.attr == "get":
        return [node.func.value]
    is_asked = isinstance(node.func, ast.Name) and node.func.id == "hasattr" and len(node.args) == 2
    if is_asked and isinstance(name := node.args[1], ast.Constant):
        return [ast.Attribute(node.args[0], str(name.value), ast.Load())]
    return []


def _is_container(value: ast.expr) -> bool:
    """Whether a class attribute is something that is shared by all of its instances, and can be changed."""
    if isinstance(value, ast.Call):
        return not _FIELDS.intersection(identifiers(value)[:1])
    return isinstance(value, _MUTABLE)
