"""Examined files to file reports: adds what git and the settings know, the risk of each gap."""

from __future__ import annotations

from collections.abc import Callable

from testlens.domain.history import Change
from testlens.domain.packing import pack
from testlens.domain.risk import Evidence, crap
from testlens.domain.snapshot import FileReport, FunctionReport, Gap
from testlens.workspace.examine import Examined, ExaminedFunction, Finding
from testlens.workspace.settings import Settings

ChangeOf = Callable[[str, int, int], Change | None]
"""Path, first and last line of a function (1-based) -> how it changed, None where that is unknown."""


def no_history(path: str, first: int, last: int) -> Change | None:
    """The answer where there is no git history."""
    return None


def report(path: str, examined: Examined, settings: Settings, change_of: ChangeOf, anchored: bool) -> FileReport:
    """The report of one file, gaps by line; its lines are those of the text that was examined.

    `anchored` says whether that is the text that was measured.
    """
    by_line = {entry.function.line: entry for entry in examined.functions}
    critical = settings.is_critical(path)
    gaps = tuple(
        _gap(path, examined, finding, by_line.get(finding.region.scope_line), critical, settings, change_of)
        for finding in examined.findings
    )
    coverage = examined.coverage
    functions = _functions(examined, gaps)
    return FileReport(path, examined.text_digest, coverage.numbers, pack(coverage), functions, gaps, anchored)


def _gap(
    path: str,
    examined: Examined,
    finding: Finding,
    owner: ExaminedFunction | None,
    critical: bool,
    settings: Settings,
    change_of: ChangeOf,
) -> Gap:
    region = finding.region
    numbers = owner.numbers if owner else examined.coverage.numbers
    # Code outside of functions is judged by its own lines.
    first, last = (owner.function.first, owner.function.last) if owner else (region.first, region.last)
    evidence = Evidence(
        kind=region.kind,
        complexity=owner.function.complexity if owner else 1,
        unproven=1 - numbers.percent / 100,
        consequences=finding.consequences | ({"critical"} if critical else set()),
        change=change_of(path, first, last),
    )
    return Gap(path, region, settings.assess(evidence))


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
