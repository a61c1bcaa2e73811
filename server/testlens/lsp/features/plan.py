"""The plan of a folder as a tree: files, functions, gaps, riskiest first at every level."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from testlens.lsp.convert import from_line, uri_of
from testlens.lsp.protocol import PLAN, FolderParams, PlannedFile, PlannedFunction, PlannedGap, PlanResult
from testlens.lsp.server import TestlensServer

if TYPE_CHECKING:
    from testlens.domain import plan as domain
    from testlens.domain.snapshot import FileReport, Snapshot

T = TypeVar("T")
Planned = list["domain.PlannedGap"]


def register(server: TestlensServer) -> None:
    """Add the feature to the server."""
    server.feature(PLAN)(_plan)


async def _plan(ls: TestlensServer, params: FolderParams) -> dict[str, Any]:
    folder = ls.folders.named(params.folder)
    if folder is None or folder.snapshot is None or folder.plan is None:
        return attrs.asdict(PlanResult(None, folder.target if folder else 0.0, "", []))
    return await ls.quick.do(_tree, folder.root, folder.snapshot, folder.plan)


def _tree(root: Path, snapshot: Snapshot, plan: domain.Plan) -> dict[str, Any]:
    if snapshot.percent is None:
        return attrs.asdict(PlanResult(None, plan.target, "There is no coverage data yet: run the tests.", []))
    by_file = _grouped(plan.gaps, lambda planned: planned.gap.file)
    files = [_file(root, snapshot.files[path], gaps) for path, gaps in by_file.items()]
    # Converted here, on a thread: the event loop only has to encode it.
    return attrs.asdict(PlanResult(snapshot.percent, plan.target, plan.summary, files))


def _file(root: Path, report: FileReport, gaps: Planned) -> PlannedFile:
    uri = uri_of(root / report.path)
    percents = {function.function.line: function.numbers.percent for function in report.functions}
    by_function = _grouped(gaps, lambda planned: (planned.gap.region.scope_line, planned.gap.region.function))
    functions = [
        PlannedFunction(
            name,
            found[0].gap.risk.score,
            percents.get(line, report.coverage.numbers.percent),
            [_gap(uri, planned) for planned in found],
        )
        for (line, name), found in by_function.items()
    ]
    return PlannedFile(report.path, uri, report.coverage.numbers.percent, gaps[0].gap.risk.score, functions)


def _gap(uri: str, planned: domain.PlannedGap) -> PlannedGap:
    gap = planned.gap
    factors = ", ".join(f"{name} {gap.risk.factors[name]:.0f}" for name in gap.risk.largest(3))
    detail = "; ".join(filter(None, [gap.region.reason, factors, f"+{planned.gain:.2f} points"]))
    region = gap.region
    return PlannedGap(
        gap.title, detail, gap.risk.score, region.kind, uri, from_line(region.first), from_line(region.last)
    )


def _grouped(gaps: Iterable[domain.PlannedGap], key: Callable[[domain.PlannedGap], T]) -> Mapping[T, Planned]:
    # The plan is sorted by risk, so each group's first gap is its riskiest, and groups come in order of that.
    groups: dict[T, Planned] = {}
    for planned in gaps:
        groups.setdefault(key(planned), []).append(planned)
    return groups
