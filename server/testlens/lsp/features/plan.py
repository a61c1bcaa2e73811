"""The plan of a folder as a tree: files, functions, gaps, riskiest first at every level."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from testlens.lsp.convert import from_line, uri_of
from testlens.lsp.folders import Folder
from testlens.lsp.protocol import PLAN, Encoded, FolderParams, PlannedFile, PlannedFunction, PlannedGap, PlanResult
from testlens.lsp.server import TestlensServer
from testlens.lsp.work import Worker

if TYPE_CHECKING:
    from testlens.domain import plan as domain
    from testlens.domain.snapshot import FileReport, Snapshot

T = TypeVar("T")
Planned = list["domain.PlannedGap"]

_NO_DATA = "There is no coverage data yet: run the tests."


def register(server: TestlensServer) -> None:
    """Add the feature to the server."""
    feature = _Plans(server)

    @server.feature(PLAN)
    async def plan(params: FolderParams) -> Encoded:
        return await feature.answer(params.folder)

    server.on_removal.append(feature.forget)


class _Plans:
    def __init__(self, server: TestlensServer) -> None:
        self._server = server
        self._answers: dict[str, tuple[domain.Plan, Encoded]] = {}
        # A large plan takes long enough to be in the way of marks.
        self._writer = Worker("plan")

    async def answer(self, uri: str) -> Encoded:
        """The plan of the folder; the same snapshot's is written once."""
        folder = self._server.folders.named(uri)
        if folder is None or folder.snapshot is None or folder.plan is None:
            return _nothing(folder.target if folder else 0.0, "")
        kept = self._answers.get(folder.uri)
        if kept is not None and kept[0] is folder.plan:
            return kept[1]
        plan = folder.plan
        answer = await self._writer.do(_encoded, folder.root, folder.snapshot, plan, folder.outlook)
        self._answers[folder.uri] = (plan, answer)
        return answer

    def forget(self, folder: Folder) -> None:
        """Drop what is kept of a folder."""
        self._answers.pop(folder.uri, None)


def _nothing(target: float, summary: str) -> Encoded:
    return Encoded(json.dumps(PlanResult(percent=None, target=target, summary=summary, outlook="", files=[])).encode())


def _encoded(root: Path, snapshot: Snapshot, plan: domain.Plan, outlook: str) -> Encoded:
    if snapshot.percent is None and not plan.gaps:
        return _nothing(plan.target, _NO_DATA)
    by_file = _grouped(plan.gaps, lambda planned: planned.gap.file)
    # File by file: encoding everything at once would hold the interpreter, and with it all other threads.
    files = ",".join(json.dumps(_file(root, path, snapshot.files.get(path), gaps)) for path, gaps in by_file.items())
    summary, outlook = (_NO_DATA, "") if snapshot.percent is None else (plan.summary, outlook)
    result = PlanResult(percent=snapshot.percent, target=plan.target, summary=summary, outlook=outlook, files=[])
    head = json.dumps(result)
    return Encoded(f"{head.removesuffix(']}')}{files}]}}".encode())


def _file(root: Path, path: str, report: FileReport | None, gaps: Planned) -> PlannedFile:
    """A file with gaps; `report` is None where it was mutated and never measured."""
    uri = uri_of(root / path)
    functions_measured = () if report is None else report.functions
    percents = {function.function.line: function.numbers.percent for function in functions_measured}
    percent = None if report is None else report.numbers.percent
    by_function = _grouped(gaps, lambda planned: (planned.gap.region.scope_line, planned.gap.region.function))
    functions = [
        PlannedFunction(
            name=name,
            risk=found[0].gap.risk.score,
            percent=percents.get(line, percent),
            gaps=[_gap(uri, planned) for planned in found],
        )
        for (line, name), found in by_function.items()
    ]
    return PlannedFile(
        path=path,
        uri=uri,
        percent=percent,
        risk=gaps[0].gap.risk.score,
        functions=functions,
    )


def _gap(uri: str, planned: domain.PlannedGap) -> PlannedGap:
    gap = planned.gap
    factors = ", ".join(f"{name} {gap.risk.factors[name]:.0f}" for name in gap.risk.largest(3))
    region = gap.region
    # Covered already: there is nothing to gain but proof.
    gain = f"+{planned.gain:.2f} points" if gap.survivor is None else ""
    return PlannedGap(
        title=gap.title,
        detail="; ".join(filter(None, [region.reason, factors, gain])),
        risk=gap.risk.score,
        kind=region.kind,
        uri=uri,
        first=from_line(region.first),
        last=from_line(region.last),
    )


def _grouped(gaps: Iterable[domain.PlannedGap], key: Callable[[domain.PlannedGap], T]) -> Mapping[T, Planned]:
    # The plan is sorted by risk, so each group's first gap is its riskiest, and groups come in order of that.
    groups: dict[T, Planned] = {}
    for planned in gaps:
        groups.setdefault(key(planned), []).append(planned)
    return groups
