"""Turns calls and what came of them into parametrized tests: one for those that come back, one for each exception."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from testlens.domain.cases import Case, Step
from testlens.domain.expressions import Expression, mark, resolve
from testlens.domain.trials import Trial
from testlens.scaffold.assertions import Circumstance, conclude, is_unstable, stable_part
from testlens.scaffold.recipe import Knowledge
from testlens.scaffold.recipes.phrases import called, in_words
from testlens.scaffold.recipes.scenarios import reached
from testlens.scaffold.scene import Scene
from testlens.scaffold.staging import RESULT, stage, without_result
from testlens.scaffold.target import Target
from testlens.scaffold.words import outcome_of, subject_in_words, test_name

_PARAMETRIZE = f"{mark('pytest', 'mark')}.parametrize"
_LONGEST_EXPECTED = 160
_LONGEST_WITHOUT_ID = 30
# Arguments that pytest gives a meaning of its own.
_RESERVED = frozenset({"request", "self", "cls", RESULT})
_NUMBER = re.compile(r"-?\d+(\.\d+)?(e-?\d+)?")


@dataclass(frozen=True, slots=True)
class Row:
    """One call and what came of it. `columns` are the parameters in which the rows differ."""

    scene: Scene
    trial: Trial
    columns: tuple[str, ...]

    @property
    def values(self) -> tuple[str, ...]:
        """The arguments in the columns, in source."""
        return tuple(self.scene.arguments[name].code for name in self.columns)

    @property
    def plain(self) -> tuple[str, ...]:
        """The arguments as they read, however their names are imported."""
        return tuple(_without_marks(code) for code in self.values)

    @property
    def expected(self) -> str | None:
        """The result in source; None where the call raised, or where its result cannot be written."""
        seen = self.trial.local_values.get(RESULT)
        if self.trial.raised is not None or seen is None or seen.code is None:
            return None
        return None if is_unstable(seen.code) or len(seen.code) > _LONGEST_EXPECTED else seen.code

    def is_same(self, trial: Trial) -> bool:
        """Whether another trial of the call came out the same."""
        other = replace(self, trial=trial)
        return self.expected == other.expected and _raised(self.trial) == _raised(trial)


def _raised(trial: Trial) -> tuple[str, str] | None:
    return None if trial.raised is None else (trial.raised.type, stable_part(trial.raised.message))


def table_cases(rows: Sequence[Row], target: Target, knowledge: Knowledge) -> tuple[Case, ...]:
    """The tests for these calls; a call that is alone in its kind gets a plain test if it reaches the gap."""
    rows = _in_order({row.plain: row for row in rows}.values())
    coming_back = _narrowed([row for row in rows if row.expected is not None])
    by_error: dict[str, list[Row]] = {}
    for row in rows:
        if row.trial.raised is not None:
            by_error.setdefault(row.trial.raised.type, []).append(row)
    cases = []
    for several in (coming_back, *map(_narrowed, by_error.values())):
        if len(several) > 1:
            is_error = several[0].trial.raised is not None
            cases.append((_errors if is_error else _results)(several, target, knowledge))
        elif several and reached(target, several[0].trial):
            cases.append(_alone(several[0], target, knowledge))
    return tuple(cases)


def _in_order(rows: Iterable[Row]) -> list[Row]:
    """The rows by their numbers, where numbers are all that differs."""
    rows = list(rows)
    if rows and all(len(row.values) == 1 and _NUMBER.fullmatch(row.values[0]) for row in rows):
        rows.sort(key=lambda row: float(row.values[0]))
    return rows


def _narrowed(rows: list[Row]) -> list[Row]:
    """The rows without the columns that are the same in all of them."""
    if len(rows) < 2:
        return rows
    names = rows[0].columns
    kept = tuple(name for index, name in enumerate(names) if len({row.values[index] for row in rows}) > 1)
    return [replace(row, columns=kept or names[:1]) for row in rows]


def _alone(row: Row, target: Target, knowledge: Knowledge) -> Case:
    values = zip(row.columns, row.values, strict=True)
    special = " and ".join(f"{in_words(name)} is {_said(code)}" for name, code in values)
    words = Circumstance(f"{subject_in_words(target)}, where {special}", called(target), special)
    return conclude(row.scene, row.trial, words, knowledge.style)


def _results(rows: Sequence[Row], target: Target, knowledge: Knowledge) -> Case:
    columns, scene = _open(rows)
    kept = _kept_fields(rows) if scene.description.kind == "class" else ()
    staged = stage(scene, knowledge.style)
    values = [row.values for row in rows]
    if kept:
        checks = tuple(f"assert {RESULT}.{name} == {column}" for name, column in kept)
        outcome = "it is accepted"
    else:
        expected = [row.expected or "None" for row in rows]
        values = [(*one, code) for one, code in zip(values, expected, strict=True)]
        columns = (*columns, "expected")
        all_numbers = all(_NUMBER.fullmatch(code) for code in expected) and any("." in code for code in expected)
        checks = (f"assert {RESULT} == {mark('pytest', 'approx')}(expected)" if all_numbers
                  else f"assert {RESULT} == expected",)  # fmt: skip
        outcome = "each result is the expected one"
    varied = _varied(rows)
    return Case(
        name=test_name(f"{varied} at a boundary", outcome),
        given=Step(f"{subject_in_words(target)}, and values on each side of its conditions", staged.given),
        when=Step(called(target), staged.when),
        then=Step(outcome, checks),
        fixtures=tuple(dict.fromkeys((*staged.fixtures, *columns))),
        decorators=(_decorator(columns, values),),
        is_async=staged.is_async,
        records_today=True,
    )


def _kept_fields(rows: Sequence[Row]) -> tuple[tuple[str, str], ...]:
    """The columns that the new instance holds as they were given."""
    names = rows[0].columns
    for row in rows:
        attributes = row.trial.local_values[RESULT].attributes
        names = tuple(name for name in names if attributes.get(name) == row.scene.arguments[name].code)
    return tuple((name, _column(name)) for name in names)


def _errors(rows: Sequence[Row], target: Target, knowledge: Knowledge) -> Case:
    columns, scene = _open(rows)
    staged = stage(scene, knowledge.style)
    raised = [row.trial.raised for row in rows if row.trial.raised is not None]
    messages = [stable_part(one.message) for one in raised]
    values = [row.values for row in rows]
    matching = ""
    if all(messages) and len(set(messages)) > 1:
        values = [(*one, message) for one, message in zip(values, messages, strict=True)]
        columns, matching = (*columns, "message"), ", match=message"
    elif all(messages):
        matching = f", match={messages[0]}"
    call = "\n".join(f"    {line}" for line in "\n".join(without_result(staged.when)).split("\n"))
    outcome = outcome_of(None, raised[0].type)
    return Case(
        name=test_name(f"{_varied(rows)} out of bounds", outcome),
        given=Step(f"{subject_in_words(target)}, and values that it refuses", staged.given),
        when=Step(called(target), (f"with {mark('pytest', 'raises')}({raised[0].type}{matching}):\n{call}",)),
        then=Step(f"it {outcome}"),
        fixtures=tuple(dict.fromkeys((*staged.fixtures, *columns))),
        decorators=(_decorator(columns, values),),
        is_async=staged.is_async,
        records_today=True,
    )


def _open(rows: Sequence[Row]) -> tuple[tuple[str, ...], Scene]:
    """The columns as the test's arguments, and the call with these in place of values."""
    scene = rows[0].scene
    columns = tuple(_column(name) for name in rows[0].columns)
    for name, column in zip(rows[0].columns, columns, strict=True):
        scene = scene.with_argument(name, Expression(column, (column,), "fixture"))
    return columns, scene


