"""Finds, in the source text, what asynchronous code waits for, for how long, and what it does when it is cancelled."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from testlens.scaffold.recipes.reading import below, last_name, own_below
from testlens.scaffold.recipes.retry_sites import operations_in
from testlens.scaffold.target import FunctionNode, Target

# What asyncio waits for on behalf of the code is what the code waits for.
_ON_BEHALF = frozenset(
    {"wait_for", "shield", "gather", "create_task", "ensure_future", "wait", "as_completed", "start_soon"}
)
_LIMITS = frozenset({"timeout", "timeout_at", "fail_after", "move_on_after"})
_CANCELLED = frozenset({"CancelledError", "BaseException", "get_cancelled_exc_class"})
_MOST = 4


def awaited_calls(target: Target) -> tuple[ast.Call, ...]:
    """The calls whose answers the function waits for, in the order of the text; pauses come last."""
    found: dict[ast.Call, None] = {}
    for node in own_below(target.function):
        if isinstance(node, ast.Await) and isinstance(node.value, ast.Call):
            found.update(dict.fromkeys(_waited_for(node.value)))
    return tuple(sorted(found, key=lambda call: last_name(call.func) == "sleep")[:_MOST])


def time_limit(function: FunctionNode) -> ast.expr | None:
    """How long the function waits at most, as its text says; None where it sets no limit itself."""
    for node in own_below(function):
        match node:
            case ast.Call(func=called, args=[_, limit, *_]) if last_name(called) == "wait_for":
                return limit
            case ast.Call(func=called, keywords=keywords) if last_name(called) == "wait_for":
                return next((keyword.value for keyword in keywords if keyword.arg == "timeout"), None)
            case ast.Call(func=called, args=[limit, *_]) if last_name(called) in _LIMITS:
                return limit
    return None


def cleaning_calls(target: Target) -> tuple[ast.Call, ...]:
    """The calls that are made when the function is cancelled: in `finally`, and in handlers of the cancellation."""
    suites: list[ast.stmt] = []
    for node in own_below(target.function):
        if isinstance(node, ast.Try):
            suites += node.finalbody
        elif isinstance(node, ast.ExceptHandler) and _is_for_cancelling(node):
            suites += node.body
    return operations_in(suites, target)[:_MOST]


def careful_calls(target: Target) -> tuple[ast.Call, ...]:
    """The calls that are made where a cancellation leads to `finally` or to a handler of it."""
    careful = [
        node
        for node in own_below(target.function)
        if isinstance(node, ast.Try) and (node.finalbody or any(map(_is_for_cancelling, node.handlers)))
    ]
    calls = (inner for node in careful for statement in node.body for inner in below(statement))
    return tuple(node for node in calls if isinstance(node, ast.Call))


def handles_silence(target: Target) -> bool:
    """Whether the gap is about an answer that never comes: a handler of a timeout or of the cancellation."""
    handlers = [node for node in own_below(target.function) if isinstance(node, ast.ExceptHandler)]
    about = [h for h in handlers if _is_for_cancelling(h) or "Timeout" in ast.unparse(h.type or ast.Constant(""))]
    return any(h.lineno <= line <= (h.end_lineno or line) for h in about for line in target.lines)


def _is_for_cancelling(handler: ast.ExceptHandler) -> bool:
    return handler.type is not None and any(last_name(node) in _CANCELLED for node in below(handler.type))


def _waited_for(call: ast.Call) -> Iterator[ast.Call]:
    if last_name(call.func) not in _ON_BEHALF:
        yield call
        return
    for argument in call.args:
        outermost = next((node for node in below(argument) if isinstance(node, ast.Call)), None)
        if outermost is not None:
            yield from _waited_for(outermost)
