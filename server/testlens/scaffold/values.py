"""Values for the parameters of the function under test and for the instance it is called on, most telling first."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from testlens.domain.calls import SeenCall
from testlens.domain.expressions import Expression, mark
from testlens.domain.trials import FunctionDescription, ParameterFacts
from testlens.scaffold.recipe import Knowledge
from testlens.scaffold.style import FixtureFacts
from testlens.scaffold.target import FunctionNode, Target
from testlens.scaffold.uses import by_use
from testlens.scaffold.words import singular

STAND_IN = Expression(f"{mark('unittest.mock', 'MagicMock')}()", origin="mock")
_MOST_VALUES = 24
_MOST_TOGETHER = 3
_NUMBERS = (
    "n num number count size length limit index idx depth width height port start stop offset level total age quantity "
    "qty year month day version attempts? retries stock"
).replace(" ", "|")
_FROM_THE_NAME = (
    (r"(^|_)region(_name)?$", '"us-east-1"', ()),
    (r"(^|_)mode$", '"r"', ()),
    (r"(^|_)encoding$", '"utf-8"', ()),
    (r"(^|_)(path|file|filename|folder|directory|dir)s?$", 'tmp_path / "name"', ("tmp_path",)),
    (rf"(^|_)({_NUMBERS})$", "1", ()),
    (r"(^|_)(timeout|delay|seconds|interval|rate|ratio|weight|score|amount|price)$", "0.5", ()),
    (r"^(is|has|use|allow|with|no|should|enable|show|force|strict|verbose|quiet)(_|$)", "True", ()),
    (r"(^|_)(name|key|text|title|label|prefix|suffix|msg|message|word|string|s|id|url|uri)$", '"name"', ()),
    (r"(^|_)(data|content|payload|raw|blob|body)$", 'b"data"', ()),
    (r"(^|_)(func|function|f|fn|callback|callable|handler|hook|factory|predicate|filter)$", "", ()),
    (
        r"(^|_)(items|values|args|names|lines|records|rows|parts|elements|params|iterable|seq|sequence|list)$",
        '["name"]',
        (),
    ),
    (r"(^|_)(options|opts|kwargs|config|settings|mapping|headers|attrs|context|extra|dict)$", "{}", ()),
)
_ANY_FUNCTION = "lambda *args, **kwargs: None"
_ORDINARY = ('"name"', "1", "None", '""', "0", "[]", "{}", 'b"data"', "True", '["name"]', "object()")


def arguments_for(target: Target, knowledge: Knowledge) -> dict[str, tuple[Expression, ...]]:
    """For each parameter the values to try, the most telling first; never empty."""
    seen = knowledge.seen
    calls = seen.get((target.path, target.name), ())
    own = (target.path, target.name)
    elsewhere = _by_parameter_name(seen, own)
    nearby = _by_parameter_name({key: calls for key, calls in seen.items() if key[0] == target.path}, own)
    literals = _compared_literals(target)
    functions = {node.name: node for node in target.tree.body if isinstance(node, ast.FunctionDef)}
    found: dict[str, tuple[Expression, ...]] = {}
    for parameter in knowledge.description.parameters:
        values = [
            *_seen_arguments(calls, parameter.name),
            *_fixtures_for(parameter, knowledge.style.fixtures),
            *_several(parameter, elsewhere, knowledge.style.fixtures),
            *literals.get(parameter.name, ()),
            *_related(nearby.get(parameter.name, ())),
            *_by_use_or_type(target.function, parameter, functions),
            *_related(elsewhere.get(parameter.name, ())),
            *_by_name(parameter.name),
            STAND_IN,
            *(Expression(code, origin="literal") for code in _ORDINARY),
        ]
        if parameter.kind == "variadic":
            values = [
                *_seen_arguments(calls, parameter.name),
                Expression("()", origin="default"),
                Expression('("name",)'),
            ]
        if parameter.kind == "keywords":
            values = [*_seen_arguments(calls, parameter.name), Expression("{}", origin="default")]
        found[parameter.name] = tuple(_distinct(values))[:_MOST_VALUES]
    return found


def receivers_for(target: Target, knowledge: Knowledge) -> tuple[Expression, ...]:
    """The instances to call a method on, the most telling first; empty for what needs none."""
    if knowledge.description.kind not in ("method", "property"):
        return ()
    class_name = target.name.rpartition(".")[0]
    calls = [*knowledge.seen.get((target.path, target.name), ())]
    for (path, name), others in knowledge.seen.items():
        if path == target.path and name != target.name and name.rpartition(".")[0] == class_name:
            calls += others
    receivers = [call.receiver for call in calls if call.receiver is not None]
    built = [
        Expression(name, (name,), "fixture")
        for name, fixture in knowledge.style.fixtures.items()
        if _gives(fixture, class_name.rpartition(".")[2])
    ]
    # What many tests built alike is what a reader expects.
    receivers.sort(key=lambda receiver: (not receiver.fixtures, len(receiver.code)))
    return tuple(_distinct([*receivers, *built, *knowledge.description.receivers]))[:_MOST_VALUES]


def _seen_arguments(calls: Iterable[SeenCall], name: str) -> Iterator[Expression]:
    for call in calls:
        value = call.arguments.get(name)
        if value is not None:
            yield value


def _by_parameter_name(
    seen: Mapping[tuple[str, str], tuple[SeenCall, ...]], own: tuple[str, str]
) -> Mapping[str, list[Expression]]:
    values: dict[str, list[Expression]] = {}
    for function, calls in seen.items():
        if function == own:
            continue
        for call in calls:
            for name, value in call.arguments.items():
                if value is not None:
                    values.setdefault(name, []).append(value)
    return values


def _related(values: Iterable[Expression]) -> list[Expression]:
    """A few of the values that a parameter of this name had elsewhere, short ones first and of different shapes."""
    shapes: dict[str, Expression] = {}
    for value in sorted(values, key=lambda value: len(value.code)):
        shapes.setdefault(re.sub(r"'[^']*'|\"[^\"]*\"|\d+", "_", value.code), value)
    return list(shapes.values())[:5]


def _fixtures_for(parameter: ParameterFacts, fixtures: Mapping[str, FixtureFacts]) -> Iterator[Expression]:
    annotated = parameter.annotation.rpartition(".")[2].strip("'\"")
    for name, fixture in fixtures.items():
        if name == parameter.name or (annotated and _gives(fixture, annotated)):
            yield Expression(name, (name,), "fixture")


def _several(
    parameter: ParameterFacts, elsewhere: Mapping[str, list[Expression]], fixtures: Mapping[str, FixtureFacts]
) -> Iterator[Expression]:
    """For a plural, a list of what the singular was elsewhere: `[record]` for `records`."""
    one = singular(parameter.name)
    if one is None or parameter.kind in ("variadic", "keywords"):
        return
    values = list(_distinct(elsewhere.get(one, ())))[:_MOST_TOGETHER]
    if not values and one in fixtures:
        values = [Expression(one, (one,), "fixture")]
    if values:
        names = tuple(dict.fromkeys(name for value in values for name in value.fixtures))
        yield Expression(f"[{', '.join(value.code for value in values)}]", names, values[0].origin)


def _gives(fixture: FixtureFacts, class_name: str) -> bool:
    if not class_name or hasattr(builtins, class_name) or class_name in ("Any", "Optional"):
        return False  # what gives a text gives some text or other
    return re.search(rf"\b{re.escape(class_name)}\b", fixture.returns) is not None


def _by_name(name: str) -> Iterator[Expression]:
    for pattern, code, fixtures in _FROM_THE_NAME:
        if re.search(pattern, name):
            yield Expression(code or _ANY_FUNCTION, fixtures, "name")


# Annotations that leave open what is inside: how the function uses it tells more.
_OPEN = re.compile(
    r"(\w+\.)?((Mutable)?Mapping|[dD]ict|Any|object)\b"
    r"|(\w+\.)?([lL]ist|Sequence|Iterable|Collection|[tT]uple)(\[(\w+\.)?([dD]ict|Mapping|Any)\b.*)?$"
)


def _by_use_or_type(
    function: FunctionNode, parameter: ParameterFacts, functions: Mapping[str, FunctionNode]
) -> list[Expression]:
    used = list(by_use(function, parameter.name, any_value, functions))
    if parameter.annotation and not _OPEN.match(parameter.annotation.strip("'\"")):
        return [*parameter.values, *used]
    return [*used, *parameter.values]


def any_value(name: str) -> str:
    """A value for something of this name, in source: a number where the name speaks of one, else a text."""
    if re.search(r"(^|_)(ids?|key|code)$", name):
        return f'"{re.sub(r"_?(ids?|key|code)$", "", name) or "item"}-1"'
    found = (value.code for value in _by_name(name) if not value.fixtures)
    return next((code for code in found if not code.startswith(("b", "lambda"))), '"name"')


def _compared_literals(target: Target) -> Mapping[str, list[Expression]]:
    """The constants that the function compares its parameters with."""
    found: dict[str, list[Expression]] = {}
    for node in ast.walk(target.function):
        if not isinstance(node, ast.Compare):
            continue
        sides = [node.left, *node.comparators]
        names = [side.id for side in sides if isinstance(side, ast.Name)]
        constants = [Expression(repr(value)) for side in sides for value in _constants(side)]
        for name in names:
            found.setdefault(name, []).extend(constants)
    return found


def _constants(node: ast.expr) -> Iterator[object]:
    if isinstance(node, ast.Constant) and not isinstance(node.value, type(...)):
        yield node.value
    elif isinstance(node, ast.Tuple | ast.List | ast.Set):
        for element in node.elts:
            yield from _constants(element)


def _distinct(values: Iterable[Expression]) -> Iterator[Expression]:
    known: set[str] = set()
    for value in values:
        if value.code not in known:
            known.add(value.code)
            yield value


def static_description(target: Target) -> FunctionDescription:
    """What the source text alone tells of the function, where no interpreter was asked."""
    arguments = target.function.args
    decorators = {ast.unparse(decorator).rpartition(".")[2] for decorator in target.function.decorator_list}
    parameters = list(_static_parameters(arguments))
    callee = target.name
    description = FunctionDescription(target.name, target.module, "function", mark(target.module, callee))
    if target.owner is not None and "staticmethod" not in decorators:
        parameters = parameters[1:]
        owner = mark(target.module, target.name.rpartition(".")[0])
        if "classmethod" in decorators:
            description = replace(description, kind="class method")
        elif target.function.name in ("__init__", "__new__"):
            description = replace(description, kind="class", callee=owner)
        else:
            kind = "property" if any(name.endswith("property") for name in decorators) else "method"
            receivers = (Expression(f"{owner}({_built_from(target.owner)})", origin="type"),)
            description = replace(description, kind=kind, callee=owner, receivers=receivers)  # type: ignore[arg-type]
    inside = [node for statement in target.function.body for node in _own_nodes(statement)]
    return replace(
        description,
        parameters=tuple(parameters),
        is_async=isinstance(target.function, ast.AsyncFunctionDef),
        is_generator=any(isinstance(node, ast.Yield | ast.YieldFrom) for node in inside),
        is_context_manager=bool(decorators & {"contextmanager", "asynccontextmanager"}),
        unreachable=_why_out_of_reach(target),
    )


def _why_out_of_reach(target: Target) -> str | None:
    if "<locals>" in target.name:
        return "it lives inside another function"
    return None


def _own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
        return
    for child in ast.iter_child_nodes(node):
        yield from _own_nodes(child)


def _static_parameters(arguments: ast.arguments) -> Iterator[ParameterFacts]:
    positional = [*arguments.posonlyargs, *arguments.args]
    first_default = len(positional) - len(arguments.defaults)
    for index, parameter in enumerate(positional):
        kind = "positional only" if index < len(arguments.posonlyargs) else "positional"
        default = arguments.defaults[index - first_default] if index >= first_default else None
        yield _static_parameter(parameter, kind, default)
    if arguments.vararg is not None:
        yield ParameterFacts(arguments.vararg.arg, "variadic", True, "", ())
    for parameter, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield _static_parameter(parameter, "keyword only", default)
    if arguments.kwarg is not None:
        yield ParameterFacts(arguments.kwarg.arg, "keywords", True, "", ())


def _static_parameter(parameter: ast.arg, kind: str, default: ast.expr | None) -> ParameterFacts:
    annotation = ast.unparse(parameter.annotation) if parameter.annotation is not None else ""
    values = (Expression(ast.unparse(default), origin="default"),) if isinstance(default, ast.Constant) else ()
    return ParameterFacts(parameter.arg, kind, default is not None, annotation, values)  # type: ignore[arg-type]


def _built_from(owner: ast.ClassDef) -> str:
    """Arguments for the constructor that the class itself defines, as far as its text tells."""
    for node in owner.body:
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            required = [p for p in list(_static_parameters(node.args))[1:] if not p.has_default]
            return ", ".join(_guess(parameter) for parameter in required)
    return ""


def _guess(parameter: ParameterFacts) -> str:
    value = next((value for value in _by_name(parameter.name) if not value.fixtures), STAND_IN).code
    return f"{parameter.name}={value}" if parameter.kind == "keyword only" else value
