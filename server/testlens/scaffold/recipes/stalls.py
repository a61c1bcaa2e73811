"""The one fixture that silence comes from: it builds asynchronous stand-ins that never answer."""

from __future__ import annotations

from testlens.domain.cases import Helper
from testlens.domain.expressions import mark
from testlens.scaffold.style import Style

STALLS = "stalls"
_DOCSTRING = '"""Builds what never answers, and an event that is set once it was called: `answer, asked = stalls()`."""'


def stalls_helper(style: Style) -> tuple[Helper, ...]:
    """The fixture's definition; nothing where the project has a fixture of that name, which then is that one."""
    if STALLS in style.fixtures:
        return ()
    event, function = mark("asyncio", "Event"), mark("collections.abc", "Callable")
    gives = f"tuple[{function}[..., {mark('typing', 'Any')}], {event}]"
    returns = f" -> {function}[[], {gives}]" if style.annotated else ""
    builds = f" -> {gives}" if style.annotated else ""
    parameters = "*args: object, **kwargs: object" if style.annotated else "*args, **kwargs"
    answers = " -> None" if style.annotated else ""
    code = f"""\
@{mark("pytest", "fixture")}
def {STALLS}(){returns}:
    {_DOCSTRING}

    def build(){builds}:
        asked = {event}()

        async def answer({parameters}){answers}:
            asked.set()
            await {event}().wait()

        return answer, asked

    return build"""
    return (Helper(STALLS, code),)
