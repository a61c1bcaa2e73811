"""Further calls that show what state a call left: those that the project's tests make on objects of the same class."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from testlens.domain.calls import SeenCall
from testlens.scaffold.kill.performance import Probe, Subject
from testlens.scaffold.recipe import Knowledge
from testlens.scaffold.target import FunctionNode, Target

_MOST = 12
_MOST_OF_ONE = 2
_QUIET = frozenset({"__init__", "__new__", "__post_init__", "__init_subclass__", "__class_getitem__"})


def probes(target: Target, knowledge: Knowledge) -> tuple[Probe, ...]:
    """The calls to make afterwards; none where the function belongs to no class or nothing else of that is known."""
    kind = knowledge.description.kind
    if target.owner is None or kind not in ("class", "method", "class method"):
        return ()
    subject: Subject = "receiver" if kind == "method" else "result"
    found = list(_probes(target, knowledge, subject))
    return tuple(dict.fromkeys(found))[:_MOST]


def _probes(target: Target, knowledge: Knowledge, subject: Subject) -> Iterator[Probe]:
    assert target.owner is not None
    class_name = target.name.rpartition(".")[0]
    methods = {node.name: node for node in target.owner.body if isinstance(node, ast.FunctionDef)}
    for name, node in methods.items():
        if name in _QUIET or name == target.function.name or "staticmethod" in _decorators(node):
            continue
        calls = knowledge.seen.get((target.path, f"{class_name}.{name}"), ())
        if "property" in _decorators(node):
            yield Probe(subject, name, None)
            continue
        made = [probe for call in calls if (probe := _called(node, call, subject)) is not None]
        if not made and not _needs_arguments(node):
            made = [Probe(subject, name, "")]
        yield from list(dict.fromkeys(made))[:_MOST_OF_ONE]


def _called(node: FunctionNode, call: SeenCall, subject: Subject) -> Probe | None:
    arguments: list[str] = []
    fixtures: list[str] = []
    positional = [*node.args.posonlyargs, *node.args.args][1:]
    for parameter in [*positional, *node.args.kwonlyargs]:
        value = call.arguments.get(parameter.arg)
        if value is None:
            if parameter.arg in call.arguments:
                return None
            continue
        is_named = parameter in node.args.kwonlyargs or len(arguments) < positional.index(parameter)
        arguments.append(f"{parameter.arg}={value.code}" if is_named else value.code)
        fixtures += value.fixtures
    return Probe(subject, node.name, ", ".join(arguments), tuple(fixtures))


def _needs_arguments(node: FunctionNode) -> bool:
    arguments = node.args
    given = len(arguments.posonlyargs) + len(arguments.args) - 1 - len(arguments.defaults)
    return given > 0 or any(default is None for default in arguments.kw_defaults)


def _decorators(node: FunctionNode) -> set[str]:
    return {ast.unparse(decorator).rpartition(".")[2] for decorator in node.decorator_list}
