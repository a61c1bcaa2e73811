"""From what a trial saw to the Then of a test: the result, the exception, the calls to stand-ins, the state."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from testlens.domain.calls import Raised
from testlens.domain.cases import Case, Step
from testlens.domain.expressions import mark
from testlens.domain.trials import CALLS_SEEN, Seen, Trial
from testlens.scaffold.scene import Patch, Scene
from testlens.scaffold.staging import RESULT, Staged, replaced, stage, without_result
from testlens.scaffold.style import Style
from testlens.scaffold.words import outcome_of, test_name

Strictness = Literal["exact", "shape"]
"""How much of what was seen is claimed: the very values, or their types where the values change from run to run."""

_PYTEST = mark("pytest", "raises")
_LONGEST = 600
_FUNCTION = mark("types", "FunctionType")
_BROAD = ("Exception", "BaseException")
_MOST_ATTRIBUTES = 4
_MOST_CALLS = 4
# What differs between two runs of the same code: addresses, temporary folders, random identifiers.
_UNSTABLE = re.compile(
    r"0x[0-9a-f]{6,}|/tmp/|\\Temp\\|pytest-of-|id='\d+'|testlens|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-"
)
# In a message so long a number is most likely a time or what was counted from one.
_CLOCK = re.compile(r"\d{8,}")
# A float, or a flat list or tuple of numbers with a float among them.
_FLOATS = re.compile(r"-?\d+\.\d+(e[-+]?\d+)?|[\[(](?=[^\])]*\d\.\d)(?:[-+\d.e, ]|None|True|False)+[\])]")
_LONGEST_CALL = 160
_CALL = mark("unittest.mock", "call")
# A call of a stand-in or of a method of it, and one of what those gave.
_DIRECT_CALL = re.compile(rf"{_CALL}((?:\.(?!__)[A-Za-z_]\w*)*)\((?!\)[.(])")
_FURTHER_CALL = re.compile(rf"{_CALL}((?:\.(?!__)[A-Za-z_]\w*|\(\)(?=[.(]))*)\((?!\)[.(])")
_STAND_IN = "\x01unittest.mock:"
_ANY_STAND_IN = (mark("unittest.mock", "MagicMock"), mark("unittest.mock", "AsyncMock"))


@dataclass(frozen=True, slots=True)
class Circumstance:
    """The words of a test: what is given, what is done, and what is special about it (`when`, for its name)."""

    given: str
    when: str
    special: str


def conclude(
    scene: Scene,
    trial: Trial,
    words: Circumstance,
    style: Style,
    strictness: Strictness = "exact",
    before: Trial | None = None,
) -> Case:
    """The test that a scene and its trial make: it claims what was seen.

    `before` is a trial of the same scene without the call: what is the same there is no change of state. Where the
    trial had the scene's collaborators in variables (see `watching`), their calls are claimed.
    """
    staged = stage(scene, style)
    if trial.raised is not None:
        return _raising(staged, trial.raised, words)
    watched = _called_ones(scene, style, trial)
    staged = stage(scene, style, watched)
    checks = list(_checks(staged, trial, strictness, before))
    if watched and checks[:1] == [f"assert {RESULT} is None"] and len(checks) > 1:
        checks = checks[1:]  # what it did says all
    then = tuple(check for check in checks if check)
    looks_at_result = any(re.search(rf"\b{RESULT}\b", line) for line in then)
    when = staged.when if looks_at_result else without_result(staged.when)
    seen = trial.local_values.get(RESULT)
    outcome = outcome_of(seen.code if seen is not None else None, None)
    if seen is not None and seen.type == _FUNCTION and seen.code is None:
        outcome = "returns a function"
    called = [patch.attribute for patch in watched] if then and not looks_at_result else []
    if called:
        outcome = f"calls {called[0]}"
    sentence = f"it {outcome}" if called else _sentence(outcome, then)
    return Case(
        name=test_name(words.special, outcome),
        given=Step(words.given, staged.given),
        when=Step(words.when, when),
        then=Step(sentence, then),
        fixtures=staged.fixtures,
        is_async=staged.is_async,
        records_today=bool(then),
        todo=None if then else "say what should be true after this call: nothing that it did could be observed",
    )


def claims(name: str, seen: Seen, strictness: Strictness = "exact") -> tuple[str, ...]:
    """Assertions about a variable that held this value; none where nothing can be said of it."""
    if seen.code is not None and _STAND_IN in seen.code:
        return ()
    return tuple(about(name, seen, strictness))


def trying(scene: Scene, style: Style) -> Case:
    """The scene as a case that claims nothing yet."""
    staged = stage(scene, style)
    return Case(
        name="attempt",
        given=Step("", staged.given),
        when=Step("", staged.when),
        then=Step(""),
        fixtures=staged.fixtures,
        is_async=staged.is_async,
    )


def collaborators(scene: Scene) -> tuple[Patch, ...]:
    """The patches of a scene whose stand-ins tell how they were called."""
    return tuple(patch for patch in scene.patches if patch.value.code.startswith(_ANY_STAND_IN))


def watching(scene: Scene, style: Style) -> Case:
    """The scene as a case that claims nothing yet, with its collaborators in variables."""
    staged = stage(scene, style, collaborators(scene))
    return replace(trying(scene, style), given=Step("", staged.given))


def without_idle(case: Case, scene: Scene, style: Style) -> Case:
    """The case without variables for collaborators of which it claims nothing."""
    claimed = "\n".join(case.then.code)
    names = stage(scene, style, collaborators(scene)).names
    kept = [patch for patch in collaborators(scene) if re.search(rf"\b{names[replaced(patch)]}\b", claimed)]
    return replace(case, given=replace(case.given, code=stage(scene, style, kept).given))


def _called_ones(scene: Scene, style: Style, trial: Trial) -> tuple[Patch, ...]:
    """The collaborators whose stand-ins the trial had in variables, and that were called."""
    names = stage(scene, style, collaborators(scene)).names
    seen = {patch: trial.local_values.get(names[replaced(patch)]) for patch in collaborators(scene)}
    return tuple(patch for patch, value in seen.items() if value and value.type.startswith(_STAND_IN) and value.calls)


def without_call(scene: Scene, style: Style) -> Case:
    """The scene set up and then left alone, to see the state before the call."""
    case = trying(scene, style)
    return replace(case, when=Step(""))


def _raising(staged: Staged, raised: Raised, words: Circumstance) -> Case:
    match = stable_part(raised.message)
    if not match and raised.type in _BROAD:
        match = '"^$"' if not raised.message else '"."'  # linters want more of so broad a class than its name
    matching = f", match={match}" if match else ""
    call = "\n".join(without_result(staged.when))
    body = "\n".join(f"    {line}" for line in call.split("\n"))
    outcome = outcome_of(None, raised.type)
    return Case(
        name=test_name(words.special, outcome),
        given=Step(words.given, staged.given),
        when=Step(words.when, (f"with {_PYTEST}({raised.type}{matching}):\n{body}",)),
        then=Step(f"it {outcome}", ()),
        fixtures=staged.fixtures,
        is_async=staged.is_async,
        records_today=True,
    )


def stable_part(message: str) -> str:
    """A pattern, in source, for the part of a message that stays the same from run to run; empty for none."""
    line = message.split("\n", 1)[0]
    unstable = _UNSTABLE.search(line) or _CLOCK.search(line)
    if unstable is not None:
        line = line[: unstable.start()]
    words = line[:60].rpartition(" ")[0] if len(line) > 60 else line
    words = words.strip()
    if len(words) < 3:
        return ""
    pattern = re.escape(words).replace(r"\ ", " ").replace(r"\-", "-").replace(r"\'", "'").replace(r"\,", ",")
    if "\\" not in pattern:
        return repr(pattern)
    return f'r"{pattern}"' if '"' not in pattern and not pattern.endswith("\\") else repr(pattern)


def _checks(staged: Staged, trial: Trial, strictness: Strictness, before: Trial | None) -> Iterator[str]:
    values = trial.local_values
    result = values.get(RESULT)
    if result is not None:
        yield from about(RESULT, result, strictness)
    earlier: Mapping[str, Seen] = before.local_values if before is not None else {}
    for name in dict.fromkeys(staged.names.values()):
        seen = values.get(name)
        if seen is not None:
            yield from calls_of(name, seen)
            if before is not None and name in earlier:
                yield from _changes_of(name, seen, earlier[name], strictness)


def about(name: str, seen: Seen, strictness: Strictness) -> Iterator[str]:
    """Assertions that claim what was seen of a variable."""
    if seen.code is not None and strictness == "exact" and not is_unstable(seen.code):
        yield from equal(name, seen.code)
        return
    if seen.type.startswith(_STAND_IN):
        return
    if seen.code == "None" or seen.type == "NoneType":
        yield f"assert {name} is None"
    elif seen.type == _FUNCTION:
        yield f"assert callable({name})"
    elif seen.type != "object":  # which everything is
        yield f"assert isinstance({name}, {seen.type})"
    for attribute, code in list(_telling(seen, strictness))[:_MOST_ATTRIBUTES]:
        yield from equal(f"{name}.{attribute}", code)


def _telling(seen: Seen, strictness: Strictness) -> Iterator[tuple[str, str]]:
    if strictness != "exact":
        return
    for attribute, code in seen.attributes.items():
        if not is_unstable(code) and len(code) <= 80 and _STAND_IN not in code:
            yield attribute, code


def equal(subject: str, code: str) -> Iterator[str]:
    """An assertion that an expression has the value that this source makes, floats nearly; none where that is long."""
    if len(code) > _LONGEST:
        return
    if code in ("None", "True", "False"):
        yield f"assert {subject} is {code}"
    elif _FLOATS.fullmatch(code):
        yield f"assert {subject} == {mark('pytest', 'approx')}({code})"
    else:
        yield f"assert {subject} == {code}"


def calls_of(name: str, seen: Seen, other: Seen | None = None) -> Iterator[str]:
    """Assertions that claim the calls that a stand-in got; with `other`, those to methods that differ there."""
    if not seen.type.startswith(_STAND_IN) or not seen.calls:
        return
    if len(seen.calls) <= _MOST_CALLS and all(
        _can_be_claimed(call) and _DIRECT_CALL.match(call) for call in seen.calls
    ):
        yield f"assert {name}.mock_calls == [{', '.join(seen.calls)}]"
        return
    claims = list(_claims_of_methods(name, seen, other))
    if claims:
        yield from claims
        return
    first = re.match(r"(?:\x01[^\x02]*\x02)?(?:call)?\.?([A-Za-z_][\w.]*)?\(", seen.calls[0])
    method = first[1] if first is not None and first[1] else ""
    # Dunder methods of a stand-in are no mocks that could be asked.
    if "__" not in method:
        yield f"{'.'.join(filter(None, [name, method]))}.assert_called()"


def _claims_of_methods(name: str, seen: Seen, other: Seen | None) -> Iterator[str]:
    """What Python does with a stand-in is left out: it says more of Python than of the code."""
    if len(seen.calls) >= CALLS_SEEN:
        return
    pattern = _DIRECT_CALL if other is None else _FURTHER_CALL
    others = {} if other is None else _by_method(other, pattern)
    for method, calls in _by_method(seen, pattern).items():
        if len(calls) <= _MOST_CALLS and all(map(_can_be_claimed, calls)) and others.get(method) != calls:
            way = name + method.replace("()", ".return_value")
            yield _claim_of_calls(way, [call.removeprefix(f"{_CALL}{method}") for call in calls])


def _can_be_claimed(call: str) -> bool:
    # Two stand-ins are never equal.
    return not is_unstable(call) and len(call) <= _LONGEST_CALL and not _holds_stand_in(call)


def _by_method(seen: Seen, pattern: re.Pattern[str]) -> dict[str, list[str]]:
    """Calls of the stand-in itself, of its methods and of what these gave, by the way there with its dots."""
    found: dict[str, list[str]] = {}
    for call in seen.calls:
        match = pattern.match(call)
        if match is not None:
            found.setdefault(match[1], []).append(call)
    return found


def _claim_of_calls(method: str, arguments: list[str]) -> str:
    if len(arguments) == 1:
        return f"{method}.assert_called_once_with{arguments[0]}"
    return f"assert {method}.call_args_list == [{', '.join(f'{_CALL}{each}' for each in arguments)}]"


def _holds_stand_in(call: str) -> bool:
    return any(kind in call for kind in _ANY_STAND_IN)


def _changes_of(name: str, now: Seen, earlier: Seen, strictness: Strictness) -> Iterator[str]:
    if now.code is not None and earlier.code is not None:
        if now.code != earlier.code and not is_unstable(now.code):
            yield from equal(name, now.code)
        return
    if strictness != "exact":
        return
    for attribute, code in now.attributes.items():
        if earlier.attributes.get(attribute) != code and not is_unstable(code) and len(code) <= 120:
            yield from equal(f"{name}.{attribute}", code)


def is_unstable(code: str) -> bool:
    """Whether a value differs between two runs of the same code: an address, a temporary folder."""
    return _UNSTABLE.search(code) is not None


def _sentence(outcome: str, checks: tuple[str, ...]) -> str:
    if any("mock_calls" in check or "assert_called" in check for check in checks):
        return f"it {outcome} and calls its collaborators"
    if checks and not any(re.search(rf"\b{RESULT}\b", check) for check in checks):
        return "its state is the new one"
    return f"it {outcome}".replace("it it", "it")
