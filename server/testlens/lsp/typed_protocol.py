"""LSP with Testlens' own messages typed: which type the parameters and answers of each method have."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import attrs
from pygls.protocol import LanguageServerProtocol
from pygls.protocol.json_rpc import JsonRPCResponseMessage

from testlens.lsp.explorer_messages import FileCoverageParams
from testlens.lsp.protocol import (
    COVERAGE,
    DEBUG_TARGET,
    FILE_COVERAGE,
    FIND_TESTS,
    INTERPRETER,
    LINES_OF_TEST,
    MUTANT,
    MUTATION_REPORT,
    PLAN,
    REPORT,
    SAVE,
    TESTS_OF_LINE,
    Encoded,
    FolderParams,
    InterpreterResult,
    LineParams,
    MutantParams,
    ReportParams,
    SaveResult,
)


@attrs.frozen
class _FolderRequest:
    id: int | str
    method: str
    params: FolderParams
    jsonrpc: str = "2.0"


@attrs.frozen
class _ReportRequest:
    id: int | str
    method: str
    params: ReportParams
    jsonrpc: str = "2.0"


@attrs.frozen
class _MutantRequest:
    id: int | str
    method: str
    params: MutantParams
    jsonrpc: str = "2.0"


@attrs.frozen
class _LineRequest:
    id: int | str
    method: str
    params: LineParams
    jsonrpc: str = "2.0"


@attrs.frozen
class _FileCoverageRequest:
    id: int | str
    method: str
    params: FileCoverageParams
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


_QUESTIONS = {
    MUTANT: _MutantRequest,
    REPORT: _ReportRequest,
    FILE_COVERAGE: _FileCoverageRequest,
    **dict.fromkeys((PLAN, MUTATION_REPORT, DEBUG_TARGET, FIND_TESTS, COVERAGE), _FolderRequest),
    **dict.fromkeys((TESTS_OF_LINE, LINES_OF_TEST), _LineRequest),
}
_ANSWERS = {INTERPRETER: _InterpreterResponse, SAVE: _SaveResponse}


class TestlensProtocol(LanguageServerProtocol):
    """LSP with Testlens' own messages typed."""

    __test__ = False

    @lru_cache  # noqa: B019 - one protocol lives as long as the process
    def get_message_type(self, method: str) -> type[Any] | None:
        """The type of a message from or to the client."""
        return _QUESTIONS.get(method) or super().get_message_type(method)

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
