"""Carries wishes out: what to change in a scene so that an expression of the code under test has a wished value."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

from testlens.domain.expressions import Expression, mark
from testlens.scaffold.names import ModuleNames
from testlens.scaffold.scene import Patch, Scene
from testlens.scaffold.target import FunctionNode, Target, guards_before, inner_parameters
from testlens.scaffold.wishes import Way, Wish, ways

Change = Callable[[Scene], Scene]
_MOCK = mark("unittest.mock", "MagicMock")
_ASYNC_MOCK = mark("unittest.mock", "AsyncMock")
_DEEPEST = 6
# An object of a class that is called by its name.
_BUILT = re.compile(r"(\x01[^\x02:]+:[A-Z][^\x02]*\x02)\(.*\)\Z", re.DOTALL)
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_LARGE = 10**12
_FALSE = frozenset({"False", "None", "0", '""', "[]", "{}", "()"})
# Calls that pass on whether their argument has something in it.
_TRANSPARENT = frozenset(
    {"str", "int", "float", "list", "tuple", "set", "sorted", "iter", "enumerate", "reversed", "dict"}
)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Follows expressions of the function under test back to what a test can set."""

    target: Target
    names: ModuleNames
    module: str
    parameters: frozenset[str]

    def changes(self, wish: Wish, before: int, depth: int = 0) -> Iterator[Change]:
        """Changes, each of which should make the wish come true on a line after `before`."""
        value = self.names.adopt(wish.value.code)
        if value is None or depth > _DEEPEST:
            return
        wish = Wish(wish.subject, replace(wish.value, code=value))
        match wish.subject:
            case ast.Name(id=name):
                yield from self._name(name, wish.value, before, depth)
            case ast.Attribute():
                yield from self._attribute(wish.subject, wish.value, before, depth)
            case ast.Subscript(value=base, slice=ast.Constant(value=key)):
                holder = Expression(f"{{{key!r}: {wish.value.code}}}", wish.value.fixtures, wish.value.origin)
                yield from self.changes(Wish(base, holder), before, depth + 1)
            case ast.Call():
                yield from self._call(wish.subject, wish.value, before, depth)
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub()):
                for code in _outweighing(wish.value.code):
                    yield from self.changes(Wish(left, replace(wish.value, code=code)), before, depth + 1)
            case _:
                for part in _deciding_part(wish.subject):
                    yield from self.changes(Wish(part, wish.value), before, depth + 1)

    def _name(self, name: str, value: Expression, before: int, depth: int) -> Iterator[Change]:
        binding = _last_binding(self.target.innermost, name, before)
        if binding is not None and isinstance(binding[0], ast.Constant):
            yield from self._flag(name, value, before, depth)
        elif binding is not None:
            source, wrap = binding
            wrapped = replace(value, code=wrap(value.code))
            yield from self.changes(Wish(source, wrapped), before, depth + 1)
        elif name in self.parameters:
            yield lambda scene: scene.with_argument(name, value)
            if value.code.startswith("["):
                yield lambda scene: _extended(scene, name, value)
        elif self.target.inner and name in inner_parameters(self.target.inner[-1]):
            place = inner_parameters(self.target.inner[-1]).index(name)
            yield lambda scene: scene.with_inner(place, value)
        elif self.names.owns(name):
            yield lambda scene: scene.with_patch(Patch(mark(self.module, ""), name, value))

    def _flag(self, name: str, value: Expression, before: int, depth: int) -> Iterator[Change]:
        """A local name that was set to one constant or another: go the way to where it is set to one like `value`."""
        function = self.target.innermost
        for node in ast.walk(function):
            match node:
                case ast.Assign(targets=[ast.Name(id=bound)], value=ast.Constant(value=constant), lineno=line) if (
                    bound == name and line < before and bool(constant) is (value.code not in _FALSE)
                ):
                    for guard in guards_before(function, line)[::-1]:
                        if guard.kind == "if" and guard.test is not None:
                            for way in ways(_with_constants(guard.test, self.target.tree), guard.wanted):
                                yield from _together(way, self, guard.line, depth + 1)

    def _attribute(self, subject: ast.Attribute, value: Expression, before: int, depth: int) -> Iterator[Change]:
        path = self._path(subject, before)
        if path is not None:
            yield lambda scene: scene.with_setting(path, value)
            root, _, rest = path.partition(".")
            if root in self.parameters and rest == subject.attr:
                yield from _where_it_cannot_be_set(root, rest, value)
            return
        owner = self._global(subject.value)
        if owner is not None:
            yield lambda scene: scene.with_patch(Patch(owner, subject.attr, value))
            return
        holder = Expression(f"{_MOCK}({subject.attr}={value.code})", value.fixtures, "mock")
        yield from self.changes(Wish(subject.value, holder), before, depth + 1)

    def _call(self, call: ast.Call, value: Expression, before: int, depth: int) -> Iterator[Change]:
        function = call.func
        if isinstance(function, ast.Name) and function.id in _TRANSPARENT and call.args:
            yield from self.changes(Wish(call.args[0], value), before, depth + 1)
            return
        if isinstance(function, ast.Attribute) and function.attr == "get" and call.args:
            key = call.args[0]
            if isinstance(key, ast.Constant):
                holder = Expression(f"{{{key.value!r}: {value.code}}}", value.fixtures, value.origin)
                yield from self.changes(Wish(function.value, holder), before, depth + 1)
        yield from self.replaced(call, f"return_value={value.code}", value, before, depth)

    def replaced(
        self, call: ast.Call, behaviour: str, value: Expression, before: int, depth: int = 0
    ) -> Iterator[Change]:
        """Changes that put a stand-in with this behaviour (arguments of MagicMock) in place of what is called."""
        stand_in = Expression(
            f"{_ASYNC_MOCK if self._is_awaited(call) else _MOCK}({behaviour})", value.fixtures, "mock"
        )
        match call.func:
            case ast.Name(id=name) if (
                name in self.parameters and _last_binding(self.target.innermost, name, before) is None
            ):
                yield lambda scene: scene.with_argument(name, stand_in)
            case ast.Name(id=name) if self.names.owns(name):
                yield lambda scene: scene.with_patch(Patch(mark(self.module, ""), name, stand_in))
            case ast.Name(id=name) if _last_binding(self.target.innermost, name, before) is not None:
                yield from self.changes(Wish(call.func, stand_in), before, depth + 1)
            case ast.Name(id=name) if (found := self.names.imported_inside(name)) is not None:
                yield lambda scene: scene.with_patch(Patch(mark(found.module, ""), found.qualname, stand_in))
            case ast.Name(id=name):
                yield lambda scene: scene.with_patch(Patch(mark(self.module, ""), name, stand_in, fresh=True))
            case ast.Attribute(value=base, attr=attribute):
                yield from self._method_replaced(base, attribute, stand_in, before, depth)

    def _method_replaced(
        self, base: ast.expr, attribute: str, stand_in: Expression, before: int, depth: int
    ) -> Iterator[Change]:
        path = self._path(base, before)
        owner = self._parent() if _is_super(base) else self._global(base)
        if path is not None:
            yield lambda scene: scene.with_patch(Patch(path, attribute, stand_in))
            yield lambda scene: scene.with_setting(f"{path}.{attribute}", stand_in)
        elif owner is not None:
            yield lambda scene: scene.with_patch(Patch(owner, attribute, stand_in))
        else:
            holder = Expression(f"{_MOCK}({attribute}={stand_in.code})", stand_in.fixtures, "mock")
            yield from self.changes(Wish(base, holder), before, depth + 1)

    def _parent(self) -> str | None:
        """The class that `super()` most likely finds a method in."""
        owner = self.target.owner
        return self._global(owner.bases[0]) if owner is not None and owner.bases else None

    def _is_awaited(self, call: ast.Call) -> bool:
        return any(isinstance(node, ast.Await) and node.value is call for node in ast.walk(self.target.function))

    def _path(self, node: ast.expr, before: int) -> str | None:
        """The attribute path of an expression that starts at the receiver or a parameter, as scenes write it."""
        match node:
            case ast.Name(id="self") if self.target.owner is not None:
                return "receiver"
            case ast.Name(id=name):
                binding = _last_binding(self.target.innermost, name, before)
                if binding is not None:
                    # What it was bound to means what its names meant above that line: `node = node.parent`.
                    return self._path(binding[0], binding[0].lineno - 1) if binding[1]("x") == "x" else None
                return name if name in self.parameters else None
            case ast.Attribute(value=base, attr=attribute):
                path = self._path(base, before)
                return None if path is None else f"{path}.{attribute}"
        return None

    def _global(self, node: ast.expr) -> str | None:
        """Marked source for a dotted global of the module under test."""
        try:
            name = ast.unparse(node)
        except ValueError:
            return None
        if not all(part.isidentifier() for part in name.split(".")):
            return None
        if name == "cls" and self.target.owner is not None:
            return mark(self.module, self.target.name.rpartition(".")[0])
        root = name.partition(".")[0]
        is_known = self.names.owns(root) or self.names.imported_inside(root) is not None
        if not is_known or _last_binding(self.target.innermost, root, 1 << 30) is not None:
            return None
        found = self.names.origin(name)
        return None if found is None else mark(found.module, found.qualname)


