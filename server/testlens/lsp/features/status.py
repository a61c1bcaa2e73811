"""The state of each folder, for a status bar."""

from __future__ import annotations

from testlens.lsp.folders import Folder
from testlens.lsp.protocol import STATUS, StatusParams
from testlens.lsp.server import TestlensServer


def register(server: TestlensServer) -> None:
    """Add the feature to the server."""

    def send(folder: Folder) -> None:
        server.protocol.notify(STATUS, _params(folder))

    server.on_state.append(send)
    server.on_snapshot.append(send)


def _params(folder: Folder) -> StatusParams:
    snapshot, plan, run = folder.snapshot, folder.plan, folder.run
    percent = snapshot.percent if snapshot is not None else None
    previous = snapshot.previous_percent if snapshot is not None else None
    has_data = percent is not None
    counted = {} if snapshot is None else snapshot.mutants.counted
    return StatusParams(
        folder=folder.uri,
        state=_state(folder),
        percent=percent,
        delta=None if percent is None or previous is None else percent - previous,
        target=folder.target,
        to_target=None if plan is None or not has_data or plan.shortest is None else len(plan.shortest),
        gaps=0 if plan is None else len(plan.gaps),
        mutation_score=None if snapshot is None else snapshot.mutants.score,
        mutants=sum(counted.values()),
        mutated_files=len(counted),
        survivors=0 if snapshot is None else sum(1 for _ in snapshot.survivor_gaps),
        outlook=folder.outlook if has_data else "",
        source=None if snapshot is None else snapshot.source,
        done=run.done if run is not None else 0,
        total=run.total if run is not None else 0,
        failed=run.failed if run is not None else 0,
        left_out=0 if snapshot is None else len(snapshot.left_out),
    )


def _state(folder: Folder) -> str:
    if folder.run is not None:
        return "running"
    if folder.snapshot is None:
        return "loading"
    return "noData" if folder.snapshot.source is None else "ready"
