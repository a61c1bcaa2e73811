"""The one fixture that failures come from: it builds stand-ins that fail a number of times and then work."""

from __future__ import annotations

from testlens.domain.cases import Helper
from testlens.domain.expressions import mark
from testlens.scaffold.style import Style

FAILS = "fails"
_DOCSTRING = (
    '"""Builds stand-ins that fail first: `fails(times=2, error=error, then="ok")` raises twice, then returns."""'
)


def fails_helper(style: Style) -> tuple[Helper, ...]:
    """The fixture's definition; nothing where the project has a fixture of that name, which then is that one."""
    if FAILS in style.fixtures:
        return ()
    repeat, chain, mock = mark("itertools", "repeat"), mark("itertools", "chain"), mark("unittest.mock", "Mock")
    code = f"""\
@{mark("pytest", "fixture")}
def {FAILS}(){_returns(style)}:
    {_DOCSTRING}

    def build({_parameters(style)}){_builds(style)}:
        errors = {repeat}(error) if times is None else {repeat}(error, times)
        stand_in = {mock}(side_effect={chain}(errors, {repeat}(then)))
        stand_in.__name__ = stand_in.__qualname__ = "stand_in"
        return stand_in

    return build"""
    return (Helper(FAILS, code),)


def failing(error: str, times: int | None = None, then: str | None = None) -> str:
    """A call of the fixture, in source; without `times` every call fails."""
    count = "" if times is None else f"times={times}, "
    answer = "" if then is None else f", then={then}"
    return f"{FAILS}({count}error={error}{answer})"


def _returns(style: Style) -> str:
    return f" -> {mark('collections.abc', 'Callable')}[..., {mark('unittest.mock', 'Mock')}]" if style.annotated else ""


def _builds(style: Style) -> str:
    return f" -> {mark('unittest.mock', 'Mock')}" if style.annotated else ""


def _parameters(style: Style) -> str:
    if not style.annotated:
        return "*, error, times=None, then=None"
    count = "int | None" if style.python >= (3, 10) else f"{mark('typing', 'Optional')}[int]"
    return f"*, error: BaseException, times: {count} = None, then: object = None"