def _column(name: str) -> str:
    return f"{name}_" if name in _RESERVED else name


def _decorator(columns: Sequence[str], rows: Sequence[tuple[str, ...]]) -> str:
    names = (
        f'"{columns[0]}"' if len(columns) == 1 else f"({', '.join(f'{chr(34)}{name}{chr(34)}' for name in columns)})"
    )
    cells = [row[0] if len(row) == 1 else f"({', '.join(row)})" for row in rows]
    ids = _ids(columns, rows)
    return f"{_PARAMETRIZE}({names}, [{', '.join(cells)}]{ids})"


def _ids(columns: Sequence[str], rows: Sequence[tuple[str, ...]]) -> str:
    """Names for the rows, where pytest would make unreadable ones of long values."""
    shown = [name for name in columns if name not in ("expected", "message")]
    if all(len(code) <= _LONGEST_WITHOUT_ID for row in rows for code in row[: len(shown)]):
        return ""
    names = [" ".join(f"{name}={_short(code)}" for name, code in zip(shown, row, strict=False)) for row in rows]
    if len(set(names)) < len(names):
        names = [f"{number} {name}" for number, name in enumerate(names, 1)]
    return f", ids=[{', '.join(repr(name) for name in names)}]"


def _without_marks(code: str) -> str:
    return resolve(code, lambda reference: reference.qualname)


def _short(code: str) -> str:
    plain = _without_marks(code)
    return plain if len(plain) <= _LONGEST_WITHOUT_ID else f"{plain[: _LONGEST_WITHOUT_ID - 1]}~"


def _varied(rows: Sequence[Row]) -> str:
    names = [in_words(name) for name in rows[0].columns]
    if len(names) > 2:
        return "arguments are"
    return f"{' and '.join(names)} {'are' if len(names) > 1 else 'is'}"


def _said(code: str) -> str:
    if len(code) > _LONGEST_WITHOUT_ID:
        return "long"
    return {'""': "empty", "[]": "empty", "{}": "empty", "()": "empty"}.get(code, code.strip("'\""))