def changes_for(target: Target, module: str, test: ast.expr, wanted: bool, line: int) -> list[Change]:
    """Ways to make the condition `test` on `line` come out as wanted, each as one change of a scene."""
    reader = _reader(target, module)
    found: list[Change] = []
    for way in ways(_with_constants(test, target.tree), wanted):
        found += _together(way, reader, line)
    return found


def replacements(target: Target, module: str, call: ast.Call, behaviour: str, value: Expression) -> list[Change]:
    """Ways to put a stand-in with this behaviour in place of what `call` calls."""
    return list(_reader(target, module).replaced(call, behaviour, value, call.lineno))


def settings_for(target: Target, module: str, subject: ast.expr, value: Expression) -> list[Change]:
    """Ways to give an expression of the function a value."""
    return list(_reader(target, module).changes(Wish(subject, value), subject.lineno))


def _reader(target: Target, module: str) -> _Reader:
    parameters = frozenset(_parameter_names(target.function, is_method=target.owner is not None))
    return _Reader(target, ModuleNames(target.tree, module), module, parameters)


def _parameter_names(function: FunctionNode, is_method: bool) -> Iterator[str]:
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    static = any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in function.decorator_list)
    yield from (parameter.arg for parameter in positional[1 if is_method and not static else 0 :])
    yield from (parameter.arg for parameter in arguments.kwonlyargs)
    yield from (parameter.arg for parameter in (arguments.vararg, arguments.kwarg) if parameter is not None)


