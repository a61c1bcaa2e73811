"""Which survivors are worth a look, and how far mutants prove each function.

Calm by default, after what Google found of mutants in code review (arXiv 2102.11378): covered lines only, one survivor
a line, and none in arid code, where a change that no test notices teaches nobody anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from testlens.domain.changed_text import change_in_words
from testlens.domain.mutants import FileMutants, Mutant, MutantStatus, mutation_score
from testlens.domain.outline import Function

Show = Literal["calm", "all"]
"""Which survivors are gaps: those that are worth a look, or every one."""

NOT_COVERED = "no test runs the line"
SAME_LINE = "another survivor of the same line is shown"


@dataclass(frozen=True, slots=True)
class Survivor:
    """A mutant that no test noticed, with its change as a unified diff."""

    mutant: Mutant
    diff: str

    @property
    def change(self) -> str:
        """What was changed, in a few words."""
        return change_in_words(self.mutant.original, self.mutant.replacement)

    @property
    def title(self) -> str:
        """What was changed, and that nobody noticed."""
        change = self.change
        match len(self.mutant.tests):
            case 0:
                return f"{change}: no test failed"
            case 1:
                return f"{change}: 1 test ran it and did not fail"
            case count:
                return f"{change}: {count} tests ran it, none failed"


@dataclass(frozen=True, slots=True)
class Judged:
    """A survivor and what reading the code says of it.

    `arid` names the kind of code that is not worth proving ("logging"), None for all other code. `looks_equivalent`:
    the change most likely changes nothing that a test could notice.
    """

    mutant: Mutant
    arid: str | None = None
    looks_equivalent: bool = False
    is_covered: bool = True


@dataclass(frozen=True, slots=True)
class Chosen:
    """The survivors to show, by place, and how many are not shown, by the reason why."""

    shown: tuple[Judged, ...]
    hidden: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class FunctionProof:
    """What mutants say of one function; `line` to `last` is its `def` with its body, in the text that was mutated.

    `score` is None where no mutant of it was checked; `untested` counts those that no test runs, `unchecked` those that
    a run had no time for. `not_mutated` says why there is no mutant of it, None where there are some: then nothing is
    known of what its tests prove.
    """

    name: str
    line: int
    last: int
    score: float | None
    checked: int
    survived: int
    untested: int
    unchecked: int = 0
    not_mutated: str | None = None

    @property
    def unproven(self) -> float:
        """The share (0 to 1) of its checked mutants that no test noticed."""
        return 0.0 if self.score is None else 1 - self.score / 100


def choose(judged: Iterable[Judged], show: Show) -> Chosen:
    """Pick the survivors to show."""
    ordered = sorted(judged, key=_place)
    if show == "all":
        return Chosen(tuple(ordered), {})
    hidden: Counter[str] = Counter()
    by_line: dict[int, list[Judged]] = {}
    for one in ordered:
        reason = one.arid or (None if one.is_covered else NOT_COVERED)
        if reason is not None:
            hidden[reason] += 1
            continue
        by_line.setdefault(one.mutant.span.first_line, []).append(one)
    hidden[SAME_LINE] = sum(len(on_line) - 1 for on_line in by_line.values())
    shown = tuple(min(on_line, key=lambda one: one.looks_equivalent) for on_line in by_line.values())
    return Chosen(shown, {reason: count for reason, count in hidden.items() if count})


def proofs(file: FileMutants, functions: Iterable[Function]) -> Iterator[FunctionProof]:
    """How far each of `functions`, whose names differ, is proved: those that mutants of `file` say anything of."""
    statuses: dict[str, list[MutantStatus]] = {}
    for mutant in file.mutants:
        statuses.setdefault(mutant.function, []).append(mutant.status)
    for function in functions:
        name, place = function.name, (function.line, function.last)
        found = statuses.get(name)
        if found is not None:
            checked = sum(status not in ("skipped", "not checked") for status in found)
            counts = checked, found.count("survived"), found.count("no tests"), found.count("not checked")
            yield FunctionProof(name, *place, mutation_score(found), *counts)
        elif name in file.not_mutated:
            yield FunctionProof(name, *place, None, 0, 0, 0, 0, file.not_mutated[name])


def _place(one: Judged) -> tuple[int, int, int, int]:
    span = one.mutant.span
    return span.first_line, span.first_column, span.last_line, span.last_column
