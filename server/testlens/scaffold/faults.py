"""Makes the code under test meet the exception that a handler waits for."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Sequence
from dataclasses import replace

from testlens.domain.expressions import Expression, mark
from testlens.scaffold.changes import Change, replacements, settings_for
from testlens.scaffold.names import ModuleNames
from testlens.scaffold.scene import Patch
from testlens.scaffold.target import Guard, Target
from testlens.scaffold.wishes import own

# Exceptions that cannot be built from a message alone, by their last name.
_BUILT_FROM = {
    "ClientError": '({"Error": {"Code": "ValidationException", "Message": "boom"}}, "Operation")',
    "UnicodeDecodeError": '("utf-8", b"\\xff", 0, 1, "boom")',
    "UnicodeEncodeError": '("ascii", "\\xff", 0, 1, "boom")',
    "JSONDecodeError": '("boom", "", 0)',
    "CalledProcessError": '(1, "command")',
    "TimeoutExpired": '("command", 1)',
    "HTTPError": '("http://localhost", 500, "boom", None, None)',
    "KeyError": '("boom")',
    "StopIteration": "()",
    "StopAsyncIteration": "()",
    "KeyboardInterrupt": "()",
    "EndpointConnectionError": '(endpoint_url="http://localhost")',
    "NoCredentialsError": "()",
    "BotoCoreError": "()",
}
_MOST_CALLS = 8


def exception_expression(kind: ast.expr | None, names: ModuleNames) -> Expression | None:
    """An instance of the exception that a handler names; of the first one where it names several."""
    if kind is None:
        return Expression('RuntimeError("boom")')
    choice = kind.elts[0] if isinstance(kind, ast.Tuple) and kind.elts else kind
    if not isinstance(choice, ast.Name | ast.Attribute):
        return None
    last = choice.attr if isinstance(choice, ast.Attribute) else choice.id
    if last in ("Exception", "BaseException") and hasattr(builtins, last):
        return Expression('RuntimeError("boom")')
    code = names.adopt(own(choice) + _BUILT_FROM.get(last, '("boom")'))
    return None if code is None else Expression(code)


def faults(target: Target, module: str, guard: Guard) -> list[Change]:
    """Ways to make the body of a `try` raise what the handler names, the likeliest first."""
    names = ModuleNames(target.tree, module)
    fault = exception_expression(guard.test, names)
    if fault is None:
        return []
    found: list[Change] = []
    if any(isinstance(node, ast.Yield) for statement in guard.body for node in ast.walk(statement)):
        found.append(_raised_inside(fault))
    found += _missing_modules(guard.body, guard.test)
    for call in _calls(guard.body)[:_MOST_CALLS]:
        found += replacements(target, module, call, f"side_effect={fault.code}", fault)
    found += _lacking(target, module, guard)
    return found


def _raised_inside(fault: Expression) -> Change:
    return lambda scene: replace(scene, fault=fault)


def _missing_modules(body: Sequence[ast.stmt], kind: ast.expr | None) -> Iterator[Change]:
    if kind is None or not any(word in ast.unparse(kind) for word in ("ImportError", "ModuleNotFoundError")):
        return
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield _without_module(alias.name)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield _without_module(node.module)


def _without_module(name: str) -> Change:
    patch = Patch(mark("sys", "modules"), name, Expression("None"), is_item=True)
    return lambda scene: scene.with_patch(patch)


def _calls(body: Sequence[ast.stmt]) -> list[ast.Call]:
    """The calls of a `try` body, those that do the work first: the outermost call of each statement."""
    found = [node for statement in body for node in ast.walk(statement) if isinstance(node, ast.Call)]
    return sorted(found, key=lambda call: (call.lineno, call.col_offset))


_LACKING = {
    "KeyError": ("{}",), "IndexError": ("[]",), "AttributeError": ("object()", "None"), "StopIteration": ("iter([])",),
    "TypeError": ("None", "object()"), "ValueError": ('"~"', '""'), "ZeroDivisionError": ("0",),
    "UnicodeDecodeError": ('b"\\xff"',), "UnicodeEncodeError": ('"\\udcff"',), "JSONDecodeError": ('"{"',),
}  # fmt: skip


def _lacking(target: Target, module: str, guard: Guard) -> Iterator[Change]:
    """Values on which the operations of the `try` body themselves fail."""
    named = ast.unparse(guard.test) if guard.test is not None else ""
    values = [code for kind, codes in _LACKING.items() if kind in named for code in codes]
    subjects = [
        node
        for statement in guard.body
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    ]
    for subject in subjects:
        for code in values:
            yield from settings_for(target, module, subject, Expression(code))
