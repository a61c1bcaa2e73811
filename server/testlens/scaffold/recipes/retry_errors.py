"""Errors for stand-ins to raise: those that the code may try again after, told apart by what its handlers ask them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from testlens.domain.expressions import mark
from testlens.scaffold.faults import exception_expression
from testlens.scaffold.names import ModuleNames
from testlens.scaffold.recipes.reading import below, called_name, dotted, last_name, module_constants, parameters
from testlens.scaffold.recipes.retry_sites import Site
from testlens.scaffold.target import FunctionNode, Target

_STAND_IN = mark("unittest.mock", "Mock")
_STATUS = ("status_code", "status", "code", "http_status", "statuscode")
_STATUSES = (503, 400, 429, 500, 404)
# How faults.py builds urllib's HTTPError, whose status is an argument.
_URLLIB_STATUS = ", 500,"
_BUSY_CODES = ("ThrottlingException", "SlowDown")
_REFUSED_CODES = ("ValidationException",)
_GENERIC = ("ConnectionError", "TimeoutError", "RuntimeError", "ValueError")
_MOST = 8


@dataclass(frozen=True, slots=True)
class Fault:
    """An error to raise: `code` builds it in marked source, `settings` are attributes that it is given then.

    `kind` is its class as a reader knows it, `detail` what tells it from others of its class, empty for nothing.
    """

    code: str
    kind: str
    detail: str = ""
    settings: tuple[tuple[str, str], ...] = ()

    def given(self, variable: str) -> tuple[str, ...]:
        """The statements that make the error."""
        return (f"{variable} = {self.code}", *(f"{variable}.{name} = {value}" for name, value in self.settings))

    @property
    def words(self) -> str:
        """The error in a sentence."""
        return f"{self.kind} ({self.detail})" if self.detail else self.kind


@dataclass(slots=True)
class _Clues:
    """What handlers ask an error: attributes by their path, and the constants that they compare with."""

    paths: list[tuple[str, ...]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    asks_text: bool = False


def faults_to_retry(site: Site, target: Target, module: str) -> tuple[Fault, ...]:
    """Errors that may lead to another attempt, the likeliest first; some of them may not, which a trial tells."""
    names = ModuleNames(target.tree, module)
    clues = _clues(site.scope, target.tree)
    found: list[Fault] = []
    for kind in site.caught:
        found += _variants(kind, names, clues)
    found += (_generic(name) for name in _GENERIC)
    return _distinct(found)[:_MOST]


def faults_to_refuse(site: Site, target: Target, module: str) -> tuple[Fault, ...]:
    """Errors that may end it at once, the most telling first."""
    names = ModuleNames(target.tree, module)
    clues = _clues(site.scope, target.tree)
    found: list[Fault] = []
    for kind in site.caught:
        # The last of them are the least like what is tried again.
        found += reversed(_variants(kind, names, clues))
    for kind in _handled(site.scope):
        found += _variants(kind, names, clues)
    found += (_generic(name) for name in ("ValueError", "KeyError", "RuntimeError"))
    return _distinct(found)[: 2 * _MOST]


def asked_errors(site: Site, target: Target) -> dict[str, str]:
    """Arguments for the parameters that say which errors are tried again, by name: a tuple of classes in source."""
    function = target.function
    named = {kind.id for kind in site.caught if isinstance(kind, ast.Name)}
    positional = [*function.args.posonlyargs, *function.args.args]
    defaults = len(positional) - len(function.args.defaults)
    required = [parameter.arg for parameter in positional[:defaults]]
    required += [
        p.arg for p, default in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True) if not default
    ]
    if function.args.vararg is not None:
        required.append(function.args.vararg.arg)
    return {name: "(ConnectionError,)" for name in required if name in named}


def _generic(name: str) -> Fault:
    return Fault(f'{name}("boom")', name)


def _variants(kind: ast.expr | None, names: ModuleNames, clues: _Clues) -> list[Fault]:
    """Errors of one class that differ in what the handlers ask."""
    if kind is None or last_name(kind) in ("Exception", "BaseException"):
        return _with_answers(Fault('ConnectionError("boom")', "ConnectionError"), clues)
    built = exception_expression(kind, names)
    name = last_name(kind)
    if built is None or not name:
        return []
    if name == "ClientError":
        return [_refusal(built.code, code) for code in _codes(clues)]
    return _with_answers(Fault(built.code, name), clues)


def _codes(clues: _Clues) -> list[str]:
    """Error codes of AWS that the code may ask for, those that sound like being busy first."""
    asked = [text for text in clues.texts if text[:1].isupper() and text.isalnum()]
    asked.sort(key=lambda text: "hrottl" not in text)
    return list(dict.fromkeys([*asked[:3], *_BUSY_CODES, *_REFUSED_CODES]))


def _refusal(code: str, aws_code: str) -> Fault:
    return Fault(code.replace("ValidationException", aws_code), "ClientError", aws_code)


def _with_answers(fault: Fault, clues: _Clues) -> list[Fault]:
    found: list[Fault] = []
    for path in clues.paths:
        for value in _answers(path, clues):
            if path in (("code",), ("status",)) and _URLLIB_STATUS in fault.code:
                code = fault.code.replace(_URLLIB_STATUS, f", {value},")
                found.append(Fault(code, fault.kind, f"{path[-1]} {value}"))
            elif len(path) <= 2:
                setting = value if len(path) == 1 else f"{_STAND_IN}({path[1]}={value})"
                found.append(Fault(fault.code, fault.kind, f"{path[-1]} {value}", ((path[0], setting),)))
    if clues.asks_text:
        found += [Fault(fault.code.replace('"boom"', repr(text)), fault.kind, text) for text in clues.texts]
    return [*found[:_MOST], fault]


def _answers(path: tuple[str, ...], clues: _Clues) -> Sequence[str]:
    numbers = [number for base in clues.numbers for number in (base, base - 1)]
    if path[-1] in _STATUS:
        numbers = [number for number in numbers if 100 <= number <= 599] + list(_STATUSES)
    elif not numbers:
        return ("True", "False", *(repr(text) for text in clues.texts[:2]))
    return tuple(dict.fromkeys(str(number) for number in numbers))


def _clues(scope: Iterable[FunctionNode], tree: ast.Module) -> _Clues:
    clues = _Clues()
    constants = module_constants(tree)
    for function in scope:
        for roots, error in _askers(function, scope):
            for root in roots:
                _read(root, error, constants, clues)
    return clues


def _askers(function: FunctionNode, scope: Iterable[FunctionNode]) -> Iterator[tuple[Sequence[ast.AST], str]]:
    """The code that deals with an error, and the error's name there: handlers, and the functions that they ask."""
    for node in below(function):
        if not isinstance(node, ast.ExceptHandler) or node.name is None:
            continue
        tests = [inner.test for inner in below(node) if isinstance(inner, ast.If | ast.IfExp)]
        yield tests, node.name
        for call in (inner for test in tests for inner in below(test) if isinstance(inner, ast.Call)):
            for other in scope:
                if other.name == called_name(call):
                    yield from _as_asked(other, call, node.name)


