"""The messages that Testlens adds to LSP, as docs/lsp-extensions.md describes them.

What the server sends has no defaults: the converter leaves out fields that equal theirs. Names become camelCase.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypedDict

import attrs

MARKS = "testlens/marks"
STATUS = "testlens/status"
PLAN = "testlens/plan"
MUTANT = "testlens/mutant"
MUTATION_REPORT = "testlens/mutationReport"
REPORT = "testlens/report"
INTERPRETER = "testlens/interpreter"
SAVE = "testlens/save"
TESTS_OF_LINE = "testlens/testsOfLine"
LINES_OF_TEST = "testlens/linesOfTest"
TESTS = "testlens/tests"
TEST_RUN = "testlens/testRun"
FIND_TESTS = "testlens/findTests"
DEBUG_TARGET = "testlens/debugTarget"
COVERAGE = "testlens/coverage"
FILE_COVERAGE = "testlens/fileCoverage"

RUN_TESTS = "testlens.server.runTests"
RUN_LEFT_OUT = "testlens.server.runLeftOut"
CANCEL_RUN = "testlens.server.cancelRun"
REFRESH = "testlens.server.refresh"
SCAFFOLD = "testlens.server.scaffold"
MUTATE = "testlens.server.mutate"
KILL = "testlens.server.kill"
INIT_CI = "testlens.server.initCi"

FlatRanges = list[int]
"""`[first, last, first, last, ...]`, 0-based, both inclusive."""


@attrs.frozen
class FailureMark:
    """What failing tests said at a line (0-based), in one line of words."""

    line: int
    message: str


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
    survivor: FlatRanges
    running: FlatRanges
    gaps: FlatRanges
    failures: list[FailureMark]
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
    mutation_score: float | None
    mutants: int
    mutated_files: int
    survivors: int
    outlook: str
    source: str | None
    done: int
    total: int
    failed: int
    left_out: int


@attrs.frozen
class FolderParams:
    """Names a workspace folder by its URI."""

    folder: str


@attrs.frozen
class ReportParams:
    """Names a workspace folder, and the nonce of the panel that is to show its report."""

    folder: str
    nonce: str


@attrs.frozen
class MutantParams:
    """Names a mutant of a document by the name that mutmut gives it."""

    uri: str
    name: str


@attrs.frozen
class LineParams:
    """A line of a document (0-based)."""

    uri: str
    line: int


class LinkedTest(TypedDict):
    """A test by node id, and where it failed or else is defined (0-based line); `uri` is None where that is unknown.

    `stale` says that it is slow and was left out since the last edits, so that what it said is from before.
    """

    name: str
    failed: bool
    stale: bool
    seconds: float
    uri: str | None
    line: int


class TestsOfLineResult(TypedDict):
    """The tests that run a line, failing ones first, then the fastest; `note` says why there are none."""

    tests: list[LinkedTest]
    note: str


class LinkedFile(TypedDict):
    """Lines of a file."""

    uri: str
    lines: FlatRanges


class LinesOfTestResult(TypedDict):
    """A test by node id, without parameters, and the lines that it runs; `note` says why there are none."""

    name: str
    files: list[LinkedFile]
    note: str


class MutantResult(TypedDict):
    """The document as the mutant has it; `text` is None, and `title` says why, where it can be shown no more."""

    title: str
    text: str | None


class MutationReportResult(TypedDict):
    """The mutants of a folder after the mutation-testing-report-schema; None, and why, where none is known."""

    report: dict[str, Any] | None
    note: str


class ReportResult(TypedDict):
    """The report of a folder as a page; None, and why, where there is nothing to report."""

    page: str | None
    note: str


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
    percent: float | None
    gaps: list[PlannedGap]


class PlannedFile(TypedDict):
    """A file with gaps, its functions riskiest first."""

    path: str
    uri: str
    percent: float | None
    risk: float
    functions: list[PlannedFunction]


class PlanResult(TypedDict):
    """The gaps of a folder, riskiest first at every level."""

    percent: float | None
    target: float
    summary: str
    outlook: str
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
    """What the commands that start a job answer."""

    job: str


@attrs.frozen
class FolderArguments:
    """The argument of `runLeftOut`, `cancelRun` and `refresh`."""

    folder: str | None = None


@attrs.frozen
class RunTestsArguments:
    """The argument of `runTests`; no tests means all of them. The client may name the job itself."""

    folder: str | None = None
    tests: list[str] | None = None
    job: str | None = None


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
class InitCiArguments:
    """The argument of `initCi`: for which service ("github" or "gitlab") the workflow is."""

    service: str
    folder: str | None = None


@attrs.frozen
class MutateArguments:
    """The argument of `mutate`: a function of a document, a whole document, what changed, or the whole folder.

    `function` is its dotted name, `changed` a git revision that lines are compared with ("HEAD").
    """

    folder: str | None = None
    uri: str | None = None
    function: str | None = None
    changed: str | None = None


@attrs.frozen
class KillArguments:
    """The argument of `kill`: a survivor by mutmut's name. With `test`, a node id, that test gets an assertion."""

    name: str
    test: str | None = None
    folder: str | None = None
