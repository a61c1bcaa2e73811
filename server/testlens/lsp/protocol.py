"""The messages that Testlens adds to LSP, as docs/lsp-extensions.md describes them.

What the server sends has no defaults: the converter leaves out fields that equal theirs. Names become camelCase.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypedDict

import attrs
from pygls.protocol import LanguageServerProtocol
from pygls.protocol.json_rpc import JsonRPCResponseMessage

MARKS = "testlens/marks"
STATUS = "testlens/status"
PLAN = "testlens/plan"
INTERPRETER = "testlens/interpreter"
SAVE = "testlens/save"

RUN_TESTS = "testlens.server.runTests"
CANCEL_RUN = "testlens.server.cancelRun"
REFRESH = "testlens.server.refresh"
SCAFFOLD = "testlens.server.scaffold"

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


class PlannedGap(TypedDict):
    """A gap in the plan; lines are 0-based."""

    title: str
    detail: str
    risk: float
    kind: str
    uri: str
    first: int
    last: int


class PlannedFunction(TypedDict):
    """A function with gaps, riskiest first."""

    name: str
    risk: float
    percent: float
    gaps: list[PlannedGap]


class PlannedFile(TypedDict):
    """A file with gaps, its functions riskiest first."""

    path: str
    uri: str
    percent: float
    risk: float
    functions: list[PlannedFunction]


class PlanResult(TypedDict):
    """The gaps of a folder, riskiest first at every level."""

    percent: float | None
    target: float
    summary: str
    files: list[PlannedFile]


@dataclass(frozen=True, slots=True)
class Encoded:
    """A result that is JSON text already, so that a large one costs the event loop no more than sending it."""

    json: bytes


@attrs.frozen
class InterpreterResult:
    """The Python extension's choice for a folder."""

    path: str | None = None


@attrs.frozen
class SaveParams:
    """Names documents by their URIs."""

    uris: list[str]


@attrs.frozen
class SaveResult:
    """Whether all of them are on disk now as they are in the editor."""

    saved: bool = False


@attrs.frozen
class JobResult:
    """What `testlens.server.runTests` and `testlens.server.scaffold` answer."""

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
class ScaffoldArguments:
    """The argument of `scaffold`: a 0-based line of the document, in the version that the client saw.

    Without a version the line is one of the document as it is now, without a recipe the most fitting one is taken.
    """

    uri: str
    line: int
    version: int | None = None
    recipe: str | None = None
    folder: str | None = None


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


@attrs.frozen
class _SaveResponse:
    id: int | str
    result: SaveResult
    jsonrpc: str = "2.0"


_ANSWERS = {INTERPRETER: _InterpreterResponse, SAVE: _SaveResponse}


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
        return _ANSWERS.get(method) or super().get_result_type(method)

    def _send_data(self, data: Any) -> None:
        result = data.result if isinstance(data, JsonRPCResponseMessage) else None
        if isinstance(result, Encoded) and self.writer is not None:
            head = f'{{"jsonrpc": "2.0", "id": {json.dumps(data.id)}, "result": '.encode()
            length = len(head) + len(result.json) + len(b"}")
            # In parts: copying a large result would take as long as all else that the event loop does for it.
            self.writer.write(b"Content-Length: %d\r\n\r\n%b" % (length, head))
            self.writer.write(result.json)
            self.writer.write(b"}")
            return
        super()._send_data(data)
