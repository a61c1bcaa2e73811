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
        answer = await self._writer.do(_encoded, folder.root, folder.snapshot, plan)
        self._answers[folder.uri] = (plan, answer)
        return answer

    def forget(self, folder: Folder) -> None:
        """Drop what is kept of a folder."""
        self._answers.pop(folder.uri, None)


def _nothing(target: float, summary: str) -> Encoded:
    return Encoded(json.dumps(PlanResult(percent=None, target=target, summary=summary, files=[])).encode())


def _encoded(root: Path, snapshot: Snapshot, plan: domain.Plan) -> Encoded:
    if snapshot.percent is None:
        return _nothing(plan.target, "There is no coverage data yet: run the tests.")
    by_file = _grouped(plan.gaps, lambda planned: planned.gap.file)
    # File by file: encoding everything at once would hold the interpreter, and with it all other threads.
    files = ",".join(json.dumps(_file(root, snapshot.files[path], gaps)) for path, gaps in by_file.items())
    head = json.dumps(PlanResult(percent=snapshot.percent, target=plan.target, summary=plan.summary, files=[]))
    return Encoded(f"{head.removesuffix(']}')}{files}]}}".encode())


def _file(root: Path, report: FileReport, gaps: Planned) -> PlannedFile:
    uri = uri_of(root / report.path)
    percents = {function.function.line: function.numbers.percent for function in report.functions}
    by_function = _grouped(gaps, lambda planned: (planned.gap.region.scope_line, planned.gap.region.function))
    functions = [
        PlannedFunction(
            name=name,
            risk=found[0].gap.risk.score,
            percent=percents.get(line, report.numbers.percent),
            gaps=[_gap(uri, planned) for planned in found],
        )
        for (line, name), found in by_function.items()
    ]
    return PlannedFile(
        path=report.path,
        uri=uri,
        percent=report.numbers.percent,
        risk=gaps[0].gap.risk.score,
        functions=functions,
    )


def _gap(uri: str, planned: domain.PlannedGap) -> PlannedGap:
    gap = planned.gap
    factors = ", ".join(f"{name} {gap.risk.factors[name]:.0f}" for name in gap.risk.largest(3))
    region = gap.region
    return PlannedGap(
        title=gap.title,
        detail="; ".join(filter(None, [region.reason, factors, f"+{planned.gain:.2f} points"])),
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
