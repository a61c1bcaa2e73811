"""Mutants to gaps: reads the text that was mutated, picks the survivors that are worth a look, weighs each."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from testlens.analysis.arid import AridPart, arid_kind, arid_parts
from testlens.analysis.equivalents import looks_equivalent
from testlens.analysis.syntax import outline
from testlens.domain.changed_text import diff_of
from testlens.domain.gaps import Region
from testlens.domain.history import Change, FileHistory, change_of
from testlens.domain.mutants import Mutant
from testlens.domain.outline import MODULE, Function, Marker
from testlens.domain.snapshot import FileReport, FileSurvivors, Gap
from testlens.domain.survivors import FunctionProof, Judged, Survivor, choose, proofs
from testlens.workspace.known_mutants import MutatedFile
from testlens.workspace.settings import Settings

_NOT_A_FUNCTION = Function(MODULE, 1, 0, 1, 1)


def assess_survivors(
    file: MutatedFile, missing: frozenset[int], settings: Settings, history: FileHistory | None
) -> FileSurvivors:
    """The survivors of one file as gaps. `missing` are the lines of the mutated text that no test runs."""
    assessor = _Assessor(file, settings, history)
    judged = [assessor.judge(mutant, missing) for mutant in file.mutants.mutants if mutant.status == "survived"]
    chosen = choose(judged, settings.config.mutants_show)
    gaps = tuple(assessor.gap(one) for one in chosen.shown)
    return FileSurvivors(file.mutants.path, file.mutants.text_digest, gaps, chosen.hidden, assessor.proofs)


class AssessedSurvivors:
    """Remembers what was made of each file's survivors for as long as nothing that it was made of changes."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[_Grounds, FileSurvivors]] = {}

    def of(
        self, file: MutatedFile, missing: frozenset[int], settings: Settings, history: FileHistory | None
    ) -> FileSurvivors:
        """As `assess_survivors`."""
        path, grounds = file.mutants.path, _Grounds(file, missing, settings, history)
        known = self._known.get(path)
        if known is None or known[0] != grounds:
            known = self._known[path] = grounds, assess_survivors(file, missing, settings, history)
        return known[1]


@dataclass(frozen=True, slots=True)
class _Grounds:
    file: MutatedFile
    missing: frozenset[int]
    settings: Settings
    history: FileHistory | None


def with_survivors(report: FileReport, gaps: Iterable[Gap]) -> FileReport:
    """The report with the risk of each function as high as that of its riskiest survivor."""
    highest: dict[str, float] = {}
    for gap in gaps:
        highest[gap.region.function] = max(highest.get(gap.region.function, 0.0), gap.risk.score)
    functions = tuple(
        replace(function, risk=max(function.risk, highest.get(function.function.name, 0.0)))
        for function in report.functions
    )
    return report if functions == report.functions else replace(report, functions=functions)


@dataclass(frozen=True, slots=True)
class _Shape:
    """What reading a text tells."""

    functions: tuple[Function, ...] = ()
    markers: tuple[Marker, ...] = ()
    arid: tuple[AridPart, ...] = ()


class _Assessor:
    def __init__(self, file: MutatedFile, settings: Settings, history: FileHistory | None) -> None:
        self._file = file
        self._settings = settings
        self._history = history
        self._shape = _read(file.text)
        self._functions = _by_name(file, self._shape.functions)
        self.proofs: tuple[FunctionProof, ...] = tuple(proofs(file.mutants, self._functions.values()))
        self._unproven = {proof.name: proof.unproven for proof in self.proofs}

    def judge(self, mutant: Mutant, missing: frozenset[int]) -> Judged:
        """What reading the code says of a survivor."""
        return Judged(
            mutant,
            arid_kind(self._shape.arid, mutant.span),
            looks_equivalent(mutant.original, mutant.replacement),
            mutant.span.first_line not in missing,
        )

    def gap(self, judged: Judged) -> Gap:
        """A survivor as a gap, with its risk."""
        mutant, span = judged.mutant, judged.mutant.span
        function = self._functions.get(mutant.function, _NOT_A_FUNCTION)
        region = Region("survivor", mutant.function, function.line, span.first_line, span.last_line, (), (), "")
        risk = self._settings.weigh(
            "survivor",
            self._consequences(region),
            function.complexity,
            self._unproven.get(mutant.function, 1.0),
            self._change(function),
            judged.looks_equivalent,
        )
        survivor = Survivor(mutant, diff_of(mutant.file, self._file.text, span, mutant.replacement))
        return Gap(mutant.file, region, risk, survivor)

    def _consequences(self, region: Region) -> frozenset[str]:
        found = {m.kind for m in self._shape.markers if m.first <= region.last and region.first <= m.last}
        is_critical = self._settings.is_critical(self._file.mutants.path)
        return frozenset({*found, "critical"} if is_critical else found)

    def _change(self, function: Function) -> Change | None:
        if self._history is None:
            return None
        return change_of(self._history, function.first, function.last, range(function.first, function.last + 1))


@lru_cache(maxsize=512)
def _read(text: str) -> _Shape:
    try:
        tree = ast.parse(text)
        shape = outline(tree)
    except (SyntaxError, ValueError, RecursionError):
        return _Shape()
    return _Shape(shape.functions, shape.markers, arid_parts(tree, text))


def _by_name(file: MutatedFile, functions: Iterable[Function]) -> Mapping[str, Function]:
    """The functions by dotted name; of several with one name it is the one that has mutants."""
    mutated: dict[str, set[int]] = {}
    for mutant in file.mutants.mutants:
        mutated.setdefault(mutant.function, set()).add(mutant.span.first_line)
    found: dict[str, Function] = {}
    for function in functions:
        lines = mutated.get(function.name, set())
        if function.name not in found or any(function.first <= line <= function.last for line in lines):
            found[function.name] = function
    return found