def _together(way: Way, reader: _Reader, line: int, depth: int = 0) -> Iterator[Change]:
    """One change that makes all wishes of a way come true, as many as there are ways to do that (few)."""
    alternatives = [list(islice(reader.changes(wish, line, depth), 3)) for wish in way]
    if not alternatives or any(not found for found in alternatives):
        return
    for index in range(max(len(found) for found in alternatives)):
        yield partial(_apply_all, [found[min(index, len(found) - 1)] for found in alternatives])


def _where_it_cannot_be_set(root: str, attribute: str, value: Expression) -> Iterator[Change]:
    """Other ways to an attribute of an argument: built with it, as a property of its class, as a stand-in with it."""
    yield lambda scene: _rebuilt(scene, root, attribute, value)
    yield lambda scene: _with_property(scene, root, attribute, value)
    holder = Expression(f"{_MOCK}({attribute}={value.code})", value.fixtures, "mock")
    yield lambda scene: scene.with_argument(root, holder)


def _rebuilt(scene: Scene, root: str, attribute: str, value: Expression) -> Scene:
    built = scene.arguments.get(root)
    if built is None or _BUILT.match(built.code) is None:
        return scene
    inside = built.code[:-1].rstrip(", ")
    separator = "" if inside.endswith("(") else ", "
    code = f"{inside}{separator}{attribute}={value.code})"
    return scene.with_argument(root, Expression(code, (*built.fixtures, *value.fixtures), "literal"))


def _with_property(scene: Scene, root: str, attribute: str, value: Expression) -> Scene:
    built = scene.arguments.get(root)
    found = _BUILT.match(built.code) if built is not None else None
    return scene if found is None else scene.with_patch(Patch(found[1], attribute, value))


def _extended(scene: Scene, name: str, more: Expression) -> Scene:
    """The list that is given already with more in it: what it has may have led so far."""
    present = scene.arguments.get(name)
    if present is None or not present.code.startswith("["):
        return scene
    code = f"{present.code} + {more.code}"
    return scene.with_argument(name, Expression(code, (*present.fixtures, *more.fixtures), "literal"))


