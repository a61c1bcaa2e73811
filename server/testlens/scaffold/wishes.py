"""What would make a condition true or false: wishes that some expression of the code should have some value.

Names that mean what they mean in the module under test are marked with an empty module (see names.py).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product

from testlens.domain.expressions import Expression, mark

_MOST_WAYS = 8
_MOCK = mark("unittest.mock", "MagicMock")
_TRUE = ("True", "1", '"name"', '["name"]', f"{_MOCK}()", '{"name": 1}', 'b"data"')
_FALSE = ("False", "None", "0", '""', "[]", "{}", "()")
_OF_TYPE = {
    "str": ('"name"', '""'), "int": ("1", "0"), "float": ("0.5",), "bool": ("True", "False"), "bytes": ('b"data"',),
    "list": ('["name"]', "[]"), "tuple": ('("name",)', "()"), "dict": ('{"name": 1}', "{}"), "set": ('{"name"}',),
    "frozenset": ('frozenset({"name"})',), "type": ("object",), "complex": ("1j",),
    "Exception": ('Exception("boom")',), "BaseException": ('Exception("boom")',), "object": ("object()",),
}  # fmt: skip
# Methods whose result is empty when what they are called on is.
_KEEPING = frozenset(["strip", "lower", "upper", "lstrip", "rstrip", "casefold", "copy", "items", "keys", "values"])


@dataclass(frozen=True, slots=True)
class Wish:
    """`subject`, an expression of the code under test, should have `value`."""

    subject: ast.expr
    value: Expression


Way = tuple[Wish, ...]
"""Wishes that have to come true together."""


def ways(test: ast.expr, wanted: bool) -> list[Way]:
    """Ways to make `test` come out as `wanted`, the likeliest first."""
    return list(islice(_ways(test, wanted), _MOST_WAYS))


def _ways(test: ast.expr, wanted: bool) -> Iterator[Way]:
    match test:
        case ast.UnaryOp(op=ast.Not()):
            yield from _ways(test.operand, not wanted)
        case ast.BoolOp():
            yield from _boolean(test, wanted)
        case ast.Compare(ops=[_]):
            yield from _comparison(test.left, test.ops[0], test.comparators[0], wanted)
        case ast.Compare():
            yield from _chain(test, wanted)
        case ast.NamedExpr():
            yield from _ways(test.value, wanted)
        case ast.Call(func=ast.Name(id=name)):
            yield from _call(test, name, wanted)
        case ast.Call(func=ast.Attribute() as function):
            yield from _method(test, function, wanted)
        case _:
            yield from _truth(test, wanted)


def _truth(subject: ast.expr, wanted: bool) -> Iterator[Way]:
    yield from _each(subject, _TRUE if wanted else _FALSE)


def _each(subject: ast.expr, codes: Sequence[str]) -> Iterator[Way]:
    for code in codes:
        yield (Wish(subject, _value(code)),)


def _value(code: str) -> Expression:
    return Expression(code, origin="mock" if code.startswith(_MOCK) else "literal")


def _boolean(test: ast.BoolOp, wanted: bool) -> Iterator[Way]:
    if isinstance(test.op, ast.And) is not wanted:
        # One part decides.
        alternatives = [ways(part, wanted) for part in test.values]
        for tier in range(_MOST_WAYS):
            for found in alternatives:
                yield from found[tier : tier + 1]
        return
    for parts in product(*(ways(part, wanted)[:3] for part in test.values)):
        # Of two wishes for one thing one may suit both parts: the last (`x and len(x) > 2`), or the first.
        last = {ast.dump(wish.subject): wish for part in parts for wish in part}
        first = {ast.dump(wish.subject): wish for part in reversed(parts) for wish in part}
        yield tuple(last.values())
        if any(first[key] != last[key] for key in last):
            yield tuple(first.values())


def _chain(test: ast.Compare, wanted: bool) -> Iterator[Way]:
    lefts = [test.left, *test.comparators[:-1]]
    links = [
        ast.Compare(left, [op], [right]) for left, op, right in zip(lefts, test.ops, test.comparators, strict=True)
    ]
    yield from _boolean(ast.BoolOp(ast.And(), list(links)), wanted)


_MIRRORED: dict[type[ast.cmpop], type[ast.cmpop]] = {ast.Lt: ast.Gt, ast.Gt: ast.Lt, ast.LtE: ast.GtE, ast.GtE: ast.LtE}
_NEGATED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.Lt: ast.GtE, ast.GtE: ast.Lt,
    ast.Gt: ast.LtE, ast.LtE: ast.Gt, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip


def _comparison(left: ast.expr, op: ast.cmpop, right: ast.expr, wanted: bool) -> Iterator[Way]:
    kind = type(op) if wanted else _NEGATED[type(op)]
    if kind in (ast.In, ast.NotIn):
        yield from _membership(left, right, kind is ast.In)
        return
    if _is_constant(left) and not _is_constant(right):
        left, right, kind = right, left, _MIRRORED.get(kind, kind)
    if isinstance(left, ast.Call) and isinstance(left.func, ast.Name) and left.func.id == "len" and len(left.args) == 1:
        yield from _length(left.args[0], kind, right)
        return
    yield from _each(left, list(_related(right, kind)))
    if not _is_constant(right):
        yield from _each(right, [code for code in _related(left, _MIRRORED.get(kind, kind)) if _is_constant(left)])
        for one, other in _pairs(kind):
            yield (Wish(left, _value(one)), Wish(right, _value(other)))


def _pairs(kind: type[ast.cmpop]) -> Sequence[tuple[str, str]]:
    """Values for two sides of which neither is a constant."""
    if kind in (ast.Eq, ast.Is, ast.LtE, ast.GtE):
        return (("1", "1"), ('"name"', '"name"'), ("None", "None"))
    if kind in (ast.NotEq, ast.IsNot):
        return (("1", "2"), ('"name"', '"other"'), ("None", '"name"'))
    return (("1", "2"), ('"a"', '"b"')) if kind is ast.Lt else (("2", "1"), ('"b"', '"a"'))


def _is_constant(node: ast.expr) -> bool:
    match node:
        case ast.Constant():
            return True
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant()):
            return True
        case ast.Tuple() | ast.List() | ast.Set():
            return all(_is_constant(element) for element in node.elts)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            # By convention; whether the name is a global is found out when it is written.
            return name.isupper()
    return False


def own(node: ast.expr) -> str:
    """Code of the module under test, its names marked as that module's own."""
    match node:
        case ast.Name() | ast.Attribute():
            return mark("", ast.unparse(node))
        case ast.Tuple() | ast.List() | ast.Set():
            brackets = {ast.Tuple: "()", ast.List: "[]", ast.Set: "{}"}[type(node)]
            inside = ", ".join(own(element) for element in node.elts)
            return f"{brackets[0]}{inside}{',' if isinstance(node, ast.Tuple) else ''}{brackets[1]}"
    return ast.unparse(node)


