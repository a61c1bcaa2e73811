"""Finds, in the source text, what the code calls again when it fails."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeGuard

from testlens.scaffold.names import ModuleNames
from testlens.scaffold.recipes.reading import (
    Functions,
    below,
    called_name,
    derived,
    dotted,
    last_name,
    module_names,
    own_below,
    parameters,
    root_name,
)
from testlens.scaffold.target import FunctionNode, Target

Means = Literal["loop", "decorator", "helper", "recursion"]
_HOLDERS = (ast.stmt, ast.ExceptHandler, ast.match_case)
Loop = ast.For | ast.AsyncFor | ast.While

_LIBRARY = re.compile(r"tenacity\.|backoff\.on_|retrying\.|retry\.|stamina\.|opnieuw\.|retry2?\.api\.")
_TENACIOUS = re.compile(r"(tenacity\.(Async)?Retrying|stamina\.retry_context)\Z")
_LIBRARY_NAMES = frozenset({"retry", "on_exception", "on_predicate", "retry_async"})
_TENACIOUS_NAMES = frozenset({"Retrying", "AsyncRetrying", "retry_context"})
_RETRYING = re.compile(r"(\A|_)(retry|retries|retrying|retryable|backoff|attempts?|with_retries|resilient)(_|\Z)")
_ATTEMPTS = re.compile(r"(\A|_)(attempts?|retry|retries|tries|delays?|backoffs?)(_|\Z)")
_SLEEP = re.compile(r"(\A|_)sleep(_|\Z)|\A_?(wait|pause)\Z")
_LOGGERS = re.compile(r"\A_?(log|logger|logging|warnings)\Z", re.IGNORECASE)
_OUTSIDE = frozenset({"network", "storage", "data write", "batch", "model"})
_EXCEPTION = re.compile(r"(Error|Exception|Timeout|Throttled|Interrupted|Refused|Reset|Unavailable|Fault|Failure)\Z")
_MOST_OPERATIONS = 6


@dataclass(frozen=True, slots=True)
class Site:
    """Code that calls something again when it fails.

    `operations` are the calls that may be the ones, the likeliest first. `chain` are the inner functions around the
    loop, outermost first, where the code is a decorator. `caught` are the exceptions, as the code names them, that may
    lead to another attempt. `scope` are the functions whose text tells how: the one under test first. `evidence` is
    where the number of attempts may be written: the loop, the decorator or the call of the helper.
    """

    means: Means
    detail: str
    operations: tuple[ast.Call, ...]
    chain: tuple[FunctionNode, ...]
    caught: tuple[ast.expr | None, ...]
    scope: tuple[FunctionNode, ...]
    evidence: ast.AST


def find_site(target: Target) -> Site | None:
    """What the function of a target tries again; None where nothing says that it does."""
    reader = _Reader(target)
    return reader.own_loop() or reader.decorated() or reader.through_helper() or reader.recursion()


def is_sleep(call: ast.Call) -> bool:
    """Whether a call pauses: `time.sleep`, an injected `self._sleep`, an event's `wait`."""
    return bool(_SLEEP.search(called_name(call)))


def operations_in(roots: Iterable[ast.AST], target: Target) -> tuple[ast.Call, ...]:
    """The calls that do work and may fail, those first that go to the outside."""
    calls = [node for root in roots for node in below(root) if isinstance(node, ast.Call) and _is_work(node)]
    outside = [marker for marker in target.markers if marker.kind in _OUTSIDE]

    def rank(call: ast.Call) -> tuple[bool, bool, int, int]:
        goes_out = any(marker.first <= call.lineno <= marker.last for marker in outside)
        builds = called_name(call)[:1].isupper()
        return (not goes_out, builds, call.lineno, call.col_offset)

    return tuple(sorted(calls, key=rank)[:_MOST_OPERATIONS])


def goes_out(target: Target) -> bool:
    """Whether the function goes to the network or to storage."""
    return any(marker.kind in _OUTSIDE - {"model"} for marker in target.markers)


def names_exception(node: ast.AST) -> TypeGuard[ast.expr]:
    """Whether an expression is, by its name, an exception's class."""
    if not isinstance(node, ast.Name | ast.Attribute):
        return False
    name = last_name(node)
    known = getattr(builtins, name, None)
    return (isinstance(known, type) and issubclass(known, BaseException)) or bool(_EXCEPTION.search(name))


