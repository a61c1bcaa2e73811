"""Gaps in the Problems panel, for all files of a folder; only what differs from the last time is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol.types import CodeDescription, Diagnostic, DiagnosticSeverity, PublishDiagnosticsParams

from testlens.lsp.convert import span_range, split_lines, text_range, uri_of
from testlens.lsp.documents import Document
from testlens.lsp.folders import Folder
from testlens.lsp.options import DiagnosticOptions
from testlens.lsp.server import TestlensServer

if TYPE_CHECKING:
    from testlens.domain.problems import Problem
    from testlens.domain.snapshot import Snapshot
    from testlens.workspace.failures import Failure
    from testlens.workspace.views import PlacedGap
    from testlens.workspace.workspace import Workspace

SOURCE = "testlens"
RISK_PAGE = "https://github.com/testlens/testlens/blob/main/docs/risk.md"
# A longer underline is a nuisance; the gutter shows how far the gap goes.


def register(server: TestlensServer) -> None:
    """Add the feature to the server."""
    feature = _Diagnostics(server)

    def snapshot_changed(folder: Folder) -> None:
        folder.spawn(feature.publish_folder(folder))

    def document_edited(document: Document) -> None:
        document.folder.spawn(feature.publish_document(document))

    server.on_snapshot.append(snapshot_changed)
    server.on_edit.append(document_edited)
    server.on_removal.append(feature.clear)


class _Diagnostics:
    def __init__(self, server: TestlensServer) -> None:
        self._server = server
        self._published: dict[str, dict[str, list[Diagnostic]]] = {}

    async def publish_folder(self, folder: Folder) -> None:
        """Publish what a new snapshot says of each file."""
        snapshot, workspace = folder.snapshot, folder.workspace
        if snapshot is None or workspace is None:
            return
        documents = {document.path: document for document in self._server.documents.in_folder(folder)}
        texts = {path: document.text for path, document in documents.items()}
        options = self._server.options.diagnostics
        found = await folder.background.do(_of_folder, workspace, snapshot, texts, options)
        if folder.snapshot is not snapshot:
            return
        published = self._published.setdefault(folder.uri, {})
        for path in [*found, *(path for path in published if path not in found)]:
            if published.get(path, []) == found.get(path, []):
                continue
            document = documents.get(path)
            if document is not None and not self._is_current(document):
                # Typed in meanwhile; the pause after that publishes it.
                continue
            self._publish(folder, path, found.get(path, []), document)
            # Thousands of files must not keep a request waiting.
            await asyncio.sleep(0)

    async def publish_document(self, document: Document) -> None:
        """Publish again what is known of a document that was edited."""
        view = await self._server.documents.view(document)
        mutants = await self._server.documents.mutants(document)
        snapshot = document.folder.snapshot
        if snapshot is None or not self._is_current(document):
            return
        gaps = (*(() if view is None else view.gaps), *(() if mutants is None else mutants.survivors))
        found = _of_gaps(gaps, document.text, self._server.options.diagnostics)
        failures = await self._server.documents.failures(document)
        found += _of_failures(failures, document.text, self._server.options.diagnostics)
        found += _of_problems(snapshot.problems, document.folder.root).get(document.path, [])
        if self._published.setdefault(document.folder.uri, {}).get(document.path, []) != found:
            self._publish(document.folder, document.path, found, document)

    def clear(self, folder: Folder) -> None:
        """Take everything of a folder away."""
        for path, diagnostics in self._published.pop(folder.uri, {}).items():
            if diagnostics:
                self._send(folder, path, [], None)

    def _publish(self, folder: Folder, path: str, diagnostics: list[Diagnostic], document: Document | None) -> None:
        self._published[folder.uri][path] = diagnostics
        self._send(folder, path, diagnostics, document)

    def _send(self, folder: Folder, path: str, diagnostics: list[Diagnostic], document: Document | None) -> None:
        uri = document.uri if document is not None else uri_of(folder.root / path)
        version = document.version if document is not None else None
        self._server.text_document_publish_diagnostics(PublishDiagnosticsParams(uri, diagnostics, version))

    def _is_current(self, document: Document) -> bool:
        now = self._server.documents.find(document.uri)
        return now is not None and now.version == document.version


def _of_folder(
    workspace: Workspace, snapshot: Snapshot, texts: Mapping[str, str], options: DiagnosticOptions
) -> dict[str, list[Diagnostic]]:
    from testlens.workspace.failures import files_with_failures, place_failures
    from testlens.workspace.views import look_at_mutants, place_gaps, text_on_disk

    found = _of_problems(snapshot.problems, workspace.root)
    failed = files_with_failures(snapshot.outcomes)
    for path in dict.fromkeys([*snapshot.files, *snapshot.survivors, *failed]) if options.enabled else ():
        report, survivors = snapshot.files.get(path), snapshot.survivors.get(path)
        has_gaps = (report is not None and report.gaps) or (survivors is not None and survivors.gaps)
        if not has_gaps and path not in failed:
            continue
        text = texts.get(path) if path in texts else text_on_disk(workspace.root / path)
        if text is None:
            continue
        anchors = None if report is None else workspace.anchors(report, text)
        gaps = () if report is None or anchors is None else place_gaps(report.gaps, anchors)
        survived = () if survivors is None else look_at_mutants(workspace, survivors, text).survivors
        diagnostics = _of_gaps((*gaps, *survived), text, options)
        diagnostics += _of_failures(place_failures(snapshot.outcomes, path, text), text, options)
        if diagnostics:
            found[path] = diagnostics + found.get(path, [])
    return found


def _of_gaps(gaps: Iterable[PlacedGap], text: str, options: DiagnosticOptions) -> list[Diagnostic]:
    from testlens.workspace.views import without_echoes

    if not options.enabled:
        return []
    # Which survivors are worth a look is decided by a setting of their own.
    shown = [gap for gap in without_echoes(gaps) if gap.span or gap.gap.risk.score >= options.minimum_risk]
    riskiest = sorted(shown, key=lambda gap: -gap.gap.risk.score)[: options.maximum_per_file]
    lines = split_lines(text) if riskiest else []
    return [_of_gap(gap, lines, options) for gap in sorted(riskiest, key=lambda gap: gap.first)]


def _of_gap(placed: PlacedGap, lines: list[str], options: DiagnosticOptions) -> Diagnostic:
    # The first line alone: the gutter shows how far the gap reaches, and waves under whole blocks annoy.
    first_line = text_range(lines, placed.first, placed.first)
    return Diagnostic(
        range=first_line if placed.span is None else span_range(lines, placed.span),
        message=_message(placed),
        severity=_severity(placed, options),
        code=placed.gap.region.kind,
        code_description=CodeDescription(href=RISK_PAGE),
        source=SOURCE,
        data=None if placed.gap.survivor is None else placed.gap.survivor.mutant.name,
    )


def _of_failures(failures: Sequence[Failure], text: str, options: DiagnosticOptions) -> list[Diagnostic]:
    if not failures or not options.enabled:
        return []
    lines = split_lines(text)
    return [
        Diagnostic(
            range=text_range(lines, failure.line, failure.line),
            message=f"{_these(failure.tests)} failed here: {failure.message.strip() or 'no reason was given'}",
            severity=DiagnosticSeverity.Error,
            code="failed",
            source=SOURCE,
        )
        for failure in failures
    ]


def _these(tests: Sequence[str]) -> str:
    return tests[0] if len(tests) == 1 else f"{tests[0]} and {len(tests) - 1} more"


def _message(placed: PlacedGap) -> str:
    risk = placed.gap.risk
    reason = f" ({placed.reason})" if placed.reason else ""
    factors = ", ".join(f"{name} {risk.factors[name]:.0f}" for name in risk.largest(2))
    weight = f"Risk {risk.score:.0f}: {factors}." if factors else f"Risk {risk.score:.0f}."
    # A survivor is marked at the very expression, so there is no doubt which function is meant.
    subject = "" if placed.span is not None else f"{placed.subject}: "
    return f"{subject}{placed.title}{reason}. {weight}"


def _severity(placed: PlacedGap, options: DiagnosticOptions) -> DiagnosticSeverity:
    risk = placed.gap.risk.score
    if risk >= options.warning_from:
        return DiagnosticSeverity.Warning
    # VS Code keeps hints out of the Problems panel, and nothing else says that a covered line is not proved.
    is_information = risk >= options.information_from or placed.span is not None
    return DiagnosticSeverity.Information if is_information else DiagnosticSeverity.Hint


_PROBLEM_SEVERITIES = {
    "error": DiagnosticSeverity.Error,
    "warning": DiagnosticSeverity.Warning,
    "information": DiagnosticSeverity.Information,
}


def _of_problems(problems: Iterable[Problem], root: Path) -> dict[str, list[Diagnostic]]:
    """Problems that name a place in a text file of the folder, by path."""
    found: dict[str, list[Diagnostic]] = {}
    for problem in problems:
        if problem.path is None or problem.line is None or not (root / problem.path).is_file():
            continue
        line = text_range([""] * problem.line, problem.line, problem.line)
        diagnostic = Diagnostic(
            range=line,
            message=problem.sentences,
            severity=_PROBLEM_SEVERITIES[problem.severity],
            source=SOURCE,
        )
        found.setdefault(problem.path, []).append(diagnostic)
    return found