def _as_asked(other: FunctionNode, call: ast.Call, error: str) -> Iterator[tuple[Sequence[ast.AST], str]]:
    names = [parameter.arg for parameter in parameters(other) if parameter.arg not in ("self", "cls")]
    for name, argument in zip(names, call.args, strict=False):
        if last_name(argument) == error:
            yield other.body, name


def _read(root: ast.AST, error: str, constants: dict[str, ast.expr], clues: _Clues) -> None:
    for node in below(root):
        match node:
            case ast.Attribute():
                path = dotted(node)
                if path[:1] == (error,) and not any(known[: len(path) - 1] == path[1:] for known in clues.paths):
                    clues.paths.append(path[1:])
            case ast.Call(func=ast.Name(id="str" | "repr"), args=[ast.Name(id=name)]) if name == error:
                clues.asks_text = True
            case ast.Constant(value=value):
                _note(value, clues)
            case ast.Name(id=name) if name in constants:
                for inner in below(constants[name]):
                    if isinstance(inner, ast.Constant):
                        _note(inner.value, clues)


def _note(value: object, clues: _Clues) -> None:
    if isinstance(value, str) and value not in clues.texts:
        clues.texts.append(value)
    elif type(value) is int and value not in clues.numbers:
        clues.numbers.append(value)


def _handled(scope: Iterable[FunctionNode]) -> Iterator[ast.expr]:
    """The exceptions that the code names in handlers, most specific functions first."""
    for function in scope:
        for node in below(function):
            if isinstance(node, ast.ExceptHandler) and node.type is not None:
                yield from node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]


def _distinct(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    return tuple(dict.fromkeys(faults))