class _Reader:
    """Looks for a site. What costs time is looked at last: this runs each time that something is offered."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.functions = Functions(target)
        self._known: dict[str, Loop | None] = {}

    @cached_property
    def names(self) -> ModuleNames:
        """The names of the module."""
        return module_names(self.target.tree, self.target.module)

    def own_loop(self) -> Site | None:
        """A loop in the function itself, or in a function that it defines and gives back."""
        function = self.target.function
        for loop, chain in _loops(function):
            if not self._tries_again(loop):
                continue
            is_given_back = all(
                _gives_back(outer, inner) for outer, inner in zip((function, *chain), chain, strict=False)
            )
            operations = operations_in(_tried(loop), self.target)
            return Site(
                "loop", "a loop", operations, chain if is_given_back else (), tuple(_caught(loop)),
                self.functions.scope, loop,
            )  # fmt: skip
        return None

    def decorated(self) -> Site | None:
        """A decorator of a retrying library, of this module, or one that is named for it."""
        for decorator in self.target.function.decorator_list:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            name = last_name(called)
            is_library = name in _LIBRARY_NAMES and bool(_LIBRARY.match(self._origin(called)))
            if not (is_library or _RETRYING.search(name) or self._loops(name)):
                continue
            caught: list[ast.expr | None] = [node for node in below(decorator) if names_exception(node)]
            own = self._loops(name)
            if own is not None and not caught:
                caught = list(_caught(own))
            return Site(
                "decorator", f"`{name}`", operations_in(self.target.function.body, self.target), (),
                tuple(caught) or (None,), self.functions.scope, decorator,
            )  # fmt: skip
        return None

    def through_helper(self) -> Site | None:
        """A call of something that tries again what it is given, or what it does itself."""
        for call in own_below(self.target.function):
            if not isinstance(call, ast.Call):
                continue
            name = called_name(call)
            loops = self._loops(name)
            is_library = isinstance(call.func, ast.Call) and self._is_tenacious(call.func)
            if not (loops or is_library or _RETRYING.search(name)):
                continue
            operations = operations_in(self._handed(call), self.target)
            if not operations and loops is not None:
                operations = operations_in(_tried(loops), self.target)
            caught = tuple(_caught(loops)) if loops is not None else ()
            if operations:
                return Site(
                    "helper", f"`{name}`", operations, (), caught or (None,), self.functions.scope, call
                )  # fmt: skip
        return None

    def recursion(self) -> Site | None:
        """A handler that calls the function again."""
        function = self.target.function
        own = list(own_below(function))
        after = max((node.lineno for node in own if self._calls_itself(node)), default=0)
        if not after or not (_counts(function) or any(isinstance(node, ast.Call) and is_sleep(node) for node in own)):
            return None
        for node in own:
            if not isinstance(node, ast.Try):
                continue
            again = [h for h in node.handlers if any(self._calls_itself(inner) for inner in below(h))]
            if again or (node.handlers and after > (node.end_lineno or 0)):
                handlers = again or node.handlers
                caught = tuple(kind for handler in handlers for kind in _kinds(handler.type))
                return Site(
                    "recursion", "a call of itself", operations_in(node.body, self.target), (), caught,
                    self.functions.scope, function,
                )  # fmt: skip
        return None

    def _handed(self, call: ast.Call) -> Iterator[ast.AST]:
        """What a helper is given to call: the bodies of lambdas; methods and own functions, as calls of them."""
        for argument in [*call.args, *(keyword.value for keyword in call.keywords)]:
            is_method = isinstance(argument, ast.Attribute) and isinstance(argument.value, ast.Attribute)
            if isinstance(argument, ast.Lambda):
                yield argument.body
            elif is_method or self.functions.named(last_name(argument)):
                yield ast.copy_location(ast.Call(argument, [], []), argument)

    def _calls_itself(self, node: ast.AST) -> TypeGuard[ast.Call]:
        if not isinstance(node, ast.Call) or called_name(node) != self.target.function.name:
            return False
        own = ("self", "cls") if self.target.owner is not None else (self.target.function.name,)
        return root_name(node.func) in own and len(dotted(node.func)) <= 2

    def _is_tenacious(self, call: ast.Call) -> bool:
        """Whether a call makes an object of a retrying library that is gone through or called."""
        return called_name(call) in _TENACIOUS_NAMES and bool(_TENACIOUS.match(self._origin(call.func)))

    def _origin(self, node: ast.expr) -> str:
        if not isinstance(node, ast.Name | ast.Attribute):
            return ""
        found = self.names.origin(ast.unparse(node))
        return f"{found.module}.{found.qualname}" if found is not None else ""

    def _loops(self, name: str) -> Loop | None:
        """The loop that tries again in another function of the module, by the function's name."""
        if name not in self._known:
            other = self.functions.named(name)
            loops = _loops(other) if other is not None and other is not self.target.function else ()
            self._known[name] = next((loop for loop, _ in loops if self._tries_again(loop)), None)
        return self._known[name]

    def _tries_again(self, loop: Loop) -> bool:
        over = loop.iter if isinstance(loop, ast.For | ast.AsyncFor) else None
        if isinstance(over, ast.Call) and self._is_tenacious(over):
            return True
        attempts = [node for node in own_below(loop) if _is_attempt(node)]
        if not attempts:
            return False
        pauses = any(isinstance(node, ast.Call) and is_sleep(node) for node in own_below(loop))
        head = loop.test if isinstance(loop, ast.While) else ast.Tuple([loop.target, loop.iter], ast.Load())
        counts = any(_ATTEMPTS.search(last_name(node)) for node in below(head))
        return pauses or counts or any(_leaves_on_success(node) and not _is_of(loop, node) for node in attempts)


