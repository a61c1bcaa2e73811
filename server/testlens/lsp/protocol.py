"""The messages that Testlens adds to LSP, as docs/lsp-extensions.md describes them.

What the server sends has no defaults: the converter leaves out fields that equal theirs. Names become camelCase.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import attrs
from pygls.protocol import LanguageServerProtocol
from pygls.protocol.json_rpc import JsonRPCNotification, JsonRPCResponseMessage

MARKS = "testlens/marks"
STATUS = "testlens/status"
PLAN = "testlens/plan"
INTERPRETER = "testlens/interpreter"

RUN_TESTS = "testlens.server.runTests"
CANCEL_RUN = "testlens.server.cancelRun"
REFRESH = "testlens.server.refresh"

FlatRanges = list[int]
"""`[first, last, first, last, ...]`, 0-based, both inclusive."""


@attrs.frozen
class MarksParams:
    """What to paint in one open document."""

    uri: str
    version: int | None
    covered: FlatRanges
    partial: FlatRanges
    uncovered: FlatRanges
    stale: FlatRanges
    failing: FlatRanges
    gaps: FlatRanges
    percent: float | None
    note: str | None


@attrs.frozen
class StatusParams:
    """The state of one workspace folder."""

    folder: str
    state: str
    percent: float | None
    delta: float | None
    target: float
    to_target: int | None
    gaps: int
    source: str | None
    done: int
    total: int
    failed: int


@attrs.frozen
class FolderParams:
    """Names a workspace folder by its URI."""

    folder: str


@attrs.frozen
class PlannedGap:
    """A gap in the plan; lines are 0-based."""

    title: str
    detail: str
    risk: float
    kind: str
    uri: str
    first: int
    last: int


@attrs.frozen
class PlannedFunction:
    """A function with gaps, riskiest first."""

    name: str
    risk: float
    percent: float
    gaps: list[PlannedGap]


@attrs.frozen
class PlannedFile:
    """A file with gaps, its functions riskiest first."""

    path: str
    uri: str
    percent: float
    risk: float
    functions: list[PlannedFunction]


@attrs.frozen
class PlanResult:
    """The gaps of a folder, riskiest first at every level."""

    percent: float | None
    target: float
    summary: str
    files: list[PlannedFile]


@attrs.frozen
class InterpreterResult:
    """The Python extension's choice for a folder."""

    path: str | None = None


@attrs.frozen
class JobResult:
    """What `testlens.server.runTests` answers."""

    job: str


@attrs.frozen
class FolderArguments:
    """The argument of `cancelRun` and `refresh`."""

    folder: str | None = None


@attrs.frozen
class RunTestsArguments:
    """The argument of `runTests`; no tests means all of them."""

    folder: str | None = None
    tests: list[str] | None = None


@attrs.frozen
class _PlanRequest:
    id: int | str
    method: str
    params: FolderParams
    jsonrpc: str = "2.0"


@attrs.frozen
class _InterpreterResponse:
    id: int | str
    result: InterpreterResult
    jsonrpc: str = "2.0"


class TestlensProtocol(LanguageServerProtocol):
    """LSP with Testlens' own messages typed."""

    __test__ = False

    @lru_cache  # noqa: B019 - one protocol lives as long as the process
    def get_message_type(self, method: str) -> type[Any] | None:
        """The type of a message from or to the client."""
        return _PlanRequest if method == PLAN else super().get_message_type(method)

    @lru_cache  # noqa: B019
    def get_result_type(self, method: str) -> type[Any] | None:
        """The type of the answer to a request of ours."""
        return _InterpreterResponse if method == INTERPRETER else super().get_result_type(method)

    def _serialize_message(self, data: Any) -> Any:
        # What is plain already goes straight to the JSON encoder: converting a large plan field by field would hold
        # the event loop for longer than any request may wait.
        if isinstance(data, JsonRPCResponseMessage) and isinstance(data.result, dict):
            return {"id": data.id, "jsonrpc": data.jsonrpc, "result": data.result}
        if isinstance(data, JsonRPCNotification) and isinstance(data.params, dict):
            return {"method": data.method, "jsonrpc": data.jsonrpc, "params": data.params}
        return super()._serialize_message(data)
