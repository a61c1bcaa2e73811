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
from testlens.analysis.stores import Store, looks, stores

Kind = Literal["shared", "result", "enclosed", "instance"]
# Parts of the names of decorators that keep results: `lru_cache`, `cached_property`, `memoize`, `alru_cache`.
_CACHING = ("cache", "memo")
_MAKING = frozenset({"__init__", "__new__", "__post_init__", "__enter__", "__setstate__"})
_OF_CLASSES = frozenset({"__new__", "__init_subclass__", "__class_getitem__"})
_MUTABLE = (ast.Dict, ast.List, ast.Set, ast.DictComp, ast.ListComp, ast.SetComp, ast.Call)
_FIELDS = frozenset({"field", "Field", "ib", "attrib", "Factory"})


@dataclass(frozen=True, slots=True)
class Keeping:
    """Code of `routine` (its dotted name) in lines `first` to `last` (1-based, inclusive) keeps what it has computed.

    `container` is the name under which it is found again. The kind tells for whom: "shared" by all that mention the
    name, "result" by all that mention the function, "enclosed" by what lies in the function around, whose body is
    `within` (its first and last line), and "instance" by whoever has the instance.
    `is_given` says that the routine is given anything, so that those that call it have a share in what is kept.
    `package` is that of the module whose attribute is set, "" where it is no attribute of an imported module: of other
    people's modules it stands in for something, as a stream does, and is not to be found again.
    """

    routine: str
    container: str
    kind: Kind
    first: int
    last: int
    within: tuple[int, int] | None
    is_given: bool
    package: str = ""

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
        self._caching = frozenset(
            alias.asname
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
            if alias.asname and _is_caching(alias.name)
        )
        self._containers = {each.name: _containers(each) for each in ast.walk(tree) if isinstance(each, ast.ClassDef)}
        around = _Around("", Scope(imported(tree)), frozenset(), (), is_of_types=False)
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
        inherited = [names[0] for each in node.bases if (names := identifiers(each))]
        containers = frozenset[str]().union(*(self._containers.get(each, ()) for each in (node.name, *inherited)))
        is_of_types = any(base == "type" or base.endswith("Meta") for base in inherited)
        inner = _Around(name, around.scope, containers, around.functions, is_of_types)
        self._body(node.body, f"{name}.", around, inner)

    def _function(self, node: FunctionNode, prefix: str, around: _Around, is_method: bool) -> None:
        name = f"{prefix}{node.name}"
        own_receiver = receiver(node) if is_method else ""
        facts = _Facts(node)
        scope = around.scope.inside(facts.variables, own_receiver or around.scope.receiver)
        self._add("function", name, around.owner, node, mentions(facts.nodes, scope))
        self.keepings += _Keepings(node, name, facts, around, scope.receiver, self._caching).all()
        functions = (*around.functions, (node, facts))
        inner = _Around(around.owner, scope, around.containers, functions, around.is_of_types)
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
    """What is around a definition: the class, with its `containers`, and the functions with their facts.

    `is_of_types` says that the instances of the class are classes.
    """

    owner: str
    scope: Scope
    containers: frozenset[str]
    functions: tuple[tuple[FunctionNode, _Facts], ...]
    is_of_types: bool


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
        self.stands_for: dict[str, list[str]] = {}
        self._stored = set[str]()
        self._callees = {id(node.func) for node in self.nodes if isinstance(node, ast.Call)}
        for node in self.nodes:
            if isinstance(node, ast.Name):
                self._take_name(node)
            elif isinstance(node, ast.Try | ast.TryStar):
                self.in_finally.update(map(id, own_nodes(node.finalbody)))
            elif isinstance(node, ast.Assign):
                for name, value in assigned(node):
                    is_first = name not in self.stands_for
                    self.stands_for[name] = identifiers(value) if is_first and _is_place(value) else []
            else:
                self._take(node)
        self.variables = (self.parameters | self._stored) - self.not_own

    def _take_name(self, node: ast.Name) -> None:
        if not isinstance(node.ctx, ast.Load):
            self._stored.add(node.id)
        elif id(node) in self._callees:
            self.called.add(node.id)
        else:
            self.handed_on.add(node.id)

    def _take(self, node: ast.AST) -> None:
        """What binds names otherwise."""
        if isinstance(node, ast.Global | ast.Nonlocal):
            self.not_own.update(node.names)
        elif isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            self.defined.add(node.name)
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            self._stored.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            self._stored.add(node.rest)
        elif isinstance(node, ast.arg):  # of a lambda
            self._stored.add(node.arg)