def _loops(function: FunctionNode) -> Iterator[tuple[Loop, tuple[FunctionNode, ...]]]:
    """The loops of a function and of those inside it, each with the inner functions around it; outer ones first."""
    pending: list[tuple[ast.AST, tuple[FunctionNode, ...]]] = [(child, ()) for child in reversed(function.body)]
    while pending:
        node, chain = pending.pop()
        if isinstance(node, Loop):
            yield node, chain
        inside = (*chain, node) if isinstance(node, FunctionNode) else chain
        # Expressions hold no statements.
        pending += [(child, inside) for child in ast.iter_child_nodes(node) if isinstance(child, _HOLDERS)][::-1]


def _gives_back(outer: FunctionNode, inner: FunctionNode) -> bool:
    return any(
        isinstance(node, ast.Return) and node.value is not None and last_name(node.value) == inner.name
        for node in own_below(outer)
    )


def _is_attempt(node: ast.AST) -> bool:
    """Whether a failure inside the statement may lead to another round of the loop around it."""
    match node:
        case ast.Try(handlers=[_, *_]):
            return any(not _ends(handler.body) for handler in node.handlers)
        case ast.With(items=[ast.withitem(context_expr=ast.Call() as call)]):
            return called_name(call) == "suppress"
    return False


def _ends(body: Sequence[ast.stmt]) -> bool:
    return isinstance(body[-1], ast.Return | ast.Raise | ast.Break)


def _leaves_on_success(node: ast.AST) -> bool:
    suites = [node.body, getattr(node, "orelse", [])] if isinstance(node, ast.Try | ast.With) else []
    return any(suite and isinstance(suite[-1], ast.Return | ast.Break) for suite in suites)


def _tried(loop: Loop) -> Iterator[ast.stmt]:
    """The statements of a loop whose failure leads to the next round; all of it for `with attempt:`."""
    attempts = [node for node in own_below(loop) if _is_attempt(node)]
    for node in attempts:
        if isinstance(node, ast.Try | ast.With):
            yield from node.body
    if not attempts:
        yield from loop.body


def _caught(loop: Loop) -> Iterator[ast.expr | None]:
    for node in own_below(loop):
        if isinstance(node, ast.Try):
            for handler in node.handlers:
                if not _ends(handler.body):
                    yield from _kinds(handler.type)
        elif _is_attempt(node) and isinstance(node, ast.With):
            call = node.items[0].context_expr
            yield from call.args if isinstance(call, ast.Call) else ()
    if isinstance(loop, ast.For) and isinstance(loop.iter, ast.Call):
        yield from (node for node in below(loop.iter) if names_exception(node))


def _kinds(kind: ast.expr | None) -> Iterator[ast.expr | None]:
    if isinstance(kind, ast.Tuple):
        yield from kind.elts
    else:
        yield kind


def _is_work(call: ast.Call) -> bool:
    name = called_name(call)
    if not name or is_sleep(call) or _LOGGERS.match(root_name(call.func)):
        return False
    if isinstance(call.func, ast.Attribute) and _LOGGERS.match(last_name(call.func.value)):
        return False
    if isinstance(call.func, ast.Name) and hasattr(builtins, name) and name != "open":
        return False
    return not names_exception(call.func)


def _counts(function: FunctionNode) -> bool:
    """Whether a function is told how often to try."""
    return any(_ATTEMPTS.search(parameter.arg) for parameter in parameters(function))


def _is_of(alternatives: Loop, node: ast.AST) -> bool:
    """Whether what is tried is another one in each round: then it is the next best that is looked for."""
    if not isinstance(alternatives, ast.For | ast.AsyncFor):
        return False
    if isinstance(alternatives.iter, ast.Call) and called_name(alternatives.iter) in ("range", "count", "repeat"):
        return False
    targets = derived(alternatives, frozenset(last_name(part) for part in below(alternatives.target)) - {""})
    tried = node.body if isinstance(node, ast.Try | ast.With) else []
    return any(isinstance(part, ast.Name) and part.id in targets for statement in tried for part in below(statement))
