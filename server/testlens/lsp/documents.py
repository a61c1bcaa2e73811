"""The open documents that Testlens has something to say about: Python files in a workspace folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from testlens.lsp.convert import path_of
from testlens.lsp.folders import Folder

if TYPE_CHECKING:
    from testlens.domain.snapshot import FileReport, FileSurvivors, Snapshot, TestResult
    from testlens.lsp.server import TestlensServer
    from testlens.workspace.failures import Failure
    from testlens.workspace.views import MutantView, View
    from testlens.workspace.workspace import Workspace

_PYTHON_SUFFIXES = (".py", ".pyi", ".pyw")


@dataclass(frozen=True, slots=True)
class Document:
    """One open document as it is now; `path` is relative to the folder."""

    uri: str
    version: int | None
    text: str
    folder: Folder
    path: str


class _Known:
    """What answers about a document were found from: its report, and what tests did, which a report does not say."""

    def __init__(self, report: FileReport, snapshot: Snapshot | None) -> None:
        self._report = report
        # New with each reading of the data, and the same as long as only other things become known.
        self._outcomes = None if snapshot is None else snapshot.outcomes

    def is_that(self, other: _Known) -> bool:
        """Whether nothing has changed in between."""
        return self._report is other._report and self._outcomes is other._outcomes


class Documents:
    """Finds open documents, and sees their reports in their text."""

    def __init__(self, server: TestlensServer) -> None:
        self._server = server
        self._views: dict[str, tuple[_Known, frozenset[str], int | None, View]] = {}
        self._mutants: dict[str, tuple[FileSurvivors, int | None, MutantView]] = {}
        self._tests: dict[str, tuple[_Known, Mapping[int, tuple[str, ...]]]] = {}

    def find(self, uri: str) -> Document | None:
        """The open document, or None where it is not open, no Python or in no folder."""
        # pygls keys its documents by URIs without percent signs, and reads from disk what is not open.
        opened = next((d for d in self._server.workspace.text_documents.values() if d.uri == uri), None)
        path = path_of(uri)
        if opened is None or path is None:
            return None
        folder = self._server.folders.owner(path)
        if folder is None or not (opened.language_id == "python" or path.suffix in _PYTHON_SUFFIXES):
            return None
        relative = folder.relative(path)
        assert relative is not None
        return Document(uri, opened.version, opened.source, folder, relative)

    def in_folder(self, folder: Folder) -> list[Document]:
        """All open documents of a folder."""
        uris = [document.uri for document in self._server.workspace.text_documents.values()]
        found = (self.find(uri) for uri in uris)
        return [document for document in found if document is not None and document.folder is folder]

    def paths_in(self, folder: Folder) -> list[str]:
        """The paths of the open documents of a folder."""
        return [document.path for document in self.in_folder(folder)]

    async def view(self, document: Document) -> View | None:
        """The newest report of the document, seen in its text; None where nothing was measured."""
        folder = document.folder
        report = folder.report(document.path)
        if report is None or folder.workspace is None:
            return None
        kept, known = self._views.get(document.uri), _Known(report, folder.snapshot)
        left_out = folder.workspace.snapshot.left_out
        if kept is not None and kept[0].is_that(known) and kept[1:3] == (left_out, document.version):
            return kept[3]
        view = await self._server.quick.do(_look, folder.workspace, report, document.text)
        self._views[document.uri] = (known, left_out, document.version, view)
        return view

    async def mutants(self, document: Document) -> MutantView | None:
        """What mutants say of the document, seen in its text; None where nothing is known."""
        workspace, snapshot = document.folder.workspace, document.folder.snapshot
        found = snapshot.survivors.get(document.path) if snapshot is not None else None
        if workspace is None or found is None:
            return None
        kept = self._mutants.get(document.uri)
        if kept is not None and kept[0] is found and kept[1] == document.version:
            return kept[2]
        view = await self._server.quick.do(_look_at_mutants, workspace, found, document.text)
        self._mutants[document.uri] = (found, document.version, view)
        return view

    async def failures(self, document: Document) -> tuple[Failure, ...]:
        """Where tests failed in the document, seen in its text."""
        snapshot = document.folder.snapshot
        if snapshot is None or not snapshot.outcomes:
            return ()
        return await self._server.quick.do(_place_failures, snapshot.outcomes, document.path, document.text)

    async def tests_by_line(self, document: Document) -> Mapping[int, tuple[str, ...]]:
        """The tests that ran each measured line of the document; slow on huge data, so kept until that changes."""
        folder = document.folder
        report = folder.report(document.path)
        if report is None or folder.workspace is None:
            return {}
        kept, known = self._tests.get(document.uri), _Known(report, folder.snapshot)
        if kept is not None and kept[0].is_that(known):
            return kept[1]
        tests = await self._server.quick.do(folder.workspace.tests_by_line, document.path)
        self._tests[document.uri] = (known, tests)
        return tests

    async def lines_only_of(self, document: Document, tests: frozenset[str]) -> frozenset[int]:
        """The measured lines of the document that these tests alone ran: node ids, or files of tests."""
        workspace = document.folder.workspace
        if workspace is None:
            return frozenset()
        return await self._server.quick.do(workspace.lines_only_of, document.path, tests)

    def forget(self, uri: str) -> None:
        """Drop what is kept of a document that was closed."""
        self._views.pop(uri, None)
        self._mutants.pop(uri, None)
        self._tests.pop(uri, None)


def _look(workspace: Workspace, report: FileReport, text: str) -> View:
    from testlens.workspace.views import look

    return look(workspace, report, text)


def _look_at_mutants(workspace: Workspace, found: FileSurvivors, text: str) -> MutantView:
    from testlens.workspace.views import look_at_mutants

    return look_at_mutants(workspace, found, text)


def _place_failures(outcomes: Mapping[str, TestResult], path: str, text: str) -> tuple[Failure, ...]:
    from testlens.workspace.failures import place_failures

    return place_failures(outcomes, path, text)