def _is_place(value: ast.expr) -> bool:
    """Whether an expression gives what is there already: what a name, an attribute or an element is."""
    while isinstance(value, ast.Attribute | ast.Subscript):
        value = value.value
    is_type = isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "type"
    return is_type or isinstance(value, ast.Name)


class _Keepings:
    """The keepings of one function's own code."""

    def __init__(
        self, node: FunctionNode, name: str, facts: _Facts, around: _Around, receiver: str, caching: frozenset[str]
    ) -> None:
        self._node = node
        self._name = name
        self._facts = facts
        self._around = around
        self._receiver = receiver
        self._caching = caching
        self._outer = frozenset[str]().union(*around.scope.around)

    def all(self) -> Iterator[Keeping]:
        node = self._node
        decorators = [names[0] for each in node.decorator_list if (names := identifiers(each))]
        if any(_is_caching(each) or each in self._caching for each in decorators):
            last = node.end_lineno or node.lineno
            yield Keeping(self._name, node.name, "result", node.body[0].lineno, last, None, is_given=True)
        found = [(store, id(each) in self._facts.in_finally) for each in self._facts.nodes for store in stores(each)]
        # What a function puts back at its end is not kept.
        restored = {store.names[0] for store, is_at_end in found if is_at_end}
        for store, _ in found:
            if store.names[0] not in restored:
                yield from self._of_store(store)

    def _of_store(self, store: Store) -> Iterator[Keeping]:
        names = self._resolved(store.names) if not store.is_variable else store.names
        kind, within = self._kind(store, names)
        if kind is not None:
            package = self._around.scope.package(names[-1]) or "" if store.is_attribute or store.has_call else ""
            yield Keeping(self._name, names[0], kind, *store.lines, within, self._is_given, package)

    def _kind(self, store: Store, names: Sequence[str]) -> tuple[Kind | None, tuple[int, int] | None]:
        root = names[-1]
        if store.is_variable and root not in self._facts.not_own:
            return None, None
        if self._is_of_receiver(names):
            return self._kind_of_attribute(names), None
        if root in self._facts.variables or root in self._facts.defined:
            return None, None
        if root in self._outer:
            outer = self._outliving(root)
            return ("enclosed", (outer.body[0].lineno, outer.end_lineno or outer.lineno)) if outer else (None, None)
        return "shared", None

    def _resolved(self, names: Sequence[str]) -> Sequence[str]:
        """With what a local variable stands for in its place, where it is assigned once."""
        stands_for = self._facts.stands_for.get(names[-1], []) if names[-1] in self._facts.variables else []
        return [*names[:-1], *stands_for] if stands_for else names

    def _is_of_receiver(self, names: Sequence[str]) -> bool:
        return bool(self._receiver) and len(names) > 1 and names[-1] in (self._receiver, "super")

    def _kind_of_attribute(self, names: Sequence[str]) -> Kind | None:
        if self._is_class(names) or names[-2] in self._around.containers:
            return "shared"
        return "instance" if self._node.name not in _MAKING and names[0] in self._looked_at() else None

    def _is_class(self, names: Sequence[str]) -> bool:
        """Whether the receiver is a class."""
        decorators = [found[0] for each in self._node.decorator_list if (found := identifiers(each))]
        is_of_class = "classmethod" in decorators or self._node.name in _OF_CLASSES or self._receiver == "cls"
        return is_of_class or self._around.is_of_types or "__class__" in names

    def _looked_at(self) -> frozenset[str]:
        """The attributes of the instance of which code looks whether they are there already."""
        found = (
            self._resolved(identifiers(looked_at) or [""]) for node in self._facts.nodes for looked_at in looks(node)
        )
        return frozenset(names[0] for names in found if self._is_of_receiver(names))

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

    @property
    def _is_given(self) -> bool:
        given = (self._facts.parameters - {self._receiver}) | self._outer
        return bool((self._facts.called | self._facts.handed_on) & given) or "cls" in self._facts.called


def _is_caching(name: str) -> bool:
    return any(part in name.lower() for part in _CACHING)


def _containers(node: ast.ClassDef) -> frozenset[str]:
    """The class attributes that all instances share, and that can be changed."""
    statements = (each for each in own_nodes(node.body) if isinstance(each, ast.stmt))
    return frozenset(key for each in statements for key, value in assigned(each) if _is_container(value))


def _is_container(value: ast.expr) -> bool:
    """Whether a class attribute is something that is shared by all of its instances, and can be changed."""
    if isinstance(value, ast.Call):
        return not _FIELDS.intersection(identifiers(value)[:1])
    return isinstance(value, _MUTABLE)