def _apply_all(changes: Sequence[Change], scene: Scene) -> Scene:
    for change in changes:
        scene = change(scene)
    return scene


def _deciding_part(subject: ast.expr) -> Iterator[ast.expr]:
    """The part of an expression that gives it its value."""
    match subject:
        case ast.Await(value=part) | ast.NamedExpr(value=part) | ast.Starred(value=part):
            yield part
        case ast.BoolOp(values=[part, *_]) | ast.IfExp(body=part):
            yield part


def _outweighing(code: str) -> Iterator[str]:
    """Numbers that make a sum or difference come out on the wished side of zero, whatever the other part is."""
    if _NUMBER.fullmatch(code):
        yield str(-_LARGE if code.startswith("-") else _LARGE)
        yield code


def _is_super(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"


def _last_binding(function: FunctionNode, name: str, before: int) -> tuple[ast.expr, Callable[[str], str]] | None:
    """What a local name was last bound to above a line, and how the name's value lies in that (`[value]` in a loop)."""
    found: tuple[ast.expr, Callable[[str], str]] | None = None
    latest = 0
    for node in ast.walk(function):
        line = getattr(node, "lineno", 0)
        if line > before or line < latest or line == 0:
            continue
        binding = _binding(node, name)
        if binding is not None:
            found, latest = binding, line
    return found


def _binding(node: ast.AST, name: str) -> tuple[ast.expr, Callable[[str], str]] | None:
    match node:
        case ast.Assign(targets=[target], value=value) | ast.AnnAssign(target=target, value=ast.expr() as value):
            return _in_target(target, value, name)
        case ast.For(target=target, iter=value) | ast.AsyncFor(target=target, iter=value):
            inside = _in_target(target, value, name)
            return None if inside is None else (value, lambda code: f"[{inside[1](code)}]")
        case ast.NamedExpr(target=ast.Name(id=bound), value=value) if bound == name:
            return value, _as_is
        case ast.With(items=[ast.withitem(context_expr=value, optional_vars=ast.Name(id=bound))]) if bound == name:
            return value, _as_entered
    return None


def _in_target(target: ast.expr, value: ast.expr, name: str) -> tuple[ast.expr, Callable[[str], str]] | None:
    if isinstance(target, ast.Name) and target.id == name:
        return value, _as_is
    if isinstance(target, ast.Tuple):
        for index, element in enumerate(target.elts):
            if isinstance(element, ast.Name) and element.id == name:
                return value, partial(_in_tuple, index, len(target.elts))
    return None


def _as_is(code: str) -> str:
    return code


def _as_entered(code: str) -> str:
    return f"{_MOCK}(__enter__=lambda self: {code}, __exit__=lambda self, *error: None)"


def _in_tuple(index: int, length: int, code: str) -> str:
    parts = [f"{_MOCK}()"] * length
    parts[index] = code
    return f"({', '.join(parts)})"


def _with_constants(test: ast.expr, tree: ast.Module) -> ast.expr:
    """The condition with the module's literal constants in place of their names, as far as they are compared with."""
    constants = {
        node.targets[0].id: value
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and (value := _compared_literal(node.value)) is not None
    }
    return _Inline(constants).visit(ast.parse(ast.unparse(test), mode="eval").body) if constants else test


def _compared_literal(node: ast.expr) -> ast.expr | None:
    """A number, or the elements of a collection of literals (the keys of a dict)."""
    match node:
        case ast.Constant(value=int() | float()):
            return node
        case ast.Call(func=ast.Name(id="frozenset" | "set" | "tuple"), args=[inner]):
            return _compared_literal(inner)
        case ast.Dict(keys=keys) if keys and all(isinstance(key, ast.Constant) for key in keys):
            return ast.Tuple([key for key in keys if key is not None], ast.Load())
        case ast.Tuple(elts=elements) | ast.List(elts=elements) | ast.Set(elts=elements):
            return node if all(isinstance(element, ast.Constant) for element in elements) else None
    return None


class _Inline(ast.NodeTransformer):
    def __init__(self, constants: Mapping[str, ast.expr]) -> None:
        self._constants = constants

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._constants.get(node.id, node)
