"""Finds out by trial how code tries again: how often, after which errors, and how long it waits in between."""

from __future__ import annotations

import ast
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from textwrap import indent

from testlens.domain.cases import Case, Step
from testlens.domain.expressions import Expression, mark
from testlens.domain.trials import Seen, Trial
from testlens.scaffold.recipe import Attempt
from testlens.scaffold.recipes.fails import FAILS, failing, fails_helper
from testlens.scaffold.recipes.retry_errors import Fault
from testlens.scaffold.recipes.retry_waits import LONGEST, SHORTEST, Lot, Wait
from testlens.scaffold.recipes.retry_ways import Way
from testlens.scaffold.staging import RESULT, stage
from testlens.scaffold.style import Style

_MOCK = mark("unittest.mock", "Mock")
_TOGETHER = 4
# Code that tries again this often has no limit that a test should look for.
ENDLESS = 40
DECORATED = "decorated"
Trials = Generator[Attempt, tuple[Trial, ...] | None, "Behaviour | None"]


class NothingMayRunError(Exception):
    """Not even the first attempt was tried."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What came of a stand-in that always fails.

    `attempts` is how often it was called, None where there was no end to it; `slept` what the code waited, in its own
    units, None where no pause was seen. `wait` is how it waits, `lots` the names of the lots that it draws, `draws`
    the arguments of the draws of `uniform`. `raised` is the class of what left the call; `is_same`: it was the
    stand-in's own error.
    """

    way: Way
    attempts: int | None
    slept: tuple[float, ...] | None
    wait: Wait | None
    lots: frozenset[str]
    draws: tuple[tuple[float, ...], ...]
    raised: str | None
    is_same: bool
    result: Seen | None


def observe(ways: Sequence[Way], waits: Sequence[Wait], style: Style) -> Trials:
    """The first way in which the code tries again; None where no way makes it."""
    for start in range(0, len(ways), _TOGETHER):
        chosen = ways[start : start + _TOGETHER]
        for lots in (LONGEST, SHORTEST):
            trials = yield Attempt(tuple(probe(way, waits, style, lots) for way in chosen), fails_helper(style))
            if trials is None and start == 0 and lots is LONGEST:
                raise NothingMayRunError
            if trials is None:
                return None
            found = [_behaviour(way, waits, trial) for way, trial in zip(chosen, trials, strict=True)]
            retried = [behaviour for behaviour in found if behaviour is not None]
            if retried:
                # A way in which pauses are seen tells more than one in which they were waited for.
                return min(retried, key=lambda behaviour: behaviour.slept is None)
            # Pauses that no recorder takes are as short as their jitter.
            chosen = [way for way, trial in zip(chosen, trials, strict=True) if trial.outcome == "timeout"]
            if not chosen:
                break
    return None


def probe(way: Way, waits: Sequence[Wait], style: Style, lots: Sequence[Lot], answer: Expression | None = None) -> Case:
    """A case that claims nothing and leaves in its variables what there is to know; with an answer nothing fails."""
    scene = way.scene
    before = list(way.fault.given("error"))
    after = [f"attempts = {way.variable}.call_count", "is_same = raised is error"]
    if answer is None:
        before.append(f"{way.variable} = {failing('error', ENDLESS)}")
    else:
        before += [f"answer = {answer.code}", f"{way.variable} = {failing('error', 0, 'answer')}"]
        after.append(f"is_answer = {RESULT} is answer")
    for number, wait in enumerate(waits):
        before.append(f"slept_{number} = []")
        scene = wait.recorded(scene, f"slept_{number}.append")
        # Libraries wait for numbers of classes of their own.
        after.append(f"slept_{number} = [pause if type(pause) is int else float(pause) for pause in slept_{number}]")
    for lot in lots:
        before.append(f"lot_{lot.name} = {_MOCK}(side_effect={lot.code})")
        scene = lot.placed(scene, f"lot_{lot.name}")
        after.append(f"drawn_{lot.name} = [draw.args for draw in lot_{lot.name}.call_args_list]")
    staged = stage(scene, style)
    body = indent("\n".join(line for lines in acted(way, staged.when) for line in lines), "    ")
    return Case(
        "probe",
        Step("", (*before, *staged.given, f"{RESULT} = raised = None")),
        Step("", (f"try:\n{body}\nexcept Exception as problem:\n    raised = problem",)),
        Step("", tuple(after)),
        (*staged.fixtures, FAILS),
        is_async=way.is_async,
    )


def acted(way: Way, when: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The statements that make what is called, for a decorator, and those of the call itself."""
    if not way.scene.inner:
        return (), tuple(when)
    made, called = when
    awaited = "await " if way.is_async else ""
    return (made.replace("inner = ", f"{DECORATED} = "),), (called.replace("inner(", f"{awaited}{DECORATED}("),)


def refused(way: Way, faults: Sequence[Fault]) -> list[Way]:
    """The same way with other errors."""
    return [other for other in (way.with_fault(fault) for fault in faults) if other.fault != way.fault]


def number(seen: Seen | None) -> int | None:
    """The number that a variable of a trial held."""
    value = literal(seen)
    return value if type(value) is int else None


def literal(seen: Seen | None) -> object:
    """The plain value that a variable of a trial held; None where it is none."""
    if seen is None or seen.code is None:
        return None
    try:
        return ast.literal_eval(seen.code)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def raised_type(trial: Trial) -> str | None:
    """The class, in marked source, of what left the call that a probe made."""
    seen = trial.local_values.get("raised")
    return None if seen is None or seen.code == "None" else seen.type


def _behaviour(way: Way, waits: Sequence[Wait], trial: Trial) -> Behaviour | None:
    values = trial.local_values
    attempts = number(values.get("attempts"))
    if trial.outcome != "passed" or attempts is None or attempts < 2:
        return None
    slept, wait = _slept(values, waits)
    drawn = {lot.name: literal(values.get(f"drawn_{lot.name}")) for lot in LONGEST}
    draws = drawn["uniform"]
    return Behaviour(
        way,
        attempts if attempts <= ENDLESS else None,
        slept,
        wait,
        frozenset(name for name, calls in drawn.items() if calls),
        tuple(draws) if isinstance(draws, list) else (),
        raised_type(trial),
        literal(values.get("is_same")) is True,
        values.get(RESULT),
    )


def _slept(values: Mapping[str, Seen], waits: Sequence[Wait]) -> tuple[tuple[float, ...] | None, Wait | None]:
    for index, wait in enumerate(waits):
        slept = literal(values.get(f"slept_{index}"))
        if isinstance(slept, list) and slept and all(isinstance(value, int | float) for value in slept):
            return tuple(slept), wait
    return None, None
