"""Examined files to file reports: adds what git and the settings know, the risk of each gap."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from testlens.domain.history import Change, FileHistory, change_of
from testlens.domain.risk import Evidence, Risk, crap
from testlens.domain.snapshot import FileReport, FunctionReport, Gap
from testlens.workspace.examined import Examined, ExaminedFunction, Finding
from testlens.workspace.settings import Settings


def report(
    path: str, examined: Examined, settings: Settings, history: FileHistory | None, anchored: bool
) -> FileReport:
    """The report of one file, gaps by line; its lines are those of the text that was examined.

    Without `history` the factors of change are left out. `anchored` says whether that is the text that was measured.
    """
    assessor = _Assessor(path, examined, settings, history)
    gaps = tuple(assessor.gap(finding) for finding in examined.findings)
    functions = _functions(examined, gaps)
    return FileReport(path, examined.text_digest, examined.numbers, examined.packed, functions, gaps, anchored)


class _Assessor:
    """Weighs the gaps of one file; what gaps of one function share is found once."""

    def __init__(self, path: str, examined: Examined, settings: Settings, history: FileHistory | None) -> None:
        self._path = path
        self._settings = settings
        self._history = history
        self._numbers = examined.numbers
        self._statements = examined.packed.statements
        self._owners = {entry.function.line: entry for entry in examined.functions}
        self._critical = frozenset({"critical"}) if settings.is_critical(path) else frozenset[str]()
        self._changes: dict[tuple[int, int], Change | None] = {}
        self._risks: dict[tuple[str, int, frozenset[str]], Risk] = {}

    def gap(self, finding: Finding) -> Gap:
        region = finding.region
        owner = self._owners.get(region.scope_line)
        if owner is None:
            return Gap(self._path, region, self._risk(finding, owner))
        # Gaps of one function that do the same things share one risk.
        key = region.kind, region.scope_line, finding.consequences
        risk = self._risks.get(key)
        if risk is None:
            risk = self._risks[key] = self._risk(finding, owner)
        return Gap(self._path, region, risk)

    def _risk(self, finding: Finding, owner: ExaminedFunction | None) -> Risk:
        region = finding.region
        numbers = owner.numbers if owner else self._numbers
        # Code outside of functions is judged by its own lines.
        first, last = (owner.function.first, owner.function.last) if owner else (region.first, region.last)
        evidence = Evidence(
            kind=region.kind,
            complexity=owner.function.complexity if owner else 1,
            unproven=1 - numbers.percent / 100,
            consequences=finding.consequences | self._critical,
            change=self._change(first, last),
        )
        return self._settings.assess(evidence)

    def _change(self, first: int, last: int) -> Change | None:
        if self._history is None:
            return None
        if (first, last) not in self._changes:
            lines = self._statements[bisect_left(self._statements, first) : bisect_right(self._statements, last)]
            self._changes[first, last] = change_of(self._history, first, last, lines)
        return self._changes[first, last]


def _functions(examined: Examined, gaps: tuple[Gap, ...]) -> tuple[FunctionReport, ...]:
    highest: dict[int, float] = {}
    for gap in gaps:
        line = gap.region.scope_line
        highest[line] = max(highest.get(line, 0.0), gap.risk.score)
    return tuple(
        FunctionReport(
            entry.function,
            entry.numbers,
            crap(entry.function.complexity, entry.numbers.percent),
            highest.get(entry.function.line, 0.0),
        )
        for entry in examined.functions
    )
