"""Coverage for a client that has a view of its own for it: counts of all files, and one file statement by statement."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from testlens.lsp.convert import flat_ranges, path_of, split_lines, text_range, uri_of
from testlens.lsp.explorer_messages import (
    BranchDetail,
    CoverageResult,
    CoveredFile,
    FileCoverageParams,
    FileCoverageResult,
    FunctionDetail,
    StatementDetail,
)
from testlens.lsp.features.arguments import folder_of
from testlens.lsp.folders import Folder
from testlens.lsp.protocol import COVERAGE, FILE_COVERAGE, Encoded, FolderParams
from testlens.lsp.server import TestlensServer
from testlens.lsp.work import Worker

if TYPE_CHECKING:
    from testlens.domain.snapshot import FileReport, Snapshot
    from testlens.workspace.close_look import Branch, CloseLook
    from testlens.workspace.workspace import Workspace


def register(server: TestlensServer) -> None:
    """Add the feature to the server."""
    # What takes a while for a large project must not be in the way of marks.
    writer = Worker("coverage")

    @server.feature(COVERAGE)
    async def coverage(params: FolderParams) -> Encoded:
        folder = folder_of(server, params.folder)
        snapshot = folder.snapshot
        if snapshot is None or folder.workspace is None:
            return _encoded(CoverageResult(percent=None, tests=[], files=[]))
        return await writer.do(_coverage, folder.workspace, snapshot)

    @server.feature(FILE_COVERAGE)
    async def file_coverage(params: FileCoverageParams) -> Encoded:
        found = _measured(server, params.uri)
        if found is None:
            return _encoded(FileCoverageResult(statements=[], functions=[]))
        folder, report = found
        opened = server.documents.find(params.uri)
        text = None if opened is None else opened.text
        assert folder.workspace is not None
        return await writer.do(_file_coverage, folder.workspace, report, text, params.test)


def _measured(server: TestlensServer, uri: str) -> tuple[Folder, FileReport] | None:
    """The folder that a file lies in and its report, if it was measured."""
    path = path_of(uri)
    folder = None if path is None else server.folders.owner(path)
    relative = None if folder is None or path is None else folder.relative(path)
    report = None if folder is None or relative is None else folder.report(relative)
    return None if folder is None or folder.workspace is None or report is None else (folder, report)


def _coverage(workspace: Workspace, snapshot: Snapshot) -> Encoded:
    from testlens.workspace.close_look import tests_by_file

    by_file = tests_by_file(workspace)
    tests = sorted(frozenset[str]().union(*by_file.values()))
    places = {test: place for place, test in enumerate(tests, 1)}
    files = [_file(workspace.root, report, by_file, places) for report in snapshot.files.values()]
    return _encoded(CoverageResult(percent=snapshot.percent, tests=tests, files=files))


def _file(
    root: Path, report: FileReport, by_file: Mapping[str, frozenset[str]], places: Mapping[str, int]
) -> CoveredFile:
    numbers = report.numbers
    return CoveredFile(
        uri=uri_of(root / report.path),
        statements=[numbers.statements - numbers.missing, numbers.statements],
        branches=[numbers.branches - numbers.missing_branches, numbers.branches],
        tests=flat_ranges(places[test] for test in by_file.get(report.path, ())),
    )


def _file_coverage(workspace: Workspace, report: FileReport, text: str | None, test: str | None) -> Encoded:
    from testlens.workspace.close_look import look_closely
    from testlens.workspace.views import text_on_disk

    now = text_on_disk(workspace.root / report.path) if text is None else text
    if now is None:
        return _encoded(FileCoverageResult(statements=[], functions=[]))
    return _encoded(_details(look_closely(workspace, report, now, test), split_lines(now)))


def _details(look: CloseLook, lines: list[str]) -> FileCoverageResult:
    return FileCoverageResult(
        statements=[
            StatementDetail(
                range=_range(lines, statement.first, statement.last),
                ran=statement.ran,
                branches=[_branch(branch) for branch in statement.branches],
            )
            for statement in look.statements
        ],
        functions=[
            FunctionDetail(name=function.name, range=_range(lines, function.first, function.last), ran=function.ran)
            for function in look.functions
        ],
    )


def _branch(branch: Branch) -> BranchDetail:
    return BranchDetail(name=branch.name, taken=branch.taken)


def _range(lines: list[str], first: int, last: int) -> list[int]:
    found = text_range(lines, first, last)
    return [found.start.line, found.start.character, found.end.line, found.end.character]


def _encoded(result: CoverageResult | FileCoverageResult) -> Encoded:
    return Encoded(json.dumps(result).encode())