def _related(other: ast.expr, kind: type[ast.cmpop]) -> Iterator[str]:
    """Values that stand in the relation `kind` to the constant `other`."""
    number = _number(other)
    if number is not None and kind not in (ast.Is, ast.IsNot):
        yield from (repr(value) for value in _numbers(number, kind))
    elif kind in (ast.Eq, ast.Is, ast.LtE, ast.GtE):
        if isinstance(other, ast.Constant):
            yield repr(other.value)
        elif _is_constant(other):
            yield own(other)
    elif isinstance(other, ast.Constant) and other.value is None:
        yield from (f"{_MOCK}()", '"name"', "1", '["name"]')
    elif isinstance(other, ast.Constant) and isinstance(other.value, str):
        yield from ('"other"', '""', "None") if kind in (ast.NotEq, ast.IsNot) else ('""', '"~~~"')
    else:
        yield from ("None", '"other"', "object()")


def _number(node: ast.expr) -> int | float | None:
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        return None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _numbers(number: int | float, kind: type[ast.cmpop]) -> Sequence[int | float]:
    if kind is ast.Eq:
        return (number,)
    if kind is ast.NotEq:
        return (number + 1, number - 1)
    if kind in (ast.Lt, ast.LtE):
        return (number - 1, number - 100) if kind is ast.Lt else (number, number - 1)
    return (number + 1, number + 100) if kind is ast.Gt else (number, number + 1)


def _membership(left: ast.expr, right: ast.expr, inside: bool) -> Iterator[Way]:
    if isinstance(right, ast.Tuple | ast.List | ast.Set) and right.elts:
        if inside:
            yield from _each(left, [own(element) for element in right.elts if _is_constant(element)])
        else:
            yield from _each(left, ('"other"', "None", "-1", "object()"))
    elif isinstance(right, ast.Constant) and isinstance(right.value, str):
        yield from _each(left, [repr(right.value[:1])] if inside else ('"~"', '"other"'))
    elif isinstance(left, ast.Constant):
        code = repr(left.value)
        text = left.value if isinstance(left.value, str) else ""
        holding = (f"{{{code}: 1}}", f"[{code}]", repr(f"a{text}b"), repr(text))
        yield from _each(right, holding if inside else ("{}", "[]", '"other"', '""'))
    else:
        yield from _each(right, ("[]", "{}", '""') if not inside else ())
        if inside:
            yield (Wish(left, _value('"name"')), Wish(right, _value('{"name": 1}')))
            yield (Wish(left, _value('"name"')), Wish(right, _value('["name"]')))


def _length(subject: ast.expr, kind: type[ast.cmpop], other: ast.expr) -> Iterator[Way]:
    number = _number(other)
    if not isinstance(number, int):
        yield from _each(subject, ('["name"]', "[]", "[1] * 100"))
        return
    lengths = [length for length in _numbers(number, kind) if isinstance(length, int) and 0 <= length <= 10_000]
    for length in lengths:
        if (
            isinstance(subject, ast.Call)
            and isinstance(subject.func, ast.Name)
            and subject.func.id in ("set", "frozenset")
        ):
            # Many of which so many differ.
            yield from _each(subject, (f"{list(range(min(length, 50)))} * 50",))
            continue
        items = ", ".join(['"name"'] * length)
        short = (f"[{items}]", repr("a" * length)) if length <= 4 else (f'["name"] * {length}',)
        yield from _each(subject, (*short, f"[1] * {length}"))


