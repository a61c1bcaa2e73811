"""Marks of open documents: sent when one opens, after a pause in typing, and when its report changes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import attrs
from lsprotocol.types import (
    TEXT_DOCUMENT_DID_CHANGE,
    TEXT_DOCUMENT_DID_CLOSE,
    TEXT_DOCUMENT_DID_OPEN,
    DidChangeTextDocumentParams,
    DidCloseTextDocumentParams,
    DidOpenTextDocumentParams,
)

from testlens.lsp.convert import flat_pairs, flat_ranges, path_of
from testlens.lsp.documents import Document
from testlens.lsp.folders import Folder
from testlens.lsp.protocol import MARKS, FailureMark, FlatRanges, MarksParams
from testlens.lsp.server import TestlensServer

if TYPE_CHECKING:
    from testlens.workspace.failures import Failure
    from testlens.workspace.views import PlacedGap, View

_PAUSE_IN_TYPING = 0.05


def register(server: TestlensServer) -> None:
    """Add the feature to the server."""
    feature = _Marks(server)

    @server.feature(TEXT_DOCUMENT_DID_OPEN)
    async def opened(params: DidOpenTextDocumentParams) -> None:
        feature.opened(params.text_document.uri)

    @server.feature(TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: DidChangeTextDocumentParams) -> None:
        server.typed_at = time.monotonic()
        feature.send_after_pause(params.text_document.uri)

    @server.feature(TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: DidCloseTextDocumentParams) -> None:
        feature.closed(params.text_document.uri)

    server.on_reports.append(feature.send_all)
    server.on_running.append(feature.send_all)
    server.on_removal.append(feature.clear)


class _Marks:
    def __init__(self, server: TestlensServer) -> None:
        self._server = server
        self._pauses: dict[str, asyncio.TimerHandle] = {}
        self._sent: dict[str, MarksParams] = {}

    def opened(self, uri: str) -> None:
        document = self._server.documents.find(uri)
        if document is not None:
            document.folder.spawn(self._show_first(document))

    async def _show_first(self, document: Document) -> None:
        if document.folder.report(document.path) is None and document.folder.snapshot is None:
            # The first refresh may take a while; the peek sends the marks.
            await document.folder.peek([document.path])
        await self._send(document.uri)

    def send_after_pause(self, uri: str) -> None:
        waiting = self._pauses.pop(uri, None)
        if waiting is not None:
            waiting.cancel()
        loop = asyncio.get_running_loop()
        self._pauses[uri] = loop.call_later(_PAUSE_IN_TYPING, self._pause_over, uri)

    def closed(self, uri: str) -> None:
        self._server.documents.forget(uri)
        self._server.gap_targets.forget_document(uri)
        self._sent.pop(uri, None)

    def clear(self, folder: Folder) -> None:
        """Take the marks of a removed folder away; a folder around it shows its own instead."""
        for uri, sent in list(self._sent.items()):
            path = path_of(uri)
            if path is None or folder.relative(path) is None:
                continue
            document = self._server.documents.find(uri)
            if document is not None:
                document.folder.spawn(self._send(uri))
                continue
            del self._sent[uri]
            self._server.protocol.notify(MARKS, _no_marks(uri, sent.version, None, "in no folder"))

    def send_all(self, folder: Folder) -> None:
        for document in self._server.documents.in_folder(folder):
            folder.spawn(self._send(document.uri))

    def _pause_over(self, uri: str) -> None:
        self._pauses.pop(uri, None)
        document = self._server.documents.find(uri)
        if document is not None:
            document.folder.spawn(self._send(uri))
            self._server.announce_edit(uri)

    async def _send(self, uri: str) -> None:
        document = self._server.documents.find(uri)
        if document is None:
            return
        view = await self._server.documents.view(document)
        mutants = await self._server.documents.mutants(document)
        params = _with_survivors(_params(document, view), () if mutants is None else mutants.survivors)
        params = _with_running(params, await self._running(document, view))
        params = _with_failures(params, await self._server.documents.failures(document))
        if self._sent.get(uri) != params:
            self._sent[uri] = params
            self._server.protocol.notify(MARKS, params)

    async def _running(self, document: Document, view: View | None) -> set[int]:
        """The lines of the document that were edited, or all of whose tests are among those that run now (1-based)."""
        run = document.folder.run
        if run is None or not run.tests or view is None or view.anchors is None:
            return set()
        only = await self._server.documents.lines_only_of(document, run.tests)
        lines = {view.anchors.current(line) for line in only}
        return {line for line in lines if line is not None} | view.anchors.replaced


def _params(document: Document, view: View | None) -> MarksParams:
    if view is None or view.anchors is None:
        note = _why_unmeasured(document.folder) if view is None else "edited since the last run"
        percent = None if view is None else view.report.numbers.percent
        return _no_marks(document.uri, document.version, percent, note)
    marks = view.marks
    return MarksParams(
        document.uri,
        document.version,
        flat_ranges(marks.covered),
        flat_ranges(marks.partial),
        flat_ranges(marks.uncovered),
        flat_ranges(marks.stale),
        flat_ranges(marks.failing),
        [],
        [],
        flat_pairs((gap.first, gap.last) for gap in view.gaps),
        [],
        view.report.numbers.percent,
        None,
    )


def _no_marks(uri: str, version: int | None, percent: float | None, note: str) -> MarksParams:
    return MarksParams(uri, version, [], [], [], [], [], [], [], [], [], percent, note)


def _with_survivors(params: MarksParams, survivors: Sequence[PlacedGap]) -> MarksParams:
    """Marks the lines of survivors where nothing worse is known of them."""
    if not survivors:
        return params
    worse = {line for flat in (params.partial, params.uncovered, params.failing) for line in _lines(flat)}
    partly_proved = {line - 1 for gap in survivors for line in range(gap.first, gap.last + 1)} - worse
    covered = (line + 1 for line in _lines(params.covered) if line not in partly_proved)
    spans = {*zip(params.gaps[::2], params.gaps[1::2], strict=True), *((g.first - 1, g.last - 1) for g in survivors)}
    return attrs.evolve(
        params,
        covered=flat_ranges(covered),
        survivor=flat_ranges(line + 1 for line in partly_proved),
        gaps=[line for span in sorted(spans) for line in span],
    )


def _with_running(params: MarksParams, running: set[int]) -> MarksParams:
    """Marks the lines whose tests run now as that where something is known of them; those that no test ran stay so."""
    states = ("covered", "partial", "stale", "failing", "survivor")
    known = {line for state in states for line in _lines(getattr(params, state))}
    shown = known.intersection(line - 1 for line in running)
    if not shown:
        return params
    others: dict[str, Any] = {state: _without(getattr(params, state), shown) for state in states}
    return attrs.evolve(params, running=flat_ranges(line + 1 for line in shown), **others)


def _with_failures(params: MarksParams, failures: Sequence[Failure]) -> MarksParams:
    """Marks the lines where tests failed as that, and as nothing else."""
    if not failures:
        return params
    failed = {failure.line - 1 for failure in failures}
    states = ("covered", "partial", "uncovered", "stale", "failing", "survivor", "running")
    others: dict[str, Any] = {state: _without(getattr(params, state), failed) for state in states}
    return attrs.evolve(params, failures=[FailureMark(f.line - 1, f.summary) for f in failures], **others)


def _without(flat: FlatRanges, lines: Collection[int]) -> FlatRanges:
    """A flat list without some lines (0-based)."""
    return flat_ranges(line + 1 for line in _lines(flat) if line not in lines)


def _lines(flat: FlatRanges) -> Iterator[int]:
    """The 0-based lines of a flat list."""
    for first, last in zip(flat[::2], flat[1::2], strict=True):
        yield from range(first, last + 1)


def _why_unmeasured(folder: Folder) -> str:
    if folder.snapshot is None:
        return "the coverage data is being read"
    if folder.snapshot.source is None:
        return "no coverage data"
    return f"not measured by {folder.snapshot.source}"
