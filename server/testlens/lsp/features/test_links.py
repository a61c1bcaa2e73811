"""From a line to the tests that run it, and from a test to the lines that it runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from testlens.lsp.convert import flat_ranges, from_line, uri_of
from testlens.lsp.protocol import (
    LINES_OF_TEST,
    TESTS_OF_LINE,
    LineParams,
    LinesOfTestResult,
    LinkedFile,
    LinkedTest,
    TestsOfLineResult,
)
from testlens.lsp.server import TestlensServer

if TYPE_CHECKING:
    from testlens.domain.snapshot import Snapshot, TestResult
    from testlens.workspace.workspace import Workspace

_NO_DATA = "Nothing is known of this file's lines yet: run the tests first."


def register(server: TestlensServer) -> None:
    """Add the feature to the server."""

    @server.feature(TESTS_OF_LINE)
    async def tests_of_line(params: LineParams) -> TestsOfLineResult:
        tests, note = await _tests_of_line(server, params)
        return TestsOfLineResult(tests=tests, note=note)

    @server.feature(LINES_OF_TEST)
    async def lines_of_test(params: LineParams) -> LinesOfTestResult:
        return await _lines_of_test(server, params)


async def _tests_of_line(server: TestlensServer, params: LineParams) -> tuple[list[LinkedTest], str]:
    """The tests that run the line, failing ones first, then the fastest; and why there are none."""
    from testlens.domain.snapshot import Snapshot

    document = server.documents.find(params.uri)
    view = None if document is None else await server.documents.view(document)
    if document is None or view is None:
        return [], _NO_DATA
    measured = view.measured_line(params.line + 1)
    if measured is None:
        return [], "This line was edited since the tests ran: run them again."
    tests = (await server.documents.tests_by_line(document)).get(measured, ())
    if not tests:
        return [], "No test runs this line."
    snapshot = document.folder.snapshot
    known = Snapshot() if snapshot is None else snapshot
    return await server.quick.do(_linked, document.folder.root, tests, known), ""


def _linked(root: Path, tests: Sequence[str], known: Snapshot) -> list[LinkedTest]:
    """Looks on the disk for the files of the tests, so in a thread."""
    found = [_link(root, test, known.outcomes.get(test), test in known.left_out) for test in tests]
    return sorted(found, key=lambda test: (not test["failed"], test["seconds"], test["name"]))


def _link(root: Path, test: str, result: TestResult | None, is_stale: bool) -> LinkedTest:
    file = test.partition("::")[0] if result is None or result.file is None else result.file
    return LinkedTest(
        name=test,
        failed=result is not None and result.failed,
        stale=is_stale,
        seconds=0.0 if result is None else result.duration,
        uri=uri_of(root / file) if (root / file).is_file() else None,
        line=0 if result is None or result.line is None else from_line(result.line),
    )


async def _lines_of_test(server: TestlensServer, params: LineParams) -> LinesOfTestResult:
    document = server.documents.find(params.uri)
    workspace = None if document is None else document.folder.workspace
    name = None if document is None else await server.quick.do(_function_at, document.text, params.line + 1)
    if document is None or workspace is None or name is None:
        return LinesOfTestResult(name="", files=[], note="There is no test on this line.")
    test = "::".join([document.path, *name.split(".")])
    texts = {each.path: each.text for each in server.documents.in_folder(document.folder)}
    files = await document.folder.background.do(_run_by, workspace, test, texts)
    note = "" if files else f"No run has seen {test} run any line of the code: run it first."
    return LinesOfTestResult(name=test, files=files, note=note)


def _function_at(text: str, line: int) -> str | None:
    """The dotted name of the outermost function or method on a line (1-based), None where there is none."""
    import ast

    from testlens.analysis.syntax import outline

    try:
        functions = outline(ast.parse(text)).functions
    except (SyntaxError, ValueError):  # half-typed
        return None
    here = [function for function in functions if function.first <= line <= function.last]
    return max(here, key=lambda function: function.last - function.first).name if here else None


def _run_by(workspace: Workspace, test: str, texts: dict[str, str]) -> list[LinkedFile]:
    """What a test runs, all of its parameters' cases together, where it lies now."""
    from testlens.workspace.views import text_on_disk

    found = []
    for path, lines in workspace.lines_of_test(test).items():
        report = workspace.snapshot.files.get(path)
        text = texts.get(path) or text_on_disk(workspace.root / path)
        anchors = None if report is None or text is None else workspace.anchors(report, text)
        if report is None or anchors is None:
            continue
        now = [anchors.current(line) for line in lines & report.coverage.statements]
        if ranges := flat_ranges(line for line in now if line is not None):
            found.append(LinkedFile(uri=uri_of(workspace.root / path), lines=ranges))
    return found