def _call(test: ast.Call, name: str, wanted: bool) -> Iterator[Way]:
    arguments = test.args
    if name == "isinstance" and len(arguments) == 2:
        yield from _instances(arguments[0], arguments[1], wanted)
    elif name in ("hasattr", "getattr") and len(arguments) >= 2 and isinstance(arguments[1], ast.Constant):
        if wanted and isinstance(arguments[0], ast.Name):
            yield ()  # of a module, most likely, which has it or not
        attribute = str(arguments[1].value)
        stand_in = f"{_MOCK}({attribute}={'True' if wanted else 'False'})"
        without = ("object()", f"{_MOCK}(spec=[])") if name == "hasattr" else (stand_in, f"{_MOCK}({attribute}=None)")
        yield from _each(arguments[0], (stand_in,) if wanted else without)
    elif name == "callable" and arguments:
        yield from _each(arguments[0], ("print", f"{_MOCK}()") if wanted else ('"name"', "None"))
    elif name == "issubclass" and len(arguments) == 2:
        yield from _each(arguments[0], (own(arguments[1]),) if wanted else ("object", "int"))
    elif name in ("bool", "len", "list", "tuple", "set", "str", "sorted") and len(arguments) == 1:
        yield from _ways(arguments[0], wanted)
    elif name in ("any", "all") and len(arguments) == 1:
        yield from _quantified(arguments[0], name == "any", wanted)
    else:
        yield from _truth(test, wanted)


def _quantified(argument: ast.expr, is_any: bool, wanted: bool) -> Iterator[Way]:
    """`any(condition for item in items)`: one item that decides."""
    if not isinstance(argument, ast.GeneratorExp | ast.ListComp) or len(argument.generators) != 1:
        yield from _truth(argument, wanted)
        return
    items, variable = argument.generators[0].iter, argument.generators[0].target
    if is_any is not wanted:
        yield from _each(items, ("[]",))
    for way in ways(argument.elt, wanted):
        if len(way) == 1 and ast.dump(way[0].subject) == ast.dump(_loaded(variable)):
            yield (Wish(items, _value(f"[{way[0].value.code}]")),)


def _loaded(target: ast.expr) -> ast.expr:
    return ast.Name(target.id, ast.Load()) if isinstance(target, ast.Name) else target


def _instances(subject: ast.expr, classes: ast.expr, wanted: bool) -> Iterator[Way]:
    named = classes.elts if isinstance(classes, ast.Tuple) else [classes]
    if wanted:
        for choice in named:
            known = _OF_TYPE.get(ast.unparse(choice), (f"{_MOCK}(spec={own(choice)})",))
            yield from _each(subject, known)
        return
    unwanted = {ast.unparse(choice) for choice in named}
    for kind in ("str", "int", "list", "dict", "bytes"):
        if kind not in unwanted:
            yield from _each(subject, _OF_TYPE[kind][:1])
    yield from _each(subject, ("None", "object()", f"{_MOCK}()"))


def _with_affix(affix: str | bytes, is_prefix: bool) -> Iterator[str]:
    word: str | bytes = "name" if isinstance(affix, str) else b"name"
    yield repr(affix + word if is_prefix else word + affix)  # type: ignore[operator]
    yield repr(affix)


def _method(test: ast.Call, function: ast.Attribute, wanted: bool) -> Iterator[Way]:
    subject = function.value
    first = test.args[0] if test.args else None
    text = first.value if isinstance(first, ast.Constant) else None
    if function.attr in ("startswith", "endswith") and isinstance(text, str | bytes):
        yield from _each(subject, list(_with_affix(text, function.attr == "startswith")) if wanted else ('"~"', '""'))
        yield from _each(subject, ('b"~"',) if isinstance(text, bytes) and not wanted else ())
    elif function.attr in ("isdigit", "isnumeric", "isdecimal"):
        yield from _each(subject, ('"1"',) if wanted else ('"name"', '""'))
    elif function.attr in ("isalpha", "isidentifier", "isalnum", "islower"):
        yield from _each(subject, ('"name"',) if wanted else ('"1 "', '""'))
    elif function.attr == "isupper":
        yield from _each(subject, ('"NAME"',) if wanted else ('"name"',))
    elif function.attr in (
        "strip",
        "lower",
        "upper",
        "lstrip",
        "rstrip",
        "casefold",
        "copy",
        "items",
        "keys",
        "values",
    ):
        yield from _each(subject, ('"name"', '{"name": 1}') if wanted else ('""', "{}"))
    elif function.attr == "get" and isinstance(first, ast.Constant):
        key = repr(first.value)
        yield from _each(subject, [f"{{{key}: {code}}}" for code in _TRUE[:4]] if wanted else ("{}",))
        yield from _truth(test, wanted)
    else:
        yield from _truth(test, wanted)
