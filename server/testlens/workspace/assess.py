"""Examined files to file reports: adds what git and the settings know, the risk of each gap."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from testlens.domain.coverage import Numbers
from testlens.domain.gaps import Region
from testlens.domain.history import Change, FileHistory, change_of
from testlens.domain.risk import crap
from testlens.domain.snapshot import FileReport, FunctionReport, Gap
from testlens.workspace.examined import Examined, Finding
from testlens.workspace.settings import Settings

_Circumstances = tuple[int, float, Change | None]
"""What all gaps of a function share: its complexity, how much of it is unproven, and how it changed."""


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
        self._weigh = settings.weigh
        self._history = history
        self._numbers = examined.numbers
        self._statements = examined.packed.statements
        self._owners = {entry.function.line: entry for entry in examined.functions}
        self._critical = frozenset({"critical"}) if settings.is_critical(path) else frozenset[str]()
        self._scopes: dict[int, _Circumstances] = {}

    def gap(self, finding: Finding) -> Gap:
        region = finding.region
        consequences = finding.consequences | self._critical if self._critical else finding.consequences
        return Gap(self._path, region, self._weigh(region.kind, consequences, *self._circumstances(region)))

    def _circumstances(self, region: Region) -> _Circumstances:
        scope = region.scope_line
        found = self._scopes.get(scope)
        if found is None:
            owner = self._owners.get(scope)
            if owner is None:
                # Code outside of functions is judged by its own lines.
                return 1, _unproven(self._numbers), self._change(region.first, region.last)
            function = owner.function
            change = self._change(function.first, function.last)
            found = self._scopes[scope] = function.complexity, _unproven(owner.numbers), change
        return found

    def _change(self, first: int, last: int) -> Change | None:
        if self._history is None:
            return None
        lines = self._statements[bisect_left(self._statements, first) : bisect_right(self._statements, last)]
        return change_of(self._history, first, last, lines)


def _unproven(numbers: Numbers) -> float:
    return 1 - numbers.percent / 100


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
