"""The report of a folder as a page for a panel of the editor."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from testlens.lsp.protocol import REPORT, Encoded, ReportParams, ReportResult
from testlens.lsp.server import TestlensServer
from testlens.lsp.work import Worker

if TYPE_CHECKING:
    from testlens.workspace.workspace import Workspace

# What may stand in a content security policy without saying anything else there.
_NONCE = re.compile(r"[A-Za-z0-9+/=_-]{16,128}")
_NO_DATA = "There is no coverage data yet: run the tests."
_BAD_NONCE = "A nonce has 16 to 128 letters of base 64."


def register(server: TestlensServer) -> None:
    """Add the feature to the server."""
    # Of its own: the page of a large project takes seconds, and a folder's thread has more urgent things to do.
    writer = Worker("report")

    @server.feature(REPORT)
    async def report(params: ReportParams) -> Encoded:
        folder = server.folders.named(params.folder)
        if folder is None or folder.workspace is None or folder.workspace.snapshot.source is None:
            return _encoded(None, _NO_DATA)
        if not _NONCE.fullmatch(params.nonce):
            return _encoded(None, _BAD_NONCE)
        return await writer.do(_page, folder.workspace, params.nonce)


def _page(workspace: Workspace, nonce: str) -> Encoded:
    from testlens.report.file_views import read_files
    from testlens.report.html import render_panel
    from testlens.report.view import make_view

    return _encoded(render_panel(make_view(workspace), read_files(workspace), nonce), "")


def _encoded(page: str | None, note: str) -> Encoded:
    return Encoded(json.dumps(ReportResult(page=page, note=note)).encode())
