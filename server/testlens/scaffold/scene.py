"""One call of the function under test: what it is called on and with, and what stands in for its collaborators."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from testlens.domain.expressions import Expression
from testlens.domain.trials import FunctionDescription


@dataclass(frozen=True, slots=True)
class Patch:
    """Something that is replaced during the test.

    `owner` is marked source, or a path that starts with `receiver` or a parameter's name; `attribute` is replaced in it
    by `value`. With `is_item` it is `owner[attribute]` (`sys.modules["torch"]`). `fresh`: the owner has no such
    attribute of its own (a builtin that is shadowed in a module).
    """

    owner: str
    attribute: str
    value: Expression
    is_item: bool = False
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Scene:
    """How the function under test is called.

    `arguments` are by parameter name; one that is left out keeps its default. `settings` are assigned after
    everything is built, by attribute path that starts with `receiver` or a parameter's name
    (`receiver._client.timeout`). `inner` has the arguments for the function that the call gives back, for the one
    which that gives back, and so on. `fault` is raised in the body of the `with` that enters a context manager.
    `is_apart`: it is called in a folder of its own, since it writes files where it stands.
    """

    description: FunctionDescription
    receiver: Expression | None = None
    arguments: Mapping[str, Expression] = field(default_factory=dict)
    settings: Mapping[str, Expression] = field(default_factory=dict)
    patches: tuple[Patch, ...] = ()
    inner: tuple[tuple[Expression, ...], ...] = ()
    fault: Expression | None = None
    is_apart: bool = False

    def with_argument(self, name: str, value: Expression) -> Scene:
        """The scene with another argument, whose attributes are no longer set one by one."""
        settings = {path: kept for path, kept in self.settings.items() if path.partition(".")[0] != name}
        return replace(self, arguments={**self.arguments, name: value}, settings=settings)

    def with_receiver(self, value: Expression) -> Scene:
        """The scene with another instance to call the method on."""
        return replace(self, receiver=value)

    def with_setting(self, path: str, value: Expression) -> Scene:
        """The scene with one more attribute set."""
        return replace(self, settings={**self.settings, path: value})

    def with_inner(self, place: int, value: Expression) -> Scene:
        """The scene with another argument, by position, for the innermost function; stand-ins are put together."""
        if not self.inner or place >= len(self.inner[-1]):
            return self
        given = list(self.inner[-1])
        given[place] = _both(given[place], value)
        return replace(self, inner=(*self.inner[:-1], tuple(given)))

    def with_patch(self, patch: Patch) -> Scene:
        """The scene with one more stand-in."""
        others = tuple(p for p in self.patches if (p.owner, p.attribute) != (patch.owner, patch.attribute))
        return replace(self, patches=(*others, patch))

    def simpler(self) -> Iterator[Scene]:
        """The scene with one thing less each: a stand-in, a setting, an argument that has a default."""
        if self.is_apart:
            yield replace(self, is_apart=False)
        for patch in self.patches:
            yield replace(self, patches=tuple(other for other in self.patches if other != patch))
        for path in self.settings:
            yield replace(self, settings={kept: value for kept, value in self.settings.items() if kept != path})
        optional = {parameter.name for parameter in self.description.parameters if parameter.has_default}
        for name in optional & self.arguments.keys():
            yield replace(self, arguments={kept: value for kept, value in self.arguments.items() if kept != name})

    def rewritten(self, rewrite: Callable[[str], str]) -> Scene:
        """The scene with the source of each of its values rewritten."""

        def other(value: Expression) -> Expression:
            return replace(value, code=rewrite(value.code))

        return replace(
            self,
            receiver=None if self.receiver is None else other(self.receiver),
            arguments={name: other(value) for name, value in self.arguments.items()},
            settings={path: other(value) for path, value in self.settings.items()},
            patches=tuple(replace(patch, value=other(patch.value)) for patch in self.patches),
        )

    @property
    def key(self) -> str:
        """Equal for scenes that do the same."""
        parts = (self.receiver, sorted(self.arguments.items(), key=_name), sorted(self.settings.items(), key=_name))
        return repr((*parts, self.patches, self.inner, self.fault, self.is_apart))

    @property
    def expressions(self) -> Iterator[Expression]:
        """Every value in it."""
        if self.receiver is not None:
            yield self.receiver
        yield from self.arguments.values()
        yield from self.settings.values()
        yield from (patch.value for patch in self.patches)
        yield from (value for arguments in self.inner for value in arguments)
        if self.fault is not None:
            yield self.fault

    @property
    def cost(self) -> int:
        """How far the scene is from what a person would write: stand-ins and settings cost most, then length."""
        weights = sum(_COST[expression.origin] + len(expression.code) // 20 for expression in self.expressions)
        return weights + 4 * len(self.patches) + 4 * len(self.settings) + self.is_apart


def _both(one: Expression, other: Expression) -> Expression:
    """A stand-in that behaves as both, where both are stand-ins with a behaviour; else the other one."""
    kind = re.match("\x01unittest\\.mock:\\w+\x02\\((?=\\w+=)", other.code)
    if kind is None or not one.code.startswith(kind[0]) or one.code == f"{kind[0]})":
        return other
    attribute = other.code[kind.end() :].partition("=")[0]
    if re.search(rf"[(,] ?{attribute}=", one.code):
        return other
    return replace(other, code=f"{one.code[:-1]}, {other.code[kind.end() :]}")


_COST = {"seen": 0, "fixture": 0, "default": 1, "literal": 1, "type": 2, "name": 2, "mock": 5}


def _name(item: tuple[str, Expression]) -> str:
    return item[0]
