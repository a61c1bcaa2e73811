"""Mutants: small changes to the code, and whether a test noticed them. Words and names are mutmut's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

MutantStatus = Literal["killed", "survived", "timeout", "no tests", "suspicious", "skipped", "not checked"]


@dataclass(frozen=True, slots=True)
class Span:
    """A range of a source text: lines 1-based, columns 0-based in characters, the end exclusive."""

    first_line: int
    first_column: int
    last_line: int
    last_column: int


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change to one expression or statement: the text in `span`, which is `original`, becomes `replacement`.

    `name` is mutmut's (`pkg.mod.xǁClassǁmethod__mutmut_3`), and its number changes with edits. `function` is the
    dotted name of the function (`Class.method`), `function_digest` a digest of its source. `tests` are the node ids of
    the tests that ran it; `killed_by` is the one that failed, None where that is not known. `seconds` is how long
    finding out took.
    """

    name: str
    file: str
    function: str
    function_digest: str
    span: Span
    original: str
    replacement: str
    status: MutantStatus
    tests: tuple[str, ...] = ()
    killed_by: str | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class FileMutants:
    """The mutants of one file; `text_digest` identifies the source text that their spans refer to.

    `not_mutated` has the functions (dotted names) that no mutant was made for, with the reason ("it is decorated"):
    nothing is known of what their tests prove.
    """

    path: str
    text_digest: str
    mutants: tuple[Mutant, ...]
    not_mutated: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class MutationResults:
    """All that is known of the mutants of one workspace folder, by path; `source` says in words where it comes from."""

    files: Mapping[str, FileMutants] = field(default_factory=lambda: MappingProxyType({}))
    source: str | None = None

    @property
    def score(self) -> float | None:
        """The mutation score of the whole workspace, None where no mutant was checked."""
        return mutation_score(mutant.status for file in self.files.values() for mutant in file.mutants)

    @property
    def counted(self) -> Mapping[str, int]:
        """Of how many mutants the score speaks, by path; files without any are left out."""
        counts = {path: len(counted_statuses(one.status for one in file.mutants)) for path, file in self.files.items()}
        return {path: count for path, count in counts.items() if count}


NO_MUTANTS = MutationResults()
"""Where nothing is known of any mutant."""


def merged(older: FileMutants, newer: FileMutants) -> FileMutants:
    """What is known of a file once `newer` has come: its functions stand in the place of those of `older`.

    Where the two speak of different texts, nothing of `older` is left: its spans would mean other code.
    """
    if older.text_digest != newer.text_digest:
        return newer
    known = {mutant.function for mutant in newer.mutants} | newer.not_mutated.keys()
    kept = tuple(mutant for mutant in older.mutants if mutant.function not in known)
    mutants = sorted((*kept, *newer.mutants), key=lambda mutant: (mutant.span.first_line, mutant.span.first_column))
    silent = {name: reason for name, reason in older.not_mutated.items() if name not in known}
    return FileMutants(newer.path, newer.text_digest, tuple(mutants), MappingProxyType({**silent, **newer.not_mutated}))


def counted_statuses(statuses: Iterable[MutantStatus]) -> list[MutantStatus]:
    """Those that a score counts."""
    return [status for status in statuses if status not in ("skipped", "not checked")]


def is_noticed(status: MutantStatus) -> bool:
    """Whether a score counts this mutant for the tests."""
    return status in ("killed", "timeout")


def mutation_score(statuses: Iterable[MutantStatus]) -> float | None:
    """Percent of the checked mutants that the tests noticed: mutmut's (killed + timeout) / (all - skipped).

    Mutants that were not checked count nowhere; None where none is left.
    """
    counted = counted_statuses(statuses)
    if not counted:
        return None
    return 100.0 * sum(map(is_noticed, counted)) / len(counted)
