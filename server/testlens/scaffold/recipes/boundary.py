"""Values on each side of the conditions of a function, by the parameter that a condition is about."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from testlens.domain.expressions import Expression
from testlens.scaffold.names import ModuleNames
from testlens.scaffold.target import FunctionNode, Target
from testlens.scaffold.wishes import own, ways

_LONGEST = 200
_MOST_LITERALS = 6
_OTHER_TEXT = '"other"'
_EMPTY = {ast.List: "[]", ast.Tuple: "()", ast.Dict: "{}", ast.Set: "set()"}


@dataclass(frozen=True, slots=True)
class Boundaries:
    """The values, in source, that a parameter takes around its conditions, in the order of the code."""

    parameter: str
    codes: tuple[str, ...]


def boundaries(
    target: Target, module: str, given: Mapping[str, Expression], fields: frozenset[str]
) -> list[Boundaries]:
    """What to call the function with. `given` are the usual arguments; `fields` are the parameters that the function
    reads as attributes of `self`, as `__post_init__` does."""
    reader = _Reader(target, module, given, fields)
    found: dict[str, dict[str, None]] = {}
    for test in conditions(target.function):
        for part in _parts(test):
            for name, code in reader.around(part):
                found.setdefault(name, {})[code] = None
    return [Boundaries(name, tuple(codes)) for name, codes in found.items()]


def conditions(function: FunctionNode) -> Iterator[ast.expr]:
    """The conditions of a function, in the order of the code; those of inner functions left out."""
    pending: list[ast.AST] = list(reversed(function.body))
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        match node:
            case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test) | ast.Assert(test=test):
                yield test
        pending += reversed(list(ast.iter_child_nodes(node)))


def has_boundaries(function: FunctionNode, parameters: frozenset[str]) -> int:
    """How many conditions compare a parameter with something, or ask it for its truth."""
    count = 0
    for test in conditions(function):
        for part in _parts(test):
            names = {node.id for node in ast.walk(part) if isinstance(node, ast.Name)}
            attributes = {
                node.attr
                for node in ast.walk(part)
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
            }
            count += bool((names | attributes) & parameters)
    return count


def _parts(test: ast.expr) -> Iterator[ast.expr]:
    match test:
        case ast.BoolOp(values=values):
            for value in values:
                yield from _parts(value)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield from _parts(operand)
        case ast.Compare(left=left, ops=ops, comparators=comparators) if len(ops) > 1:
            for first, op, second in zip([left, *comparators], ops, comparators, strict=False):
                yield ast.copy_location(ast.Compare(first, [op], [second]), test)
        case _:
            yield test


class _Reader:
    """Finds the parameter that a condition is about, and values on each side of it."""

    def __init__(self, target: Target, module: str, given: Mapping[str, Expression], fields: frozenset[str]) -> None:
        self._given = given
        self._fields = fields
        self._names = ModuleNames(target.tree, module)
        self._constants = dict(_constants(target.tree))
        # What is bound anew for certain; `if parts is None: parts = []` leaves it the parameter that it was.
        self._bound = {
            node.targets[0].id
            for node in target.function.body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }

    def around(self, part: ast.expr) -> Iterator[tuple[str, str]]:
        """The parameter and the values for it, each with a side of the condition."""
        match part:
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                yield from self._compared(left, op, self._constant(right))
                yield from self._compared(right, _mirrored(op), self._constant(left))
            case ast.Name() | ast.Attribute():
                name = self._parameter(part)
                if name is not None:
                    yield from ((name, code) for code in self._empty_and_full(name))
            case _:
                yield from self._wished(part)

    def _compared(self, subject: ast.expr, op: ast.cmpop, other: ast.expr | None) -> Iterator[tuple[str, str]]:
        if other is None:
            return
        length = _measured(subject)
        name = self._parameter(length if length is not None else subject)
        if name is None:
            return
        if length is not None:
            yield from ((name, code) for code in self._of_length(name, op, other))
            return
        yield from ((name, code) for code in self._beside(name, op, other))

    def _beside(self, name: str, op: ast.cmpop, other: ast.expr) -> Iterator[str]:
        match other:
            case ast.Constant(value=bool() | None):
                yield repr(other.value)
                yield from self._usual(name)
            case ast.Constant(value=int() | float() as number):
                yield from self._numbers(name, op, number)
            case ast.Constant(value=str()):
                yield repr(other.value)
                yield _OTHER_TEXT
            case ast.Tuple(elts=elements) | ast.List(elts=elements) | ast.Set(elts=elements):
                yield from (ast.unparse(element) for element in elements[:_MOST_LITERALS])
                yield _other_than(elements)
            case ast.Attribute() | ast.Name():
                code = self._names.adopt(own(other))
                if code is not None:
                    yield code
                    yield from self._usual(name)

    def _usual(self, name: str) -> Iterator[str]:
        value = self._given.get(name)
        if value is not None and value.origin != "mock" and not value.fixtures:
            yield value.code

    def _numbers(self, name: str, op: ast.cmpop, number: int | float) -> Iterator[str]:
        usual = self._given[name].code if name in self._given else ""
        is_float = isinstance(number, float) or "." in usual.strip("-").replace(".", "", 0)
        step = 1 if isinstance(number, int) and (not is_float or abs(number) >= 10) else 0.1
        below, above = _rounded(number - step), _rounded(number + step)
        if isinstance(op, ast.Lt | ast.GtE):
            yield from (below, repr(number))
        elif isinstance(op, ast.Gt | ast.LtE):
            yield from (repr(number), above)
        else:
            yield from (repr(number), above)

    def _of_length(self, name: str, op: ast.cmpop, other: ast.expr) -> Iterator[str]:
        if not isinstance(other, ast.Constant) or not isinstance(other.value, int):
            return
        for text in self._numbers("", op, other.value):
            length = int(text)
            if 0 <= length <= _LONGEST:
                yield self._sized(name, length)

    def _sized(self, name: str, length: int) -> str:
        """A value of this length, made of what the parameter usually holds."""
        usual = self._given.get(name)
        try:
            tree = ast.parse(usual.code, mode="eval").body if usual is not None and "\x01" not in usual.code else None
        except (SyntaxError, ValueError):
            tree = None
        match tree:
            case ast.Constant(value=str()):
                return f'"a" * {length}' if length > 12 else repr("a" * length)
            case ast.List(elts=[first, *_]):
                return self._repeated(ast.unparse(first), length, "[]")
            case ast.Tuple(elts=[first, *_]):
                return self._repeated(ast.unparse(first), length, "()")
        return self._repeated("1", length, "[]")

    def _repeated(self, element: str, length: int, brackets: str) -> str:
        if length == 0:
            return brackets
        if length <= 4:
            inside = ", ".join([element] * length)
            return f"{brackets[0]}{inside}{',' if brackets == '()' and length == 1 else ''}{brackets[1]}"
        return f"[{element}] * {length}" if brackets == "[]" else f"({element},) * {length}"

    def _empty_and_full(self, name: str) -> Iterator[str]:
        usual = self._given.get(name)
        if usual is None or usual.origin == "mock" or usual.fixtures:
            return
        try:
            tree = ast.parse(usual.code, mode="eval").body
        except (SyntaxError, ValueError):
            return
        match tree:
            case ast.Constant(value=bool()):
                yield from ("True", "False")
            case ast.Constant(value=str()):
                yield from ('""', usual.code if tree.value else '"name"')
            case ast.Constant(value=int() | float()):
                yield from ("0", usual.code if tree.value else "1")
            case ast.Constant(value=None):
                yield from ("None", '"name"')
            case ast.List() | ast.Tuple() | ast.Dict() | ast.Set():
                yield from (_EMPTY[type(tree)], usual.code)

    def _wished(self, part: ast.expr) -> Iterator[tuple[str, str]]:
        for wanted in (True, False):
            for way in ways(part, wanted)[:1]:
                for wish in way:
                    name = self._parameter(wish.subject)
                    code = self._names.adopt(wish.value.code)
                    if name is not None and code is not None and len(way) == 1 and wish.value.origin != "mock":
                        yield name, code

    def _parameter(self, subject: ast.expr) -> str | None:
        match subject:
            case ast.Name(id=name) if name in self._given and name not in self._bound:
                return name
            case ast.Attribute(value=ast.Name(id="self"), attr=name) if name in self._fields:
                return name
        return None

    def _constant(self, node: ast.expr) -> ast.expr | None:
        """The literal that an expression stands for; a name of the module where it is one of its values."""
        match node:
            case ast.Constant():
                return node
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
                return ast.Constant(-value)
            case ast.Tuple(elts=elements) | ast.List(elts=elements) | ast.Set(elts=elements):
                return node if all(isinstance(element, ast.Constant) for element in elements) else None
            case ast.Name(id=name):
                return self._constants.get(name)
            case ast.Attribute(value=ast.Name(id=owner), attr=name) if owner[:1].isupper() and name.isupper():
                return node
        return None


def _constants(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                inner = value
                match value:
                    case ast.Call(func=ast.Name(id="frozenset" | "set" | "tuple"), args=[display]):
                        inner = display
                if isinstance(inner, ast.Constant | ast.Tuple | ast.List | ast.Set):
                    yield name, inner


def _other_than(elements: Sequence[ast.expr]) -> str:
    """A value of the kind of these constants that is none of them."""
    values = [element.value for element in elements if isinstance(element, ast.Constant)]
    numbers = [value for value in values if isinstance(value, int | float)]
    if numbers and len(numbers) == len(values):
        return repr(max(numbers) + 1)
    return _OTHER_TEXT if all(isinstance(value, str) for value in values) else "None"


def _measured(subject: ast.expr) -> ast.expr | None:
    match subject:
        case ast.Call(func=ast.Name(id="len"), args=[inner]):
            return inner
    return None


def _mirrored(op: ast.cmpop) -> ast.cmpop:
    pairs: Sequence[tuple[type[ast.cmpop], type[ast.cmpop]]] = (
        (ast.Lt, ast.Gt), (ast.Gt, ast.Lt), (ast.LtE, ast.GtE), (ast.GtE, ast.LtE),
    )  # fmt: skip
    return next((other() for kind, other in pairs if isinstance(op, kind)), op)


def _rounded(number: int | float) -> str:
    return repr(number if isinstance(number, int) else round(number, 6))
