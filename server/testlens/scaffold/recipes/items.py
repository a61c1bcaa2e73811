"""Collections for parameters that take several things: what one item is, and how many different ones are written."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping

from testlens.domain.expressions import Expression, Reference, resolve
from testlens.domain.trials import ParameterFacts
from testlens.scaffold.recipe import Knowledge
from testlens.scaffold.recipes.reading import below, last_name
from testlens.scaffold.scene import Scene
from testlens.scaffold.style import FixtureFacts
from testlens.scaffold.target import FunctionNode, Target
from testlens.scaffold.values import STAND_IN, arguments_for

_SEVERAL = re.compile(
    r"\b(Iterable|Sequence|Collection|Iterator|MutableSequence|list|List|tuple|Tuple|set|Set|frozenset|AbstractSet)\[(.+)\]"
)
_PLAIN = {"str": '"name"', "int": "1", "float": "0.5", "bytes": 'b"data"', "dict": '{"name": "a"}', "bool": "True"}
_PLACEHOLDER = re.compile(r"testlens_mark_(\d+)_")
# What tells two items apart, by the word or the key in front of it.
_TELLING = re.compile(r"(\A|_)(id|key|name|user|email|title|subject|url|path)(_|\Z)")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d")
# Functions that take something to go through.
_ASKING = frozenset({"len", "enumerate", "batched", "chunked", "set", "sorted", "list", "tuple", "sum", "any", "all"})
_MOST_ITEMS = 4


def items_for(target: Target, knowledge: Knowledge) -> Mapping[str, tuple[Expression, ...]]:
    """For each parameter that takes several things, what one of them can be, the most telling first."""
    values = arguments_for(target, knowledge)
    found: dict[str, tuple[Expression, ...]] = {}
    for parameter in knowledge.description.parameters:
        if parameter.kind != "keywords" and _takes_several(parameter, target.function):
            found[parameter.name] = tuple(_items(parameter, values[parameter.name], knowledge))[:_MOST_ITEMS]
    return found


def filled(scene: Scene, items: Mapping[str, tuple[Expression, ...]]) -> Scene:
    """The scene with one item in each collection that it hands on empty, that is none, or that was only guessed."""
    for name, possible in items.items():
        given = scene.arguments.get(name)
        if given is None or not possible:
            continue
        if item_of(given) is None or given.origin not in ("seen", "fixture"):
            scene = scene.with_argument(name, listed(possible[0]))
    return scene


def listed(item: Expression) -> Expression:
    """A list of one item."""
    return Expression(f"[{item.code}]", item.fixtures, item.origin)


def item_of(collection: Expression) -> Expression | None:
    """The first item of a list, tuple or set that is written out; None for anything else."""
    marks = _Marks()
    parsed = marks.parse(collection.code)
    if not isinstance(parsed, ast.List | ast.Tuple | ast.Set) or not parsed.elts:
        return None
    code = marks.restored(ast.unparse(parsed.elts[0]))
    fixtures = tuple(name for name in collection.fixtures if re.search(rf"\b{re.escape(name)}\b", code))
    return Expression(code, fixtures, collection.origin)


def several(item: str, count: int) -> Iterator[str]:
    """Lists of `count` items like this one, in source: different ones first, then equal ones."""
    varied = _varied(item)
    if count == 0:
        yield "[]"
        return
    if count == 1:
        yield f"[{item}]"
        return
    if varied is not None:
        yield f"[{varied} for number in range({count})]"
    yield f"[{item}] * {count}"


def _varied(item: str) -> str | None:
    """The item with one constant in it that changes with `number`, the one that tells items apart if there is one."""
    marks = _Marks()
    parsed = marks.parse(item)
    if parsed is None:
        return None
    changeable = sorted(_changeable(parsed), key=lambda entry: not _TELLING.search(entry[0]))
    if not changeable:
        return None
    constant = changeable[0][1]
    # `ast.unparse` writes f-strings in single quotes.
    code = re.sub(r"""f'([^'"\\]*)'""", r'f"\1"', ast.unparse(_Changed(constant).visit(parsed)))
    return marks.restored(code)


