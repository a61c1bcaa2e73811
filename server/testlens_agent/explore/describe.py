"""Says of a function what this interpreter knows: how to reach it, how to call it, and with what."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import Any

from testlens_agent.explore.build import signature_of
from testlens_agent.explore.data_classes import data_class
from testlens_agent.explore.evaluation import Evaluator, Value
from testlens_agent.explore.finding import Found, find, mangled, place_of
from testlens_agent.explore.hints import hints_of
from testlens_agent.explore.invent import Inventor
from testlens_agent.explore.messages import Messages
from testlens_agent.explore.modules import UnreachableError, module_of
from testlens_agent.expressions import ExpressionWriter

_SECONDS = 1.0
# What a wrapper calls that waits for a coroutine itself.
_RUNNERS = frozenset({"run", "run_until_complete", "run_sync"})
_KINDS = {
    inspect.Parameter.POSITIONAL_ONLY: "positional only",
    inspect.Parameter.POSITIONAL_OR_KEYWORD: "positional",
    inspect.Parameter.VAR_POSITIONAL: "variadic",
    inspect.Parameter.KEYWORD_ONLY: "keyword only",
    inspect.Parameter.VAR_KEYWORD: "keywords",
}


def describe(task: dict[str, Any], messages: Messages) -> None:
    """Send the description: first without any value, which may take long or end the process, then whole."""
    path, function = Path(task["path"]), task["function"]
    module_name = ""
    try:
        place = place_of(path, function, int(task["line"]))
        module = module_of(path)
        module_name = module.__name__
        found = find(module, place)
    except UnreachableError as reason:
        messages.send(whole=True, description=unreachable(function, module_name, str(reason)))
        return
    except (OSError, SyntaxError) as error:
        messages.send(whole=True, description=unreachable(function, module_name, f"its file cannot be read: {error}"))
        return
    description = _Description(function, module_name, found)
    messages.send(whole=False, description=description.without_values())
    messages.send(whole=True, description=description.complete())


def unreachable(function: str, module: str, reason: str) -> dict[str, Any]:
    """The description of a function that no test can call."""
    return {"name": function, "module": module, "kind": "unreachable", "callee": "", "unreachable": reason}


class _Description:
    """The description of one function while it is made."""

    def __init__(self, name: str, module: str, found: Found) -> None:
        self._name = name
        self._module = module
        self._found = found
        self._inventor = Inventor(Evaluator(_SECONDS))
        self._writer = ExpressionWriter()
        self._hints = hints_of(found.function, found.owner)

    def without_values(self) -> dict[str, Any]:
        """How to reach and to call it."""
        return self._fields([self._parameter(one, []) for one in self._parameters()], [])

    def complete(self) -> dict[str, Any]:
        """The same with values for its parameters and for what it is called on."""
        parameters = [self._parameter(one, self._values(one)) for one in self._parameters()]
        return self._fields(parameters, self._receivers())

    def _fields(self, parameters: list[dict[str, Any]], receivers: list[Value]) -> dict[str, Any]:
        found = self._found
        flags = found.function.__code__.co_flags
        manages = _is_context_manager(found.reached)
        return {
            "name": self._called_name(),
            "module": self._module,
            "kind": found.kind,
            "callee": found.callee,
            "is_async": _is_async(found),
            "is_generator": bool(flags & (inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR)) and not manages,
            "is_context_manager": manages,
            "parameters": parameters,
            "receivers": [_expression(value) for value in receivers],
            "unreachable": None,
        }

    def _called_name(self) -> str:
        """The dotted name, its last part as an attribute of instances is called: `_Class__name` for `__name`."""
        owner, (before, _, name) = self._found.owner, self._name.rpartition(".")
        return self._name if owner is None else f"{before}.{mangled(owner, name)}"

    def _parameters(self) -> list[inspect.Parameter]:
        found = self._found
        signature = signature_of(found.owner if found.kind == "class" else found.reached)
        if signature is None or (found.kind == "class" and found.owner is None):
            signature = signature_of(found.function)
        parameters = list(signature.parameters.values()) if signature else []
        if all(one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD) for one in parameters):
            inner = signature_of(found.function)  # a decorator that takes anything passes it on, as a rule
            parameters = list(inner.parameters.values()) if inner else parameters
            if found.kind == "class":
                return parameters[1:]
        return parameters[1:] if found.kind in ("method", "class method", "property") else parameters

    def _parameter(self, parameter: inspect.Parameter, values: list[Value]) -> dict[str, Any]:
        annotation = parameter.annotation
        if annotation is parameter.empty:
            shown = ""
        else:
            shown = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
        return {
            "name": parameter.name,
            "kind": _KINDS[parameter.kind],
            "has_default": parameter.default is not parameter.empty,
            "annotation": shown,
            "values": [_expression(value) for value in values],
            "data": data_class(self._hint(parameter)),
        }

    def _values(self, parameter: inspect.Parameter) -> list[Value]:
        values = []
        if parameter.default is not parameter.empty:
            default = self._writer.write(parameter.default)
            if default is not None:
                values.append(Value(default.code, default.fixtures, "default"))
        hint = self._hint(parameter)
        if hint is not parameter.empty:
            given = {_same(value.code) for value in values}
            values += [value for value in self._inventor.values(hint) if _same(value.code) not in given]
        return values

    def _hint(self, parameter: inspect.Parameter) -> Any:
        if parameter.name in self._hints:
            return self._hints[parameter.name]
        if self._found.kind == "class" and self._found.owner is not None:
            return hints_of(self._found.owner).get(parameter.name, parameter.empty)
        return parameter.empty

    def _receivers(self) -> list[Value]:
        if self._found.kind not in ("method", "property") or self._found.owner is None:
            return []
        if issubclass(self._found.owner, type):
            return self._inventor.builder.classes_of(self._found.owner)
        return self._inventor.values(self._found.owner)


def _is_context_manager(reached: Any) -> bool:
    """Whether contextlib made it of a generator function."""
    code = getattr(reached, "__code__", None)
    return code is not None and code.co_filename.endswith("contextlib.py") and hasattr(reached, "__wrapped__")


def _is_async(found: Found) -> bool:
    """Whether what a call gives has to be awaited or iterated over asynchronously."""
    asynchronous = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
    if found.kind in ("property", "class") or found.reached is found.function:
        return bool(found.function.__code__.co_flags & asynchronous)
    code = getattr(found.reached, "__code__", None)
    if code is not None and code.co_flags & asynchronous:
        return True
    runs_itself = code is not None and not _RUNNERS.isdisjoint(code.co_names)
    return bool(found.function.__code__.co_flags & asynchronous) and not runs_itself


def _same(code: str) -> str:
    """The code of a literal in one way of writing it."""
    try:
        return repr(ast.literal_eval(code))
    except (ValueError, SyntaxError):
        return code


def _expression(value: Value) -> dict[str, Any]:
    return {"code": value.code, "fixtures": list(value.fixtures), "origin": value.origin}