def _changeable(node: ast.expr, word: str = "") -> Iterator[tuple[str, ast.Constant]]:
    """The constants of an item that can change, each with the word in front of it."""
    match node:
        case ast.Constant(value=str(text)):
            if not _MOMENT.match(text):
                yield word, node
        case ast.Constant(value=int()) if type(node.value) is int:
            yield word, node
        case ast.Dict(keys=keys, values=values):
            words = (str(key.value) if isinstance(key, ast.Constant) else "" for key in keys)
            yield from _each_changeable(zip(words, values, strict=True))
        case ast.Call(args=arguments, keywords=keywords):
            yield from _each_changeable([("", argument) for argument in arguments])
            yield from _each_changeable([(keyword.arg or "", keyword.value) for keyword in keywords])
        case ast.Tuple(elts=elements) | ast.List(elts=elements):
            yield from _each_changeable([("", element) for element in elements])


def _each_changeable(parts: Iterable[tuple[str, ast.expr]]) -> Iterator[tuple[str, ast.Constant]]:
    for word, part in parts:
        yield from _changeable(part, word)


class _Changed(ast.NodeTransformer):
    """Lets one constant change with `number`."""

    def __init__(self, constant: ast.Constant) -> None:
        self._constant = constant

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        if node is not self._constant:
            return node
        number = ast.Name("number", ast.Load())
        if isinstance(node.value, str):
            return ast.JoinedStr([ast.Constant(f"{node.value}-"), ast.FormattedValue(number, -1)])
        return number if node.value in (0, 1) else ast.BinOp(node, ast.Add(), number)


class _Marks:
    """Parses marked source, and gives what is unparsed its marks back."""

    def __init__(self) -> None:
        self._references: list[Reference] = []

    def parse(self, code: str) -> ast.expr | None:
        """The expression, placeholders in the place of its marks; None where it is none."""
        try:
            return ast.parse(resolve(code, self._placeholder), mode="eval").body
        except (SyntaxError, ValueError):
            return None

    def restored(self, code: str) -> str:
        """The marked source again."""
        return _PLACEHOLDER.sub(self._mark, code)

    def _placeholder(self, reference: Reference) -> str:
        self._references.append(reference)
        return f"testlens_mark_{len(self._references) - 1}_"

    def _mark(self, found: re.Match[str]) -> str:
        reference = self._references[int(found[1])]
        return f"\x01{reference.module}:{reference.qualname}\x02"


def is_collection(parameter: ast.arg, function: FunctionNode) -> bool:
    """Whether a parameter takes several things, by its annotation or by what the function does with it."""
    if parameter.annotation is not None:
        return _SEVERAL.search(ast.unparse(parameter.annotation)) is not None
    return any(_goes_through(node, parameter.arg) for node in below(function))


def _takes_several(parameter: ParameterFacts, function: FunctionNode) -> bool:
    if parameter.kind == "variadic":
        return False
    if parameter.annotation:
        return _SEVERAL.search(parameter.annotation) is not None
    return any(_goes_through(node, parameter.name) for node in below(function))


def _goes_through(node: ast.AST, name: str) -> bool:
    match node:
        case ast.For(iter=ast.Name(id=looped)) | ast.comprehension(iter=ast.Name(id=looped)):
            return looped == name
        case ast.Call(func=ast.Name(id=function), args=[ast.Name(id=asked), *_]) if function in _ASKING:
            return asked == name
        case ast.Subscript(value=ast.Name(id=sliced), slice=ast.Slice()):
            return sliced == name
    return False


def _items(parameter: ParameterFacts, values: tuple[Expression, ...], knowledge: Knowledge) -> Iterator[Expression]:
    kind = kind_of_item(parameter.annotation)
    seen = [value for value in values if value.origin == "seen"]
    yield from filter(None, map(item_of, seen))
    for name, fixture in knowledge.style.fixtures.items():
        if kind and _gives(fixture, kind):
            yield Expression(name, (name,), "fixture")
    if kind in _PLAIN:
        yield Expression(_PLAIN[kind], origin="type")
    others = (value for value in values if value.origin not in ("seen", "literal"))
    yield from filter(None, map(item_of, others))
    yield STAND_IN


def kind_of_item(annotation: str) -> str:
    """The last name of the class of one item: `HealthRecord` of `Sequence[models.HealthRecord]`."""
    found = _SEVERAL.search(annotation)
    if found is None:
        return ""
    try:
        item = ast.parse(found[2].partition(", ...")[0], mode="eval").body
    except SyntaxError:
        return ""
    return last_name(item.value if isinstance(item, ast.Subscript) else item)


def _gives(fixture: FixtureFacts, kind: str) -> bool:
    return fixture.returns.strip("'\"").rpartition(".")[2] == kind
